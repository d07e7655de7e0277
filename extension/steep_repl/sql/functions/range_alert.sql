-- Ranges: what has to be told before they end.

CREATE OR REPLACE FUNCTION steep_repl._tell_range_alarm(state text, reason text) RETURNS void
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT pg_notify('steep_repl_alarm', jsonb_build_object('node_id', steep_repl.node_id(), 'kind', 'range', 'peer', NULL, 'state', state, 'reason', reason)::text)
   WHERE pg_notification_queue_usage() < 0.5;
END;
COMMENT ON FUNCTION steep_repl._tell_range_alarm(text, text) IS 'Tells those who LISTEN on steep_repl_alarm.';

CREATE OR REPLACE FUNCTION steep_repl._tell_range_use(s steep_repl.range_sequences, opened bigint, used numeric) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  percent integer := CASE WHEN used >= 95 THEN 95 WHEN used >= 80 THEN 80 ELSE 0 END;
  names text;
BEGIN
  IF (s).told_number = opened AND (s).told_percent >= percent THEN
    RETURN;
  END IF;
  UPDATE steep_repl.range_sequences x SET told_number = opened, told_percent = percent WHERE x.sequence = (s).sequence;
  SELECT string_agg(t.relation::regclass::text, ', ') INTO names FROM steep_repl.range_tables t WHERE t.sequence = (s).sequence AND t.active;
  IF (s).told_percent > 0 AND (s).told_number <> opened THEN
    PERFORM steep_repl._tell_range_alarm('over', format('%s goes on in another range of ids', names));
  END IF;
  IF percent > 0 THEN
    PERFORM steep_repl._audit('range.threshold', 'table', names, NULL, jsonb_build_object('percent', percent, 'range', opened));
    PERFORM steep_repl._tell_range_alarm('begun', format('the range of ids of %s is used to %s percent', names, percent));
  END IF;
END $$;
COMMENT ON FUNCTION steep_repl._tell_range_use(steep_repl.range_sequences, bigint, numeric) IS
  'Says once when 80 and 95 percent of a range are used, in the audit log and to those who LISTEN on steep_repl_alarm, and to these when that is over. The next range is cut by then.';

CREATE OR REPLACE FUNCTION steep_repl._range_use() RETURNS TABLE (
  relation oid, column_name name, sequence oid, number bigint, range_start bigint, range_end bigint, current_value bigint, percent_used numeric,
  ranges_ahead bigint, ids_left bigint, percent_of_type numeric, blocks_left bigint, step bigint, error text)
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT t.relation, t.column_name, s.sequence, r.number, r.range_start, r.range_end, p.at,
         CASE WHEN p.at BETWEEN r.range_start AND r.range_end
              THEN round(abs(p.at::numeric - CASE WHEN s.descending THEN r.range_end ELSE r.range_start END) * 100 / (r.range_end - r.range_start + 1), 1) ELSE 100 END,
         (SELECT count(*) FROM steep_repl.identity_ranges x WHERE x.relation = t.relation AND x.timeline = steep_repl._timeline() AND x.number > p.opened AND x.status = 'active'),
         i.ids_left,
         round(abs(p.at::numeric - q.seqstart) * 100 / greatest(abs(s.last_id::numeric - q.seqstart), 1), 1),
         i.ids_left / s.block, s.step, steep_repl._share_missing(s)
    FROM steep_repl.range_tables t JOIN steep_repl.range_sequences s USING (sequence) JOIN pg_sequence q ON q.seqrelid = s.sequence
    CROSS JOIN LATERAL (SELECT steep_repl._opened(s.counter) AS opened, steep_repl._position(s.sequence) AS at) p
    LEFT JOIN steep_repl.identity_ranges r ON r.relation = t.relation AND r.number = p.opened AND r.timeline = steep_repl._timeline()
    LEFT JOIN LATERAL (SELECT x.range_start, x.range_end FROM steep_repl.identity_ranges x WHERE x.relation = t.relation AND x.timeline = steep_repl._timeline()
                        AND x.number IS NOT NULL ORDER BY x.number DESC LIMIT 1) l ON true
    CROSS JOIN LATERAL (SELECT CASE WHEN s.step IS NOT NULL AND s.timeline = steep_repl._timeline()
      THEN steep_repl._ids_left(s.base, s.block, s.last_id, s.descending, s.step, s.share_offset, s.first_block, l.range_start, l.range_end) ELSE 0 END AS ids_left) i
   WHERE t.active;
END;
COMMENT ON FUNCTION steep_repl._range_use() IS 'How far the ranges of this node are used, and how many ids are left for it.';

CREATE OR REPLACE FUNCTION steep_repl._range_alarms() RETURNS TABLE (severity integer, reason text)
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT 2, format('table %s: no ids can be handed out here: %s', u.relation::regclass, u.error) FROM steep_repl._range_use() u WHERE u.error IS NOT NULL
  UNION ALL
  SELECT CASE WHEN u.ids_left = 0 OR u.percent_of_type >= 95 THEN 2 ELSE 1 END,
         format('table %s: column %I is at %s, %s percent of what its type and sequence allow; %s ids are left for this node. Change it to bigint, on all nodes',
                u.relation::regclass, u.column_name, u.current_value, u.percent_of_type, u.ids_left + greatest(u.range_end - u.current_value + 1, 0))
    FROM steep_repl._range_use() u WHERE u.error IS NULL AND (u.percent_of_type >= 80 OR u.ids_left = 0)
  UNION ALL
  SELECT 1, format('table %s: %s ids are left for this node in column %I (%s blocks; its share is 1 in %s): each restore, failover and new node takes half of the largest share. Change it to bigint, on all nodes',
                   u.relation::regclass, u.ids_left, u.column_name, u.blocks_left, u.step)
    FROM steep_repl._range_use() u WHERE u.error IS NULL AND u.blocks_left < 16 AND u.percent_of_type < 80 AND u.ids_left > 0
  UNION ALL
  SELECT 2, format('table %s: column %I takes its values from another sequence than the one whose values go in ranges, %s', t.relation::regclass, t.column_name, t.sequence::regclass)
    FROM steep_repl.range_tables t WHERE t.active AND steep_repl._draws_elsewhere(t.relation, t.column_name, t.sequence)
  UNION ALL
  SELECT 1, format('table %s: the range %s-%s is used to %s percent, and no further one is cut', u.relation::regclass, u.range_start, u.range_end, u.percent_used)
    FROM steep_repl._range_use() u WHERE u.error IS NULL AND u.percent_used >= 95 AND u.ranges_ahead = 0 AND u.ids_left > 0
  UNION ALL
  SELECT 1, format('table %s takes any id until %s: %s', b.relation::regclass, b.until, b.reason) FROM steep_repl.range_bypasses b WHERE b.ended_at IS NULL;
END;
COMMENT ON FUNCTION steep_repl._range_alarms() IS 'What health() says of ids that come to an end, and of bypasses.';
