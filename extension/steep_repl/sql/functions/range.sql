-- Ranges of ids: each node hands out its own (docs/internals/range.md).

CREATE OR REPLACE FUNCTION steep_repl.allocate_range(p_table_schema text, p_table_name text, p_range_size bigint DEFAULT 10000)
  RETURNS TABLE (range_start bigint, range_end bigint)
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  relation regclass := steep_repl._named_table(p_table_schema, p_table_name);
  known steep_repl.range_tables := steep_repl._range_table(relation);
  message text;
BEGIN
  IF p_range_size IS NULL OR p_range_size < 1 THEN
    RAISE EXCEPTION USING ERRCODE = 'SR082', MESSAGE = format('a range has at least one id, not %s', coalesce(p_range_size::text, 'NULL')),
      HINT = format('SELECT * FROM steep_repl.allocate_range(%L, %L, 10000)', p_table_schema, p_table_name);
  END IF;
  IF p_range_size > 50 * (SELECT s.block FROM steep_repl.range_sequences s WHERE s.sequence = known.sequence) THEN
    RAISE EXCEPTION USING ERRCODE = 'SR082', MESSAGE = format('%s ids are more than can be given at once', p_range_size),
      HINT = format('At most %s, as often as is needed.', 50 * (SELECT s.block FROM steep_repl.range_sequences s WHERE s.sequence = known.sequence));
  END IF;
  -- By the worker, in a transaction of its own: sessions at the end of a range would wait for this one.
  RETURN QUERY SELECT (a->>0)::bigint, (a->>1)::bigint
    FROM jsonb_array_elements(steep_repl._ask_ranges(jsonb_build_object('do', 'allocate', 'relation', relation::oid::bigint, 'size', p_range_size))) a;
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS message = MESSAGE_TEXT;
  PERFORM steep_repl._audit_failure('range.allocate', 'table', format('%I.%I', p_table_schema, p_table_name), message);
  RAISE;
END $$;
COMMENT ON FUNCTION steep_repl.allocate_range(text, text, bigint) IS
  'Gives this node its next ids of a table, to be used after those that it has: one range, several where a block of its share ends. At once, and not undone with the caller''s transaction. Owners only. Definer: asks the worker. Errors: SR043, SR080, SR082, SR083, 42501, 42P01.';

CREATE OR REPLACE FUNCTION steep_repl.release_range(p_table_schema text, p_table_name text, p_range_start bigint) RETURNS boolean
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  relation regclass := steep_repl._named_table(p_table_schema, p_table_name);
  message text;
BEGIN
  PERFORM steep_repl._range_table(relation);
  RETURN steep_repl._ask_ranges(jsonb_build_object('do', 'release', 'relation', relation::oid::bigint, 'start', p_range_start))::boolean;
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS message = MESSAGE_TEXT;
  PERFORM steep_repl._audit_failure('range.release', 'table', format('%I.%I', p_table_schema, p_table_name), message);
  RAISE;
END $$;
COMMENT ON FUNCTION steep_repl.release_range(text, text, bigint) IS
  'Ends the use of one of this node''s ranges; its ids are never handed out again, here or elsewhere. When the sequence is in it, it moves on. False when it had been released before. Owners only. Definer: asks the worker. Errors: SR080, SR082, 42501, 42P01.';

CREATE OR REPLACE FUNCTION steep_repl._ask_ranges(argument jsonb) RETURNS jsonb
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  answer jsonb := steep_repl._ask_worker('range', (argument || jsonb_build_object('actor', steep_repl._actor()))::text);
BEGIN
  IF jsonb_typeof(answer) = 'object' THEN
    RAISE EXCEPTION USING ERRCODE = answer->>'code', MESSAGE = answer->>'message', HINT = coalesce(nullif(answer->>'hint', ''), 'SELECT * FROM steep_repl.range_status() lists the ranges.');
  END IF;
  RETURN answer;
END $$;
COMMENT ON FUNCTION steep_repl._ask_ranges(jsonb) IS 'Has the worker allocate or release ranges; what it refuses is raised here, with its code and hint.';

CREATE OR REPLACE FUNCTION steep_repl._serve_range(argument jsonb) RETURNS text
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s' AS $$
DECLARE
  table_oid oid := (argument->>'relation')::bigint::oid;
  s steep_repl.range_sequences;
  named text := table_oid::regclass::text;
  answer jsonb;
  was text;
  code text;
  message text;
  remedy text;
BEGIN
  SELECT x.* INTO s FROM steep_repl.range_tables t JOIN steep_repl.range_sequences x USING (sequence) WHERE t.relation = table_oid AND t.active;
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = 'SR080', MESSAGE = format('the ids of table %s do not go in ranges', named);
  END IF;
  PERFORM steep_repl._hold_range(s.sequence);
  SELECT * INTO s FROM steep_repl.range_sequences x WHERE x.sequence = s.sequence FOR UPDATE;
  IF argument->>'do' = 'allocate' THEN
    SELECT coalesce(jsonb_agg(jsonb_build_array(a.range_start, a.range_end)), '[]') INTO answer FROM steep_repl._allocate(s, (argument->>'size')::bigint) a;
    IF (SELECT coalesce(sum((a->>1)::numeric - (a->>0)::numeric + 1), 0) FROM jsonb_array_elements(answer) a) < (argument->>'size')::numeric THEN
      RAISE EXCEPTION USING ERRCODE = 'SR083', MESSAGE = format('there are not %s ids left for table %s on this node: %s are', argument->>'size', named,
        (SELECT u.ids_left FROM steep_repl._range_use() u WHERE u.relation = table_oid)),
        HINT = 'Ask for fewer. When the type ends: ALTER TABLE … ALTER COLUMN … TYPE bigint, on all nodes.';
    END IF;
    PERFORM steep_repl._announce_ranges(s.sequence);
    PERFORM steep_repl._audit_as(argument->>'actor', 'range.allocate', 'table', named, NULL, answer);
    RETURN answer::text;
  END IF;
  PERFORM steep_repl._fill_ranges(s, steep_repl._position(s.sequence));
  SELECT r.status INTO was FROM steep_repl.identity_ranges r WHERE r.relation = table_oid AND r.range_start = (argument->>'start')::bigint;
  IF was IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'SR082', MESSAGE = format('no range of this node for table %s begins at %s', named, coalesce(argument->>'start', 'NULL')),
      HINT = 'SELECT * FROM steep_repl.range_status() lists them.';
  ELSIF was = 'released' THEN
    RETURN 'false';
  END IF;
  UPDATE steep_repl.identity_ranges r SET status = 'released', announced = false FROM steep_repl.range_tables t
   WHERE t.relation = r.relation AND t.sequence = s.sequence AND r.range_start = (argument->>'start')::bigint;
  PERFORM steep_repl._ranges_changed();
  PERFORM steep_repl._settle_in(s.sequence);
  PERFORM steep_repl._announce_ranges(s.sequence);
  PERFORM steep_repl._audit_as(argument->>'actor', 'range.release', 'table', named, to_jsonb(was), argument->'start');
  RETURN 'true';
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT, remedy = PG_EXCEPTION_HINT;
  IF code NOT LIKE 'SR%' THEN
    RAISE;
  END IF;
  -- An error of the worker's would reach the session as bare words.
  RETURN jsonb_build_object('code', code, 'message', left(message, 200), 'hint', left(remedy, 200));
END $$;
COMMENT ON FUNCTION steep_repl._serve_range(jsonb) IS 'The worker''s half of allocate_range and release_range: the ranges, true or false, or an object that says what is refused.';

CREATE OR REPLACE FUNCTION steep_repl.check_range_threshold(p_table_schema text, p_table_name text, p_threshold_percent integer DEFAULT 80)
  RETURNS TABLE (current_value bigint, range_end bigint, percent_used numeric, needs_expansion boolean)
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  named regclass := steep_repl._named_table(p_table_schema, p_table_name);
BEGIN
  IF p_threshold_percent IS NULL OR p_threshold_percent NOT BETWEEN 1 AND 100 THEN
    RAISE EXCEPTION USING ERRCODE = 'SR082', MESSAGE = format('a threshold is between 1 and 100 percent, not %s', coalesce(p_threshold_percent::text, 'NULL'));
  END IF;
  PERFORM steep_repl._range_table(named);
  RETURN QUERY SELECT u.current_value, u.range_end, u.percent_used, u.percent_used >= p_threshold_percent AND u.ranges_ahead = 0
    FROM steep_repl._range_use() u WHERE u.relation = named;
END $$;
COMMENT ON FUNCTION steep_repl.check_range_threshold(text, text, integer) IS
  'How far the range is used in which this node''s sequence is: the next value, the end, percent; needs_expansion: the threshold is passed and no further range is there yet. Owners only. Definer: reads the sequence. Errors: SR043, SR080, SR082, 42501, 42P01.';

CREATE OR REPLACE FUNCTION steep_repl.apply_range_constraint(p_table_schema text, p_table_name text, p_range_start bigint DEFAULT NULL, p_range_end bigint DEFAULT NULL)
  RETURNS boolean
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  relation regclass := steep_repl._named_table(p_table_schema, p_table_name);
  known steep_repl.range_tables := steep_repl._range_table(relation);
  whose text;
  stood boolean;
BEGIN
  IF p_range_start > p_range_end OR (p_range_start IS NULL) <> (p_range_end IS NULL) THEN
    RAISE EXCEPTION USING ERRCODE = 'SR082', MESSAGE = format('a range goes from its start to its end, not from %s to %s', coalesce(p_range_start::text, 'NULL'), coalesce(p_range_end::text, 'NULL')),
      HINT = 'Leave both out: the constraint asks for this node''s ranges, whichever they are.';
  END IF;
  IF p_range_start IS NOT NULL AND NOT EXISTS (SELECT 1 FROM steep_repl.identity_ranges r WHERE r.relation = known.relation AND r.status <> 'released'
       AND r.timeline = steep_repl._timeline() AND p_range_start >= r.range_start AND p_range_end <= r.range_end) THEN
    SELECT string_agg(format('%s-%s of %s', r.range_start, r.range_end, r.node_id), ', ' ORDER BY r.range_start) INTO whose FROM steep_repl.identity_ranges r
     WHERE (r.table_schema, r.table_name) = (p_table_schema, p_table_name) AND r.range_start <= p_range_end AND r.range_end >= p_range_start;
    RAISE EXCEPTION USING ERRCODE = 'SR082', MESSAGE = format('%s-%s is not a range of this node for table %s', p_range_start, p_range_end, relation),
      DETAIL = coalesce('It overlaps with: ' || whose, 'It is nobody''s range.'), HINT = 'SELECT * FROM steep_repl.allocate_range(…) gives this node a range that is its own.';
  END IF;
  stood := NOT EXISTS (SELECT 1 FROM steep_repl._leaves(relation) l WHERE NOT EXISTS (
    SELECT 1 FROM pg_constraint c WHERE c.conrelid = l AND c.conname = steep_repl._range_constraint(relation)));
  PERFORM steep_repl._lock_table(relation, true);
  PERFORM steep_repl._guard_ids(relation, known.column_name);
  RETURN NOT stood;
END $$;
COMMENT ON FUNCTION steep_repl.apply_range_constraint(text, text, bigint, bigint) IS
  'Puts the constraint steep_range_… back on a table that has lost it, with its trigger; false when it stood. It holds for all of this node''s ranges; numbers, when given, must lie in one of them. Owners only. Definer: changes the table. Errors: SR043, SR080, SR082, 42501, 42P01, 55P03.';

CREATE OR REPLACE FUNCTION steep_repl.check_id_range(p_table_schema text, p_table_name text, p_id bigint) RETURNS boolean
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN steep_repl.check_id_range(steep_repl._named_table(p_table_schema, p_table_name), p_id);
EXCEPTION WHEN check_violation THEN
  RETURN false;
END $$;
COMMENT ON FUNCTION steep_repl.check_id_range(text, text, bigint) IS
  'Whether this session might insert a row with that id now: it is in this node''s ranges, in the table already, or the check is bypassed. Definer: reads the ranges. Errors: 42P01.';

CREATE OR REPLACE FUNCTION steep_repl.range_status() RETURNS TABLE (
  table_schema text, table_name text, column_name text, node_id text, range_start bigint, range_end bigint, status text, current_value bigint,
  percent_used numeric, ids_left bigint, allocated_at timestamptz, bypass_until timestamptz, note text)
  LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  WITH here AS (SELECT u.*, n.nspname::text AS table_schema, c.relname::text AS table_name FROM steep_repl._range_use() u
                  JOIN pg_class c ON c.oid = u.relation JOIN pg_namespace n ON n.oid = c.relnamespace)
  SELECT r.table_schema, r.table_name, h.column_name::text, r.node_id, r.range_start, r.range_end, r.status,
         CASE WHEN current.it THEN h.current_value END,
         CASE WHEN r.status <> 'active' THEN 100 WHEN current.it THEN h.percent_used WHEN r.relation IS NOT NULL THEN 0 END,
         CASE WHEN current.it THEN h.ids_left END, r.allocated_at,
         CASE WHEN current.it THEN steep_repl._bypass_until(r.relation) END,
         CASE WHEN r.relation IS NOT NULL AND r.timeline <> steep_repl._timeline() THEN 'from before a restore or failover: not used any more'
              WHEN current.it THEN (SELECT format('%s strays at the last bypass: %s', b.strays, b.strays_note) FROM steep_repl.range_bypasses b
                                     WHERE b.relation = r.relation AND b.ended_at IS NOT NULL AND b.strays > 0 ORDER BY b.id DESC LIMIT 1) END
    FROM steep_repl.identity_ranges r
    LEFT JOIN here h ON (h.table_schema, h.table_name) = (r.table_schema, r.table_name)
    CROSS JOIN LATERAL (SELECT coalesce(r.relation = h.relation AND r.number = h.number AND r.timeline = steep_repl._timeline(), false) AS it) current
  UNION ALL
  SELECT h.table_schema, h.table_name, h.column_name::text, steep_repl.node_id(), NULL, NULL, 'missing', h.current_value, NULL, h.ids_left, NULL,
         steep_repl._bypass_until(h.relation), h.error
    FROM here h WHERE h.error IS NOT NULL
   ORDER BY 1, 2, 5, 4;
END;
COMMENT ON FUNCTION steep_repl.range_status() IS
  'All ranges that this node knows of, its own and those of the others. current_value (the next one), percent_used and ids_left stand in the range in which this node''s sequence is; status missing: this node has none now, note says why. Definer: reads the ranges.';

CREATE OR REPLACE FUNCTION steep_repl.range_settings() RETURNS TABLE (
  table_schema text, table_name text, column_name text, enabled boolean, range_size bigint, largest_size bigint, threshold integer)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT n.nspname::text, c.relname::text, d.column_name::text, s.sequence IS NOT NULL, coalesce(t.wanted_size, s.range_size), s.block, coalesce(t.wanted_threshold, s.threshold)
    FROM steep_repl.tables k JOIN pg_class c ON c.oid = k.relation JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN steep_repl.range_tables t ON t.relation = k.relation AND t.active
    LEFT JOIN steep_repl.range_sequences s ON s.sequence = t.sequence
    LEFT JOIN LATERAL (SELECT x.column_name FROM steep_repl._range_column(k.relation) x WHERE x.led) d ON true
   ORDER BY 1, 2;
END;
COMMENT ON FUNCTION steep_repl.range_settings() IS
  'How the ids of each replicated table go in ranges: the column whose ids can (NULL: none, as with UUIDs), whether they do, and on this node how many ids a range has that is cut from now on, how many it may have at most, and at which percent the next one is cut. Definer: reads the ranges.';
