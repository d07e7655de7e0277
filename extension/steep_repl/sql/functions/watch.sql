-- What the worker looks after by itself: peers, slots, and what peers said about tables.

CREATE OR REPLACE FUNCTION steep_repl._observations_due() RETURNS SETOF text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT l.peer FROM steep_repl.links l LEFT JOIN steep_repl.link_observations o ON o.peer = l.peer
   WHERE l.state = 'linked' AND l.wanted <> 'remove'
     AND coalesce(o.observed_at + CASE WHEN o.failing_since IS NULL THEN interval '0.9 seconds' ELSE interval '5 seconds' END <= clock_timestamp(), true);
END;
COMMENT ON FUNCTION steep_repl._observations_due() IS 'The peers to look at now: every second, those that do not answer every five.';

CREATE OR REPLACE FUNCTION steep_repl._observe(peer text) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET synchronous_commit = off SET lock_timeout = '2s' AS $$
#variable_conflict use_variable
DECLARE
  link steep_repl.links;
  asked_at timestamptz := clock_timestamp();
  answered_at timestamptz;
  seen jsonb;
  problem text;
  applied pg_lsn;
  beat bigint;
BEGIN
  SELECT * INTO link FROM steep_repl.links l WHERE l.peer = _observe.peer;
  -- Before the peer is asked: the stream moves on meanwhile.
  applied := coalesce(pg_replication_origin_progress('pg_' || link.subscription, false), '0/0');
  beat := steep_repl._received_beat(link.slot_name);
  seen := steep_repl._peer_value(link.conninfo, format($q$
    SELECT jsonb_build_object('clock', pg_catalog.clock_timestamp(), 'lsn', pg_catalog.pg_current_wal_lsn(), 'confirmed', s.confirmed_flush_lsn, 'exists', s.slot_name IS NOT NULL,
      'lost', s.wal_status = 'lost' OR s.invalidation_reason IS NOT NULL, 'facts', steep_repl._stream_facts(%L))::text
    FROM (SELECT) one LEFT JOIN pg_catalog.pg_replication_slots s ON s.slot_name = %L $q$, link.slot_name, link.slot_name), 5)::jsonb;
  answered_at := clock_timestamp();
  IF NOT (seen->>'exists')::boolean OR (seen->>'lost')::boolean THEN
    RAISE EXCEPTION USING ERRCODE = 'SR027', MESSAGE = format('%s no longer keeps what this node has not received: its slot %s is gone or invalid', peer, link.slot_name),
      HINT = 'This node must be initialised anew: it would miss changes.';
  END IF;
  problem := steep_repl._stream_problem(seen->'facts', applied, beat);
  IF problem IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'SR029', MESSAGE = problem;
  END IF;
  INSERT INTO steep_repl.link_observations AS o (peer, observed_at, peer_lsn, confirmed_lsn, caught_up_at)
  -- The first look, also after a crash, which empties this table: who has not received all does not pass for having caught up.
  VALUES (peer, asked_at, (seen->>'lsn')::pg_lsn, (seen->>'confirmed')::pg_lsn, CASE WHEN (seen->>'confirmed')::pg_lsn >= (seen->>'lsn')::pg_lsn THEN asked_at END)
  ON CONFLICT ON CONSTRAINT link_observations_pkey DO UPDATE SET
    -- Caught up with all that the peer had at the time of the last look.
    caught_up_at = CASE WHEN excluded.confirmed_lsn >= excluded.peer_lsn THEN excluded.observed_at
                        WHEN excluded.confirmed_lsn >= o.peer_lsn THEN coalesce(o.observed_at, excluded.observed_at)
                        ELSE o.caught_up_at END,
    observed_at = excluded.observed_at, peer_lsn = excluded.peer_lsn, confirmed_lsn = excluded.confirmed_lsn,
    failing_since = NULL, error = NULL;
  -- The peer looked at its clock at some moment between question and answer.
  INSERT INTO steep_repl.clocks AS c (peer, ahead_seconds, known_within)
  VALUES (peer, extract(epoch FROM (seen->>'clock')::timestamptz - asked_at - (answered_at - asked_at) / 2), extract(epoch FROM answered_at - asked_at) / 2)
  ON CONFLICT ON CONSTRAINT clocks_pkey DO UPDATE SET ahead_seconds = excluded.ahead_seconds, known_within = excluded.known_within, measured_at = excluded.measured_at;
  IF NOT EXISTS (SELECT 1 FROM steep_repl._apply_failure(link.subscription)) THEN
    PERFORM steep_repl._forget_apply_error(link.subscription, asked_at);
  END IF;
  -- Seldom, because every change of the registry goes to the WAL.
  UPDATE steep_repl.nodes n SET last_seen = asked_at,
      status = CASE WHEN n.unanswered_until > asked_at THEN n.status ELSE 'online' END
   WHERE n.node_id = peer AND n.status <> 'removed'
     AND (n.status <> 'online' AND coalesce(n.unanswered_until <= asked_at, true)
          OR coalesce(n.last_seen < asked_at - interval '10 seconds', true));
END $$;
COMMENT ON FUNCTION steep_repl._observe(text) IS 'Asks a peer how far it is and how far we are, for lag and node status.';

CREATE OR REPLACE FUNCTION steep_repl._observe_failed(peer text, error text) RETURNS void
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s'
BEGIN ATOMIC
  INSERT INTO steep_repl.link_observations AS o (peer, observed_at, failing_since, error)
  VALUES (_observe_failed.peer, clock_timestamp(), clock_timestamp(), _observe_failed.error)
  ON CONFLICT ON CONSTRAINT link_observations_pkey DO UPDATE SET observed_at = excluded.observed_at,
    failing_since = coalesce(o.failing_since, excluded.failing_since), error = excluded.error;
  UPDATE steep_repl.nodes n SET status = 'unavailable' WHERE n.node_id = _observe_failed.peer AND n.status IN ('online', 'unknown');
END;
COMMENT ON FUNCTION steep_repl._observe_failed(text, text) IS 'Notes that a peer did not answer.';

CREATE OR REPLACE FUNCTION steep_repl._drop_slots_of_removed() RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  slot record;
BEGIN
  FOR slot IN
    SELECT s.slot_name, s.active_pid FROM steep_repl.nodes n
      JOIN pg_replication_slots s ON s.slot_name = steep_repl._link_name(n.node_id, steep_repl.node_id()) AND s.database = current_database()
     WHERE n.status = 'removed'
  LOOP
    IF slot.active_pid IS NULL THEN
      PERFORM pg_drop_replication_slot(slot.slot_name);
    ELSE
      PERFORM pg_terminate_backend(slot.active_pid);
    END IF;
  END LOOP;
END $$;
COMMENT ON FUNCTION steep_repl._drop_slots_of_removed() IS 'Frees the slots of unregistered nodes, which hold WAL for nobody.';

CREATE OR REPLACE FUNCTION steep_repl._housekeeping() RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET lock_timeout = '5s' AS $$
DECLARE
  wish steep_repl.table_inbox;
  waits text[] := '{}';
BEGIN
  PERFORM steep_repl._audit_settings();
  IF steep_repl.node_id() IS NULL THEN
    RETURN;
  END IF;
  PERFORM steep_repl._clock_went_back();
  PERFORM steep_repl._beat();
  PERFORM steep_repl._drop_slots_of_removed();
  PERFORM steep_repl._end_preparations();
  -- Tables that were dropped here; their names may come back as other tables.
  DELETE FROM steep_repl.tables t WHERE NOT EXISTS (SELECT 1 FROM pg_class c WHERE c.oid = t.relation);
  FOR wish IN SELECT * FROM steep_repl.table_inbox ORDER BY id LOOP
    CONTINUE WHEN format('%I.%I', wish.table_schema, wish.table_name) = ANY (waits);
    BEGIN
      DELETE FROM steep_repl.table_inbox i WHERE i.id = wish.id;
      PERFORM steep_repl._grant_wish(wish);
    EXCEPTION
      WHEN lock_not_available OR deadlock_detected THEN
        -- In the next round; those behind it of the same table wait, so that a leave does not overtake its join.
        waits := waits || format('%I.%I', wish.table_schema, wish.table_name);
      WHEN out_of_memory OR disk_full THEN
        EXIT;
      WHEN OTHERS THEN
        DELETE FROM steep_repl.table_inbox i WHERE i.id = wish.id;
        PERFORM steep_repl._say(wish.table_schema, wish.table_name, 'fail', jsonb_build_object('reason', SQLERRM));
        RAISE LOG 'steep_repl: cannot % table %.%: %', wish.action, wish.table_schema, wish.table_name, SQLERRM;
    END;
  END LOOP;
  PERFORM steep_repl._identify_new_leaves();
  PERFORM steep_repl._tell_displaced();
  PERFORM steep_repl._tell_alarms();
  PERFORM steep_repl._note_apply_failures();
  PERFORM steep_repl._forget();
  -- Links that an initialisation left paused when it ended without its own end.
  UPDATE steep_repl.links l SET initialising = NULL WHERE l.initialising IS NOT NULL
     AND NOT EXISTS (SELECT 1 FROM steep_repl.initialisations i WHERE i.id = l.initialising AND i.state IN ('waiting', 'running'));
  -- Connection strings may hold passwords; nobody needs those of what has ended.
  UPDATE steep_repl.initialisations i SET source_conninfo = '', own_conninfo = NULL
   WHERE i.state IN ('complete', 'failed') AND (i.source_conninfo <> '' OR i.own_conninfo IS NOT NULL) AND NOT steep_repl._init_holding(i.id);
  DELETE FROM steep_repl.initialisation_members m USING steep_repl.initialisations i
   WHERE i.id = m.id AND i.state IN ('complete', 'failed') AND NOT steep_repl._init_holding(i.id);
  PERFORM steep_repl._announce_tables();
  UPDATE steep_repl.nodes n SET last_seen = now(), status = 'online'
   WHERE n.node_id = steep_repl.node_id() AND coalesce(n.last_seen < now() - interval '10 seconds', true);
END $$;
COMMENT ON FUNCTION steep_repl._housekeeping() IS 'What the worker does in every round.';
