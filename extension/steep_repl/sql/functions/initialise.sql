-- Taking tables over from a source, one from one point of every stream on, while all nodes are written to.
--
-- The order of the steps is what makes it safe; P, O and X are positions in the stream of a member M or the source S:
--   1. links exist in both directions; those on which this node receives are paused. M's stream here stands at P (all
--      that was skipped because the table was not known yet lies before P).
--   2. wait until S has received M's stream up to P, then hold S's applying of M for a moment: it stands at O >= P.
--   3. take a snapshot of S, at X of S's own stream; let S go on. The snapshot holds M's changes up to O, no later ones.
--   4. copy; the table applies S's stream from X on and M's stream from O on: nothing missing, nothing twice.
--   5. resume the links.
-- Tables that are taken anew (node_reinit.sql) are emptied between 1 and 2.
-- A crash between tables leaves those that are done done; the rest is taken over under a new snapshot.

CREATE OR REPLACE FUNCTION steep_repl._init_holding(id bigint) RETURNS boolean
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  -- From the snapshot on nothing is held any more; and what was held is let go by itself after 120 s.
  RETURN EXISTS (SELECT 1 FROM steep_repl.initialisations i JOIN steep_repl.initialisation_members m USING (id)
    WHERE i.id = _init_holding.id AND i.method = 'direct' AND i.copying_since IS NULL AND m.held_at IS NOT NULL AND coalesce(i.finished_at > now() - interval '2 minutes', true));
COMMENT ON FUNCTION steep_repl._init_holding(bigint) IS 'Whether the source may still hold streams of the members for a take-over.';

CREATE OR REPLACE FUNCTION steep_repl._initialisations_due() RETURNS SETOF text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  -- One that says running has lost its worker: the caller asks only when none runs.
  SELECT i.id::text FROM steep_repl.initialisations i
   WHERE i.state IN ('waiting', 'running') AND i.next_try <= now()
      -- Who cancels does not wait for a source that may not answer.
      OR i.phase = 'cancelled' AND i.finished_at > now() - interval '2 minutes' AND steep_repl._init_holding(i.id)
   ORDER BY i.phase = 'cancelled', i.id;
END;
COMMENT ON FUNCTION steep_repl._initialisations_due() IS 'The initialisations to be worked on, the oldest first; of those that were cancelled the ones whose source has to be let go.';

CREATE OR REPLACE FUNCTION steep_repl._init_phase(id bigint, phase text) RETURNS steep_repl.initialisations
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  UPDATE steep_repl.initialisations i SET phase = _init_phase.phase WHERE i.id = _init_phase.id RETURNING i;
END;
COMMENT ON FUNCTION steep_repl._init_phase(bigint, text) IS 'Sets what an initialisation is doing now.';

CREATE OR REPLACE FUNCTION steep_repl._init_prepare(id bigint) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  job steep_repl.initialisations;
BEGIN
  UPDATE steep_repl.initialisations i SET state = 'running', phase = 'asking the source', error = NULL,
      attempts = i.attempts + 1, started_at = coalesce(i.started_at, now()), copying_since = NULL
    WHERE i.id = _init_prepare.id AND i.state IN ('waiting', 'running') RETURNING * INTO job;
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = 'SR118', MESSAGE = format('initialisation %s was cancelled', id);
  END IF;
  DELETE FROM steep_repl.initialisation_members m WHERE m.id = _init_prepare.id;
  IF job.kind IN ('tables', 'reinit') THEN
    INSERT INTO steep_repl.initialisation_members (id, peer, conninfo)
      SELECT id, l.peer, l.conninfo FROM steep_repl.links l WHERE l.subscription IS NOT NULL AND l.wanted <> 'remove';
    RETURN;
  END IF;
  PERFORM steep_repl._init_newcomers(id);
END $$;
COMMENT ON FUNCTION steep_repl._init_prepare(bigint) IS 'Finds the members; for a new node asks for links with them. Errors: SR017, SR118 it was cancelled.';

CREATE OR REPLACE FUNCTION steep_repl._init_members(job steep_repl.initialisations) RETURNS SETOF jsonb
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  member jsonb;
BEGIN
  FOR member IN SELECT m FROM jsonb_array_elements(steep_repl._peer_value(job.source_conninfo, 'SELECT steep_repl._members()::text')::jsonb) m
                 WHERE m->>'node_id' IS DISTINCT FROM steep_repl.node_id()
                   AND NOT EXISTS (SELECT 1 FROM steep_repl.initialisation_members k WHERE k.id = job.id AND k.peer = m->>'node_id') LOOP
    IF member ? 'self' THEN
      member := member || jsonb_build_object('conninfo', job.source_conninfo);
    ELSE
      PERFORM steep_repl._check_conninfo(member->>'conninfo', true, job.asked_by, format('the connection string that the source has for %s', member->>'node_id'));
    END IF;
    RETURN NEXT member;
  END LOOP;
END $$;
COMMENT ON FUNCTION steep_repl._init_members(steep_repl.initialisations) IS 'The source and all that it receives from, with how to connect, without those that the initialisation knows. Errors: SR017.';

CREATE OR REPLACE FUNCTION steep_repl._init_member(job steep_repl.initialisations, member jsonb) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  me text := steep_repl.node_id();
BEGIN
  IF member ? 'self' THEN
    UPDATE steep_repl.initialisations i SET source = member->>'node_id' WHERE i.id = job.id;
  END IF;
  PERFORM steep_repl._put_node(member->>'node_id', member->>'node_name', member->>'host', (member->>'port')::int,
                               (member->>'priority')::int, member->>'dbname', member->>'conninfo');
  INSERT INTO steep_repl.initialisation_members (id, peer, conninfo) VALUES (job.id, member->>'node_id', member->>'conninfo');
  INSERT INTO steep_repl.links (peer, conninfo, copy_data, slot_name, subscription_name, initialising)
  VALUES (member->>'node_id', member->>'conninfo', true, steep_repl._link_name(me, member->>'node_id'), steep_repl._link_name(member->>'node_id', me), job.id)
  ON CONFLICT ON CONSTRAINT links_pkey DO UPDATE SET next_try = now(),
    -- One of which only the slot over there was left to be dropped is made anew.
    state = CASE WHEN links.wanted = 'remove' AND links.subscription IS NULL THEN 'requested' ELSE links.state END,
    initialising = CASE WHEN links.wanted = 'remove' AND links.subscription IS NULL THEN excluded.initialising ELSE links.initialising END,
    wanted = CASE links.wanted WHEN 'remove' THEN 'stream' ELSE links.wanted END;
END $$;
COMMENT ON FUNCTION steep_repl._init_member(steep_repl.initialisations, jsonb) IS 'Enters a node that a new one is to be linked with, and asks for the link by which it receives from there.';

CREATE OR REPLACE FUNCTION steep_repl._init_ask(id bigint, peer text DEFAULT NULL) RETURNS void
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  -- Nothing is written here in the same transaction: of two nodes that are started at once each would wait for what the other has locked.
  SELECT steep_repl._peer_value(m.conninfo, format('SELECT steep_repl._invite(%L, %L)::text', steep_repl._identity() - 'settings', i.own_conninfo))
    FROM steep_repl.initialisations i JOIN steep_repl.initialisation_members m USING (id)
   WHERE i.id = _init_ask.id AND i.kind = 'node' AND m.peer = coalesce(_init_ask.peer, m.peer)
   -- Who is in the source's list of links is found there by all that come later.
   ORDER BY m.peer <> i.source, m.peer;
END;
COMMENT ON FUNCTION steep_repl._init_ask(bigint, text) IS 'Asks the members, or one of them, to receive from a new node.';

CREATE OR REPLACE FUNCTION steep_repl._init_newcomers(id bigint) RETURNS text
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  job steep_repl.initialisations;
  member jsonb;
  members jsonb[];
BEGIN
  SELECT * INTO job FROM steep_repl.initialisations i WHERE i.id = _init_newcomers.id;
  -- What the source says is for whoever asked, not for the worker's rights. All of it first: members keep what they are asked for later.
  SELECT array_agg(m) INTO members FROM steep_repl._init_members(job) m;
  FOREACH member IN ARRAY coalesce(members, '{}') LOOP
    PERFORM steep_repl._init_member(job, member);
  END LOOP;
  PERFORM steep_repl._wake_worker();
  RETURN (SELECT string_agg(m->>'node_id', ', ') FROM unnest(members) m);
END $$;
COMMENT ON FUNCTION steep_repl._init_newcomers(bigint) IS
  'Enters the nodes that the source knows and an initialisation does not yet; NULL for none. Called again once the source receives from this node: of two that are started at once the later to be there sees the earlier. Errors: SR017.';

CREATE OR REPLACE FUNCTION steep_repl._members() RETURNS jsonb
  LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT jsonb_agg(m) FROM (
    SELECT to_jsonb(n) || jsonb_build_object('self', true) AS m FROM steep_repl.nodes n WHERE n.node_id = steep_repl.node_id()
    UNION ALL
    SELECT to_jsonb(n) || jsonb_build_object('conninfo', l.conninfo)
      FROM steep_repl.links l JOIN steep_repl.nodes n ON n.node_id = l.peer WHERE l.wanted <> 'remove') members;
END;
COMMENT ON FUNCTION steep_repl._members() IS 'This node and all that it receives from, with how to connect. Definer: reads the registry.';

CREATE OR REPLACE FUNCTION steep_repl._init_links_ready(id bigint) RETURNS text
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  job steep_repl.initialisations;
  member record;
  answer jsonb;
  waits text;
BEGIN
  SELECT * INTO job FROM steep_repl.initialisations i WHERE i.id = _init_links_ready.id;
  SELECT string_agg(format('link with %s%s', l.peer, ': ' || l.last_error), '; ') INTO waits
    FROM steep_repl.links l JOIN steep_repl.initialisation_members m ON m.peer = l.peer AND m.id = _init_links_ready.id
   WHERE l.state <> 'linked';
  IF waits IS NULL THEN
    FOR member IN SELECT m.peer, m.conninfo, l.slot_name FROM steep_repl.initialisation_members m JOIN steep_repl.links l USING (peer)
                   WHERE m.id = _init_links_ready.id LOOP
      IF steep_repl._peer_value(member.conninfo, format(
           'SELECT count(*)::text FROM pg_catalog.pg_replication_slots WHERE slot_name = %L AND invalidation_reason IS NULL', member.slot_name)) = '0' THEN
        RAISE EXCEPTION USING ERRCODE = 'SR027', MESSAGE = format('%s no longer keeps what this node has not received: its slot %s is gone', member.peer, member.slot_name),
          HINT = 'Start anew on an empty database: tables that were taken over before would miss changes.';
      END IF;
    END LOOP;
  END IF;
  IF waits IS NULL AND job.kind = 'node' THEN
    FOR member IN SELECT * FROM steep_repl.initialisation_members m WHERE m.id = _init_links_ready.id LOOP
      answer := steep_repl._peer_value(member.conninfo, format(
        'SELECT to_jsonb(l)::text FROM steep_repl.links l WHERE l.peer = %L', steep_repl.node_id()))::jsonb;
      IF answer IS NULL OR answer->>'wanted' = 'remove' THEN
        PERFORM steep_repl._init_ask(id, member.peer);
      END IF;
      IF answer->>'state' IS DISTINCT FROM 'linked' THEN
        waits := format('link of %s with this node%s', member.peer, ': ' || (answer->>'last_error'));
        EXIT;
      END IF;
    END LOOP;
  END IF;
  IF waits IS NULL AND job.kind = 'reinit' THEN
    waits := steep_repl._reinit_waits(id);
  ELSIF waits IS NULL AND job.kind = 'node' AND job.method <> 'copy' THEN
    waits := 'links with ' || steep_repl._init_newcomers(id);
  END IF;
  IF waits IS NOT NULL THEN
    waits := 'waiting for ' || waits;
  END IF;
  PERFORM steep_repl._init_phase(id, coalesce(waits, 'links made'));
  RETURN waits;
END $$;
COMMENT ON FUNCTION steep_repl._init_links_ready(bigint) IS 'NULL once all links of the initialisation are made, else what it waits for.';

CREATE OR REPLACE FUNCTION steep_repl._init_pause(id bigint) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  link steep_repl.links;
BEGIN
  FOR link IN UPDATE steep_repl.links l SET initialising = id WHERE l.subscription IS NOT NULL RETURNING l.* LOOP
    PERFORM steep_repl._link_set_streaming(link);
  END LOOP;
END $$;
COMMENT ON FUNCTION steep_repl._init_pause(bigint) IS 'Pauses all links of this node.';

CREATE OR REPLACE FUNCTION steep_repl._init_running_streams() RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT 'waiting for the apply worker of ' || string_agg(l.peer, ', ')
    FROM steep_repl.links l JOIN pg_stat_subscription s ON s.subid = l.subscription AND s.pid IS NOT NULL;
END;
COMMENT ON FUNCTION steep_repl._init_running_streams() IS 'NULL once no apply worker of a link runs, else what is waited for.';

CREATE OR REPLACE FUNCTION steep_repl._init_hold(id bigint) RETURNS text
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  job steep_repl.initialisations;
  member record;
  at pg_lsn;
  waits text;
BEGIN
  SELECT * INTO job FROM steep_repl.initialisations i WHERE i.id = _init_hold.id;
  waits := steep_repl._init_running_streams();
  IF waits IS NOT NULL THEN
    RETURN waits;
  END IF;
  IF job.kind = 'reinit' THEN
    waits := steep_repl._reinit_step(id);
    IF waits IS NOT NULL THEN
      RETURN waits;
    END IF;
  END IF;
  FOR member IN SELECT * FROM steep_repl.initialisation_members m WHERE m.id = _init_hold.id AND m.peer <> job.source AND m.held_at IS NULL LOOP
    IF member.paused_at IS NULL THEN
      at := steep_repl._peer_value(member.conninfo, 'SELECT pg_current_wal_flush_lsn()::text');
      UPDATE steep_repl.initialisation_members m SET paused_at = at WHERE m.id = _init_hold.id AND m.peer = member.peer;
      RETURN format('asked %s for its position', member.peer);
    END IF;
    at := steep_repl._peer_value(member.conninfo, format(
      'SELECT confirmed_flush_lsn::text FROM pg_catalog.pg_replication_slots WHERE slot_name = %L', steep_repl._link_name(job.source, member.peer)));
    IF at IS NULL THEN
      RAISE EXCEPTION USING ERRCODE = 'SR028', MESSAGE = format('%s does not receive from %s', job.source, member.peer),
        HINT = 'All members must be linked with each other before a node takes tables over.';
    ELSIF at < member.paused_at THEN
      RETURN format('waiting until %s has received what %s wrote (%s of %s)', job.source, member.peer, at, member.paused_at);
    END IF;
    at := steep_repl._peer_value(job.source_conninfo, format('SELECT steep_repl._hold(%L, %L, 120)::text', member.peer, steep_repl.node_id()), 40);
    UPDATE steep_repl.initialisation_members m SET held_at = at WHERE m.id = _init_hold.id AND m.peer = member.peer;
    -- Committed before the next one is asked: what is held has to be let go, whatever comes of that.
    RETURN format('%s holds the stream of %s', job.source, member.peer);
  END LOOP;
  PERFORM steep_repl._init_phase(id, 'taking a snapshot of the source');
  RETURN NULL;
END $$;
COMMENT ON FUNCTION steep_repl._init_hold(bigint) IS 'Steps 1 and 2: NULL once the source holds the streams of all members, else what it waits for.';

CREATE OR REPLACE FUNCTION steep_repl._init_source(id bigint) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT i.source_conninfo FROM steep_repl.initialisations i WHERE i.id = _init_source.id;
END;
COMMENT ON FUNCTION steep_repl._init_source(bigint) IS 'How to connect to the source.';

CREATE OR REPLACE FUNCTION steep_repl._init_release(id bigint) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  job steep_repl.initialisations;
BEGIN
  SELECT * INTO job FROM steep_repl.initialisations i WHERE i.id = _init_release.id;
  PERFORM steep_repl._peer_value(job.source_conninfo, format('SELECT steep_repl._release(%L, %L)', m.peer, steep_repl.node_id()))
     FROM steep_repl.initialisation_members m WHERE m.id = _init_release.id AND m.held_at IS NOT NULL;
END $$;
COMMENT ON FUNCTION steep_repl._init_release(bigint) IS 'Lets the source go on applying the members'' streams.';

CREATE OR REPLACE FUNCTION steep_repl._init_snapshot_taken(id bigint, lsn bigint) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  member steep_repl.initialisation_members;
BEGIN
  -- The snapshot waits for every open transaction of the source: was everything held until it was there?
  FOR member IN SELECT * FROM steep_repl.initialisation_members m WHERE m.id = _init_snapshot_taken.id AND m.held_at IS NOT NULL LOOP
    IF steep_repl._peer_value((SELECT i.source_conninfo FROM steep_repl.initialisations i WHERE i.id = _init_snapshot_taken.id),
         format('SELECT steep_repl._held_at(%L, %L)::text', member.peer, steep_repl.node_id()))::pg_lsn IS DISTINCT FROM member.held_at THEN
      RAISE EXCEPTION USING ERRCODE = 'SR016', MESSAGE = format('the source went on applying the stream of %s before the snapshot was taken', member.peer),
        HINT = 'A long transaction on the source keeps the snapshot waiting. The copy begins again.';
    END IF;
  END LOOP;
  PERFORM steep_repl._init_release(id);
  UPDATE steep_repl.initialisations i SET snapshot_lsn = '0/0'::pg_lsn + lsn, phase = 'looking at the tables' WHERE i.id = _init_snapshot_taken.id;
END $$;
COMMENT ON FUNCTION steep_repl._init_snapshot_taken(bigint, bigint) IS 'Step 3.';

CREATE OR REPLACE FUNCTION steep_repl._init_end(id bigint) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  link steep_repl.links;
  job steep_repl.initialisations;
BEGIN
  SELECT * INTO job FROM steep_repl.initialisations i WHERE i.id = _init_end.id;
  IF job.method = 'snapshot' AND job.state = 'waiting' THEN
    RETURN;  -- what came through the streams meanwhile would be missing in what is loaded then
  ELSIF job.method = 'snapshot' AND job.state = 'failed' AND NOT EXISTS (SELECT 1 FROM steep_repl.initialisation_tables t WHERE t.id = job.id AND t.state = 'complete') THEN
    -- For the same reason the next start makes them anew, from where the peers have kept their streams.
    UPDATE steep_repl.links l SET wanted = 'remove' WHERE l.initialising = id;
  END IF;
  -- Step 5. Whatever has not been taken over is taken over under a later snapshot, so its changes may be skipped.
  FOR link IN UPDATE steep_repl.links l SET initialising = NULL WHERE l.initialising = id RETURNING l.* LOOP
    IF link.subscription IS NOT NULL THEN
      PERFORM steep_repl._link_set_streaming(link);
    END IF;
  END LOOP;
  PERFORM steep_repl._wake_worker();
END $$;
COMMENT ON FUNCTION steep_repl._init_end(bigint) IS 'Step 5: the links go on.';

CREATE OR REPLACE FUNCTION steep_repl._init_hopeless(sqlstate text) RETURNS boolean
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  -- Data, constraints, missing things and rights, code of users, our own refusals; of those not the ones that pass by themselves. Damaged and missing files.
  RETURN left(sqlstate, 2) IN ('22', '23', '42', 'P0', 'SR') AND sqlstate NOT IN ('SR014', 'SR016', 'SR028') OR sqlstate IN ('XX001', '58P01');
COMMENT ON FUNCTION steep_repl._init_hopeless(text) IS 'Whether an error would come again, so that it is not worth while to try again.';

CREATE OR REPLACE FUNCTION steep_repl._init_again(id bigint, error text, hopeless boolean) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  again boolean := (SELECT i.attempts < 5 AND NOT hopeless FROM steep_repl.initialisations i WHERE i.id = _init_again.id);
BEGIN
  UPDATE steep_repl.initialisations i SET error = _init_again.error,
      state = CASE WHEN again THEN 'waiting' ELSE 'failed' END,
      phase = CASE WHEN again THEN 'trying again' ELSE 'failed' END,
      next_try = now() + least(power(2, least(i.attempts, 5)), 30) * interval '1 second',
      finished_at = CASE WHEN again THEN NULL ELSE now() END
    WHERE i.id = _init_again.id AND i.state IN ('waiting', 'running');
  UPDATE steep_repl.initialisation_tables t SET state = CASE WHEN again AND NOT t.hopeless THEN 'wanted' ELSE 'failed' END,
      reason = coalesce(t.reason, _init_again.error)
    WHERE t.id = _init_again.id AND t.state <> 'complete';
END $$;
COMMENT ON FUNCTION steep_repl._init_again(bigint, text, boolean) IS 'Notes why an initialisation stopped, and has it tried again, up to five times, unless that is hopeless.';

CREATE OR REPLACE FUNCTION steep_repl._init_finish(id bigint) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  left_out text;
  hopeless boolean;
BEGIN
  PERFORM steep_repl._advance_sequences(k.relation::regclass) FROM steep_repl.initialisation_tables t
     JOIN steep_repl.tables k ON k.table_schema = t.table_schema AND k.table_name = t.table_name
    WHERE t.id = _init_finish.id AND t.state = 'complete';
  PERFORM steep_repl._reinit_finish(id);
  PERFORM steep_repl._init_end(id);
  -- Whatever is left can only be copied: its changes have gone by.
  UPDATE steep_repl.initialisations i SET method = 'direct' WHERE i.id = _init_finish.id AND i.method = 'snapshot' AND EXISTS (
    SELECT 1 FROM steep_repl.initialisation_tables t WHERE t.id = i.id AND t.state <> 'complete');
  SELECT string_agg(format('%I.%I: %s', t.table_schema, t.table_name, coalesce(t.reason, 'the source does not replicate it')), '; '),
         bool_and(t.hopeless) INTO left_out, hopeless
    FROM steep_repl.initialisation_tables t WHERE t.id = _init_finish.id AND t.state <> 'complete';
  IF left_out IS NOT NULL THEN
    PERFORM steep_repl._init_again(id, left_out, hopeless);
    RETURN;
  END IF;
  UPDATE steep_repl.initialisations i SET state = 'complete', phase = 'complete', error = NULL, finished_at = now() WHERE i.id = _init_finish.id AND i.state = 'running';
END $$;
COMMENT ON FUNCTION steep_repl._init_finish(bigint) IS 'Moves sequences past the copied ids and lets the links go on.';

CREATE OR REPLACE FUNCTION steep_repl._init_table_failed(id bigint, "table" text, error text, sqlstate text) RETURNS void
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  UPDATE steep_repl.initialisation_tables t SET state = 'failed', reason = _init_table_failed.error,
         hopeless = steep_repl._init_hopeless(_init_table_failed.sqlstate)
   WHERE t.id = _init_table_failed.id AND format('%I.%I', t.table_schema, t.table_name) = "table";
END;
COMMENT ON FUNCTION steep_repl._init_table_failed(bigint, text, text, text) IS 'Notes why a table could not be taken over; the others go on.';

CREATE OR REPLACE FUNCTION steep_repl._init_failed(id bigint, error text, sqlstate text) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
BEGIN
  PERFORM steep_repl._init_again(id, error, steep_repl._init_hopeless(sqlstate));
  PERFORM steep_repl._init_end(id);
  PERFORM steep_repl._init_let_go(id);
END $$;
COMMENT ON FUNCTION steep_repl._init_failed(bigint, text, text) IS 'Notes why an initialisation stopped, lets the links go on, and has it tried again where that helps.';
