-- Completing a copy: a database that was restored from a physical backup of a node becomes a node of its own. In one
-- transaction, after which the worker goes on as on any node; before it, what can be taken back: slots at the others.
--
-- The copy holds the original's stream up to X, where its recovery ended, and that of each member M up to O, where the
-- original stood then. So the links that are made here apply the original's stream from X on and M's from O on, out of copies of the
-- slots that have been kept since before the backup: nothing missing, nothing twice. Nobody may have written here since X.

CREATE OR REPLACE FUNCTION steep_repl._complete_lock() RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  known steep_repl.tables;
  mine xid8;
  open text;
BEGIN
  PERFORM set_config('lock_timeout', '10s', true);
  FOR known IN SELECT * FROM steep_repl.tables t ORDER BY t.relation LOOP
    EXECUTE format('LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE', known.relation::regclass);
  END LOOP;
  -- Whoever writes after this transaction has a later id, and so do the rows.
  mine := pg_current_xact_id();
  FOR attempt IN 1..100 LOOP
    PERFORM pg_stat_clear_snapshot();
    SELECT string_agg(a.pid::text, ', ') INTO open FROM pg_stat_activity a
     WHERE a.datname = current_database() AND a.backend_xid IS NOT NULL AND a.pid <> pg_backend_pid() AND age(a.backend_xid) > age(mine::xid);
    EXIT WHEN open IS NULL;
    PERFORM pg_sleep(0.1);
  END LOOP;
  IF open IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'SR119', MESSAGE = 'this copy cannot be made a node: transactions are open', DETAIL = format('Processes: %s', open), HINT = 'End them and call again.';
  END IF;
END $$;
COMMENT ON FUNCTION steep_repl._complete_lock() IS 'Keeps everybody from writing replicated tables until the end of this transaction, and waits for those who have written anything.';

CREATE OR REPLACE FUNCTION steep_repl._complete_unwritten() RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  ends steep_repl.copy_ends;
  first bigint;
  next bigint := pg_current_xact_id()::text::bigint;
  known steep_repl.tables;
  written boolean;
BEGIN
  SELECT * INTO ends FROM steep_repl.copy_ends;
  first := ends.next_xid::text::bigint;
  -- Mostly there is nothing but what the worker has written: where the copy ends, and attempts that failed.
  IF next - first < 100000 AND NOT EXISTS (SELECT 1 FROM generate_series(first, next - 1) x
       WHERE x % 4294967296 >= 3 AND x <> ends.noted_by::text::bigint AND pg_xact_commit_timestamp((x % 4294967296)::text::xid) IS NOT NULL
         AND NOT EXISTS (SELECT 1 FROM steep_repl.audit_log a WHERE a.xmin = (x % 4294967296)::text::xid AND a.action = 'node.complete' AND NOT a.success)) THEN
    RETURN;
  END IF;
  FOR known IN SELECT * FROM steep_repl.tables LOOP
    EXECUTE format('SELECT EXISTS (SELECT 1 FROM %s t WHERE t.xmin::text::bigint >= 3 AND age(t.xmin) <= age($1))', steep_repl._source_of(known.relation)) INTO written USING ends.next_xid::xid;
    IF written OR EXISTS (SELECT 1 FROM steep_repl.tombstones s WHERE s.relation = known.relation AND s.xmin::text::bigint >= 3 AND age(s.xmin) <= age(ends.next_xid::xid)) THEN
      RAISE EXCEPTION USING ERRCODE = 'SR119', MESSAGE = format('this copy cannot be made a node: table %s has been written to since its recovery ended', known.relation::regclass),
        DETAIL = 'No other node has these writes, and none would get them.', HINT = 'Restore the backup once more, and let nobody write there before complete_node().';
    END IF;
  END LOOP;
END $$;
COMMENT ON FUNCTION steep_repl._complete_unwritten() IS 'Error SR119 when somebody has written a replicated table since the end of the recovery. Reads the tables when anything has been committed since. The caller holds them.';

CREATE OR REPLACE FUNCTION steep_repl._complete_link(member text, conninfo text, at pg_lsn) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET client_min_messages = error SET log_min_messages = error AS $$
#variable_conflict use_variable
DECLARE
  me text := steep_repl.node_id();
  name name := steep_repl._link_name(member, me);
  slot name := steep_repl._link_name(me, member);
  made oid;
BEGIN
  EXECUTE format('CREATE SUBSCRIPTION %I CONNECTION %L PUBLICATION steep_repl WITH (connect = false, slot_name = %L, origin = none, streaming = off)', name, conninfo, slot);
  SELECT s.oid INTO made FROM pg_subscription s WHERE s.subname = name AND s.subdbid = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database());
  -- As those that the worker makes.
  EXECUTE format('ALTER SUBSCRIPTION %I OWNER TO %I', name, (SELECT r.rolname FROM pg_roles r WHERE r.oid = 10));
  PERFORM steep_repl._origin_means((SELECT o.roident FROM pg_replication_origin o WHERE o.roname = 'pg_' || made), 'peer', member);
  UPDATE steep_repl.origins o SET node_uid = (SELECT n.node_uid FROM steep_repl.nodes n WHERE n.node_id = member)
   WHERE o.origin_number = (SELECT r.roident FROM pg_replication_origin r WHERE r.roname = 'pg_' || made) AND o.xid_to IS NULL;
  IF at > '0/0' THEN
    PERFORM pg_replication_origin_advance('pg_' || made, at);
  END IF;
  PERFORM steep_repl._set_subscription_table(made, r.relation, 's', (at - '0/0'::pg_lsn)::bigint)
     FROM (SELECT t.relation FROM steep_repl.tables t
           UNION ALL SELECT unnest(ARRAY['steep_repl.table_events', 'steep_repl.beats', 'steep_repl.displaced', 'steep_repl.truncations', 'steep_repl.resolutions']::regclass[])) r;
  -- What the original had of each node's beats it holds, its own as well.
  INSERT INTO steep_repl.beats (node_id, seq) SELECT member, 0 WHERE NOT EXISTS (SELECT 1 FROM steep_repl.beats b WHERE b.node_id = member);
  INSERT INTO steep_repl.links (peer, conninfo, slot_name, subscription_name, subscription, state) VALUES (member, conninfo, slot, name, made, 'linked');
END $$;
COMMENT ON FUNCTION steep_repl._complete_link(text, text, pg_lsn) IS 'Makes this node receive from another one, of whose stream it has everything up to there. The slot is there already.';

CREATE OR REPLACE FUNCTION steep_repl._complete_member(member text, conninfo text, entry jsonb, at pg_lsn) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
BEGIN
  PERFORM steep_repl._put_node(member, entry->>'node_name', entry->>'host', (entry->>'port')::int, (entry->>'priority')::int, entry->>'dbname', conninfo);
  -- The source does not know it either before it has linked with that one.
  UPDATE steep_repl.nodes n SET node_uid = coalesce(entry->>'node_uid', steep_repl._peer_identity(conninfo)->>'node_uid')::uuid WHERE n.node_id = member AND n.node_uid IS NULL;
  PERFORM steep_repl._complete_link(member, conninfo, at);
END $$;
COMMENT ON FUNCTION steep_repl._complete_member(text, text, jsonb, pg_lsn) IS 'Enters another node, as the source knows it, and links this one with it.';

CREATE OR REPLACE FUNCTION steep_repl._complete_forget(former text) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  -- Its shares of ids stay the original's, and so do its ranges: here they are those of another node, as if it had told of them.
  UPDATE steep_repl.range_sequences s SET step = NULL, share_offset = NULL, first_block = NULL, timeline = NULL, request = NULL, requested_at = NULL, request_timeline = NULL,
      next_try = now(), error = NULL, seen_number = 0, seen_value = NULL, told_number = 0, told_percent = 0;
  UPDATE steep_repl.identity_ranges r SET relation = NULL, number = NULL, timeline = NULL, announced = true WHERE r.relation IS NOT NULL;
  DELETE FROM steep_repl.range_grants;
  DELETE FROM steep_repl.range_bypasses;
  PERFORM steep_repl._ranges_changed();
  -- Under its requests somebody else would get its share.
  UPDATE steep_repl.table_inbox i SET range_request = gen_random_uuid(), range_timeline = steep_repl._timeline();
  -- What it was about to do, and what only it has: its work, its snapshots, its beats, its marks.
  DELETE FROM steep_repl.initialisations;
  DELETE FROM steep_repl.loaded_pieces;
  DELETE FROM steep_repl.work_queue;
  DELETE FROM steep_repl.snapshots;
  DELETE FROM steep_repl.retries;
  DELETE FROM steep_repl.table_reservations;
  DELETE FROM steep_repl.alarms;
  DELETE FROM steep_repl.apply_failures;
  DELETE FROM steep_repl.forget_marks;
  DELETE FROM steep_repl.beat_history;
  DELETE FROM steep_repl.link_observations;
  DELETE FROM steep_repl.clocks;
  DELETE FROM steep_repl.preparations;
  DELETE FROM steep_repl.copy_ends;
  -- The others have to hear that this node has the tables.
  UPDATE steep_repl.tables t SET announced = false;
END $$;
COMMENT ON FUNCTION steep_repl._complete_forget(text) IS
  'Takes out of the copy what was of the original alone. Kept: rows, versions, deletions, displaced rows, conflicts and what waits for their proof, the audit log.';

CREATE OR REPLACE FUNCTION steep_repl._complete_as(entry steep_repl.nodes, preparation uuid, kept name, members jsonb, source_conninfo text, own_conninfo text) RETURNS bigint
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET client_min_messages = error SET log_min_messages = error AS $$
#variable_conflict use_variable
DECLARE
  former text := steep_repl.node_id();
  former_uid uuid := (SELECT l.node_uid FROM steep_repl.local_node l);
  expires timestamptz := (SELECT p.expires_at FROM steep_repl.preparations p WHERE p.id = preparation);
  ends steep_repl.copy_ends;
  old_names name[] := ARRAY(SELECT s.subname FROM steep_repl.links l JOIN pg_subscription s ON s.oid = l.subscription);
  member jsonb;
  name name;
  id bigint;
BEGIN
  PERFORM steep_repl._complete_lock();
  PERFORM steep_repl._complete_unwritten();
  SELECT * INTO ends FROM steep_repl.copy_ends;
  -- What sessions wrote until now the original wrote; what peers brought stays theirs.
  INSERT INTO steep_repl.origins (origin_number, xid_from, xid_to, kind, node_id, node_uid)
    SELECT 0, coalesce(max(o.xid_to), '3'), pg_current_xact_id(), 'peer', former, former_uid FROM steep_repl.origins o WHERE o.origin_number = 0;
  UPDATE steep_repl.origins o SET xid_to = pg_current_xact_id() WHERE o.xid_to IS NULL;
  PERFORM steep_repl._complete_forget(former);
  PERFORM steep_repl._put_node((entry).node_id, (entry).node_name, (entry).host, (entry).port, (entry).priority, current_database(), NULL);
  UPDATE steep_repl.local_node l SET node_id = (entry).node_id, node_uid = gen_random_uuid(), created_at = now(), created_at_xid = pg_current_xact_id();
  UPDATE steep_repl.nodes n SET node_uid = l.node_uid, status = 'online', last_seen = now(), is_coordinator = false FROM steep_repl.local_node l WHERE n.node_id = l.node_id;
  UPDATE steep_repl.nodes n SET node_uid = former_uid WHERE n.node_id = former;
  DELETE FROM steep_repl.links;
  FOR member IN SELECT m FROM jsonb_array_elements(members) m LOOP
    -- Of nodes that have come since nothing is in the copy, and all that they have written is kept.
    PERFORM steep_repl._complete_member(member->>'member', member->>'conninfo', member->'entry',
      CASE WHEN member->>'member' = former THEN ends.replayed_lsn ELSE coalesce((ends.received->>(member->>'member'))::pg_lsn, '0/0') END);
  END LOOP;
  INSERT INTO steep_repl.preparations (id, source, slot_name, expires_at, asked_by) VALUES (preparation, 'the source of ' || (entry).node_id, kept, expires, steep_repl._actor());
  INSERT INTO steep_repl.initialisations (kind, source, source_conninfo, own_conninfo, method, preparation) VALUES ('node', former, source_conninfo, own_conninfo, 'copy', preparation)
    RETURNING initialisations.id INTO id;
  PERFORM steep_repl._audit('node.complete', 'node', (entry).node_id, jsonb_build_object('node_id', former, 'node_uid', former_uid),
    jsonb_build_object('preparation', preparation, 'replayed_lsn', ends.replayed_lsn, 'received', ends.received));
  -- Last, because their positions do not come back when this fails. The slots at the other ends are the original's.
  FOREACH name IN ARRAY old_names LOOP
    EXECUTE format('ALTER SUBSCRIPTION %I DISABLE', name);
    EXECUTE format('ALTER SUBSCRIPTION %I SET (slot_name = NONE)', name);
    EXECUTE format('DROP SUBSCRIPTION %I', name);
  END LOOP;
  RETURN id;
END $$;
COMMENT ON FUNCTION steep_repl._complete_as(steep_repl.nodes, uuid, name, jsonb, text, text) IS 'Makes this copy a node of its own, all of it or nothing; the initialisation that invites the others.';

CREATE OR REPLACE FUNCTION steep_repl.complete_node(
  node_id text, source_conninfo text, own_conninfo text, node_name text DEFAULT NULL, host text DEFAULT 'localhost',
  port integer DEFAULT current_setting('port')::integer, priority integer DEFAULT 50, preparation uuid DEFAULT NULL
) RETURNS bigint
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  former text := steep_repl._this_node();
  entry steep_repl.nodes;
  members jsonb;
  member record;
  kept name := 'steep_repl_kept_' || left(replace(gen_random_uuid()::text, '-', ''), 16);
  marked boolean := false;
  id bigint;
  message text;
BEGIN
  IF NOT pg_try_advisory_xact_lock(hashtextextended('steep_repl.complete', 0)) THEN
    RAISE EXCEPTION USING ERRCODE = 'SR119', MESSAGE = 'somebody else is completing this copy';
  END IF;
  SELECT i.id INTO id FROM steep_repl.initialisations i WHERE i.method = 'copy' AND node_id = former AND steep_repl._copied() IS NULL ORDER BY i.id DESC LIMIT 1;
  IF id IS NOT NULL THEN
    UPDATE steep_repl.initialisations i SET state = 'waiting', phase = 'waiting', attempts = 0, next_try = now(), finished_at = NULL,
        source_conninfo = complete_node.source_conninfo, own_conninfo = complete_node.own_conninfo
     WHERE i.id = id AND i.state = 'failed';
    PERFORM steep_repl._wake_worker();
    RETURN id;
  END IF;
  preparation := coalesce(preparation, (SELECT p.id FROM steep_repl.preparations p WHERE p.members IS NOT NULL ORDER BY p.made_at DESC LIMIT 1));
  PERFORM steep_repl._check_conninfo(source_conninfo);
  PERFORM steep_repl._refuse('SR119', 'this copy cannot be made a node', ARRAY(SELECT steep_repl._complete_problems(node_id, source_conninfo, own_conninfo, node_name, host, port, priority, preparation)),
                             'All problems are listed; nothing has been changed.');
  SELECT jsonb_agg(to_jsonb(m)) INTO members FROM steep_repl._complete_members(source_conninfo) m;
  -- First of all, by whom the slots are: where this comes to no end, unregister_node() there takes them away.
  FOR member IN SELECT m->>'member' AS id, m->>'conninfo' AS conninfo, steep_repl._link_name(node_id, m->>'member') AS slot FROM jsonb_array_elements(members) m LOOP
    PERFORM steep_repl._peer_value(member.conninfo, format('SELECT (steep_repl.register_node(%L, %L, %L, %s, %s, %L)).node_id', node_id, node_name, host, port, priority, current_database()));
    PERFORM steep_repl._drop_idle_slot_at(member.conninfo, member.slot);
    PERFORM steep_repl._peer_value(member.conninfo, format('SELECT steep_repl._copy_kept_slot(%L, %L)', preparation, member.slot));
  END LOOP;
  -- What this node writes from its first moment on, for the others. Before anything is written: then no slot can be made.
  PERFORM pg_drop_replication_slot(s) FROM steep_repl._slots_of_no_preparation() s;
  PERFORM pg_create_logical_replication_slot(kept, 'pgoutput');
  -- What follows is nobody else's: the others have all that stays, and nothing of that goes.
  IF NOT EXISTS (SELECT 1 FROM pg_replication_origin o WHERE o.roname = steep_repl._copy_origin()) THEN
    PERFORM pg_replication_origin_create(steep_repl._copy_origin());
  END IF;
  PERFORM pg_replication_origin_session_setup(steep_repl._copy_origin());
  marked := true;
  SELECT node_id, coalesce(node_name, node_id), host, port, priority INTO entry.node_id, entry.node_name, entry.host, entry.port, entry.priority;
  id := steep_repl._complete_as(entry, preparation, kept, members, source_conninfo, own_conninfo);
  PERFORM pg_replication_origin_session_reset();
  PERFORM steep_repl._wake_worker();
  RETURN id;
EXCEPTION WHEN OTHERS OR query_canceled THEN
  GET STACKED DIAGNOSTICS message = MESSAGE_TEXT;
  IF marked THEN
    PERFORM pg_replication_origin_session_reset();
  END IF;
  PERFORM steep_repl._drop_idle_slot(kept);
  FOR member IN SELECT m->>'member' AS id, m->>'conninfo' AS conninfo, steep_repl._link_name(node_id, m->>'member') AS slot FROM jsonb_array_elements(members) m LOOP
    BEGIN
      PERFORM steep_repl._drop_idle_slot_at(member.conninfo, member.slot, 5);
    EXCEPTION WHEN OTHERS THEN
      RAISE WARNING '% may keep WAL in slot %: %', member.id, member.slot, SQLERRM;
    END;
  END LOOP;
  PERFORM steep_repl._audit_failure('node.complete', 'node', node_id, message);
  RAISE;
END $$;
COMMENT ON FUNCTION steep_repl.complete_node(text, text, text, text, text, integer, integer, uuid) IS
  'Makes this database, restored from a physical backup of a node that was begun after prepare_node() had returned there, a node of its own, linked with the source and all members, both ways; no row is copied. Returns the start that start_progress() shows: the members are invited after the commit. Again: goes on, or changes nothing. preparation: the latest in the copy. Definer: links are the extension''s. Errors: SR001, SR017, SR119.';

CREATE OR REPLACE FUNCTION steep_repl._init_invite(id bigint) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  job steep_repl.initialisations;
BEGIN
  UPDATE steep_repl.initialisations i SET state = 'running', phase = 'inviting the members', error = NULL, attempts = i.attempts + 1, started_at = coalesce(i.started_at, now())
   WHERE i.id = _init_invite.id AND i.state IN ('waiting', 'running') RETURNING * INTO job;
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = 'SR118', MESSAGE = format('start %s was cancelled', id);
  END IF;
  -- Before the source knows this node: for those that will be made of other copies.
  PERFORM steep_repl._peer_value(job.source_conninfo, format('SELECT steep_repl._preparation_joined(%L, %L, %L)::text', job.preparation, steep_repl.node_id(),
    (SELECT s.confirmed_flush_lsn FROM steep_repl.preparations p JOIN pg_replication_slots s ON s.slot_name = p.slot_name WHERE p.id = job.preparation)));
  DELETE FROM steep_repl.initialisation_members m WHERE m.id = _init_invite.id;
  INSERT INTO steep_repl.initialisation_members (id, peer, conninfo) SELECT id, l.peer, l.conninfo FROM steep_repl.links l WHERE l.wanted <> 'remove';
END $$;
COMMENT ON FUNCTION steep_repl._init_invite(bigint) IS 'Notes who is to receive from this node, which holds what they hold: without copying, from its first write on. Errors: SR118 it was cancelled.';

CREATE OR REPLACE FUNCTION steep_repl._init_missed(id bigint) RETURNS text
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  job steep_repl.initialisations;
  other record;
  slot name;
BEGIN
  SELECT * INTO job FROM steep_repl.initialisations i WHERE i.id = _init_missed.id;
  SELECT * INTO other FROM steep_repl._complete_members(job.source_conninfo) c
   WHERE c.member <> steep_repl.node_id() AND NOT EXISTS (SELECT 1 FROM steep_repl.initialisation_members m WHERE m.id = _init_missed.id AND m.peer = c.member) ORDER BY c.member LIMIT 1;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  -- It may ask this node at the same moment.
  LOCK TABLE steep_repl.links IN SHARE ROW EXCLUSIVE MODE;
  IF NOT EXISTS (SELECT 1 FROM steep_repl.links l WHERE l.peer = other.member) THEN
    PERFORM steep_repl._check_conninfo(other.conninfo, true, job.asked_by, format('the connection string that the source has for %s', other.member));
    slot := steep_repl._link_name(steep_repl.node_id(), other.member);
    PERFORM steep_repl._drop_idle_slot_at(other.conninfo, slot);
    PERFORM steep_repl._peer_value(other.conninfo, format('SELECT steep_repl._copy_kept_slot(%L, %L)', job.preparation, slot));
    PERFORM steep_repl._complete_member(other.member, other.conninfo, other.entry, '0/0');
  END IF;
  INSERT INTO steep_repl.initialisation_members (id, peer, conninfo) SELECT id, l.peer, l.conninfo FROM steep_repl.links l WHERE l.peer = other.member;
  RETURN 'linked with ' || other.member;
END $$;
COMMENT ON FUNCTION steep_repl._init_missed(bigint) IS
  'Links this node with one that was completed from another copy at the same time, so that neither knew of the other; NULL when there is none left. Called once the source knows this node: of two the later to be there sees the earlier, and neither waits for the other. Errors: SR017, SR116 of the peer: it does not keep its stream for this preparation.';
