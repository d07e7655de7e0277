-- Links between nodes, as users see them. What is asked for here is a row; the worker makes it real after the commit, so
-- that a call that fails or is rolled back leaves nothing behind on either side.

CREATE OR REPLACE FUNCTION steep_repl._link_name(receiver text, sender text) RETURNS name
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  -- Slot names are [a-z0-9_] and at most 63 bytes (slot.c); the hash keeps names apart that look alike.
  RETURN 'steep_repl_' || left(regexp_replace(lower(receiver), '[^a-z0-9_]', '_', 'g'), 20)
         || '_' || left(md5(sender || '/' || receiver), 8);
COMMENT ON FUNCTION steep_repl._link_name(text, text) IS 'The name of the slot and subscription by which a node receives from another.';

CREATE OR REPLACE FUNCTION steep_repl._resolve_peer(peer text) RETURNS text
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  node_id text := peer;
BEGIN
  IF NOT EXISTS (SELECT 1 FROM steep_repl.links l WHERE l.peer = node_id) AND peer ~ '=|^postgres(ql)?://' THEN
    SELECT l.peer INTO node_id FROM steep_repl.links l WHERE l.conninfo = _resolve_peer.peer;
    node_id := coalesce(node_id, steep_repl._peer_identity(peer)->>'node_id');
  END IF;
  IF NOT EXISTS (SELECT 1 FROM steep_repl.links l WHERE l.peer = node_id) THEN
    RAISE EXCEPTION USING ERRCODE = 'SR005', MESSAGE = format('this node does not receive from %s', coalesce(node_id, 'that database')),
      HINT = 'SELECT * FROM steep_repl.subscription_status() lists the links.';
  END IF;
  RETURN node_id;
END $$;
COMMENT ON FUNCTION steep_repl._resolve_peer(text) IS 'The node id of a linked peer, given by that or by a connection string, or error SR005.';

CREATE OR REPLACE FUNCTION steep_repl._conninfo_quote(value text) RETURNS text
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN '''' || replace(replace(value, '\', '\\'), '''', '\''') || '''';
COMMENT ON FUNCTION steep_repl._conninfo_quote(text) IS 'A value for a connection string (libpq, Connection Strings).';

CREATE OR REPLACE FUNCTION steep_repl._conninfo_of(node steep_repl.nodes) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN coalesce((node).conninfo, format('host=%s port=%s dbname=%s',
    steep_repl._conninfo_quote((node).host), (node).port, steep_repl._conninfo_quote((node).dbname)));
COMMENT ON FUNCTION steep_repl._conninfo_of(steep_repl.nodes) IS 'How to connect to a node of the registry.';

CREATE OR REPLACE FUNCTION steep_repl.subscribe(peer text, conninfo text DEFAULT NULL, copy_data boolean DEFAULT false) RETURNS void
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  me text := steep_repl._this_node();
  identity jsonb;
  node steep_repl.nodes;
  message text;
BEGIN
  IF peer ~ '=|^postgres(ql)?://' THEN
    conninfo := coalesce(conninfo, peer);
    identity := steep_repl._peer_identity(conninfo);
    peer := identity->>'node_id';
    IF peer IS NULL THEN
      RAISE EXCEPTION USING ERRCODE = 'SR022', MESSAGE = format('database %s of the peer is not a node', identity->>'dbname'),
        HINT = 'SELECT steep_repl.create_node(…) there.';
    END IF;
    PERFORM steep_repl._put_node(peer, identity->>'node_name', identity->>'host', (identity->>'port')::int,
                                 (identity->>'priority')::int, identity->>'dbname', conninfo);
  END IF;
  IF peer = me THEN
    RAISE EXCEPTION USING ERRCODE = 'SR006', MESSAGE = 'a node does not receive from itself', HINT = 'Name a peer.';
  END IF;
  SELECT * INTO node FROM steep_repl.nodes n WHERE n.node_id = peer AND n.status <> 'removed';
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = 'SR004', MESSAGE = format('node %s is not known here', peer),
      HINT = format('SELECT steep_repl.register_node(%L, …), or name the peer by a connection string.', peer);
  END IF;
  IF (SELECT NOT (steep_repl._worker_state()->>'preloaded')::boolean) THEN
    RAISE EXCEPTION USING ERRCODE = 'SR010', MESSAGE = 'steep_repl is not in shared_preload_libraries, so no worker can make a link',
      HINT = 'SELECT * FROM steep_repl.check_settings() shows what to set; then restart the server.';
  END IF;
  IF conninfo IS NOT NULL OR NOT EXISTS (SELECT 1 FROM steep_repl.links l WHERE l.peer = subscribe.peer) THEN
    PERFORM steep_repl._check_conninfo(coalesce(conninfo, steep_repl._conninfo_of(node)));
  END IF;
  INSERT INTO steep_repl.links AS l (peer, conninfo, copy_data, slot_name, subscription_name)
  VALUES (peer, coalesce(conninfo, steep_repl._conninfo_of(node)), copy_data,
          steep_repl._link_name(me, peer), steep_repl._link_name(peer, me))
  ON CONFLICT ON CONSTRAINT links_pkey DO UPDATE SET
    conninfo = coalesce(subscribe.conninfo, l.conninfo), next_try = now(), attempts = 0,
    state = CASE WHEN l.wanted = 'remove' AND l.subscription IS NULL THEN 'requested' ELSE l.state END,
    wanted = CASE l.wanted WHEN 'remove' THEN 'stream' ELSE l.wanted END;
  PERFORM steep_repl._audit('subscription.create', 'subscription', peer, NULL, jsonb_build_object('copy_data', copy_data));
  PERFORM steep_repl._wake_worker();
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS message = MESSAGE_TEXT;
  -- In a string that cannot be read no password can be found, to be left out.
  PERFORM steep_repl._audit_failure('subscription.create', 'subscription',
    CASE WHEN message LIKE '%: the connection string has a syntax error' THEN 'unreadable connection string' ELSE peer END, message);
  RAISE;
END $$;
COMMENT ON FUNCTION steep_repl.subscribe(text, text, boolean) IS
  'Asks for a link on which this node receives from a peer (node id or connection string); the worker makes it after the commit, see subscription_status(). Where there is a link, conninfo is where the peer is from now on. copy_data: also take over the peer''s rows of tables that are empty here. Definer: links are the extension''s. Errors: SR001, SR004, SR006, SR010, SR017, SR021 to SR023.';

CREATE OR REPLACE FUNCTION steep_repl.unsubscribe(peer text) RETURNS void
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
BEGIN
  peer := steep_repl._resolve_peer(peer);
  UPDATE steep_repl.links l SET wanted = 'remove', next_try = now(), attempts = 0 WHERE l.peer = unsubscribe.peer;
  PERFORM steep_repl._audit('subscription.drop', 'subscription', peer);
  PERFORM steep_repl._wake_worker();
END $$;
COMMENT ON FUNCTION steep_repl.unsubscribe(text) IS
  'Ends receiving from a peer: subscription, origin and the slot over there go, the last once the peer answers. Definer: links are the extension''s. Errors: SR005.';

CREATE OR REPLACE FUNCTION steep_repl._wait_stopped(peer text) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  pid integer;
BEGIN
  FOR attempt IN 1..600 LOOP
    PERFORM pg_stat_clear_snapshot();
    SELECT s.pid INTO pid FROM steep_repl.links l JOIN pg_stat_subscription s ON s.subid = l.subscription
     WHERE l.peer = _wait_stopped.peer AND s.pid IS NOT NULL;
    IF NOT FOUND THEN
      RETURN;
    END IF;
    PERFORM pg_sleep(0.05);
  END LOOP;
  RAISE EXCEPTION USING ERRCODE = 'SR011', MESSAGE = format('the apply worker for %s (pid %s) did not stop within 30 s', peer, pid),
    DETAIL = format('It waits for: %s', (SELECT coalesce(string_agg(b::text, ', '), 'nobody') FROM unnest(pg_blocking_pids(pid)) b)),
    HINT = 'It stops at the end of the transaction that it applies.';
END $$;
COMMENT ON FUNCTION steep_repl._wait_stopped(text) IS 'Returns once no apply worker runs for a peer, or error SR011 after 30 s.';

CREATE OR REPLACE FUNCTION steep_repl.pause(peer text) RETURNS void
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  node_id text := steep_repl._resolve_peer(pause.peer);
BEGIN
  PERFORM steep_repl._ask_worker('pause', node_id);
  PERFORM steep_repl._wait_stopped(node_id);
  PERFORM steep_repl._audit('subscription.pause', 'subscription', node_id);
END $$;
COMMENT ON FUNCTION steep_repl.pause(text) IS
  'Stops receiving from a peer and returns when that has stopped; the peer keeps what it writes meanwhile. Takes effect at once, not at commit. Definer: links are the extension''s. Errors: SR005, SR011.';

CREATE OR REPLACE FUNCTION steep_repl.resume(peer text) RETURNS void
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  node_id text := steep_repl._resolve_peer(resume.peer);
BEGIN
  PERFORM steep_repl._ask_worker('resume', node_id);
  PERFORM steep_repl._audit('subscription.resume', 'subscription', node_id);
END $$;
COMMENT ON FUNCTION steep_repl.resume(text) IS 'Goes on receiving from a paused peer. Takes effect at once, not at commit. Definer: links are the extension''s. Errors: SR005.';

CREATE OR REPLACE FUNCTION steep_repl._slots() RETURNS TABLE (
  peer text, slot_name name, active boolean, retained_wal_bytes bigint, confirmed_lsn pg_lsn)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT n.node_id, s.slot_name, s.active, pg_wal_lsn_diff(pg_current_wal_lsn(), s.restart_lsn)::bigint, s.confirmed_flush_lsn
    FROM steep_repl.nodes n
    JOIN pg_replication_slots s ON s.slot_name = steep_repl._link_name(n.node_id, steep_repl.node_id()) AND s.database = current_database();
END;
COMMENT ON FUNCTION steep_repl._slots() IS 'The slots that peers have on this node, with the WAL that they hold. Definer: reads the registry.';

CREATE OR REPLACE FUNCTION steep_repl._apply_failure(subscription oid) RETURNS TABLE (at timestamptz, error text)
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  -- Got over: the transaction that failed is applied; or, where the error was outside of one, the peer has been heard since.
  SELECT (e->>'at')::timestamptz,
         -- The detail may hold values of a row.
         format('%s (%s)%s%s', e->>'message', concat_ws(', ', e->>'sqlstate', 'table ' || (e->>'table')),
                CASE WHEN pg_has_role(session_user, 'steep_repl_admin', 'MEMBER') THEN '. ' || rtrim(e->>'detail', '.') END, '. ' || (e->>'context'))
    FROM steep_repl._apply_error(_apply_failure.subscription) e
    LEFT JOIN pg_replication_origin_status o ON o.external_id = 'pg_' || _apply_failure.subscription
    LEFT JOIN pg_stat_subscription a ON a.subid = _apply_failure.subscription AND a.worker_type = 'apply'
   WHERE e->>'at' IS NOT NULL
     AND CASE WHEN e->>'finished_at' IS NULL THEN coalesce(a.last_msg_receipt_time <= (e->>'at')::timestamptz, true)
              ELSE coalesce(o.remote_lsn <= (e->>'finished_at')::pg_lsn, true) END;
END;
COMMENT ON FUNCTION steep_repl._apply_failure(oid) IS
  'Why the apply worker of a subscription failed, while it has not got over it. The detail, which may hold values of rows, only for members of steep_repl_admin.';

CREATE OR REPLACE FUNCTION steep_repl.subscription_status() RETURNS TABLE (
  peer text, state text, lag_bytes bigint, lag_seconds double precision, last_error text, last_error_at timestamptz, blocked_by integer,
  slot_name text, retained_wal_bytes bigint, received_lsn pg_lsn, last_message_at timestamptz, tables_pending integer)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT l.peer,
         CASE WHEN l.wanted = 'remove' THEN 'removing'
              WHEN l.state = 'requested' THEN CASE WHEN l.last_error IS NULL THEN 'linking' ELSE 'failed' END
              WHEN l.wanted = 'pause' OR l.held_until > now() THEN 'paused'
              WHEN l.initialising IS NOT NULL THEN 'copying'
              WHEN a.pid IS NOT NULL AND o.failing_since IS NULL AND f.at IS NULL THEN 'streaming'
              ELSE 'waiting' END,
         greatest(pg_wal_lsn_diff(o.peer_lsn, o.confirmed_lsn), 0)::bigint,
         CASE WHEN o.failing_since IS NULL AND o.confirmed_lsn >= o.peer_lsn THEN 0
              ELSE extract(epoch FROM clock_timestamp() - o.caught_up_at)::double precision END,
         coalesce(o.error, f.error, l.last_error),
         CASE WHEN o.error IS NOT NULL THEN o.observed_at WHEN f.error IS NOT NULL THEN f.at WHEN l.last_error IS NOT NULL THEN l.last_error_at END,
         (pg_blocking_pids(a.pid))[1],
         l.slot_name::text,
         (SELECT s.retained_wal_bytes FROM steep_repl._slots() s WHERE s.peer = l.peer),
         a.received_lsn, a.last_msg_receipt_time,
         (SELECT count(*)::integer FROM steep_repl.initialisation_tables t JOIN steep_repl.initialisations i USING (id)
           WHERE i.source = l.peer AND i.state IN ('waiting', 'running') AND t.state IN ('wanted', 'waiting'))
    FROM steep_repl.links l
    LEFT JOIN pg_stat_subscription a ON a.subid = l.subscription AND a.worker_type = 'apply'
    LEFT JOIN steep_repl.link_observations o ON o.peer = l.peer
    LEFT JOIN LATERAL steep_repl._apply_failure(l.subscription) f ON true
   ORDER BY l.peer;
END;
COMMENT ON FUNCTION steep_repl.subscription_status() IS
  'The links on which this node receives: state, lag, last error (also that of the apply worker, until it has got over it), who blocks the apply worker, and the WAL that this node keeps for the peer (retained_wal_bytes). Definer: reads connection state of all.';
