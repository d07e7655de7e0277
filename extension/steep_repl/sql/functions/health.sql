-- Health: what a monitor, or a person at night, has to know first.

CREATE OR REPLACE FUNCTION steep_repl._conflict_health() RETURNS TABLE (
  pending bigint, unproven bigint, unproven_since timestamptz, unproven_reason text, differing bigint)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT (SELECT count(*) FROM steep_repl.conflict_log l WHERE l.resolution = 'PENDING'), count(*), min(l.detected_at),
         (array_agg(l.not_converged_reason ORDER BY l.detected_at))[1],
         (SELECT count(DISTINCT (l.table_schema, l.table_name, l.key)) FROM steep_repl.conflict_log l WHERE l.converged_at IS NULL AND l.strategy IN ('keep_local', 'apply_remote'))
    FROM steep_repl.conflict_log l
   -- Not those in which the nodes are meant to differ, for good or until somebody decides.
   WHERE l.converged_at IS NULL AND l.strategy IS DISTINCT FROM 'keep_local' AND l.strategy IS DISTINCT FROM 'apply_remote'
     AND NOT coalesce(l.strategy = 'manual' AND l.resolution = 'PENDING', false);
END;
COMMENT ON FUNCTION steep_repl._conflict_health() IS 'How many conflicts wait for a decision or for their proof, since when, and why the oldest does; in how many rows a strategy let the nodes differ.';

CREATE OR REPLACE FUNCTION steep_repl._orphan_health() RETURNS TABLE (pending bigint, suspected bigint, suspected_since timestamptz)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT (SELECT count(*) FROM steep_repl.conflict_log l WHERE l.resolution = 'PENDING' AND l.conflict_type = 'FK-ORPHAN'), count(*), min(s.seen_at)
    FROM steep_repl.orphan_suspects s;
END;
COMMENT ON FUNCTION steep_repl._orphan_health() IS 'How many rows without a parent wait for a decision; how many values of foreign keys may be without one, and since when.';

CREATE OR REPLACE FUNCTION steep_repl._is_away(peer text) RETURNS boolean
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT EXISTS (SELECT 1 FROM steep_repl.link_observations o JOIN steep_repl.links l ON l.peer = o.peer
    WHERE o.peer = _is_away.peer
      AND CASE WHEN o.failing_since IS NOT NULL THEN o.error ~ '^(the connection to the peer was lost: |the peer did not answer within )'
                 -- Whoever is there and refuses will not come back by itself. In another language than English that is what a server counts as that is starting.
                 OR o.error ^@ 'cannot connect to the peer: '
                    AND (o.error !~ 'FATAL|certificate|does not support SSL|syntax error' OR o.error ~ 'starting up|shutting down|recovery|too many')
               -- A stream breaks off before the next look says why.
               ELSE o.caught_up_at > clock_timestamp() - interval '10 seconds' AND coalesce(steep_repl._apply_error(l.subscription)->>'sqlstate' ^@ '08', true) END);
END;
COMMENT ON FUNCTION steep_repl._is_away(text) IS 'Of a peer whose stream waits: whether only because its database does not answer. This node is then well, and takes writes.';

CREATE OR REPLACE FUNCTION steep_repl._health_reasons() RETURNS TABLE (severity integer, reason text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  -- 2 makes the node unhealthy, 1 degraded.
  SELECT 2, 'steep_repl is not in shared_preload_libraries: no worker runs' WHERE NOT (steep_repl._worker_state()->>'preloaded')::boolean
  UNION ALL SELECT 2, 'the worker of this database does not run' || coalesce(': ' || (steep_repl._worker_state()->>'left_out'), '') WHERE (steep_repl._worker_state()->>'preloaded')::boolean AND NOT (steep_repl._worker_state()->>'running')::boolean
  UNION ALL SELECT 2, format('the extension in this database is %s, the library %s: no rounds until they are one; ALTER EXTENSION steep_repl UPDATE', e.extversion, steep_repl.version())
    FROM pg_extension e WHERE e.extname = 'steep_repl' AND e.extversion <> steep_repl.version()
  UNION ALL SELECT 1, 'this database is not a node yet: SELECT steep_repl.create_node(…)'
      || coalesce(format(', with an id of its own: it was restored from a dump, or is a copy, of one of %s', (SELECT string_agg(n.node_id, ', ' ORDER BY n.node_id) FROM steep_repl.nodes n WHERE n.node_uid IS NOT NULL)), '')
    WHERE steep_repl.node_id() IS NULL
  UNION ALL SELECT 1, format('setting %s is %s: %s', s.name, s.current, s.problem)
    FROM steep_repl.check_settings((SELECT greatest(count(*), 1)::int FROM steep_repl.links)) s WHERE s.name <> 'shared_preload_libraries'
  UNION ALL SELECT CASE WHEN s.state = 'failed' OR s.state = 'waiting' AND NOT steep_repl._is_away(s.peer) THEN 2 ELSE 1 END,
                   format('receiving from %s: %s%s', s.peer, s.state, ': ' || s.last_error)
    FROM steep_repl.subscription_status() s WHERE s.state NOT IN ('streaming', 'copying')
  UNION ALL SELECT 1, format('the stream of %s waits for process %s, which holds a lock', s.peer, s.blocked_by)
    FROM steep_repl.subscription_status() s WHERE s.blocked_by IS NOT NULL
  UNION ALL SELECT 1, format('%s does not receive from this node; %s of WAL are kept for it', s.peer, pg_size_pretty(s.retained_wal_bytes))
    FROM steep_repl._slots() s WHERE NOT s.active
  UNION ALL SELECT 2, steep_repl._copied() || ': it waits for complete_node(). Where it is to take the place of that node, which is gone for good: DELETE FROM steep_repl.preparations' WHERE steep_repl._copied() IS NOT NULL
  UNION ALL SELECT 1, format('preparation %s, which expires at %s, keeps %s of WAL here; cancel_preparation() once the last node is there', p.id, p.expires_at, pg_size_pretty(p.retained_wal_bytes))
    FROM steep_repl.preparations() p WHERE p.state = 'ready' AND steep_repl._much_wal(p.retained_wal_bytes)
  UNION ALL SELECT 1, CASE WHEN s.wal_status = 'lost' THEN format('slot %s of snapshot %s is lost: PostgreSQL has dropped the WAL that it kept; nothing can go on from that snapshot', s.slot_name, s.snapshot_id)
      ELSE format('slot %s of snapshot %s keeps %s of WAL%s; drop it when nobody is to go on from there', s.slot_name, s.snapshot_id, pg_size_pretty(s.retained_wal_bytes),
                  CASE WHEN s.wal_status = 'unreserved' THEN ' and is about to be lost' ELSE '' END) END
    FROM steep_repl._snapshot_slots() s WHERE NOT s.active AND (s.wal_status IN ('lost', 'unreserved') OR steep_repl._much_wal(s.retained_wal_bytes))
  UNION ALL SELECT 1, format('preparation %s is lost: PostgreSQL has dropped the WAL that this node kept for it', p.id) FROM steep_repl.preparations() p WHERE p.state = 'lost'
  -- Those whose link is gone, or of whom no daemon speaks any more, keep the status that was last known.
  UNION ALL SELECT 1, format('node %s is unavailable: its %s does not answer', n.node_id, CASE WHEN n.unanswered_until > clock_timestamp() AND NOT EXISTS (SELECT 1 FROM steep_repl.link_observations o WHERE o.peer = n.node_id AND o.failing_since IS NOT NULL) THEN 'daemon' ELSE 'database' END)
    FROM steep_repl.nodes n
   WHERE n.status = 'unavailable' AND (n.unanswered_until > clock_timestamp()
         OR EXISTS (SELECT 1 FROM steep_repl.links l WHERE l.peer = n.node_id AND l.state = 'linked' AND l.wanted <> 'remove'))
  UNION ALL SELECT CASE WHEN abs(c.ahead_seconds) > 10 THEN 2 ELSE 1 END,
                   c.reason || ': the later write wins by the clock, so set both by NTP'
    FROM steep_repl._clock_alarms() c
  UNION ALL SELECT 2, format('table %I.%I: %s', t.table_schema, t.table_name, t.reason)
    FROM steep_repl.replicated_tables() t WHERE t.state = 'failed'
  UNION ALL SELECT a.severity, a.reason FROM steep_repl._conflict_alarms() a
  UNION ALL SELECT a.severity, a.reason FROM steep_repl._range_alarms() a
  UNION ALL SELECT 1, format('work %s (%s) failed: %s', w.id, w.kind, w.error) FROM steep_repl.work_queue w
     WHERE w.state = 'failed' AND w.finished_at > clock_timestamp() - interval '1 day' AND NOT steep_repl._made_good(w)
  UNION ALL SELECT 1, format('indexes are not used, because work %s has not built them: %s. REINDEX INDEX builds them, too', m.work_id, m.indexes) FROM steep_repl._indexes_missing() m
  UNION ALL SELECT 1, format('work %s (%s) waits since %s: no process or place is free for it, see max_worker_processes', w.id, w.kind, w.asked_at) FROM steep_repl.work_queue w
     WHERE w.state = 'pending' AND w.asked_at < clock_timestamp() - interval '5 minutes'
       AND (SELECT count(*) FROM steep_repl.work_queue r WHERE r.state = 'running') < current_setting('steep_repl.max_jobs')::int
  UNION ALL SELECT 1, format('values of foreign keys of which it is not known yet whether they have a parent: %s, the oldest since %s: not all streams have caught up', o.suspected, o.suspected_since)
    FROM steep_repl._orphan_health() o WHERE o.suspected_since < clock_timestamp() - interval '1 minute'
  UNION ALL SELECT 1, format('conflicts that are not proven to have ended alike on all nodes: %s, the oldest since %s%s', c.unproven, c.unproven_since, ', ' || c.unproven_reason)
    FROM steep_repl._conflict_health() c WHERE c.unproven_since < clock_timestamp() - interval '1 minute';
END;
COMMENT ON FUNCTION steep_repl._health_reasons() IS 'All that is wrong, with its weight.';

CREATE OR REPLACE FUNCTION steep_repl.health() RETURNS jsonb
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT jsonb_build_object(
    'status', CASE coalesce(max(r.severity), 0) WHEN 0 THEN 'healthy' WHEN 1 THEN 'degraded' ELSE 'unhealthy' END,
    'reasons', coalesce(jsonb_agg(r.reason ORDER BY r.severity DESC, r.reason) FILTER (WHERE r.reason IS NOT NULL), '[]'),
    'version', steep_repl.version(),
    'node_id', steep_repl.node_id(),
    'database', jsonb_build_object('name', current_database(), 'server_version', current_setting('server_version'),
                                   'in_recovery', pg_is_in_recovery(), 'started_at', pg_postmaster_start_time()),
    'worker', steep_repl._worker_state(),
    'settings', (SELECT coalesce(jsonb_agg(to_jsonb(s)), '[]') FROM steep_repl.check_settings((SELECT greatest(count(*), 1)::int FROM steep_repl.links)) s),
    'nodes', (SELECT coalesce(jsonb_object_agg(n.node_id, n.status), '{}') FROM steep_repl.nodes n WHERE n.status <> 'removed'),
    'subscriptions', (SELECT coalesce(jsonb_agg(to_jsonb(s)), '[]') FROM steep_repl.subscription_status() s),
    'native_conflicts', (SELECT coalesce(jsonb_object_agg(l.peer, coalesce(steep_repl._apply_error(l.subscription)->'native_conflicts', '0')), '{}') FROM steep_repl.links l WHERE l.subscription IS NOT NULL),
    'clocks', (SELECT coalesce(jsonb_object_agg(c.peer, round(c.ahead_seconds::numeric, 3)), '{}') FROM steep_repl.clocks c JOIN steep_repl.links l ON l.peer = c.peer),
    'memory', jsonb_build_object('tombstones', (SELECT greatest(c.reltuples, 0)::bigint FROM pg_class c WHERE c.oid = 'steep_repl.tombstones'::regclass),
                                 'row_versions', (SELECT greatest(c.reltuples, 0)::bigint FROM pg_class c WHERE c.oid = 'steep_repl.row_versions'::regclass),
                                 'displaced', (SELECT count(*) FROM steep_repl.displaced), 'set_aside', (SELECT count(*) FROM steep_repl.apply_failures f WHERE f.set_aside)),
    'slots', (SELECT coalesce(jsonb_agg(to_jsonb(s)), '[]') FROM steep_repl._slots() s),
    'snapshot_slots', (SELECT coalesce(jsonb_agg(to_jsonb(s)), '[]') FROM steep_repl._snapshot_slots() s),
    'preparations', (SELECT coalesce(jsonb_agg(to_jsonb(p)), '[]') FROM steep_repl.preparations() p),
    'tables', (SELECT coalesce(jsonb_object_agg(t.state, t.n), '{}') FROM (SELECT x.state, count(*) AS n FROM steep_repl.replicated_tables() x GROUP BY x.state) t),
    'conflicts', (SELECT to_jsonb(c) FROM steep_repl._conflict_health() c) || jsonb_build_object('per_minute', steep_repl._conflict_rate(),
      'pending_by_table', (SELECT coalesce(jsonb_agg(to_jsonb(p)), '[]') FROM steep_repl._pending_by_table() p)),
    'ranges', (SELECT coalesce(jsonb_agg(jsonb_build_object('table', u.relation::regclass::text, 'column', u.column_name, 'range_start', u.range_start, 'range_end', u.range_end,
      'current_value', u.current_value, 'percent_used', u.percent_used, 'ranges_ahead', u.ranges_ahead, 'ids_left', u.ids_left, 'error', u.error)), '[]') FROM steep_repl._range_use() u),
    'work', (SELECT jsonb_build_object('pending', count(*) FILTER (WHERE w.state = 'pending'), 'running', count(*) FILTER (WHERE w.state = 'running'),
      'failed_last_day', count(*) FILTER (WHERE w.state = 'failed' AND w.finished_at > clock_timestamp() - interval '1 day')) FROM steep_repl.work_queue w),
    'orphans', (SELECT to_jsonb(o) FROM steep_repl._orphan_health() o))
  FROM steep_repl._health_reasons() r;
END;
COMMENT ON FUNCTION steep_repl.health() IS 'status healthy, degraded or unhealthy, the reasons, and the state of worker, settings, links, slots, tables and conflicts. Definer: looks at all of it.';
