-- Schemas: fingerprints of tables, and where they differ between nodes.

CREATE OR REPLACE FUNCTION steep_repl._refuse_no_table(p_schema text, p_table text) RETURNS void
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  kind "char" := (SELECT c.relkind FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = p_schema AND c.relname = p_table);
BEGIN
  IF kind IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'undefined_table', MESSAGE = format('table %I.%I does not exist', p_schema, p_table),
      DETAIL = CASE WHEN EXISTS (SELECT 1 FROM pg_namespace n WHERE n.nspname = p_schema) THEN 'The schema is there.' ELSE 'There is no such schema.' END,
      HINT = 'Schema and table are given as they are called, without quotes: (''public'', ''Big Orders'').';
  ELSIF kind NOT IN ('r', 'p') THEN
    RAISE EXCEPTION USING ERRCODE = 'wrong_object_type', MESSAGE = format('%I.%I is no table', p_schema, p_table),
      HINT = 'Only ordinary and partitioned tables have fingerprints.';
  END IF;
END $$;
COMMENT ON FUNCTION steep_repl._refuse_no_table(text, text) IS 'Error 42P01 or 42809 unless there is a table of that name.';

CREATE OR REPLACE FUNCTION steep_repl.schema_definitions(p_schema text DEFAULT NULL, p_table text DEFAULT NULL) RETURNS TABLE (
  table_schema text, table_name text, fingerprint text, column_count integer, definition jsonb)
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  before text := current_setting('lock_timeout');
  wanted oid[];
BEGIN
  FOR attempt IN 1..10 LOOP
    wanted := ARRAY(
      SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE c.relkind IN ('r', 'p') AND (p_schema IS NULL OR n.nspname = p_schema) AND (p_table IS NULL OR c.relname = p_table)
         -- Tables of users; a table that is named may be any.
         AND (p_schema IS NOT NULL AND p_table IS NOT NULL
              OR c.relpersistence <> 't' AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'steep_repl')
                 AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')));
    BEGIN
      -- PostgreSQL opens a table whose expressions it writes: who changes it at this moment keeps that waiting.
      PERFORM set_config('lock_timeout', current_setting('steep_repl.lock_timeout'), true);
      -- All or nothing: the rows are sorted before the first of them is returned.
      RETURN QUERY
        SELECT n.nspname::text, c.relname::text, encode(sha256(convert_to(d.definition::text, 'UTF8')), 'hex'),
               jsonb_array_length(d.definition->'columns'), d.definition
          FROM steep_repl._definitions(wanted) d JOIN pg_class c ON c.oid = d.relation JOIN pg_namespace n ON n.oid = c.relnamespace
         ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C";
      PERFORM set_config('lock_timeout', before, true);
      RETURN;
    EXCEPTION
      WHEN internal_error THEN
        -- PostgreSQL writes expressions by the catalogue as it is, not as this query sees it: something is being dropped.
        IF attempt = 10 THEN
          RAISE;
        END IF;
      WHEN lock_not_available THEN
        RAISE EXCEPTION USING ERRCODE = 'lock_not_available', MESSAGE = 'a table is being changed',
          -- Who waits to change a table keeps those that come later waiting too.
          DETAIL = coalesce((SELECT string_agg(DISTINCT format('%s changes %s, or waits to.', coalesce('pid ' || l.pid, 'A prepared transaction'), l.relation::regclass), E'\n')
                      FROM pg_locks l WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock' AND l.relation = ANY (wanted)
                       AND l.pid IS DISTINCT FROM pg_backend_pid() AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())),
                    'That has ended meanwhile.'),
          HINT = 'Try again when that transaction has ended, or raise steep_repl.lock_timeout.';
    END;
  END LOOP;
END $$;
COMMENT ON FUNCTION steep_repl.schema_definitions(text, text) IS
  'What the tables of this node are: all of users, those of a schema, or one. The fingerprint is sha256 of the definition''s text. Errors: 55P03.';

CREATE OR REPLACE FUNCTION steep_repl.compute_fingerprint(p_schema text, p_table text) RETURNS text
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM steep_repl._refuse_no_table(p_schema, p_table);
  RETURN (SELECT d.fingerprint FROM steep_repl.schema_definitions(p_schema, p_table) d);
END $$;
COMMENT ON FUNCTION steep_repl.compute_fingerprint(text, text) IS
  'The fingerprint of a table as it is now: SHA-256, the same on all nodes where the table is the same. Errors: 42P01, 42809, 55P03.';

CREATE OR REPLACE FUNCTION steep_repl.capture_fingerprints() RETURNS integer
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  captured integer;
  added integer;
  changed integer;
  removed integer;
BEGIN
  -- Two at once would wait for each other's rows in turn.
  LOCK TABLE steep_repl.schema_fingerprints IN SHARE ROW EXCLUSIVE MODE;
  WITH now AS MATERIALIZED (
    SELECT * FROM steep_repl.schema_definitions()
  ), gone AS (
    DELETE FROM steep_repl.schema_fingerprints f
     WHERE NOT EXISTS (SELECT 1 FROM now WHERE (now.table_schema, now.table_name) = (f.table_schema, f.table_name)) RETURNING 1
  ), put AS (
    INSERT INTO steep_repl.schema_fingerprints AS f (table_schema, table_name, fingerprint, column_count, definition, captured_at)
    SELECT now.table_schema, now.table_name, now.fingerprint, now.column_count, now.definition, clock_timestamp() FROM now
    ON CONFLICT ON CONSTRAINT schema_fingerprints_pkey DO UPDATE SET fingerprint = excluded.fingerprint, column_count = excluded.column_count,
      definition = excluded.definition, captured_at = excluded.captured_at
    RETURNING old.fingerprint AS before, new.fingerprint AS after
  )
  SELECT count(*), count(*) FILTER (WHERE put.before IS NULL), count(*) FILTER (WHERE put.before <> put.after), (SELECT count(*) FROM gone)
    INTO captured, added, changed, removed FROM put;
  PERFORM steep_repl._audit('schema.capture', 'schema', current_database(), NULL,
                            jsonb_build_object('tables', captured, 'added', added, 'changed', changed, 'removed', removed));
  RETURN captured;
END $$;
COMMENT ON FUNCTION steep_repl.capture_fingerprints() IS
  'Writes the fingerprints of all tables of users into schema_fingerprints, takes those of tables that are gone away, and returns how many there are. The audit log says how many are new and have changed. Definer: the table is the extension''s. Errors: 55P03.';

CREATE OR REPLACE FUNCTION steep_repl.compare_fingerprints(p_peer_node text) RETURNS TABLE (
  table_schema text, table_name text, local_fp text, remote_fp text, status text)
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  there jsonb := steep_repl._peer_schema(p_peer_node, 'jsonb_agg(jsonb_build_array(d.table_schema, d.table_name, d.fingerprint))', NULL, NULL);
BEGIN
  RETURN QUERY
    SELECT table_schema, table_name, here.fingerprint, remote.fingerprint,
           CASE WHEN here.fingerprint = remote.fingerprint THEN 'MATCH' WHEN remote.fingerprint IS NULL THEN 'LOCAL_ONLY'
                WHEN here.fingerprint IS NULL THEN 'REMOTE_ONLY' ELSE 'MISMATCH' END
      FROM steep_repl.schema_definitions() here
      FULL JOIN (SELECT d->>0 AS table_schema, d->>1 AS table_name, d->>2 AS fingerprint FROM jsonb_array_elements(there->'tables') d) remote
        USING (table_schema, table_name)
     ORDER BY table_schema COLLATE "C", table_name COLLATE "C";
END $$;
COMMENT ON FUNCTION steep_repl.compare_fingerprints(text) IS
  'The tables of users here and on a peer (node id or connection string), as both are now: MATCH, MISMATCH, LOCAL_ONLY or REMOTE_ONLY. Definer: connects. Errors: SR004, SR006, SR017, SR021, SR022, SR024, SR090 to SR092, 55P03.';

CREATE OR REPLACE FUNCTION steep_repl.schema_diff(peer text, schema text DEFAULT NULL, "table" text DEFAULT NULL) RETURNS TABLE (
  table_schema text, table_name text, object text, property text, local text, remote text, difference text)
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  me text := coalesce(steep_repl.node_id(), 'this database');
  there jsonb := steep_repl._peer_schema(peer, 'jsonb_agg(jsonb_build_array(d.table_schema, d.table_name, d.definition))', schema_diff.schema, schema_diff.table);
BEGIN
  IF schema_diff.schema IS NOT NULL AND schema_diff.table IS NOT NULL AND there->'tables' = '[]' THEN
    -- On neither side.
    PERFORM steep_repl._refuse_no_table(schema_diff.schema, schema_diff.table);
  END IF;
  RETURN QUERY
    SELECT table_schema, table_name, x.object, x.property, x.local, x.remote,
           steep_repl._difference(x.object, x.property, x.local, x.remote, me, there->>'node_id')
      FROM steep_repl.schema_definitions(schema_diff.schema, schema_diff.table) here
      FULL JOIN (SELECT d->>0 AS table_schema, d->>1 AS table_name, d->2 AS definition FROM jsonb_array_elements(there->'tables') d) remote
        USING (table_schema, table_name)
      CROSS JOIN LATERAL steep_repl._definition_differences(here.definition, remote.definition) WITH ORDINALITY x
     WHERE here.definition IS DISTINCT FROM remote.definition
     ORDER BY table_schema COLLATE "C", table_name COLLATE "C", x.ordinality;
END $$;
COMMENT ON FUNCTION steep_repl.schema_diff(text, text, text) IS
  'What differs between a table here and on a peer (node id or connection string), a row each, with a sentence that says which side has what; no row when they are the same. Without a table all of the schema, without a schema all tables of users. Definer: connects. Errors: 42P01, 42809, and those of compare_fingerprints().';
