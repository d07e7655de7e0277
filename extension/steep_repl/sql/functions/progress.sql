-- How far long operations are, in the one shape of src/job/progress.rs: work of the queue, and take-overs: starts of this node,
-- tables that it takes anew, and tables that join. Take-overs have no place in our shared memory: while a COPY runs, PostgreSQL
-- counts its rows in its own.

CREATE OR REPLACE FUNCTION steep_repl._copying() RETURNS TABLE (phase text, "table" text, rows bigint, bytes bigint)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  -- PostgreSQL counts until the end of the COPY; the versions of its rows come after that.
  WITH worker AS (SELECT (steep_repl._worker_state()->>'initialisation_pid')::integer AS pid)
  SELECT 'copying', c.relid::regclass::text, c.tuples_processed, c.bytes_processed FROM worker w JOIN pg_stat_progress_copy c ON c.pid = w.pid
  UNION ALL
  SELECT 'noting the versions of rows', said[1], said[2]::bigint, said[3]::bigint FROM worker w JOIN pg_stat_activity a ON a.pid = w.pid
   CROSS JOIN LATERAL regexp_match(a.query, '^versions of (.*), (\d+) rows(?:, (\d+) bytes)?$') said
   WHERE said IS NOT NULL AND NOT EXISTS (SELECT 1 FROM pg_stat_progress_copy c WHERE c.pid = w.pid);
END;
COMMENT ON FUNCTION steep_repl._copying() IS 'The table that is being taken over at this moment, and how far its rows are; no row when none is, bytes NULL when that is not counted.';

CREATE OR REPLACE FUNCTION steep_repl._init_progress(kind text, id bigint) RETURNS TABLE (
  id bigint, kind text, state text, phase text, percent numeric, current_table text, tables_done bigint, tables_total bigint,
  rows_done bigint, rows_total bigint, bytes_done bigint, bytes_total bigint, bytes_per_second bigint, seconds_left bigint,
  started_at timestamptz, finished_at timestamptz, streams jsonb, error text, source text, emptied boolean)
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT i.id, n.kind, n.state, coalesce(c.phase, i.phase), CASE n.state WHEN 'complete' THEN 100.0 ELSE round(least(n.share * 100, 99.9), 1) END,
         coalesce(c."table", loading.p->>'current_table'), t.done, t.total, n.rows, nullif(greatest(t.rows_total, n.rows), 0), n.bytes,
         nullif(CASE WHEN n.state = 'complete' THEN n.bytes WHEN w.p IS NULL THEN greatest(t.bytes_total, n.bytes) ELSE (w.p->>'bytes_total')::bigint END, 0),
         CASE WHEN n.state <> 'running' THEN NULL WHEN loading.p IS NOT NULL THEN (loading.p->>'bytes_per_second')::bigint
              WHEN w.p IS NULL AND n.seconds > 0 AND NOT n.noting THEN greatest((n.bytes - i.bytes_before) / n.seconds, 0)::bigint ELSE 0 END,
         CASE WHEN n.state <> 'running' OR n.noting THEN NULL WHEN loading.p IS NOT NULL THEN (loading.p->>'seconds_left')::bigint
              -- As src/job/progress.rs: not before there is something to go by.
              WHEN n.units - i.units_before > (t.units_total - i.units_before) * 0.02
              THEN round(n.seconds / (n.units - i.units_before) * (t.units_total - n.units))::bigint END,
         i.started_at, i.finished_at,
         CASE WHEN c."table" IS NOT NULL THEN jsonb_build_array(jsonb_build_object('table', c."table", 'rows', coalesce(c.rows, 0), 'bytes', coalesce(c.bytes, 0)))
              ELSE coalesce(loading.p->'streams', '[]') END,
         i.error, i.source, i.emptied_lsn IS NOT NULL
    FROM steep_repl.initialisations i
    LEFT JOIN LATERAL steep_repl._copying() c ON i.state = 'running'
    -- A table weighs as much as it is large on the source: how many rows it has may not be known there.
   CROSS JOIN LATERAL (
      SELECT count(*) FILTER (WHERE x.state = 'complete') AS done, count(*) AS total, coalesce(sum(x.rows_copied), 0)::bigint AS rows,
             coalesce(sum(x.bytes_copied), 0)::bigint AS bytes, sum(CASE x.state WHEN 'complete' THEN x.rows_copied ELSE x.rows_expected END)::bigint AS rows_total,
             sum(CASE x.state WHEN 'complete' THEN x.bytes_copied ELSE x.bytes_expected END)::bigint AS bytes_total, coalesce(sum(u.units), 0) AS units_total,
             coalesce(sum(CASE WHEN x.state = 'complete' THEN u.units
                               WHEN format('%I.%I', x.table_schema, x.table_name) = c."table"
                               THEN u.units * least(CASE WHEN x.rows_expected > 0 THEN c.rows::numeric / x.rows_expected ELSE c.bytes::numeric / u.units END, 0.98) END), 0) AS units
        FROM steep_repl.initialisation_tables x CROSS JOIN LATERAL (SELECT greatest(x.bytes_expected, 8192) AS units) u WHERE x.id = i.id) t
    -- What a snapshot has brought is counted by the work that loads it.
    LEFT JOIN LATERAL (SELECT coalesce(l, q.progress) AS p, q.state FROM steep_repl.work_queue q LEFT JOIN steep_repl._live_work() l ON (l->>'id')::bigint = q.id
                        WHERE q.id = i.work_id) w ON true
    LEFT JOIN LATERAL (SELECT w.p WHERE i.state = 'running' AND w.state = 'running') loading ON true
   CROSS JOIN LATERAL (
      SELECT CASE i.kind WHEN 'node' THEN 'start' WHEN 'tables' THEN 'join' ELSE i.kind END AS kind,
             CASE WHEN i.state = 'waiting' THEN CASE i.attempts WHEN 0 THEN 'pending' ELSE 'running' END
                  WHEN i.state = 'failed' AND i.phase = 'cancelled' THEN 'cancelled' ELSE i.state END AS state,
             greatest(t.rows + coalesce(c.rows, 0), (w.p->>'rows_done')::bigint) AS rows,
             t.bytes + coalesce((w.p->>'bytes_done')::bigint, c.bytes, 0) AS bytes, t.units,
             greatest((w.p->>'percent')::numeric / 100, coalesce(t.units / nullif(t.units_total, 0), 0)) AS share,
             -- The rows are there; how many of them have a version of their own is not known.
             coalesce(c.phase <> 'copying', false) AS noting, extract(epoch FROM clock_timestamp() - i.copying_since) AS seconds) n
   WHERE (_init_progress.kind IS NULL OR n.kind = _init_progress.kind) AND (_init_progress.id IS NULL OR i.id = _init_progress.id)
     AND (coalesce(_init_progress.kind, _init_progress.id::text) IS NOT NULL OR i.state IN ('waiting', 'running') OR i.finished_at > clock_timestamp() - interval '1 hour')
   ORDER BY i.id DESC;
END;
COMMENT ON FUNCTION steep_repl._init_progress(text, bigint) IS
  'How far take-overs are, the latest first: those of a kind (start, reinit, join), or one; without either, all that wait, run, or ended within the last hour. bytes_total is what the tables take on the source, until they are here.';

CREATE OR REPLACE FUNCTION steep_repl.work_progress(id bigint DEFAULT NULL) RETURNS TABLE (
  id bigint, kind text, state text, phase text, percent numeric, current_table text, tables_done bigint, tables_total bigint,
  rows_done bigint, rows_total bigint, bytes_done bigint, bytes_total bigint, bytes_per_second bigint, seconds_left bigint,
  started_at timestamptz, finished_at timestamptz, streams jsonb, error text)
  LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT q.id, q.kind, q.state, coalesce(p->>'phase', CASE q.state WHEN 'pending' THEN 'waiting' ELSE q.state END), (p->>'percent')::numeric,
         p->>'current_table', (p->>'tables_done')::bigint, (p->>'tables_total')::bigint, (p->>'rows_done')::bigint, (p->>'rows_total')::bigint,
         (p->>'bytes_done')::bigint, (p->>'bytes_total')::bigint, (p->>'bytes_per_second')::bigint, (p->>'seconds_left')::bigint,
         q.started_at, q.finished_at, coalesce(p->'streams', '[]'), q.error
    FROM steep_repl.work_queue q
    LEFT JOIN steep_repl._live_work() l ON (l->>'id')::bigint = q.id AND q.state = 'running'
   CROSS JOIN LATERAL (SELECT coalesce(l, q.progress) AS p) live
   WHERE CASE WHEN work_progress.id IS NULL THEN q.state IN ('pending', 'running') OR q.finished_at > clock_timestamp() - interval '1 hour' ELSE q.id = work_progress.id END
   UNION ALL
  SELECT t.id, t.kind, t.state, t.phase, t.percent, t.current_table, t.tables_done, t.tables_total, t.rows_done, t.rows_total, t.bytes_done, t.bytes_total,
         t.bytes_per_second, t.seconds_left, t.started_at, t.finished_at, t.streams, t.error
    FROM steep_repl._init_progress(NULL, work_progress.id) t
   ORDER BY 1;
END;
COMMENT ON FUNCTION steep_repl.work_progress(bigint) IS
  'Where every long operation stands: one, or all that wait, run, or ended within the last hour. kind snapshot and apply are work of the queue; start (start_node), reinit (reinit_tables) and join (a table that this node takes over from a peer) are take-overs; ids are of one numbering. The same as JSON comes by NOTIFY steep_repl_progress. Definer: reads the queue.';

CREATE OR REPLACE FUNCTION steep_repl._init_tell(id bigint, told text) RETURNS text
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  now text;
BEGIN
  -- Everybody may listen: what is waited for may be an error of a peer, with its address, and is for viewers. A notification holds
  -- less than 8000 bytes.
  SELECT (to_jsonb(p) - '{started_at,finished_at,error,source,emptied}'::text[] || jsonb_build_object('phase', left(split_part(p.phase, ': ', 1), 500)))::text INTO now
    FROM steep_repl._init_progress(NULL, _init_tell.id) p;
  IF now IS DISTINCT FROM told THEN
    PERFORM pg_notify('steep_repl_progress', now);
  END IF;
  RETURN now;
END $$;
COMMENT ON FUNCTION steep_repl._init_tell(bigint, text) IS 'Tells whoever listens how far a take-over is, unless that is what was told last; what is told now.';

CREATE OR REPLACE FUNCTION steep_repl._init_changed() RETURNS trigger
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM steep_repl._init_tell(NEW.id, NULL);
  RETURN NULL;
END $$;
COMMENT ON FUNCTION steep_repl._init_changed() IS 'Fires when a take-over comes to another phase, or ends.';
CREATE OR REPLACE TRIGGER initialisation_changed AFTER UPDATE ON steep_repl.initialisations FOR EACH ROW
  WHEN (OLD.phase IS DISTINCT FROM NEW.phase OR OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION steep_repl._init_changed();
-- Also in transactions that fill or empty tables, where ordinary triggers do not fire.
ALTER TABLE steep_repl.initialisations ENABLE ALWAYS TRIGGER initialisation_changed;
