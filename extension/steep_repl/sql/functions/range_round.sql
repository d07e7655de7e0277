-- Ranges: what the worker does for them. Each sequence in a transaction of its own, because sessions that insert wait
-- for whoever holds it; nothing here that asks a peer holds one.

CREATE OR REPLACE FUNCTION steep_repl._ranges_due() RETURNS SETOF text
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT s.sequence::text FROM steep_repl.range_sequences s LEFT JOIN pg_class c ON c.oid = s.sequence
   WHERE (s.error IS NULL OR s.next_try <= clock_timestamp())
     AND (c.oid IS NULL
      OR EXISTS (SELECT 1 FROM steep_repl.range_tables t LEFT JOIN pg_class k ON k.oid = t.relation WHERE t.sequence = s.sequence AND k.oid IS NULL)
      OR EXISTS (SELECT 1 FROM steep_repl.range_tables t WHERE t.sequence = s.sequence AND t.active)
         AND (s.step IS NOT NULL AND s.timeline = steep_repl._timeline()
              AND ((s.seen_number, s.seen_value) IS DISTINCT FROM (steep_repl._opened(s.counter), steep_repl._position(s.sequence))
                   OR s.last_id <> steep_repl._ids_end(s.sequence)
                   OR EXISTS (SELECT 1 FROM steep_repl.range_tables t WHERE t.sequence = s.sequence AND coalesce(t.wanted_size, t.wanted_threshold) IS NOT NULL)
                   OR EXISTS (SELECT 1 FROM steep_repl.identity_ranges r JOIN steep_repl.range_tables t ON t.relation = r.relation
                               WHERE t.sequence = s.sequence AND NOT r.announced))));
END;
COMMENT ON FUNCTION steep_repl._ranges_due() IS 'The sequences with ranges that have moved since the worker last looked, or are gone.';

CREATE OR REPLACE FUNCTION steep_repl._range_step(sequence_text text) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET lock_timeout = '100ms' AS $$
DECLARE
  this oid := sequence_text::oid;
  s steep_repl.range_sequences;
  stands bigint;
  opened bigint;
  here record;
  later record;
  used numeric;
  known boolean;
  set_back boolean := false;
BEGIN
  PERFORM steep_repl._hold_range(this);
  SELECT * INTO s FROM steep_repl.range_sequences x WHERE x.sequence = this FOR UPDATE;
  IF NOT FOUND OR steep_repl._range_cleared(s) THEN
    RETURN;
  END IF;
  stands := steep_repl._position(this);
  PERFORM steep_repl._fill_ranges(s, stands);
  s := steep_repl._as_wanted(s);
  IF s.last_id <> steep_repl._ids_end(this) THEN
    -- The column has become a bigint, or the sequence has another limit.
    UPDATE steep_repl.range_sequences x SET last_id = steep_repl._ids_end(this) WHERE x.sequence = this RETURNING * INTO s;
    PERFORM steep_repl._ranges_changed();
  END IF;
  opened := steep_repl._opened(s.counter);
  SELECT * INTO here FROM steep_repl._range_numbered(this, opened);
  -- Past its last value a sequence stands nowhere.
  known := coalesce(opened > 0 AND here.status <> 'released' AND stands BETWEEN here.range_start AND here.range_end, false);
  IF known AND opened = s.seen_number AND (stands - s.seen_value) * (CASE WHEN s.descending THEN -1 ELSE 1 END) < 0 THEN
    -- Ids that have been handed out would be handed out again.
    PERFORM steep_repl._audit('range.set_back', 'sequence', this::regclass::text, to_jsonb(s.seen_value), to_jsonb(stands));
    RAISE LOG 'steep_repl: sequence % was set back from % to %; it goes on in another range', this::regclass, s.seen_value, stands;
    known := false;
    set_back := true;
  END IF;
  used := CASE WHEN known THEN abs(stands - CASE WHEN s.descending THEN here.range_end ELSE here.range_start END) * 100.0 / (here.range_end - here.range_start + 1) ELSE 100 END;
  IF known AND used >= s.threshold THEN
    SELECT * INTO later FROM steep_repl._later_range(s);
    IF NOT FOUND THEN
      PERFORM steep_repl._allocate(s, s.range_size);
      SELECT * INTO later FROM steep_repl._later_range(s);
    END IF;
    -- Where the next range lies elsewhere, the last ids of this one are left unused: applications that draw values to insert
    -- them later would get some that are nobody's.
    known := later.number IS NULL
      OR abs(CASE WHEN s.descending THEN later.range_end - here.range_start ELSE later.range_start - here.range_end END) = 1
      OR here.range_end - here.range_start + 1 - used * (here.range_end - here.range_start + 1) / 100
         > greatest((here.range_end - here.range_start + 1) / 100, CASE WHEN opened = s.seen_number THEN 2 * abs(stands - s.seen_value) ELSE 0 END);
  END IF;
  IF NOT known THEN
    PERFORM steep_repl._move_on(s, set_back);
    stands := steep_repl._position(this);
    opened := steep_repl._opened(s.counter);
    used := 0;
  END IF;
  UPDATE steep_repl.identity_ranges r SET status = 'exhausted', announced = false FROM steep_repl.range_tables t
   WHERE t.relation = r.relation AND t.sequence = this AND r.status = 'active' AND (r.number < opened OR r.timeline <> s.timeline);
  IF opened IS DISTINCT FROM s.seen_number THEN
    -- Sessions that remember an earlier range would take ids of it, should somebody set the sequence back.
    PERFORM steep_repl._ranges_changed();
  END IF;
  UPDATE steep_repl.range_sequences x SET seen_number = opened, seen_value = stands, error = NULL WHERE x.sequence = this;
  PERFORM steep_repl._tell_range_use(s, opened, used);
  PERFORM steep_repl._announce_ranges(this);
END $$;
COMMENT ON FUNCTION steep_repl._range_step(text) IS
  'Looks after one sequence: writes down what sessions opened, cuts the next range at the threshold, and moves a sequence on that somebody has set back.';

CREATE OR REPLACE FUNCTION steep_repl._as_wanted(s steep_repl.range_sequences) RETURNS steep_repl.range_sequences
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  wanted record;
  now_so steep_repl.range_sequences := s;
BEGIN
  FOR wanted IN SELECT * FROM steep_repl.range_tables t WHERE t.sequence = (s).sequence AND coalesce(t.wanted_size, t.wanted_threshold) IS NOT NULL
                 FOR UPDATE SKIP LOCKED LOOP
    UPDATE steep_repl.range_sequences x SET range_size = coalesce(wanted.wanted_size, x.range_size), threshold = coalesce(wanted.wanted_threshold, x.threshold)
     WHERE x.sequence = (s).sequence RETURNING * INTO now_so;
    UPDATE steep_repl.range_tables t SET wanted_size = NULL, wanted_threshold = NULL WHERE t.relation = wanted.relation;
    PERFORM steep_repl._ranges_changed();
  END LOOP;
  RETURN now_so;
END $$;
COMMENT ON FUNCTION steep_repl._as_wanted(steep_repl.range_sequences) IS
  'Makes ranges from now on as large as set_ranges has asked for. The caller holds the sequence and has written down what sessions opened: whoever opens a range by itself must cut the same one as the worker.';

CREATE OR REPLACE FUNCTION steep_repl._range_cleared(s steep_repl.range_sequences) RETURNS boolean
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  DELETE FROM steep_repl.identity_ranges r USING steep_repl.range_tables t
   WHERE r.relation = t.relation AND t.sequence = (s).sequence AND NOT EXISTS (SELECT 1 FROM pg_class c WHERE c.oid = t.relation);
  DELETE FROM steep_repl.range_tables t WHERE t.sequence = (s).sequence AND NOT EXISTS (SELECT 1 FROM pg_class c WHERE c.oid = t.relation);
  IF EXISTS (SELECT 1 FROM pg_class c WHERE c.oid = (s).sequence) AND EXISTS (SELECT 1 FROM steep_repl.range_tables t WHERE t.sequence = (s).sequence) THEN
    RETURN false;
  END IF;
  PERFORM steep_repl._unguard_ids(t.relation::regclass) FROM steep_repl.range_tables t WHERE t.sequence = (s).sequence;
  DELETE FROM steep_repl.range_sequences x WHERE x.sequence = (s).sequence;
  PERFORM steep_repl._drop_counter((s).counter);
  RETURN true;
END $$;
COMMENT ON FUNCTION steep_repl._range_cleared(steep_repl.range_sequences) IS 'Forgets tables that were dropped; true when nothing is left of the sequence.';

CREATE OR REPLACE FUNCTION steep_repl._announce_ranges(sequence oid) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  news steep_repl.identity_ranges;
BEGIN
  FOR news IN UPDATE steep_repl.identity_ranges r SET announced = true FROM steep_repl.range_tables t
               WHERE t.relation = r.relation AND t.sequence = _announce_ranges.sequence AND NOT r.announced RETURNING r.* LOOP
    PERFORM steep_repl._say(news.table_schema::name, news.table_name::name, 'range', jsonb_build_object(
      'start', news.range_start, 'end', news.range_end, 'status', news.status, 'at', news.allocated_at));
  END LOOP;
END $$;
COMMENT ON FUNCTION steep_repl._announce_ranges(oid) IS 'Tells the others which ranges this node has. For people: no node needs to know.';

CREATE OR REPLACE FUNCTION steep_repl._range_said() RETURNS trigger
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  -- Nothing that could fail: an error here stops the stream.
  IF NEW.node_id IS DISTINCT FROM steep_repl.node_id() AND (NEW.detail->>'start')::bigint <= (NEW.detail->>'end')::bigint
     AND NEW.detail->>'status' IN ('active', 'exhausted', 'released')
     AND EXISTS (SELECT 1 FROM steep_repl.nodes n WHERE n.node_id = NEW.node_id) THEN
    INSERT INTO steep_repl.identity_ranges AS r (table_schema, table_name, node_id, range_start, range_end, allocated_at, status)
    VALUES (NEW.table_schema, NEW.table_name, NEW.node_id, (NEW.detail->>'start')::bigint, (NEW.detail->>'end')::bigint,
            coalesce((NEW.detail->>'at')::timestamptz, NEW.at), NEW.detail->>'status')
    ON CONFLICT (table_schema, table_name, node_id, range_start) DO UPDATE SET range_end = excluded.range_end, status = excluded.status;
  END IF;
  RETURN NULL;
END $$;
COMMENT ON FUNCTION steep_repl._range_said() IS 'Notes the range of which another node tells.';

CREATE OR REPLACE TRIGGER table_events_range AFTER INSERT ON steep_repl.table_events
  FOR EACH ROW WHEN (NEW.action = 'range') EXECUTE FUNCTION steep_repl._range_said();
ALTER TABLE steep_repl.table_events ENABLE ALWAYS TRIGGER table_events_range;

CREATE OR REPLACE FUNCTION steep_repl._shares_due() RETURNS SETOF text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT s.sequence::text FROM steep_repl.range_sequences s
   WHERE (s.step IS NULL OR s.timeline IS DISTINCT FROM steep_repl._timeline()) AND s.next_try <= clock_timestamp() AND steep_repl.node_id() IS NOT NULL
     AND EXISTS (SELECT 1 FROM steep_repl.range_tables t JOIN pg_class c ON c.oid = t.relation WHERE t.sequence = s.sequence AND t.active);
END;
COMMENT ON FUNCTION steep_repl._shares_due() IS 'The sequences for which this node has no share of the ids: not yet, or not since it was restored.';

CREATE OR REPLACE FUNCTION steep_repl._share_step(sequence_text text) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET lock_timeout = '100ms' AS $$
DECLARE
  this oid := sequence_text::oid;
  s steep_repl.range_sequences;
  name record;
  facts jsonb;
  best_step bigint;
  best_link steep_repl.links;
  link steep_repl.links;
  said text := 'no peer has a share to give';
  share jsonb;
BEGIN
  SELECT * INTO s FROM steep_repl.range_sequences x WHERE x.sequence = this;
  IF s.request IS NULL OR s.request_timeline IS DISTINCT FROM steep_repl._timeline() THEN
    -- Committed before anybody is asked: after a crash the same question gets the same share. After a restore it is
    -- another question: what the old one was answered with, the former self may have used.
    UPDATE steep_repl.range_sequences x SET request = gen_random_uuid(), request_timeline = steep_repl._timeline(), requested_at = clock_timestamp()
     WHERE x.sequence = this;
    PERFORM steep_repl._wake_worker();
    RETURN;
  END IF;
  SELECT n.nspname, c.relname, t.relation INTO name FROM steep_repl.range_tables t JOIN pg_class c ON c.oid = t.relation
    JOIN pg_namespace n ON n.oid = c.relnamespace WHERE t.sequence = this AND t.active LIMIT 1;
  FOR link IN SELECT * FROM steep_repl.links l WHERE l.wanted <> 'remove' AND l.state = 'linked' LOOP
    BEGIN
      facts := steep_repl._peer_value(link.conninfo, format('SELECT steep_repl._range_facts(%L, %L)::text', name.nspname, name.relname), 5)::jsonb;
      IF (facts->>'line')::uuid = s.line AND facts->>'step' IS NOT NULL AND (best_step IS NULL OR (facts->>'step')::bigint < best_step) THEN
        best_step := (facts->>'step')::bigint;
        best_link := link;
      END IF;
    EXCEPTION WHEN connection_exception OR sqlclient_unable_to_establish_sqlconnection OR query_canceled OR sqlserver_rejected_establishment_of_sqlconnection THEN
      said := format('%s does not answer', link.peer);
    END;
  END LOOP;
  IF best_step IS NOT NULL THEN
    -- Of whoever has the largest share.
    share := steep_repl._peer_value(best_link.conninfo, format('SELECT steep_repl._grant_share(%L, %L, %L, %L)::text', name.nspname, name.relname, s.request, steep_repl.node_id()));
    IF share IS NOT NULL THEN
      PERFORM steep_repl._take_share(this, share);
      PERFORM steep_repl._audit('range.share', 'sequence', this::regclass::text, NULL, share || jsonb_build_object('from', best_link.peer));
      RETURN;
    END IF;
  ELSIF NOT EXISTS (SELECT 1 FROM steep_repl.links) AND s.step IS NOT NULL THEN
    -- A node without peers has nobody to collide with: all is its own, from behind what it knows of. Peers of before, of
    -- which it may not know, have shares of the same ids: under another line they are not joined as if they had none.
    PERFORM steep_repl._hold_range(this);
    UPDATE steep_repl.range_sequences x SET line = gen_random_uuid() WHERE x.sequence = this RETURNING * INTO s;
    PERFORM steep_repl._take_share(this, jsonb_build_object('line', s.line, 'step', 1, 'share_offset', 0, 'first_block',
      (SELECT greatest(s.first_block, max(steep_repl._block_after(s.base, s.block, s.last_id, s.descending, k.id)))
         FROM (SELECT steep_repl._farthest_id(t.relation::regclass) FROM steep_repl.range_tables t WHERE t.sequence = this
               UNION ALL SELECT CASE WHEN s.descending THEN r.range_start ELSE r.range_end END FROM steep_repl.identity_ranges r
                          WHERE (r.table_schema, r.table_name) = (name.nspname, name.relname)) k(id))));
    RETURN;
  END IF;
  UPDATE steep_repl.range_sequences x SET error = said, next_try = clock_timestamp() + interval '2 seconds' WHERE x.sequence = this;
END $$;
COMMENT ON FUNCTION steep_repl._share_step(text) IS 'Asks the peers for a share of the ids of a sequence.';

CREATE OR REPLACE FUNCTION steep_repl._range_failed(step text, what text, error text) RETURNS void
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  UPDATE steep_repl.range_sequences s SET error = _range_failed.error, next_try = clock_timestamp() + interval '5 seconds'
   WHERE _range_failed.step <> '_bypass_step' AND s.sequence::text = what;
  -- Else every round would try again.
  UPDATE steep_repl.range_bypasses b SET ended_at = clock_timestamp(), ended_by = 'time', strays_note = 'not counted: ' || _range_failed.error
   WHERE _range_failed.step = '_bypass_step' AND b.id::text = what AND b.ended_at IS NULL;
  SELECT steep_repl._ranges_changed();
END;
COMMENT ON FUNCTION steep_repl._range_failed(text, text, text) IS 'Notes why the worker could not look after a range.';
