-- Snapshots that nodes are filled from: where the streams of all nodes stood, when one is taken (src/snapshot/replication.rs),
-- and an initialisation that loads one instead of copying from the source (src/work/load.rs).

CREATE OR REPLACE FUNCTION steep_repl._snapshot_hold(preparation uuid, holder text) RETURNS jsonb
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  member text;
  members jsonb := '[]';
BEGIN
  FOR member IN SELECT jsonb_object_keys(p.members) FROM steep_repl.preparations p WHERE p.id = _snapshot_hold.preparation LOOP
    members := members || jsonb_build_object('node_id', member, 'applied_lsn', steep_repl._hold(member, holder, 600));
  END LOOP;
  RETURN members;
END $$;
COMMENT ON FUNCTION steep_repl._snapshot_hold(uuid, text) IS 'Stops applying the streams of all other nodes for a moment; up to where each is applied.';

CREATE OR REPLACE FUNCTION steep_repl._snapshot_held(members jsonb, holder text) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  gone_on text := (SELECT string_agg(m->>'node_id', ', ') FROM jsonb_array_elements(members) m
                    WHERE steep_repl._held_at(m->>'node_id', holder) IS DISTINCT FROM (m->>'applied_lsn')::pg_lsn);
BEGIN
  IF gone_on IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'SR016', MESSAGE = format('this node went on applying the stream of %s before the snapshot was taken', gone_on),
      HINT = 'A long transaction keeps the snapshot waiting. retry_work() begins anew.';
  END IF;
END $$;
COMMENT ON FUNCTION steep_repl._snapshot_held(jsonb, text) IS 'Error SR016 unless all streams were held until now.';

CREATE OR REPLACE FUNCTION steep_repl._snapshot_release(holder text) RETURNS void
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT steep_repl._release(l.peer, holder) FROM steep_repl.links l WHERE l.held_by = holder;
END;
COMMENT ON FUNCTION steep_repl._snapshot_release(text) IS 'Lets the streams go on that were held for a snapshot.';

CREATE OR REPLACE FUNCTION steep_repl._snapshot_replication() RETURNS jsonb
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT coalesce(jsonb_agg(jsonb_build_object('relation', t.relation::bigint, 'schema', t.table_schema, 'table', t.table_name, 'joined_at', t.joined_at,
           'leaves', leaves.names, 'pages', leaves.pages) ORDER BY t.table_schema, t.table_name), '[]')
    FROM steep_repl.tables t
   CROSS JOIN LATERAL (SELECT jsonb_agg(jsonb_build_array(n.nspname, c.relname)) AS names, sum(c.relpages)::bigint AS pages
                         FROM steep_repl._leaves(t.relation) l JOIN pg_class c ON c.oid = l JOIN pg_namespace n ON n.oid = c.relnamespace) leaves;
END;
COMMENT ON FUNCTION steep_repl._snapshot_replication() IS 'The replicated tables as the running transaction sees them.';

CREATE OR REPLACE FUNCTION steep_repl._manifest_tables(manifest jsonb, wanted jsonb) RETURNS integer[]
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  -- Joined by whole values: there may be very many.
  RETURN ARRAY(SELECT e.n::int - 1 FROM jsonb_array_elements(manifest->'tables') WITH ORDINALITY e(t, n)
                 JOIN (SELECT leaf FROM jsonb_array_elements(manifest->'replication'->'tables') r JOIN jsonb_array_elements(wanted) w ON w = jsonb_build_array(r->'schema', r->'table')
                        CROSS JOIN LATERAL jsonb_array_elements(r->'leaves') leaf) l ON l.leaf = jsonb_build_array(e.t->'schema', e.t->'table')
                ORDER BY e.n);
COMMENT ON FUNCTION steep_repl._manifest_tables(jsonb, jsonb) IS 'The numbers, from 0, of the tables in a manifest that replicated tables consist of. wanted: [[schema, table], …].';

CREATE OR REPLACE FUNCTION steep_repl._manifest_part(manifest jsonb, numbers integer[]) RETURNS jsonb
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN CASE WHEN numbers IS NULL THEN manifest
              ELSE manifest || jsonb_build_object('sequences', '[]'::jsonb, 'tables',
                (SELECT coalesce(jsonb_agg(t ORDER BY n), '[]') FROM jsonb_array_elements(manifest->'tables') WITH ORDINALITY e(t, n) WHERE n - 1 = ANY (numbers))) END;
COMMENT ON FUNCTION steep_repl._manifest_part(jsonb, integer[]) IS 'The manifest as if it had these tables only, and no sequences; all of it for NULL.';

CREATE OR REPLACE FUNCTION steep_repl._check_start_from(path text, source_conninfo text, identity jsonb) RETURNS TABLE (problem text, remedy text)
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  manifest jsonb := steep_repl._snapshot_manifest(steep_repl._snapshot_path(path));
  copied jsonb := manifest->'replication';
  again text := 'Prepare on the source (prepare_node), take a snapshot there with that preparation (start_snapshot), and start from it.';
BEGIN
  IF copied IS NULL THEN
    RETURN QUERY SELECT format('the snapshot in %s was not taken for new nodes', path), again;
  ELSIF copied->>'node_uid' IS DISTINCT FROM identity->>'node_uid' THEN
    RETURN QUERY SELECT format('the snapshot in %s is one of node %s, not of the source, node %s', path, manifest->>'node_id', identity->>'node_id'), 'Name the node that it was taken on as the source.';
  ELSE
    RETURN QUERY SELECT p, again FROM jsonb_array_elements_text(steep_repl._peer_value(source_conninfo, format('SELECT steep_repl._copy_problems(%L, %L, %L)::text',
      copied->>'preparation', ARRAY(SELECT m->>'node_id' FROM jsonb_array_elements(copied->'members') m), copied->'tables'))::jsonb) p;
    RETURN QUERY SELECT p, 'See above.' FROM steep_repl._apply_problems(
      steep_repl._manifest_part(manifest, steep_repl._manifest_tables(manifest, steep_repl._source_tables(source_conninfo))), steep_repl._outer_role(), NULL, false) p
     -- Those are said of all tables, however they are filled.
     WHERE p NOT LIKE '% holds rows' AND p NOT LIKE '% does not exist here';
  END IF;
END $$;
COMMENT ON FUNCTION steep_repl._check_start_from(text, text, jsonb) IS 'What speaks against filling this node from a snapshot of that source.';

CREATE OR REPLACE FUNCTION steep_repl._source_tables(source_conninfo text) RETURNS jsonb
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
  RETURN steep_repl._peer_value(source_conninfo, 'SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_array(t.table_schema, t.table_name))::text FROM steep_repl.tables t')::jsonb;
COMMENT ON FUNCTION steep_repl._source_tables(text) IS 'The tables that a source replicates: [[schema, table], …].';

-- The steps of an initialisation that are others with a snapshot.

CREATE OR REPLACE FUNCTION steep_repl._init_method(id bigint) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT i.method FROM steep_repl.initialisations i WHERE i.id = _init_method.id;
END;
COMMENT ON FUNCTION steep_repl._init_method(bigint) IS 'Where an initialisation takes rows from: direct or snapshot.';

CREATE OR REPLACE FUNCTION steep_repl._init_snapshot_path(id bigint) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT i.snapshot_path FROM steep_repl.initialisations i WHERE i.id = _init_snapshot_path.id;
END;
COMMENT ON FUNCTION steep_repl._init_snapshot_path(bigint) IS 'The folder of the snapshot that an initialisation loads.';

CREATE OR REPLACE FUNCTION steep_repl._init_keep(id bigint) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  job steep_repl.initialisations;
  lsn pg_lsn;
  told text := 'SELECT steep_repl._preparation_joined(%L, %L, %L)::text';
BEGIN
  SELECT * INTO job FROM steep_repl.initialisations i WHERE i.id = _init_keep.id;
  IF job.method <> 'snapshot' OR EXISTS (SELECT 1 FROM steep_repl.preparations p WHERE p.id = job.preparation) THEN
    RETURN;
  END IF;
  -- The next node that is filled from the same copy needs all that this one writes.
  lsn := steep_repl._keep_stream(job.preparation, 'the source of ' || steep_repl.node_id(),
    (steep_repl._peer_value(job.source_conninfo, format(told, job.preparation, steep_repl.node_id(), NULL))::jsonb->>'expires_at')::timestamptz, job.asked_by, NULL);
  PERFORM steep_repl._peer_value(job.source_conninfo, format(told, job.preparation, steep_repl.node_id(), lsn));
END $$;
COMMENT ON FUNCTION steep_repl._init_keep(bigint) IS 'Has a node that is filled from a copy keep its own stream, before it has one, for the next node.';

CREATE OR REPLACE FUNCTION steep_repl._init_positions(id bigint) RETURNS text
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  job steep_repl.initialisations;
  manifest jsonb;
  listed jsonb;
BEGIN
  SELECT * INTO job FROM steep_repl.initialisations i WHERE i.id = _init_positions.id;
  manifest := steep_repl._snapshot_manifest(job.snapshot_path);
  UPDATE steep_repl.initialisation_members m SET held_at = (k->>'applied_lsn')::pg_lsn
    FROM jsonb_array_elements(manifest->'replication'->'members') k WHERE m.id = _init_positions.id AND m.peer = k->>'node_id';
  -- Nodes that were filled from it before: of what they write nothing is in it.
  UPDATE steep_repl.initialisation_members m SET held_at = '0/0' WHERE m.id = _init_positions.id AND m.peer <> job.source AND m.held_at IS NULL
     AND steep_repl._peer_value(job.source_conninfo, format('SELECT steep_repl._preparation_joined(%L, %L, NULL)::text', job.preparation, steep_repl.node_id()))::jsonb->'members' ? m.peer;
  UPDATE steep_repl.initialisations i SET snapshot_lsn = (manifest->>'lsn')::pg_lsn, phase = 'looking at the tables' WHERE i.id = _init_positions.id;
  PERFORM steep_repl._init_check_links(id);
  listed := steep_repl._peer_value(job.source_conninfo, format('SELECT coalesce(pg_catalog.jsonb_agg(pg_catalog.to_jsonb(ARRAY[q.a, q.b, q.c, q.d, q.e, q.f])), ''[]'')::text FROM (%s) q(a, b, c, d, e, f)',
                                                               steep_repl._init_tables_query(id)))::jsonb;
  -- What the source has added since is copied afterwards, as to any other node.
  INSERT INTO steep_repl.table_inbox (node_id, table_schema, table_name, action, detail)
  SELECT job.source, l->>0, l->>1, 'join', jsonb_build_object('strategy', l->>2, 'before_images', l->>3 = 'true') FROM jsonb_array_elements(listed) l
   WHERE NOT EXISTS (SELECT 1 FROM jsonb_array_elements(manifest->'replication'->'tables') t WHERE t->'schema' = l->0 AND t->'table' = l->1);
  RETURN (SELECT coalesce(jsonb_agg(l), '[]') FROM jsonb_array_elements(listed) l
           WHERE EXISTS (SELECT 1 FROM jsonb_array_elements(manifest->'replication'->'tables') t WHERE t->'schema' = l->0 AND t->'table' = l->1));
END $$;
COMMENT ON FUNCTION steep_repl._init_positions(bigint) IS 'Steps 1 to 3, which lie in the past: takes the positions from the manifest. The tables to take, as _init_tables() wants them.';

CREATE OR REPLACE FUNCTION steep_repl._init_load(id bigint, owner integer) RETURNS text
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  job steep_repl.initialisations;
  work steep_repl.work_queue;
  mine boolean;
  waits text;
  manifest jsonb;
  joins jsonb;
BEGIN
  SELECT * INTO job FROM steep_repl.initialisations i WHERE i.id = _init_load.id;
  waits := steep_repl._init_running_streams();
  IF waits IS NOT NULL THEN
    RETURN waits;
  END IF;
  SELECT * INTO work FROM steep_repl.work_queue q WHERE q.id = job.work_id;
  mine := (work.parameters->'joins'->>'owner')::int = owner;
  IF mine AND work.state IN ('pending', 'running') THEN
    RETURN format('loading the snapshot as work %s', work.id);
  ELSIF mine AND work.state = 'complete' THEN
    RETURN NULL;
  ELSIF mine THEN
    RAISE EXCEPTION USING ERRCODE = coalesce(work.sqlstate, 'SR117'), MESSAGE = format('work %s, which loads the snapshot, %s', work.id, coalesce('failed: ' || work.error, 'was cancelled'));
  ELSIF work.state IN ('pending', 'running') THEN
    -- Of an attempt whose process is gone: nobody holds the origin for it any more. What it has loaded stays.
    PERFORM steep_repl._stop_work(work.id, 'the process that joins this node has ended, and another one goes on');
    RETURN format('waiting for the end of work %s', work.id);
  END IF;
  manifest := steep_repl._snapshot_manifest(job.snapshot_path);
  joins := jsonb_build_object('owner', owner, 'origin', steep_repl._copy_origin(), 'tables', steep_repl._manifest_tables(manifest,
    (SELECT coalesce(jsonb_agg(jsonb_build_array(t.table_schema, t.table_name)), '[]') FROM steep_repl.initialisation_tables t WHERE t.id = _init_load.id AND t.state = 'waiting')));
  IF work.id IS NOT NULL THEN
    -- It goes on after what it has loaded.
    UPDATE steep_repl.work_queue q SET state = 'pending', error = NULL, sqlstate = NULL, cancelled_by = NULL, finished_at = NULL, progress = NULL,
        parameters = q.parameters || jsonb_build_object('joins', joins) WHERE q.id = work.id;
  ELSE
    INSERT INTO steep_repl.work_queue (kind, parameters, role, asked_by)
    VALUES ('apply', jsonb_build_object('path', job.snapshot_path, 'parallel', job.parallel, 'verify', true, 'strict', false, 'snapshot_uid', manifest->>'snapshot_uid', 'joins', joins),
            job.role, job.asked_by) RETURNING * INTO work;
    UPDATE steep_repl.initialisations i SET work_id = work.id WHERE i.id = _init_load.id;
  END IF;
  PERFORM steep_repl._wake_worker();
  RETURN format('loading the snapshot as work %s', work.id);
END $$;
COMMENT ON FUNCTION steep_repl._init_load(bigint, integer) IS 'Step 4, its rows: NULL once all of them are loaded, else what it waits for. owner: the process that holds the origin of the copy.';

CREATE OR REPLACE FUNCTION steep_repl._init_loaded_begin(id bigint, "table" text) RETURNS jsonb
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  job steep_repl.initialisations;
  relation regclass := to_regclass("table");
  wanted steep_repl.initialisation_tables;
  loaded xid[];
  foreign_rows bigint;
  here bigint;
  expected bigint;
BEGIN
  PERFORM set_config('session_replication_role', 'replica', true);
  SELECT * INTO job FROM steep_repl.initialisations i WHERE i.id = _init_loaded_begin.id;
  SELECT * INTO wanted FROM steep_repl.initialisation_tables t WHERE t.id = _init_loaded_begin.id AND format('%I.%I', t.table_schema, t.table_name) = "table";
  PERFORM steep_repl._refuse_problems(relation, wanted.before_images);
  PERFORM steep_repl._lock_table(relation, wanted.before_images AND steep_repl._before_images_possible(relation));
  SELECT array_agg(p.row_xid), coalesce(sum(p.rows), 0) INTO loaded, expected FROM steep_repl.loaded_pieces p
   WHERE p.work_id = job.work_id AND p.relation IN (SELECT l FROM steep_repl._leaves(relation) l);
  EXECUTE format('SELECT count(*), count(*) FILTER (WHERE xmin <> ALL ($1)) FROM %s', steep_repl._source_of(relation)) INTO here, foreign_rows USING coalesce(loaded, '{}');
  IF foreign_rows > 0 OR here <> expected THEN
    RAISE EXCEPTION USING ERRCODE = 'SR044', MESSAGE = format('table %s was written to while it was loaded', "table"),
      DETAIL = format('Loaded: %s rows. Here now: %s, of which %s are not the snapshot''s.', expected, here, foreign_rows),
      HINT = format('TRUNCATE it here and start again: SELECT steep_repl.cancel_work(%s) takes away what was loaded.', job.work_id);
  END IF;
  RETURN jsonb_build_object('relation', relation::oid::bigint, 'rows', here, 'schema', wanted.table_schema, 'table', wanted.table_name);
END $$;
COMMENT ON FUNCTION steep_repl._init_loaded_begin(bigint, text) IS
  'Locks a table that was loaded, and sees that nobody else has written to it: by its rows, all of which are read. Errors: SR044.';
