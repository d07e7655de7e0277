-- Many conflicts at once, and whole rows. As in resolve.sql, the public functions have no search_path of their own.

CREATE OR REPLACE FUNCTION steep_repl._bulk_entries(resolution text, xid bigint, table_filter text, since timestamptz, until timestamptz, origin text)
  RETURNS SETOF bigint
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  name text[] := steep_repl._table_name(table_filter);
  origins text;
BEGIN
  IF upper(resolution) NOT IN ('LOCAL', 'REMOTE') OR resolution IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'SR060', MESSAGE = format('unknown resolution %s for many conflicts', resolution), HINT = 'Known: LOCAL, REMOTE. MERGED is for one conflict.';
  ELSIF num_nonnulls(xid, table_filter, since, until, origin) = 0 THEN
    RAISE EXCEPTION USING ERRCODE = 'SR071', MESSAGE = 'which conflicts? At least one filter is needed',
      HINT = 'p_filter_xid with p_filter_origin, p_filter_table, p_filter_time_start, p_filter_time_end. p_dry_run => true says how many it would be.';
  END IF;
  SELECT string_agg(DISTINCT c.remote_origin, ', ') INTO origins FROM steep_repl.conflicts c
   WHERE c.origin_xid = xid AND c.resolution = 'PENDING' AND origin IS NULL AND (since IS NULL OR c.detected_at >= since) AND (until IS NULL OR c.detected_at <= until);
  IF origins LIKE '%, %' THEN
    RAISE EXCEPTION USING ERRCODE = 'SR072', MESSAGE = format('several nodes had a transaction %s', xid), DETAIL = format('Their transactions are different ones: %s.', origins),
      HINT = 'Name the node, too: p_filter_origin.';
  END IF;
  -- Of several entries of one row the newest decides.
  RETURN QUERY SELECT c.id FROM steep_repl.conflicts c
   WHERE c.resolution = 'PENDING' AND (xid IS NULL OR c.origin_xid = xid) AND (origin IS NULL OR c.remote_origin = origin)
     AND (name IS NULL OR c.table_name = name[cardinality(name)] AND (cardinality(name) = 1 OR c.table_schema = name[1]))
     AND (since IS NULL OR c.detected_at >= since) AND (until IS NULL OR c.detected_at <= until)
   ORDER BY c.id DESC;
END $$;
COMMENT ON FUNCTION steep_repl._bulk_entries(text, bigint, text, timestamptz, timestamptz, text) IS
  'The pending conflicts that fit, newest first. Errors: SR052, SR060, SR071, SR072.';

CREATE OR REPLACE FUNCTION steep_repl._is_pending(conflict_id bigint) RETURNS boolean
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN (SELECT c.resolution = 'PENDING' FROM steep_repl.conflicts c WHERE c.id = conflict_id);
COMMENT ON FUNCTION steep_repl._is_pending(bigint) IS 'Whether a conflict still waits for a decision.';

CREATE OR REPLACE FUNCTION steep_repl.resolve_conflicts_bulk(
  p_resolution text, p_filter_xid bigint DEFAULT NULL, p_filter_table text DEFAULT NULL, p_filter_time_start timestamptz DEFAULT NULL,
  p_filter_time_end timestamptz DEFAULT NULL, p_filter_origin text DEFAULT NULL, p_dry_run boolean DEFAULT false, p_reason text DEFAULT NULL
) RETURNS integer
  LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  ids bigint[];
  id bigint;
  code text;
  message text;
  details text;
  advice text;
  broken text;
BEGIN
  ids := ARRAY(SELECT steep_repl._bulk_entries(p_resolution, p_filter_xid, p_filter_table, p_filter_time_start, p_filter_time_end, p_filter_origin));
  BEGIN
    FOREACH id IN ARRAY ids LOOP
      -- One that an entry of the same row has ended is done.
      IF steep_repl._is_pending(id) THEN
        PERFORM steep_repl._resolve(id, p_resolution, NULL, false, p_reason);
      END IF;
    END LOOP;
    IF p_dry_run THEN
      RAISE EXCEPTION USING ERRCODE = 'SR079', MESSAGE = 'only tried';
    END IF;
  EXCEPTION WHEN SQLSTATE 'SR079' THEN
    NULL;
  END;
  RETURN pg_catalog.cardinality(ids);
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT, details = PG_EXCEPTION_DETAIL, advice = PG_EXCEPTION_HINT, broken = CONSTRAINT_NAME;
  PERFORM steep_repl._resolve_failed('conflict.resolve_bulk', id::pg_catalog.text, code, message, broken, details);
  IF id IS NULL THEN
    RAISE;
  END IF;
  RAISE EXCEPTION USING ERRCODE = code, MESSAGE = message, DETAIL = pg_catalog.concat_ws(' ', pg_catalog.format('Conflict %s.', id), details),
    HINT = pg_catalog.concat_ws(' ', 'Nothing has been changed.', advice);
END $$;
COMMENT ON FUNCTION steep_repl.resolve_conflicts_bulk(text, bigint, text, timestamptz, timestamptz, text, boolean, text) IS
  'Resolves all pending conflicts that fit all filters given, LOCAL or REMOTE, or none of them; returns how many. p_filter_xid: the transaction of the remote write, on the node p_filter_origin; p_filter_table: t or schema.t; the times are those at which this node logged them. p_dry_run does it and takes it back: errors come as they would. Errors: SR052, SR060 to SR069, SR071, SR072.';

CREATE OR REPLACE FUNCTION steep_repl._tuple_applied(table_schema text, table_name text) RETURNS void
  LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
  RETURN steep_repl._audit('table.apply_tuple', 'table', format('%I.%I', table_schema, table_name));
COMMENT ON FUNCTION steep_repl._tuple_applied(text, text) IS 'Notes in the audit log that apply_tuple wrote a row. Definer: nobody else may write the log.';

CREATE OR REPLACE FUNCTION steep_repl.apply_tuple(p_table_schema text, p_table_name text, p_tuple jsonb) RETURNS boolean
  LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  written bigint;
  code text;
  message text;
  details text;
  broken text;
BEGIN
  EXECUTE steep_repl._apply_statement(p_table_schema, p_table_name, p_tuple);
  GET DIAGNOSTICS written = ROW_COUNT;
  PERFORM steep_repl._tuple_applied(p_table_schema, p_table_name);
  RETURN written OPERATOR(pg_catalog.>) 0;
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT, details = PG_EXCEPTION_DETAIL, broken = CONSTRAINT_NAME;
  PERFORM steep_repl._resolve_failed('table.apply_tuple', pg_catalog.format('%I.%I', p_table_schema, p_table_name), code, message, broken, details);
  RAISE;
END $$;
COMMENT ON FUNCTION steep_repl.apply_tuple(text, text, jsonb) IS
  'Makes a row stand in a table with a primary key: inserts it, or replaces the row with its key. The row is given whole: a column that is left out gets its default; generated columns are left out. A write of the caller with the caller''s own rights. False when nothing was written: a trigger kept it away, or the row consists of its key and was there. Errors: SR060, SR063 to SR066, SR068.';
