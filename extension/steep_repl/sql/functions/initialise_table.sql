-- The tables of an initialisation: which, and one after the other (steps 3 and 4 of initialise.sql).

CREATE OR REPLACE FUNCTION steep_repl._init_tables_query(id bigint) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN $q$SELECT t.table_schema::text, t.table_name::text, t.strategy, t.before_images::text,
                   (SELECT coalesce(sum(greatest(c.reltuples, 0)), 0)::bigint::text FROM pg_catalog.pg_class c
                     WHERE c.oid IN (SELECT l FROM steep_repl._leaves(t.relation) l)),
                   (SELECT coalesce(sum(pg_catalog.pg_table_size(l)), 0)::bigint::text FROM steep_repl._leaves(t.relation) l)
              FROM steep_repl.tables t JOIN pg_catalog.pg_class k ON k.oid = t.relation ORDER BY k.relpages$q$;
COMMENT ON FUNCTION steep_repl._init_tables_query(bigint) IS 'The query that lists the source''s tables within the snapshot.';

CREATE OR REPLACE FUNCTION steep_repl._init_tables(id bigint, listed text) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  job steep_repl.initialisations;
BEGIN
  SELECT * INTO job FROM steep_repl.initialisations i WHERE i.id = _init_tables.id;
  IF job.kind = 'node' THEN
    INSERT INTO steep_repl.initialisation_tables (id, table_schema, table_name, strategy, before_images, state)
    SELECT id, l->>0, l->>1, l->>2, l->>3 = 'true', 'wanted' FROM jsonb_array_elements(listed::jsonb) l
    ON CONFLICT DO NOTHING;
  END IF;
  -- What is wanted and is on the source; what has been taken over already stays.
  UPDATE steep_repl.initialisation_tables t SET state = 'waiting', rows_expected = (l->>4)::bigint, bytes_expected = coalesce((l->>5)::bigint, 0), reason = NULL
    FROM jsonb_array_elements(listed::jsonb) l
   WHERE t.id = _init_tables.id AND t.state IN ('wanted', 'failed') AND NOT t.hopeless AND t.table_schema = l->>0 AND t.table_name = l->>1;
  UPDATE steep_repl.initialisation_tables t SET state = 'complete'
   WHERE t.id = _init_tables.id AND EXISTS (SELECT 1 FROM steep_repl.tables k WHERE k.table_schema = t.table_schema AND k.table_name = t.table_name);
  UPDATE steep_repl.initialisations i SET phase = 'copying', copying_since = clock_timestamp(), (bytes_before, units_before) = (
      SELECT coalesce(sum(t.bytes_copied), 0), coalesce(sum(greatest(t.bytes_expected, 8192)), 0) FROM steep_repl.initialisation_tables t WHERE t.id = i.id AND t.state = 'complete')
   WHERE i.id = _init_tables.id;
END $$;
COMMENT ON FUNCTION steep_repl._init_tables(bigint, text) IS 'Notes which tables to take over.';

CREATE OR REPLACE FUNCTION steep_repl._copy_origin() RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  -- Origins belong to the server, and one process at a time uses each.
  SELECT 'steep_repl_copy_' || d.oid FROM pg_database d WHERE d.datname = current_database();
END;
COMMENT ON FUNCTION steep_repl._copy_origin() IS 'The replication origin of rows that are copied into this database.';

CREATE OR REPLACE FUNCTION steep_repl._init_origin(id bigint) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  name text := steep_repl._copy_origin();
BEGIN
  IF NOT EXISTS (SELECT 1 FROM pg_replication_origin o WHERE o.roname = name) THEN
    PERFORM pg_replication_origin_create(name);
  END IF;
  PERFORM steep_repl._origin_means((SELECT o.roident FROM pg_replication_origin o WHERE o.roname = name), 'copy',
                                   (SELECT i.source FROM steep_repl.initialisations i WHERE i.id = _init_origin.id));
  -- From now on nothing that this process writes is sent to peers: they have these rows from elsewhere.
  IF NOT pg_replication_origin_session_is_setup() THEN
    PERFORM pg_replication_origin_session_setup(name);
  END IF;
END $$;
COMMENT ON FUNCTION steep_repl._init_origin(bigint) IS 'Marks what this process writes as copied.';

CREATE OR REPLACE FUNCTION steep_repl._init_check_links(id bigint) RETURNS void
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  strangers text;
BEGIN
  SELECT string_agg(l.peer, ', ') INTO strangers FROM steep_repl.links l JOIN steep_repl.initialisations i ON i.id = _init_check_links.id
    LEFT JOIN steep_repl.initialisation_members m ON m.id = i.id AND m.peer = l.peer
   WHERE l.subscription IS NOT NULL AND (m.peer IS NULL OR l.peer <> i.source AND m.held_at IS NULL);
  IF strangers IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'SR014', MESSAGE = format('a link with %s was made meanwhile; its position in the copy is not known', strangers),
      HINT = 'The copy begins again under a new snapshot.';
  END IF;
END $$;
COMMENT ON FUNCTION steep_repl._init_check_links(bigint) IS 'Error SR014 when there is a link whose position in the snapshot is not known.';

CREATE OR REPLACE FUNCTION steep_repl._init_next_table(id bigint) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT steep_repl._init_check_links(_init_next_table.id);
  SELECT format('%I.%I', t.table_schema, t.table_name) FROM steep_repl.initialisation_tables t
   WHERE t.id = _init_next_table.id AND t.state = 'waiting' ORDER BY t.rows_expected, t.table_schema, t.table_name LIMIT 1;
END;
COMMENT ON FUNCTION steep_repl._init_next_table(bigint) IS 'The next table to copy, quoted; NULL when all are done.';

CREATE OR REPLACE FUNCTION steep_repl._init_table_begin(id bigint, "table" text) RETURNS jsonb
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  relation regclass := to_regclass("table");
  wanted steep_repl.initialisation_tables;
BEGIN
  PERFORM set_config('session_replication_role', 'replica', true);
  SELECT * INTO wanted FROM steep_repl.initialisation_tables t WHERE t.id = _init_table_begin.id AND format('%I.%I', t.table_schema, t.table_name) = "table";
  IF relation IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'undefined_table', MESSAGE = format('table %s does not exist here', "table");
  END IF;
  PERFORM steep_repl._refuse_problems(relation, wanted.before_images);
  PERFORM steep_repl._lock_table(relation, wanted.before_images AND steep_repl._before_images_possible(relation));
  IF steep_repl._holds_rows(relation) AND wanted.existing = 'refuse' THEN
    RAISE EXCEPTION USING ERRCODE = 'SR044', MESSAGE = format('table %s holds rows on this node and on the source', "table"),
      HINT = 'Empty it here, or prove the contents equal: add_table(…, existing => ''identical'').';
  END IF;
  -- With nothing here, rows are copied also where those of others are to be identical.
  RETURN steep_repl._copy_plan(relation, CASE WHEN steep_repl._holds_rows(relation) THEN wanted.existing ELSE 'refuse' END);
END $$;
COMMENT ON FUNCTION steep_repl._init_table_begin(bigint, text) IS 'Locks an empty table and says how to copy it: relation, columns, query for the source.';

CREATE OR REPLACE FUNCTION steep_repl._copy_plan(relation regclass, existing text) RETURNS jsonb
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  names text[];
BEGIN
  SELECT array_agg(a.attname ORDER BY a.attnum) INTO names FROM pg_attribute a
   WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '';
  RETURN jsonb_build_object('relation', relation::oid::bigint, 'columns', to_jsonb(coalesce(names, '{}')),
    'query', format('COPY (SELECT %s FROM %s%s) TO STDOUT', (SELECT string_agg(quote_ident(n), ', ' ORDER BY o) FROM unnest(names) WITH ORDINALITY u(n, o)),
                    steep_repl._source_of(relation), CASE WHEN existing = 'identical' THEN ' WHERE false' ELSE '' END),
    'proof', CASE WHEN existing = 'identical' THEN format('SELECT steep_repl._content_hash(%L::regclass)', format('%s', relation)) END,
    'versions', CASE WHEN existing <> 'identical' AND EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = relation AND i.indisprimary)
                     THEN format('SELECT v FROM steep_repl._recent_versions(%L) v', format('%s', relation)) END,
    'hash', CASE WHEN existing = 'identical' THEN steep_repl._content_hash(relation) END);
END $$;
COMMENT ON FUNCTION steep_repl._copy_plan(regclass, text) IS 'How to copy a table; for contents that are to be identical, the hash here and the query for the source''s.';

CREATE OR REPLACE FUNCTION steep_repl._init_table_done(id bigint, "table" text, rows bigint, bytes bigint) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  relation regclass := "table"::regclass;
  job steep_repl.initialisations;
  wanted steep_repl.initialisation_tables;
BEGIN
  SELECT * INTO job FROM steep_repl.initialisations i WHERE i.id = _init_table_done.id;
  UPDATE steep_repl.initialisation_tables t SET state = 'complete', rows_copied = rows, bytes_copied = bytes, reason = NULL
   WHERE t.id = _init_table_done.id AND format('%I.%I', t.table_schema, t.table_name) = "table" RETURNING * INTO wanted;
  PERFORM steep_repl._join_table(relation, coalesce(wanted.strategy, 'last_write_wins'), wanted.before_images);
  PERFORM steep_repl._join_ranges(relation, job.source, job.source_conninfo, wanted.range_request, wanted.range_timeline);
  PERFORM steep_repl._init_check_links(id);
  -- From here on its rows are everybody's: a load that is cancelled later must not take them away.
  DELETE FROM steep_repl.loaded_pieces p WHERE p.work_id = job.work_id AND p.relation IN (SELECT l FROM steep_repl._leaves(relation) l);
  -- Step 4.
  PERFORM steep_repl._set_subscription_table(l.subscription, relation, 's',
            (CASE WHEN l.peer = job.source THEN job.snapshot_lsn ELSE m.held_at END - '0/0'::pg_lsn)::bigint)
     FROM steep_repl.links l LEFT JOIN steep_repl.initialisation_members m ON m.peer = l.peer AND m.id = _init_table_done.id
    WHERE l.subscription IS NOT NULL;
END $$;
COMMENT ON FUNCTION steep_repl._init_table_done(bigint, text, bigint, bigint) IS 'Step 4, in the transaction of the copy: sends and receives the table from here on.';

CREATE OR REPLACE FUNCTION steep_repl._recent_versions("table" text) RETURNS SETOF text
  LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  root regclass := (SELECT t.relation FROM steep_repl.tables t WHERE t.relation = "table"::regclass);
  -- Changes of others that were written before this have all arrived here; what is older than it is older than
  -- everything that may still arrive at the copy. Clocks may differ a little.
  horizon timestamptz := (SELECT min(coalesce(o.caught_up_at, '-infinity')) - interval '10 seconds'
                            FROM steep_repl.links l LEFT JOIN steep_repl.link_observations o ON o.peer = l.peer WHERE l.wanted <> 'remove');
BEGIN
  IF root IS NULL THEN
    RETURN;
  END IF;
  RETURN QUERY EXECUTE format(
    'SELECT jsonb_build_object(''key'', k.key, ''micros'', v.micros, ''node'', v.node)::text FROM %1$s t
       CROSS JOIN LATERAL (SELECT steep_repl._key_json(t.*)::jsonb AS key) k
       CROSS JOIN LATERAL steep_repl._row_version(%2$s, steep_repl._key_id(%2$s, k.key), t.xmin) v
      WHERE pg_xact_commit_timestamp(t.xmin) >= $1 AND v.micros IS NOT NULL', steep_repl._source_of(root), root::oid) USING horizon;
  RETURN QUERY
  SELECT jsonb_build_object('key_id', s.key_id, 'key', (SELECT jsonb_object_agg(c.name, s.row_gone::jsonb->c.name) FROM steep_repl._key_columns(root) c(name)),
                            'micros', v.micros, 'node', v.node, 'gone', true, 'row_gone', s.row_gone, 'displaced', s.displaced)::text
    FROM steep_repl.tombstones s
   CROSS JOIN LATERAL (SELECT x.micros, x.node FROM steep_repl._row_version(root, s.key_id, s.xmin) x WHERE s.version_node IS NULL
                       UNION ALL SELECT steep_repl._micros(s.version_time), s.version_node WHERE s.version_node IS NOT NULL) v
   WHERE s.relation = root AND v.micros IS NOT NULL AND coalesce(pg_xact_commit_timestamp(s.xmin) >= horizon, horizon IS NOT NULL);
  RETURN QUERY SELECT c FROM steep_repl._recent_changes(root) c;
END $$;
COMMENT ON FUNCTION steep_repl._recent_versions(text) IS 'Versions of the rows and deletions that a copy of a table must know: those that may be later than a change still on its way. Definer: reads tombstones.';

CREATE OR REPLACE FUNCTION steep_repl._key_columns(root regclass) RETURNS SETOF text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT a.attname::text FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1])
   WHERE i.indrelid = root AND i.indisprimary;
END;
COMMENT ON FUNCTION steep_repl._key_columns(regclass) IS 'The columns of a table''s primary key.';

CREATE OR REPLACE FUNCTION steep_repl._init_take_versions(id bigint, relation bigint, versions text[], loaded boolean) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
  root oid := relation::oid;
  here jsonb[] := ARRAY(SELECT v::jsonb FROM unnest(versions) v WHERE NOT v::jsonb ?| '{change,gone}');
  v jsonb;
  found_rows bigint;
BEGIN
  IF loaded THEN
    -- By several transactions: each row is the one that its key finds.
    EXECUTE format('INSERT INTO steep_repl.row_versions (relation, key_id, row_xid, version_time, version_node)
        SELECT $1, steep_repl._key_id($1, s.v->''key''), t.xmin, steep_repl._at((s.v->>''micros'')::bigint), s.v->>''node''
          FROM unnest($2) s(v) CROSS JOIN LATERAL jsonb_to_record(s.v->''key'') k(%s) JOIN %s t ON (%s)',
      (SELECT string_agg(format('%I %s', o.name, o.type), ', ') FROM steep_repl._key_operators(root) o), steep_repl._source_of(root::regclass),
      (SELECT string_agg(format('t.%1$I OPERATOR(%2$s) k.%1$I', o.name, o.operator), ' AND ') FROM steep_repl._key_operators(root) o)) USING root, here;
    GET DIAGNOSTICS found_rows = ROW_COUNT;
    IF found_rows <> cardinality(here) THEN
      RAISE EXCEPTION USING ERRCODE = 'data_corrupted', MESSAGE = format('%s rows of %s have a version in the snapshot, and %s of them are here', cardinality(here), root::regclass, found_rows);
    END IF;
  ELSE
    INSERT INTO steep_repl.row_versions (relation, key_id, row_xid, version_time, version_node)
    SELECT root, steep_repl._key_id(root, h->'key'), pg_current_xact_id()::xid, steep_repl._at((h->>'micros')::bigint), h->>'node' FROM unnest(here) h;
  END IF;
  FOR v IN SELECT x::jsonb FROM unnest(versions) x WHERE x::jsonb ?| '{change,gone}' LOOP
    IF v ? 'change' THEN
      PERFORM steep_repl._take_change(root, v);
    ELSIF (v->>'key_id')::uuid = steep_repl._all_keys() THEN
      INSERT INTO steep_repl.tombstones (relation, key_id, version_time, version_node)
      VALUES (root, (v->>'key_id')::uuid, steep_repl._at((v->>'micros')::bigint), v->>'node');
    ELSIF jsonb_typeof(v->'key') = 'object' THEN
      PERFORM steep_repl._put_tombstone(root, v->'key', v->>'row_gone', (v->>'micros')::bigint, v->>'node', (v->>'displaced')::boolean);
    END IF;
  END LOOP;
END $$;
COMMENT ON FUNCTION steep_repl._init_take_versions(bigint, bigint, text[], boolean) IS 'Notes the versions of copied rows, and of rows that are gone. loaded: by earlier transactions. Errors: XX001 a row is not there.';
