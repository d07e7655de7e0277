-- Conflicts that somebody has to hear of: those that wait for a decision, and many at a time.

CREATE OR REPLACE FUNCTION steep_repl._alert_pending() RETURNS trigger
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND OLD.resolution IS NOT DISTINCT FROM 'PENDING' THEN
    RETURN NULL;
  END IF;
  -- A queue that is full, because a listener does not listen, would stop the stream.
  IF pg_notification_queue_usage() < 0.5 THEN
    PERFORM pg_notify('steep_repl_conflict', jsonb_build_object('id', NEW.id, 'node_id', steep_repl.node_id(),
      'table', format('%I.%I', NEW.table_schema, NEW.table_name), 'table_schema', NEW.table_schema, 'table_name', NEW.table_name,
      'conflict_type', NEW.conflict_type, 'resolution', NEW.resolution, 'peer', NEW.peer, 'detected_at', NEW.detected_at)::text);
  END IF;
  RETURN NULL;
END $$;
COMMENT ON FUNCTION steep_repl._alert_pending() IS 'Tells those who LISTEN on steep_repl_conflict that a conflict waits for a decision; no rows, no keys.';

CREATE OR REPLACE TRIGGER entry_pending AFTER INSERT OR UPDATE OF resolution ON steep_repl.conflict_log
  FOR EACH ROW WHEN (NEW.resolution = 'PENDING') EXECUTE FUNCTION steep_repl._alert_pending();
ALTER TABLE steep_repl.conflict_log ENABLE ALWAYS TRIGGER entry_pending;

CREATE OR REPLACE FUNCTION steep_repl._pending_by_table() RETURNS TABLE (table_schema text, table_name text, pending bigint, oldest_at timestamptz, oldest_seconds bigint)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT l.table_schema, l.table_name, count(*), min(l.detected_at), extract(epoch FROM clock_timestamp() - min(l.detected_at))::bigint
    FROM steep_repl.conflict_log l WHERE l.resolution = 'PENDING' GROUP BY l.table_schema, l.table_name ORDER BY 4;
END;
COMMENT ON FUNCTION steep_repl._pending_by_table() IS 'How many conflicts wait for a decision in which table, and since when the oldest.';

CREATE OR REPLACE FUNCTION steep_repl._conflict_rate() RETURNS double precision
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN (SELECT count(*) / 5.0::double precision FROM steep_repl.conflict_log l WHERE l.detected_at > clock_timestamp() - interval '5 minutes');
COMMENT ON FUNCTION steep_repl._conflict_rate() IS 'Conflicts a minute in the last five minutes.';

CREATE OR REPLACE FUNCTION steep_repl._rate_alarm() RETURNS TABLE (reason text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT format('conflicts: %s a minute, more than steep_repl.conflict_rate_alert allows', r.rate)
    FROM (SELECT steep_repl._conflict_rate() AS rate) r
   WHERE r.rate > nullif(coalesce(current_setting('steep_repl.conflict_rate_alert', true), '60')::integer, 0);
END;
COMMENT ON FUNCTION steep_repl._rate_alarm() IS 'What is to be said of too many conflicts at a time; no row when there are not.';

CREATE OR REPLACE FUNCTION steep_repl._conflict_alarms() RETURNS TABLE (severity integer, reason text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT 1, format('conflicts that wait for a decision: %s in %I.%I, the oldest since %s', p.pending, p.table_schema, p.table_name, p.oldest_at)
    FROM steep_repl._pending_by_table() p
  UNION ALL SELECT 1, a.reason FROM steep_repl._rate_alarm() a;
END;
COMMENT ON FUNCTION steep_repl._conflict_alarms() IS 'What health() says of conflicts that wait, by table, and of too many at a time.';

CREATE OR REPLACE FUNCTION steep_repl._clock_alarms() RETURNS TABLE (peer text, ahead_seconds double precision, reason text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT c.peer, c.ahead_seconds, format('the clock of %s is %s s %s this node''s', c.peer, round(abs(c.ahead_seconds)::numeric, 1),
                                         CASE WHEN c.ahead_seconds > 0 THEN 'ahead of' ELSE 'behind' END)
    FROM steep_repl.clocks c JOIN steep_repl.links l ON l.peer = c.peer WHERE abs(c.ahead_seconds) - c.known_within > 0.5;
END;
COMMENT ON FUNCTION steep_repl._clock_alarms() IS 'The peers whose clocks surely differ from this node''s by more than half a second.';

CREATE OR REPLACE FUNCTION steep_repl._tell_alarms() RETURNS void
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  WITH now (kind, about, reason) AS (
    SELECT 'clock', c.peer, c.reason FROM steep_repl._clock_alarms() c
    UNION ALL SELECT 'rate', '', a.reason FROM steep_repl._rate_alarm() a
  ), begun AS (
    INSERT INTO steep_repl.alarms (kind, about) SELECT n.kind, n.about FROM now n ON CONFLICT DO NOTHING RETURNING kind, about
  ), over AS (
    DELETE FROM steep_repl.alarms a WHERE NOT EXISTS (SELECT 1 FROM now n WHERE (n.kind, n.about) = (a.kind, a.about)) RETURNING a.kind, a.about
  )
  SELECT pg_notify('steep_repl_alarm', jsonb_build_object('node_id', steep_repl.node_id(), 'kind', t.kind, 'peer', nullif(t.about, ''),
                                                          'state', t.state, 'reason', t.reason)::text)
    FROM (SELECT b.kind, b.about, 'begun' AS state, n.reason FROM begun b JOIN now n ON (n.kind, n.about) = (b.kind, b.about)
          UNION ALL SELECT o.kind, o.about, 'over', NULL FROM over o) t
   WHERE pg_notification_queue_usage() < 0.5;
END;
COMMENT ON FUNCTION steep_repl._tell_alarms() IS 'Tells those who LISTEN on steep_repl_alarm that the clock of a peer differs, or that there are too many conflicts, and when that is over.';
