-- Ranges: letting any id in for a time.

CREATE OR REPLACE FUNCTION steep_repl._range_table(relation regclass) RETURNS steep_repl.range_tables
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  known steep_repl.range_tables;
BEGIN
  PERFORM steep_repl._this_node();
  SELECT * INTO known FROM steep_repl.range_tables t WHERE t.relation = _range_table.relation AND t.active;
  IF NOT FOUND THEN
    IF NOT EXISTS (SELECT 1 FROM steep_repl.tables t WHERE t.relation = _range_table.relation) THEN
      RAISE EXCEPTION USING ERRCODE = 'SR043', MESSAGE = format('table %s is not replicated', relation),
        HINT = 'SELECT * FROM steep_repl.replicated_tables() lists those that are. SELECT steep_repl.add_table(…) sets up its ranges, too.';
    END IF;
    RAISE EXCEPTION USING ERRCODE = 'SR080', MESSAGE = format('the ids of table %s do not go in ranges', relation),
      DETAIL = CASE WHEN EXISTS (SELECT 1 FROM steep_repl._range_column(relation)) THEN 'It was added without.'
                    ELSE 'No integer column of its keys takes its values from a sequence.' END,
      HINT = 'SELECT steep_repl.set_ranges(table, enabled => true) sets them up on all nodes. UUIDs and natural keys need none.';
  END IF;
  IF NOT pg_has_role(session_user, (SELECT c.relowner FROM pg_class c WHERE c.oid = relation), 'MEMBER') THEN
    RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege', MESSAGE = format('must be owner of table %s', relation);
  END IF;
  RETURN known;
END $$;
COMMENT ON FUNCTION steep_repl._range_table(regclass) IS 'A table with ranges, for its owner. Errors: SR043, SR080, 42501.';

CREATE OR REPLACE FUNCTION steep_repl._named_table(table_schema text, table_name text) RETURNS regclass
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  relation regclass := (SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                         WHERE n.nspname = _named_table.table_schema AND c.relname = _named_table.table_name AND c.relkind IN ('r', 'p'));
BEGIN
  IF relation IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'undefined_table', MESSAGE = format('table %I.%I does not exist', table_schema, table_name),
      HINT = 'Schema and table as they stand in the catalogue: without quotes, in their own case.';
  END IF;
  RETURN relation;
END $$;
COMMENT ON FUNCTION steep_repl._named_table(text, text) IS 'A table by its two names. Errors: 42P01.';

CREATE OR REPLACE FUNCTION steep_repl.enable_bypass("table" regclass, duration interval, reason text) RETURNS timestamptz
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  known steep_repl.range_tables;
  ends_at timestamptz := clock_timestamp() + duration;
  message text;
BEGIN
  known := steep_repl._range_table("table");
  IF coalesce(btrim(reason), '') = '' THEN
    RAISE EXCEPTION USING ERRCODE = 'SR081', MESSAGE = format('no reason is given for letting any id into %s', "table"),
      HINT = format('SELECT steep_repl.enable_bypass(%L, interval ''1 hour'', ''load of the old shop'')', "table"::text);
  ELSIF duration IS NULL OR duration <= interval '0' OR duration > interval '7 days' THEN
    RAISE EXCEPTION USING ERRCODE = 'SR081', MESSAGE = format('a bypass lasts longer than nothing and at most 7 days, not %s', coalesce(duration::text, 'NULL')),
      HINT = 'It ends by itself; enable it again to make it longer.';
  END IF;
  UPDATE steep_repl.range_bypasses b SET until = ends_at WHERE b.relation = "table" AND b.ended_at IS NULL;
  IF NOT FOUND THEN
    INSERT INTO steep_repl.range_bypasses (relation, reason, enabled_by, until) VALUES ("table", reason, steep_repl._actor(), ends_at);
  END IF;
  PERFORM steep_repl._audit('range.bypass', 'table', "table"::text, NULL, jsonb_build_object('until', ends_at, 'reason', reason));
  PERFORM steep_repl._ranges_changed();
  RETURN ends_at;
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS message = MESSAGE_TEXT;
  PERFORM steep_repl._audit_failure('range.bypass', 'table', "table"::text, message);
  RAISE;
END $$;
COMMENT ON FUNCTION steep_repl.enable_bypass(regclass, interval, text) IS
  'Lets any id into a table on this node for a time, at most 7 days, and says until when; for loads of rows that have their ids. Ends by itself; rows in ranges of others are counted then (range_status()). Audited. Owners only. Definer: writes the ranges. Errors: SR043, SR080, SR081, 42501.';

CREATE OR REPLACE FUNCTION steep_repl.disable_bypass("table" regclass) RETURNS bigint
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  open steep_repl.range_bypasses;
BEGIN
  PERFORM steep_repl._range_table("table");
  SELECT * INTO open FROM steep_repl.range_bypasses b WHERE b.relation = "table" AND b.ended_at IS NULL;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  RETURN steep_repl._end_bypass(open.id, steep_repl._actor());
END $$;
COMMENT ON FUNCTION steep_repl.disable_bypass(regclass) IS
  'Ends a bypass, and returns how many rows of others'' ranges were written here meanwhile; NULL when there was none. Owners only. Definer: writes the ranges. Errors: SR043, SR080.';

CREATE OR REPLACE FUNCTION steep_repl.range_strays("table" regclass, since timestamptz DEFAULT '-infinity') RETURNS TABLE (
  node_id text, range_start bigint, range_end bigint, strays bigint, first_id bigint, last_id bigint)
  LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  known steep_repl.range_tables := steep_repl._range_table("table");
BEGIN
  -- Written by sessions of this node, since then, with ids of others or of nobody.
  RETURN QUERY EXECUTE format($q$
    SELECT r.node_id, r.range_start, r.range_end, count(*), min(t.%1$I)::bigint, max(t.%1$I)::bigint
      FROM %2$s t
      CROSS JOIN LATERAL pg_xact_commit_timestamp_origin(t.xmin) w
      LEFT JOIN steep_repl.identity_ranges r ON (r.table_schema, r.table_name) = ($2, $3) AND t.%1$I BETWEEN r.range_start AND r.range_end
     WHERE w."timestamp" >= $1 AND w.roident = 0 AND r.node_id IS DISTINCT FROM steep_repl.node_id()
       AND steep_repl._former_self(t.xmin) IS NULL
     GROUP BY r.node_id, r.range_start, r.range_end ORDER BY r.range_start NULLS LAST $q$, known.column_name, steep_repl._source_of("table"))
    USING since, (SELECT n.nspname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = "table"),
          (SELECT c.relname::text FROM pg_class c WHERE c.oid = "table");
END $$;
COMMENT ON FUNCTION steep_repl.range_strays(regclass, timestamptz) IS
  'Rows that this node wrote with ids of others'' ranges (node_id NULL: of nobody''s yet), since then and as far as commit times are kept. Reads the whole table. Owners only. Definer: reads it. Errors: SR043, SR080, 42501.';

CREATE OR REPLACE FUNCTION steep_repl._end_bypass(bypass bigint, who text) RETURNS bigint
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  ended steep_repl.range_bypasses;
  found_strays bigint;
  note text;
BEGIN
  -- Somebody may have made it longer, or ended it, since whoever calls has looked.
  UPDATE steep_repl.range_bypasses b SET ended_at = clock_timestamp(), ended_by = who
   WHERE b.id = bypass AND b.ended_at IS NULL AND (who <> 'time' OR b.until <= clock_timestamp()) RETURNING * INTO ended;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  PERFORM steep_repl._ranges_changed();
  IF NOT EXISTS (SELECT 1 FROM pg_class c WHERE c.oid = ended.relation) THEN
    note := 'not counted: the table is gone';
  ELSIF who = 'time' AND (SELECT sum(pg_table_size(l)) FROM steep_repl._leaves(ended.relation::regclass) l) > 1024 * 1024 * 1024 THEN
    -- The worker has other things to look after.
    note := format('not counted: the table is large. SELECT * FROM steep_repl.range_strays(%L, %L)', ended.relation::regclass::text, ended.enabled_at);
  ELSE
    SELECT coalesce(sum(s.strays), 0), string_agg(format('%s in %s', s.strays, coalesce('ranges of ' || s.node_id, 'nobody''s ranges')), ', ')
      INTO found_strays, note FROM steep_repl.range_strays(ended.relation, ended.enabled_at) s;
  END IF;
  UPDATE steep_repl.range_bypasses b SET strays = found_strays, strays_note = note WHERE b.id = bypass;
  PERFORM steep_repl._audit('range.bypass_end', 'table', ended.relation::regclass::text, NULL,
                            jsonb_build_object('strays', found_strays, 'note', note, 'reason', ended.reason));
  RETURN found_strays;
END $$;
COMMENT ON FUNCTION steep_repl._end_bypass(bigint, text) IS 'Ends a bypass and counts what it has let in.';

CREATE OR REPLACE FUNCTION steep_repl._range_bypassed(relation oid, by_setting boolean) RETURNS void
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
  RETURN steep_repl._audit('range.bypassed', 'table', relation::regclass::text, NULL, jsonb_build_object('by_setting', by_setting));
COMMENT ON FUNCTION steep_repl._range_bypassed(oid, boolean) IS 'Notes that a transaction has written an id of others, once a transaction.';

CREATE OR REPLACE FUNCTION steep_repl._bypasses_due() RETURNS SETOF text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT b.id::text FROM steep_repl.range_bypasses b WHERE b.ended_at IS NULL AND b.until <= clock_timestamp();
END;
COMMENT ON FUNCTION steep_repl._bypasses_due() IS 'The bypasses whose time is over.';

CREATE OR REPLACE FUNCTION steep_repl._bypass_step(bypass text) RETURNS void
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  -- One that a transaction is making longer, or counts, is looked at again.
  SELECT steep_repl._end_bypass(b.id, 'time') FROM (
    SELECT x.id FROM steep_repl.range_bypasses x WHERE x.id = _bypass_step.bypass::bigint AND x.ended_at IS NULL AND x.until <= clock_timestamp()
       FOR UPDATE SKIP LOCKED) b;
END;
COMMENT ON FUNCTION steep_repl._bypass_step(text) IS 'Ends a bypass whose time is over.';
