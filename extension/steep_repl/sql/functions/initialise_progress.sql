-- How far take-overs are: starts of this node, and tables that it takes anew.

CREATE OR REPLACE FUNCTION steep_repl._copying() RETURNS TABLE (phase text, "table" text, rows bigint, bytes bigint)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  -- PostgreSQL counts until the end of the COPY; the versions of its rows come after that.
  WITH worker AS (SELECT (steep_repl._worker_state()->>'initialisation_pid')::integer AS pid)
  SELECT 'copying', c.relid::regclass::text, c.tuples_processed, c.bytes_processed FROM worker w JOIN pg_stat_progress_copy c ON c.pid = w.pid
  UNION ALL
  SELECT 'noting the versions of rows', said[1], said[2]::bigint, NULL FROM worker w JOIN pg_stat_activity a ON a.pid = w.pid
   CROSS JOIN LATERAL regexp_match(a.query, '^versions of (.*), (\d+) rows$') said
   WHERE said IS NOT NULL AND NOT EXISTS (SELECT 1 FROM pg_stat_progress_copy c WHERE c.pid = w.pid);
END;
COMMENT ON FUNCTION steep_repl._copying() IS 'The table that is being taken over at this moment, and how far its rows are; no row when none is, bytes NULL when that is not counted.';

CREATE OR REPLACE FUNCTION steep_repl._init_progress(kind text) RETURNS TABLE (
  id bigint, state text, phase text, tables_done integer, tables_total integer, current_table text, rows_done bigint,
  rows_total bigint, bytes_done bigint, error text, started_at timestamptz, finished_at timestamptz, source text, emptied boolean)
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT i.id, CASE i.state WHEN 'waiting' THEN 'running' ELSE i.state END, coalesce(c.phase, i.phase),
         (count(t.*) FILTER (WHERE t.state = 'complete'))::integer, count(t.*)::integer, c."table",
         (coalesce(sum(t.rows_copied), 0) + coalesce(c.rows, w.rows, 0))::bigint, sum(greatest(t.rows_expected, t.rows_copied))::bigint,
         (coalesce(sum(t.bytes_copied), 0) + coalesce(c.bytes, w.bytes, 0))::bigint, i.error, i.started_at, i.finished_at, i.source, i.emptied_lsn IS NOT NULL
    FROM steep_repl.initialisations i
    LEFT JOIN steep_repl.initialisation_tables t ON t.id = i.id
    LEFT JOIN LATERAL steep_repl._copying() c ON i.state = 'running'
    -- What a snapshot has brought is counted by the work that loads it.
    LEFT JOIN LATERAL (SELECT (p->>'rows_done')::bigint AS rows, (p->>'bytes_done')::bigint AS bytes
                         FROM steep_repl.work_queue q LEFT JOIN steep_repl._live_work() l ON (l->>'id')::bigint = q.id CROSS JOIN LATERAL (SELECT coalesce(l, q.progress) AS p) live
                        WHERE q.id = i.work_id) w ON i.state <> 'complete'
   WHERE i.kind = _init_progress.kind
   GROUP BY i.id, c.phase, c."table", c.rows, c.bytes, w.rows, w.bytes ORDER BY i.id DESC;
END;
COMMENT ON FUNCTION steep_repl._init_progress(text) IS 'How far the initialisations of a kind are, the latest first.';
