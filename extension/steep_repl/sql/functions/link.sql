-- Making and ending links: the worker's side. One step a call, each in a transaction of its own, each repeatable.

CREATE OR REPLACE FUNCTION steep_repl._link_should_stream(link steep_repl.links) RETURNS boolean
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN (link).wanted = 'stream' AND (link).initialising IS NULL AND coalesce((link).held_until <= now(), true);
COMMENT ON FUNCTION steep_repl._link_should_stream(steep_repl.links) IS 'Whether the subscription of a link should be enabled now.';

CREATE OR REPLACE FUNCTION steep_repl._links_due() RETURNS SETOF text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT l.peer FROM steep_repl.links l LEFT JOIN pg_subscription s ON s.oid = l.subscription
   WHERE l.next_try <= now()
     AND (l.wanted = 'remove' OR l.state = 'requested'
          OR s.subenabled IS DISTINCT FROM steep_repl._link_should_stream(l)
          OR s.subconninfo IS DISTINCT FROM l.conninfo OR l.last_error IS NOT NULL);
END;
COMMENT ON FUNCTION steep_repl._links_due() IS 'The peers whose link needs a step now.';

CREATE OR REPLACE FUNCTION steep_repl._link_failed(peer text, error text) RETURNS void
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s'
BEGIN ATOMIC
  UPDATE steep_repl.links l SET last_error = _link_failed.error, last_error_at = now(), attempts = l.attempts + 1,
         next_try = now() + least(power(2, least(l.attempts, 5)), 30) * interval '1 second'
   WHERE l.peer = _link_failed.peer;
END;
COMMENT ON FUNCTION steep_repl._link_failed(text, text) IS 'Notes why a step failed, and when to try again: 1 s, 2 s, … 30 s.';

CREATE OR REPLACE FUNCTION steep_repl._link_set_streaming(link steep_repl.links) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  EXECUTE format('ALTER SUBSCRIPTION %I %s', (link).subscription_name,
                 CASE WHEN steep_repl._link_should_stream(link) THEN 'ENABLE' ELSE 'DISABLE' END);
END $$;
COMMENT ON FUNCTION steep_repl._link_set_streaming(steep_repl.links) IS 'Enables or disables the subscription of a link, whichever its row says.';

CREATE OR REPLACE FUNCTION steep_repl._link_step(peer text) RETURNS boolean
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s' AS $$
#variable_conflict use_variable
DECLARE
  link steep_repl.links;
BEGIN
  -- Not FOR UPDATE: a row lock takes a transaction id, and the peer's making of a slot waits for every transaction id
  -- of its server, which may be this one.
  SELECT * INTO link FROM steep_repl.links l WHERE l.peer = _link_step.peer;
  IF NOT FOUND THEN
    RETURN false;
  ELSIF link.wanted = 'remove' THEN
    RETURN steep_repl._link_remove(link);
  ELSIF link.state = 'requested' THEN
    PERFORM steep_repl._link_make(link);
    RETURN true;
  END IF;
  -- No slot is made any more; and an initialisation may have paused the link meanwhile.
  SELECT * INTO link FROM steep_repl.links l WHERE l.peer = _link_step.peer FOR UPDATE;
  IF NOT FOUND OR link.wanted = 'remove' THEN
    RETURN true;
  END IF;
  PERFORM steep_repl._link_set_streaming(link);
  PERFORM steep_repl._link_move(link);
  -- Whatever did not work before: all is as the row wants it now.
  UPDATE steep_repl.links l SET last_error = NULL, last_error_at = NULL, attempts = 0 WHERE l.peer = link.peer AND l.last_error IS NOT NULL;
  RETURN false;
END $$;
COMMENT ON FUNCTION steep_repl._link_step(text) IS 'Takes the next step of a link; true when there is a further one.';

CREATE OR REPLACE FUNCTION steep_repl._link_make(link steep_repl.links) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET client_min_messages = error SET log_min_messages = error AS $$
DECLARE
  identity jsonb := steep_repl._peer_identity((link).conninfo);
  problems text;
  made oid;
  event jsonb;
  origin oid;
  own steep_repl.tables;
  answer text := CASE WHEN (link).initialising IS NOT NULL THEN 'none' WHEN (link).copy_data THEN 'join' ELSE 'trust' END;
BEGIN
  IF identity->>'node_id' IS DISTINCT FROM (link).peer AND identity->>'node_id' IS DISTINCT FROM steep_repl.node_id() THEN
    RAISE EXCEPTION USING ERRCODE = 'SR024', MESSAGE = format('node %s answers where %s was expected', identity->>'node_id', (link).peer),
      HINT = 'Correct host and port with steep_repl.register_node and subscribe again.';
  END IF;
  SELECT string_agg(format('%s. %s', p.problem, p.remedy), E'\n') INTO problems FROM steep_repl._check_pair(identity) p;
  IF problems IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'SR025', MESSAGE = format('cannot link with %s', (link).peer), DETAIL = problems;
  END IF;
  IF EXISTS (SELECT 1 FROM pg_subscription s WHERE s.subname = (link).subscription_name
               AND s.subdbid = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())) THEN
    RAISE EXCEPTION USING ERRCODE = 'SR026', MESSAGE = format('subscription %I exists and is not ours', (link).subscription_name),
      HINT = 'Drop it, or give the node another id.';
  END IF;
  IF (link).initialising IS NULL AND EXISTS (SELECT 1 FROM steep_repl.tables)
     AND EXISTS (SELECT 1 FROM steep_repl.origins o WHERE o.node_id = (link).peer AND o.node_uid = (identity->>'node_uid')::uuid) THEN
    RAISE EXCEPTION USING ERRCODE = 'SR015', MESSAGE = format('this node has received from %s before, and would miss what was written there since', (link).peer),
      DETAIL = format('Replicated here: %s', (SELECT string_agg(format('%I.%I', t.table_schema, t.table_name), ', ') FROM steep_repl.tables t)),
      HINT = 'Remove the tables on all nodes and add them again, with empty tables on one side or existing => ''identical''; pause() is the call for an interruption.';
  END IF;
  -- A slot left by an attempt that did not get further is older than what follows: make it anew.
  PERFORM steep_repl._drop_idle_slot_at((link).conninfo, (link).slot_name);
  PERFORM steep_repl._peer_value((link).conninfo, coalesce(
    -- Filled from a copy: from where its peers have kept their streams for it.
    (SELECT format('SELECT steep_repl._copy_kept_slot(%L, %L)', i.preparation, (link).slot_name) FROM steep_repl.initialisations i WHERE i.id = (link).initialising AND i.method = 'snapshot'),
    -- Completed from a copy itself: from where its own writes begin.
    CASE WHEN identity->>'kept' IS NOT NULL THEN format('SELECT steep_repl._copy_kept_slot(%L, %L)', identity->>'kept', (link).slot_name) END,
    format('SELECT lsn::text FROM pg_catalog.pg_create_logical_replication_slot(%L, ''pgoutput'')', (link).slot_name)));

  -- From here on this transaction writes. If it fails, the slot is made anew by the next attempt or dropped by unsubscribe.
  EXECUTE format('CREATE SUBSCRIPTION %I CONNECTION %L PUBLICATION steep_repl WITH (connect = false, slot_name = %L, origin = none, streaming = off)',
                 (link).subscription_name, (link).conninfo, (link).slot_name);
  SELECT s.oid INTO made FROM pg_subscription s WHERE s.subname = (link).subscription_name
     AND s.subdbid = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database());
  SELECT o.roident INTO origin FROM pg_replication_origin o WHERE o.roname = 'pg_' || made;
  PERFORM steep_repl._origin_means(origin, 'peer', (link).peer);
  UPDATE steep_repl.origins o SET node_uid = (identity->>'node_uid')::uuid WHERE o.origin_number = origin AND o.xid_to IS NULL;
  UPDATE steep_repl.nodes n SET node_uid = (identity->>'node_uid')::uuid, status = 'online', last_seen = now()
   WHERE n.node_id = (link).peer;

  PERFORM steep_repl._set_subscription_table(made, 'steep_repl.table_events'::regclass, 'r', 0);
  PERFORM steep_repl._set_subscription_table(made, 'steep_repl.beats'::regclass, 'r', 0);
  PERFORM steep_repl._set_subscription_table(made, 'steep_repl.displaced'::regclass, 'r', 0);
  PERFORM steep_repl._set_subscription_table(made, 'steep_repl.truncations'::regclass, 'r', 0);
  PERFORM steep_repl._set_subscription_table(made, 'steep_repl.resolutions'::regclass, 'r', 0);
  DELETE FROM steep_repl.beats b WHERE b.node_id = (link).peer;
  INSERT INTO steep_repl.beats (node_id, seq)
    SELECT (link).peer, coalesce((steep_repl._peer_value((link).conninfo, format('SELECT steep_repl._stream_facts(%L)::text', (link).slot_name))::jsonb->>'beat')::bigint, 0);
  UPDATE steep_repl.links l SET state = 'linked', subscription = made, last_error = NULL, attempts = 0
   WHERE l.peer = (link).peer RETURNING * INTO link;
  -- What the peer said before the slot was made; what it says later comes through the stream, and twice does no harm.
  FOR event IN SELECT r::jsonb FROM steep_repl._peer_rows_within((link).conninfo, format(
      'SELECT to_jsonb(e)::text FROM steep_repl.table_events e WHERE e.node_id = %L ORDER BY e.seq', (link).peer), 60) r
  LOOP
    CONTINUE WHEN event->>'node_id' IS DISTINCT FROM (link).peer;
    PERFORM steep_repl._take_event(jsonb_populate_record(NULL::steep_repl.table_events, event), answer);
  END LOOP;
  -- Whoever has a table join looks at the links after he has entered it: either he sees this one, or it is seen here.
  PERFORM set_config('lock_timeout', current_setting('steep_repl.lock_timeout'), true);
  LOCK TABLE steep_repl.tables IN SHARE ROW EXCLUSIVE MODE;
  FOR own IN SELECT * FROM steep_repl.tables LOOP
    PERFORM steep_repl._set_subscription_table(made, own.relation, 'r', 0);
  END LOOP;
  PERFORM steep_repl._link_set_streaming(link);
  PERFORM steep_repl._audit('subscription.linked', 'subscription', (link).peer);
END $$;
COMMENT ON FUNCTION steep_repl._link_make(steep_repl.links) IS 'Checks the peer, makes the slot there and the subscription here.';

CREATE OR REPLACE FUNCTION steep_repl._link_move(link steep_repl.links) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  identity jsonb;
BEGIN
  IF EXISTS (SELECT 1 FROM pg_subscription s WHERE s.oid = (link).subscription AND s.subconninfo = (link).conninfo) THEN
    RETURN;
  END IF;
  -- Until this has succeeded the stream goes on over the old connection. Another node with a slot of that name would
  -- otherwise be taken for the peer.
  identity := steep_repl._peer_identity((link).conninfo);
  IF identity->>'node_id' IS DISTINCT FROM (link).peer
     OR identity->>'node_uid' <> (SELECT n.node_uid::text FROM steep_repl.nodes n WHERE n.node_id = (link).peer) THEN
    RAISE EXCEPTION USING ERRCODE = 'SR024', MESSAGE = format('at the new connection string of %s answers %s', (link).peer,
        CASE WHEN identity->>'node_id' = (link).peer THEN 'another node of that id' ELSE coalesce('node ' || (identity->>'node_id'), 'no node') END),
      HINT = format('Subscribe again with the connection string of %s. If it was made anew, unsubscribe first.', (link).peer);
  END IF;
  EXECUTE format('ALTER SUBSCRIPTION %I CONNECTION %L', (link).subscription_name, (link).conninfo);
  -- A link that is made again later, or by a node that joins through this one, finds it there as well.
  UPDATE steep_repl.nodes n SET conninfo = (link).conninfo WHERE n.node_id = (link).peer;
  PERFORM steep_repl._audit('subscription.move', 'subscription', (link).peer);
END $$;
COMMENT ON FUNCTION steep_repl._link_move(steep_repl.links) IS 'Makes the subscription connect as its link says, once the peer has answered there. Errors: SR024 another node answers.';

CREATE OR REPLACE FUNCTION steep_repl._origin_means(origin oid, kind text, node_id text) RETURNS void
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  UPDATE steep_repl.origins o SET xid_to = pg_current_xact_id()
   WHERE o.origin_number = _origin_means.origin AND o.xid_to IS NULL;
  INSERT INTO steep_repl.origins (origin_number, kind, node_id) VALUES (_origin_means.origin, _origin_means.kind, _origin_means.node_id)
  ON CONFLICT (origin_number, xid_from) DO UPDATE SET xid_to = NULL, kind = excluded.kind, node_id = excluded.node_id;
END;
COMMENT ON FUNCTION steep_repl._origin_means(oid, text, text) IS 'From this transaction on the origin number means that node, or a copy from it.';

CREATE OR REPLACE FUNCTION steep_repl._link_remove(link steep_repl.links) RETURNS boolean
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET client_min_messages = error AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM pg_subscription s WHERE s.oid = (link).subscription) THEN
    -- Somebody may want it again: before this he has it as it was, after it it is made anew.
    PERFORM 1 FROM steep_repl.links l WHERE l.peer = (link).peer AND l.wanted = 'remove' FOR UPDATE;
    IF NOT FOUND THEN
      RETURN true;
    END IF;
    UPDATE steep_repl.origins o SET xid_to = pg_current_xact_id()
     WHERE o.xid_to IS NULL AND o.origin_number = (SELECT r.roident FROM pg_replication_origin r WHERE r.roname = 'pg_' || (link).subscription);
    EXECUTE format('ALTER SUBSCRIPTION %I DISABLE', (link).subscription_name);
    EXECUTE format('ALTER SUBSCRIPTION %I SET (slot_name = NONE)', (link).subscription_name);
    EXECUTE format('DROP SUBSCRIPTION %I', (link).subscription_name);
    UPDATE steep_repl.links l SET subscription = NULL, state = 'unlinked' WHERE l.peer = (link).peer;
    RETURN true;
  END IF;
  -- A peer that is gone for good is not asked. Its own slot here: _drop_slots_of_removed().
  IF (SELECT n.status FROM steep_repl.nodes n WHERE n.node_id = (link).peer) <> 'removed' THEN
    PERFORM steep_repl._peer_value((link).conninfo, format(
      'SELECT pg_catalog.pg_terminate_backend(active_pid)::text FROM pg_catalog.pg_replication_slots WHERE slot_name = %L AND database = pg_catalog.current_database() AND active', (link).slot_name));
    PERFORM steep_repl._peer_value((link).conninfo, format(
      'SELECT pg_catalog.pg_drop_replication_slot(slot_name)::text FROM pg_catalog.pg_replication_slots WHERE slot_name = %L AND database = pg_catalog.current_database()', (link).slot_name));
  END IF;
  -- Of one that was dropped by hand the row still has the number.
  DELETE FROM steep_repl.links l WHERE l.peer = (link).peer AND l.wanted = 'remove' AND l.subscription IS NOT DISTINCT FROM (link).subscription;
  IF NOT FOUND THEN
    RETURN true;
  END IF;
  DELETE FROM steep_repl.link_observations o WHERE o.peer = (link).peer;
  RETURN false;
END $$;
COMMENT ON FUNCTION steep_repl._link_remove(steep_repl.links) IS 'Drops the subscription here, then the slot over there.';

CREATE OR REPLACE FUNCTION steep_repl._serve(kind text, argument text) RETURNS text
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET lock_timeout = '5s' AS $$
DECLARE
  link steep_repl.links;
  who jsonb := CASE WHEN kind IN ('hold', 'release') THEN argument::jsonb ELSE jsonb_build_object('peer', argument) END;
BEGIN
  IF kind = 'range' THEN
    RETURN steep_repl._serve_range(argument::jsonb);
  END IF;
  SELECT * INTO link FROM steep_repl.links l WHERE l.peer = who->>'peer' FOR UPDATE;
  IF NOT FOUND OR link.subscription IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'SR005', MESSAGE = format('this node is not linked to %s', who->>'peer');
  END IF;
  CASE kind
    WHEN 'pause' THEN link.wanted := 'pause';
    WHEN 'resume' THEN link.wanted := 'stream';
    WHEN 'hold' THEN
      IF link.held_until > now() AND link.held_by <> who->>'by' THEN
        RAISE EXCEPTION USING ERRCODE = 'SR012', MESSAGE = format('%s already holds the stream of %s', link.held_by, link.peer);
      END IF;
      link.held_by := who->>'by';
      link.held_until := now() + (who->>'seconds')::int * interval '1 second';
    WHEN 'release' THEN
      IF link.held_by = who->>'by' THEN
        link.held_by := NULL;
        link.held_until := NULL;
      END IF;
  END CASE;
  UPDATE steep_repl.links l SET wanted = link.wanted, held_by = link.held_by, held_until = link.held_until WHERE l.peer = link.peer;
  PERFORM steep_repl._link_set_streaming(link);
  RETURN 'ok';
END $$;
COMMENT ON FUNCTION steep_repl._serve(text, text) IS 'What the worker does for a session that asks: pause, resume, hold and release a stream; allocate and release ranges.';

CREATE OR REPLACE FUNCTION steep_repl._hold(peer text, holder text, seconds integer) RETURNS pg_lsn
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM steep_repl._ask_worker('hold', jsonb_build_object('peer', _hold.peer, 'by', holder, 'seconds', seconds)::text);
  PERFORM steep_repl._wait_stopped(_hold.peer);
  RETURN (SELECT coalesce(pg_replication_origin_progress('pg_' || l.subscription, false), '0/0') FROM steep_repl.links l WHERE l.peer = _hold.peer);
END $$;
COMMENT ON FUNCTION steep_repl._hold(text, text, integer) IS
  'Stops applying a peer''s stream on behalf of another node, for so many seconds at most, and returns up to where it is applied. Definer: asks the worker.';

CREATE OR REPLACE FUNCTION steep_repl._held_at(peer text, holder text) RETURNS pg_lsn
  LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT coalesce(pg_replication_origin_progress('pg_' || l.subscription, false), '0/0') FROM steep_repl.links l
    JOIN pg_subscription s ON s.oid = l.subscription
   WHERE l.peer = _held_at.peer AND l.held_by = holder AND l.held_until > clock_timestamp() AND NOT s.subenabled;
END;
COMMENT ON FUNCTION steep_repl._held_at(text, text) IS 'Where a stream is still held by another node, NULL when the hold has ended. Definer: reads the links.';

CREATE OR REPLACE FUNCTION steep_repl._release(peer text, holder text) RETURNS text
  LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
  RETURN steep_repl._ask_worker('release', jsonb_build_object('peer', peer, 'by', holder)::text);
COMMENT ON FUNCTION steep_repl._release(text, text) IS 'Ends what _hold began. Definer: asks the worker.';
