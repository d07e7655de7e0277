-- The conflict log does not grow for ever.

CREATE OR REPLACE FUNCTION steep_repl._prune_conflicts(older_than interval, keep_rows bigint, batch integer) RETURNS bigint
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  old timestamptz := clock_timestamp() - older_than;
  very_old timestamptz := clock_timestamp() - 10 * older_than;
  surplus bigint;
  by_age bigint;
  by_count bigint := 0;
BEGIN
  DELETE FROM steep_repl.conflict_log d WHERE d.id IN (
    SELECT l.id FROM steep_repl.conflict_log l
     WHERE l.detected_at < old AND l.resolution IS DISTINCT FROM 'PENDING' AND (l.converged_at IS NOT NULL OR l.detected_at < very_old)
     ORDER BY l.detected_at LIMIT batch FOR UPDATE SKIP LOCKED);
  GET DIAGNOSTICS by_age = ROW_COUNT;
  -- Each node forgets what was resolved on it, the others get the deletion: they may have entries for a while yet.
  DELETE FROM steep_repl.resolutions r WHERE r.node_id = steep_repl.node_id() AND r.at < old AND r.at < clock_timestamp() - interval '7 days'
     AND NOT EXISTS (SELECT 1 FROM steep_repl.conflict_log c WHERE c.conflict_key IN (r.conflict_key, r.new_key));
  -- Counting all rows is dear; no log has more rows than ids.
  IF (SELECT max(l.id) - min(l.id) + 1 FROM steep_repl.conflict_log l) > keep_rows THEN
    SELECT l.id INTO surplus FROM steep_repl.conflict_log l ORDER BY l.id DESC OFFSET keep_rows LIMIT 1;
    DELETE FROM steep_repl.conflict_log d WHERE d.id IN (
      SELECT l.id FROM steep_repl.conflict_log l
       WHERE l.id <= surplus AND l.resolution IS DISTINCT FROM 'PENDING' AND l.converged_at IS NOT NULL
       ORDER BY l.id LIMIT batch - by_age FOR UPDATE SKIP LOCKED);
    GET DIAGNOSTICS by_count = ROW_COUNT;
  END IF;
  RETURN by_age + by_count;
END $$;
COMMENT ON FUNCTION steep_repl._prune_conflicts(interval, bigint, integer) IS
  'Removes conflicts, see prune_conflict_log, and returns how many; NULL: no limit of age, of rows, or of this call. The worker calls it, too.';

CREATE OR REPLACE FUNCTION steep_repl.prune_conflict_log(older_than interval, keep_rows bigint DEFAULT NULL) RETURNS bigint
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  removed bigint;
BEGIN
  IF older_than < interval '0' OR keep_rows < 0 OR (older_than IS NULL AND keep_rows IS NULL) THEN
    RAISE EXCEPTION USING ERRCODE = 'SR051', MESSAGE = 'older_than and keep_rows must not be negative, and not both NULL',
      HINT = 'SELECT steep_repl.prune_conflict_log(interval ''1 year''), or prune_conflict_log(NULL, 100000)';
  END IF;
  removed := steep_repl._prune_conflicts(older_than, keep_rows, NULL);
  PERFORM steep_repl._audit('conflict.prune', 'conflict_log', NULL, NULL, jsonb_build_object(
    'older_than', older_than::text, 'keep_rows', keep_rows, 'removed', removed));
  RETURN removed;
END $$;
COMMENT ON FUNCTION steep_repl.prune_conflict_log(interval, bigint) IS
  'Removes conflicts older than that, and the oldest beyond keep_rows, and returns how many. PENDING ones always stay. Those of which it is not proven that all nodes agree stay until they are ten times as old. The worker does the same by the settings steep_repl.conflict_log_max_age and conflict_log_max_rows. Definer: nobody else may delete from the log. Errors: SR051.';
