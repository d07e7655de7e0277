-- Emptying tables of this node that are then taken over anew from a peer (node_reinit.sql), so that no node hears of it.
--
-- Step 1 of initialise.sql has come to rest: no stream is applied here. In one transaction, under a lock that keeps everybody out:
-- the table leaves the publication and the subscriptions, loses all that is remembered of its rows, is emptied, and gets a
-- trigger that refuses writes. What this node had sent of it lies before Z, where its WAL is at that moment; the snapshot
-- of the source waits until the source has applied it. So a last write of this node is in what comes back.

CREATE OR REPLACE FUNCTION steep_repl._referring(relations oid[]) RETURNS TABLE (child oid, parent oid, name name)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT r.child, r.parent, r.conname
    FROM (SELECT steep_repl._root_of(k.conrelid) AS child, steep_repl._root_of(k.confrelid) AS parent, k.conname
            FROM pg_constraint k WHERE k.contype = 'f' AND k.conparentid = 0) r
   WHERE r.parent = ANY (relations) AND r.child <> ALL (relations);
END;
COMMENT ON FUNCTION steep_repl._referring(oid[]) IS 'The foreign keys by which other tables refer to some.';

CREATE OR REPLACE FUNCTION steep_repl._emptied_by_row(relations oid[]) RETURNS SETOF oid
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  -- TRUNCATE wants all tables in one statement that refer to one of them, also when they are empty.
  WITH RECURSIVE refers AS (
    SELECT steep_repl._root_of(k.conrelid) AS child, steep_repl._root_of(k.confrelid) AS parent FROM pg_constraint k WHERE k.contype = 'f'
  ), by_row AS (
    SELECT r.parent AS relation FROM refers r WHERE r.parent = ANY (relations) AND r.child <> ALL (relations)
    UNION
    SELECT r.parent FROM by_row b JOIN refers r ON r.child = b.relation WHERE r.parent = ANY (relations)
  )
  SELECT b.relation FROM by_row b;
END;
COMMENT ON FUNCTION steep_repl._emptied_by_row(oid[]) IS 'Those of some tables that TRUNCATE refuses, because of tables that are to stay.';

CREATE OR REPLACE FUNCTION steep_repl._emptying_problems(relations oid[]) RETURNS TABLE (relation oid, problem text, remedy text)
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  refers record;
BEGIN
  RETURN QUERY
  SELECT r, p.problem, p.remedy FROM unnest(relations) r
    CROSS JOIN LATERAL steep_repl._table_problems(r, coalesce((SELECT t.before_images FROM steep_repl.tables t WHERE t.relation = r), true)) p
  UNION ALL
  -- It would run with the rights of the worker, and do on this node alone what it does at a user's TRUNCATE.
  SELECT r, format('trigger %I fires at TRUNCATE also in replication', g.tgname),
         format('ALTER TABLE %s ENABLE TRIGGER %I, not ALWAYS or REPLICA, until this is done', g.tgrelid::regclass, g.tgname)
    FROM unnest(relations) r JOIN pg_trigger g ON g.tgrelid = r OR g.tgrelid IN (SELECT t.relid FROM pg_partition_tree(r) t)
    JOIN pg_proc f ON f.oid = g.tgfoid
   WHERE g.tgtype & 32 <> 0 AND g.tgenabled IN ('R', 'A') AND NOT g.tgisinternal AND f.pronamespace <> 'steep_repl'::regnamespace;
  FOR refers IN SELECT DISTINCT f.child::regclass AS child, f.parent, f.name FROM steep_repl._referring(relations) f LOOP
    IF steep_repl._holds_rows(refers.child) THEN
      relation := refers.parent;
      problem := format('table %s refers to it (%I) and holds rows', refers.child, refers.name);
      remedy := CASE WHEN EXISTS (SELECT 1 FROM steep_repl.tables t WHERE t.relation = refers.child) THEN format('Take %s anew together with it', refers.child)
                     ELSE format('Empty %s, or drop the constraint until this is done', refers.child) END;
      RETURN NEXT;
    END IF;
  END LOOP;
END $$;
COMMENT ON FUNCTION steep_repl._emptying_problems(oid[]) IS 'What on this node speaks against emptying some tables and taking them over.';

CREATE OR REPLACE FUNCTION steep_repl._lock_all(relations oid[]) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  one oid;
  before text := current_setting('lock_timeout');
BEGIN
  PERFORM set_config('lock_timeout', current_setting('steep_repl.lock_timeout'), true);
  FOREACH one IN ARRAY relations LOOP
    BEGIN
      EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', steep_repl._source_of(one));
    EXCEPTION WHEN lock_not_available THEN
      RAISE EXCEPTION USING ERRCODE = 'lock_not_available', MESSAGE = format('table %s is being used', one::regclass),
        DETAIL = format('Held by: %s', steep_repl._lock_holders(one, false)),
        HINT = 'It is tried again. End those transactions, or raise steep_repl.lock_timeout.';
    END;
  END LOOP;
  PERFORM set_config('lock_timeout', before, true);
END $$;
COMMENT ON FUNCTION steep_repl._lock_all(oid[]) IS 'Keeps everybody out of some tables until the end of the transaction.';

CREATE OR REPLACE FUNCTION steep_repl._reserve_for(tables jsonb, holder text, wanted boolean) RETURNS jsonb
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF wanted THEN
    PERFORM steep_repl._put_reservation(t->>0, t->>1, holder) FROM jsonb_array_elements(tables) t;
  ELSE
    DELETE FROM steep_repl.table_reservations r USING jsonb_array_elements(tables) t WHERE (r.table_schema, r.table_name, r.node_id) = (t->>0, t->>1, holder);
  END IF;
  RETURN (SELECT coalesce(jsonb_agg(format('%I.%I', t->>0, t->>1)), '[]') FROM jsonb_array_elements(tables) t
           WHERE NOT EXISTS (SELECT 1 FROM steep_repl.tables k WHERE (k.table_schema, k.table_name) = (t->>0, t->>1)));
END $$;
COMMENT ON FUNCTION steep_repl._reserve_for(jsonb, text, boolean) IS 'Notes that a peer is about to take tables from this node, [[schema, table], …], or is not after all; those that it does not replicate. Definer: writes the reservations.';

CREATE OR REPLACE FUNCTION steep_repl._copied_from_here() RETURNS boolean
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  -- The slot of src/work/initialise.rs; it lasts as long as the snapshot.
  RETURN EXISTS (SELECT 1 FROM pg_replication_slots s WHERE s.temporary AND s.slot_name LIKE 'steep\_repl\_copy\_%' AND s.database = current_database());
COMMENT ON FUNCTION steep_repl._copied_from_here() IS 'Whether a peer is taking tables over from this node: TRUNCATE empties them for its snapshot, too.';

CREATE OR REPLACE FUNCTION steep_repl._reserve_source(id bigint) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  job steep_repl.initialisations;
  tables jsonb := (SELECT coalesce(jsonb_agg(jsonb_build_array(t.table_schema, t.table_name)), '[]') FROM steep_repl.initialisation_tables t WHERE t.id = _reserve_source.id);
  reserve text := format('SELECT steep_repl._reserve_for(%L, %L, ', tables, steep_repl.node_id());
  other text;
BEGIN
  -- Last in the transaction that empties tables. Each writes at its source and then looks at home: of nodes that take tables from each
  -- other, in a circle however large, at least one sees another and gives way. Else all would be empty.
  SELECT * INTO job FROM steep_repl.initialisations i WHERE i.id = _reserve_source.id;
  PERFORM steep_repl._refuse('SR120', 'the tables cannot be taken anew', ARRAY(SELECT format('%s: %s does not replicate it any more', t, job.source)
      FROM jsonb_array_elements_text(steep_repl._peer_value(job.source_conninfo, reserve || 'true)::text')::jsonb) t), 'Nothing has been changed. Name a node that does.');
  SELECT r.node_id INTO other FROM steep_repl.initialisation_tables t JOIN steep_repl.table_reservations r USING (table_schema, table_name)
   WHERE t.id = _reserve_source.id AND r.until > clock_timestamp() LIMIT 1;
  IF FOUND THEN
    PERFORM steep_repl._peer_value(job.source_conninfo, reserve || 'false)::text');
    RAISE EXCEPTION USING ERRCODE = 'object_in_use', MESSAGE = format('%s is taking a table from this node, or changing its ranges, at the same time', other), HINT = 'Nothing has been changed. It is tried again.';
  -- Who begins now waits for this transaction before it has its snapshot.
  ELSIF steep_repl._copied_from_here() THEN
    RAISE EXCEPTION USING ERRCODE = 'object_in_use', MESSAGE = 'a node is taking tables over from this one', HINT = 'Nothing has been changed. It is tried again.';
  END IF;
END $$;
COMMENT ON FUNCTION steep_repl._reserve_source(bigint) IS 'Makes sure that the source keeps the tables that this node has emptied, and that nobody takes them from here. Errors: SR120, 55006.';

CREATE OR REPLACE FUNCTION steep_repl._empty_tables(id bigint) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
#variable_conflict use_variable
DECLARE
  job steep_repl.initialisations;
  known steep_repl.tables;
  relations oid[];
  by_row oid[];
  at_once text;
  one oid;
BEGIN
  SELECT * INTO job FROM steep_repl.initialisations i WHERE i.id = _empty_tables.id;
  SELECT coalesce(array_agg(c.oid ORDER BY c.oid), '{}') INTO relations FROM steep_repl.initialisation_tables t
    JOIN pg_namespace n ON n.nspname = t.table_schema JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = t.table_name
   WHERE t.id = _empty_tables.id AND (EXISTS (SELECT 1 FROM steep_repl.tables k WHERE k.relation = c.oid)
                                      OR EXISTS (SELECT 1 FROM pg_trigger g WHERE g.tgrelid = c.oid AND g.tgname = '!steep_repl_reinit'));
  -- Nothing of this is sent to anybody, whatever triggers write.
  PERFORM steep_repl._init_origin(id);
  PERFORM set_config('session_replication_role', 'replica', true);
  PERFORM steep_repl._lock_all(relations);
  -- Looked at before it was asked for; what has changed since counts.
  PERFORM steep_repl._refuse('SR120', 'the tables cannot be taken anew',
    ARRAY(SELECT format('%s: %s. %s', p.relation::regclass, p.problem, p.remedy) FROM steep_repl._emptying_problems(relations) p), 'Nothing has been changed.');
  by_row := ARRAY(SELECT steep_repl._emptied_by_row(relations));
  FOR known IN SELECT * FROM steep_repl.tables t WHERE t.relation = ANY (relations) LOOP
    UPDATE steep_repl.initialisation_tables t SET strategy = known.strategy, before_images = known.before_images
     WHERE t.id = _empty_tables.id AND (t.table_schema, t.table_name) = (known.table_schema, known.table_name);
    PERFORM steep_repl._leave_table(known);
    -- A row that was to be adopted is adopted by the copy.
    DELETE FROM steep_repl.pulls p WHERE (p.table_schema, p.table_name) = (known.table_schema, known.table_name);
  END LOOP;
  FOREACH one IN ARRAY by_row LOOP
    PERFORM steep_repl._as_owner(one, format('DELETE FROM %s', steep_repl._source_of(one)));
  END LOOP;
  at_once := (SELECT string_agg(steep_repl._source_of(r), ', ') FROM unnest(relations) r WHERE r <> ALL (by_row));
  IF at_once IS NOT NULL THEN
    EXECUTE 'TRUNCATE ' || at_once;
  END IF;
  PERFORM steep_repl._refuse_writes(r) FROM unnest(relations) r;
  -- From now on peers hear of it when it fails.
  UPDATE steep_repl.initialisation_tables t SET announced = false WHERE t.id = _empty_tables.id;
  -- Whoever wrote one of the tables has ended: its commit lies before this.
  UPDATE steep_repl.initialisations i SET emptied_lsn = pg_current_wal_insert_lsn() WHERE i.id = _empty_tables.id;
  PERFORM steep_repl._audit('table.empty', 'table', r::regclass::text, NULL, jsonb_build_object('initialisation', id, 'source', job.source)) FROM unnest(relations) r;
  PERFORM steep_repl._reserve_source(id);
END $$;
COMMENT ON FUNCTION steep_repl._empty_tables(bigint) IS 'Empties the tables of an initialisation on this node alone, all in one transaction, and has them take no writes. Errors: SR120, 55P03, 55006.';
