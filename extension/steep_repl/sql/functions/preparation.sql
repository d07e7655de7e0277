-- Preparing for nodes that are filled from a copy of this one: every node keeps its stream from now on, in a slot, so that
-- whoever has a copy of this node that is made later can go on from there. The slots are copied for each such node, and
-- dropped when the preparation expires.

CREATE OR REPLACE FUNCTION steep_repl._keep_stream(id uuid, source text, expires_at timestamptz, asked_by text, members jsonb) RETURNS pg_lsn
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  slot name := 'steep_repl_kept_' || left(replace(id::text, '-', ''), 16);
  lsn pg_lsn;
BEGIN
  PERFORM pg_advisory_xact_lock_shared(steep_repl._preparation_lock());
  -- First: a transaction that has written cannot make a slot.
  lsn := (SELECT s.lsn FROM pg_create_logical_replication_slot(slot, 'pgoutput') s);
  INSERT INTO steep_repl.preparations (id, source, slot_name, expires_at, asked_by, members) VALUES (id, source, slot, expires_at, asked_by, members);
  RETURN lsn;
EXCEPTION WHEN OTHERS OR query_canceled THEN
  PERFORM steep_repl._drop_idle_slot(slot);
  RAISE;
END $$;
COMMENT ON FUNCTION steep_repl._keep_stream(uuid, text, timestamptz, text, jsonb) IS 'Keeps this node''s stream under a preparation; from where on. Definer: makes a slot.';

CREATE OR REPLACE FUNCTION steep_repl._drop_preparation(id uuid) RETURNS boolean
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  known steep_repl.preparations;
BEGIN
  PERFORM pg_advisory_xact_lock_shared(steep_repl._preparation_lock());
  DELETE FROM steep_repl.preparations p WHERE p.id = id RETURNING * INTO known;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  PERFORM steep_repl._drop_idle_slot(known.slot_name);
  RETURN true;
END $$;
COMMENT ON FUNCTION steep_repl._drop_preparation(uuid) IS 'Ends what this node keeps under a preparation; false when it keeps nothing. Definer: drops a slot.';

CREATE OR REPLACE FUNCTION steep_repl._drop_preparation_at(id uuid, members jsonb, until timestamptz) RETURNS text[]
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  link record;
  missed text[] := '{}';
BEGIN
  FOR link IN SELECT l.peer, l.conninfo FROM steep_repl.links l WHERE members ? l.peer LOOP
    BEGIN
      PERFORM steep_repl._peer_value(link.conninfo, format('SELECT steep_repl._drop_preparation(%L)::text', id), 5);
    EXCEPTION WHEN OTHERS THEN
      missed := missed || link.peer;
      RAISE WARNING '% keeps WAL until %: %', link.peer, until, SQLERRM;
    END;
  END LOOP;
  RETURN missed;
END $$;
COMMENT ON FUNCTION steep_repl._drop_preparation_at(uuid, jsonb, timestamptz) IS 'Ends what the other nodes keep under a preparation; those that could not be asked, and keep it until it expires.';

CREATE OR REPLACE FUNCTION steep_repl._completing(id uuid) RETURNS boolean
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN EXISTS (SELECT 1 FROM steep_repl.initialisations i WHERE i.method = 'copy' AND i.state <> 'complete' AND i.preparation = _completing.id);
COMMENT ON FUNCTION steep_repl._completing(uuid) IS 'Whether this node was completed from a copy under a preparation, and some members do not receive from it yet: what it has written must not get lost.';

CREATE OR REPLACE FUNCTION steep_repl._end_preparations() RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  old steep_repl.preparations;
BEGIN
  FOR old IN SELECT * FROM steep_repl.preparations p WHERE p.expires_at <= clock_timestamp() AND NOT steep_repl._completing(p.id) LOOP
    PERFORM steep_repl._drop_preparation(old.id);
    PERFORM steep_repl._audit('node.prepare_expired', 'preparation', old.id::text);
  END LOOP;
  -- Of a session that was killed between slot and row.
  IF EXISTS (SELECT 1 FROM steep_repl._slots_of_no_preparation()) AND pg_try_advisory_xact_lock(steep_repl._preparation_lock()) THEN
    PERFORM pg_drop_replication_slot(s) FROM steep_repl._slots_of_no_preparation() s;
  END IF;
END $$;
COMMENT ON FUNCTION steep_repl._end_preparations() IS 'Drops the slots of preparations that have expired: they would keep WAL for ever.';

CREATE OR REPLACE FUNCTION steep_repl._slots_of_no_preparation() RETURNS SETOF name
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT s.slot_name FROM pg_replication_slots s
   WHERE s.database = current_database() AND starts_with(s.slot_name::text, 'steep_repl_kept_') AND NOT s.active
     AND NOT EXISTS (SELECT 1 FROM steep_repl.preparations p WHERE p.slot_name = s.slot_name);
END;
COMMENT ON FUNCTION steep_repl._slots_of_no_preparation() IS 'Slots that look like those of preparations and belong to none.';

CREATE OR REPLACE FUNCTION steep_repl._caught_up_with(peer text, conninfo text, lsn pg_lsn) RETURNS boolean
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
  RETURN steep_repl._peer_value(conninfo, format('SELECT confirmed_flush_lsn::text FROM pg_catalog.pg_replication_slots WHERE slot_name = %L',
                                                 steep_repl._link_name(steep_repl.node_id(), peer)))::pg_lsn >= lsn;
COMMENT ON FUNCTION steep_repl._caught_up_with(text, text, pg_lsn) IS 'Whether this node has received a peer''s stream up to there.';

CREATE OR REPLACE FUNCTION steep_repl._prepare_problems(expires interval) RETURNS SETOF text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT format('expires is %s: more than nothing, and at most 30 days, for so long all nodes keep their WAL', coalesce(expires::text, 'NULL'))
   WHERE expires IS NULL OR expires <= interval '0' OR expires > interval '30 days'
  UNION ALL SELECT format('receiving from %s: %s', s.peer, s.state) FROM steep_repl.subscription_status() s WHERE s.state <> 'streaming'
  UNION ALL SELECT format('table %I.%I is %s', t.table_schema, t.table_name, t.state) FROM steep_repl.replicated_tables() t WHERE t.state <> 'ready';
END;
COMMENT ON FUNCTION steep_repl._prepare_problems(interval) IS 'Why no node can be prepared for now.';

CREATE OR REPLACE FUNCTION steep_repl.prepare_node(expires interval DEFAULT '1 day')
RETURNS TABLE (id uuid, slot_name name, expires_at timestamptz, members text[])
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  me text := steep_repl._this_node();
  made uuid := gen_random_uuid();
  until timestamptz := clock_timestamp() + expires;
  patience timestamptz := clock_timestamp() + interval '2 minutes';
  begins jsonb := '{}';
  link record;
BEGIN
  PERFORM steep_repl._refuse('SR115', 'no node can be prepared for', ARRAY(SELECT steep_repl._prepare_problems(expires)), 'All problems are listed; nothing has been changed.');
  FOR link IN SELECT l.peer, l.conninfo FROM steep_repl.links l WHERE l.wanted <> 'remove' ORDER BY l.peer LOOP
    begins := begins || jsonb_build_object(link.peer, steep_repl._peer_value(link.conninfo,
      format('SELECT steep_repl._keep_stream(%L, %L, %L, %L, NULL)::text', made, me, until, steep_repl._actor() || '@' || me), 60));
  END LOOP;
  -- A copy of this node that is made from now on must hold all that was written elsewhere before those slots begin.
  FOR link IN SELECT l.peer, l.conninfo FROM steep_repl.links l WHERE begins ? l.peer ORDER BY l.peer LOOP
    WHILE NOT coalesce(steep_repl._caught_up_with(link.peer, link.conninfo, (begins->>link.peer)::pg_lsn), false) LOOP
      IF clock_timestamp() > patience THEN
        RAISE EXCEPTION USING ERRCODE = 'SR115', MESSAGE = format('this node does not catch up with %s', link.peer), HINT = 'subscription_status() shows how far it is behind; try again when it is not.';
      END IF;
      PERFORM pg_sleep(0.1);
    END LOOP;
  END LOOP;
  PERFORM steep_repl._keep_stream(made, me, until, steep_repl._actor(), begins);
  PERFORM steep_repl._audit('node.prepare', 'preparation', made::text, NULL, jsonb_build_object('expires_at', until, 'members', begins));
  RETURN QUERY SELECT p.id, p.slot_name, p.expires_at, ARRAY(SELECT jsonb_object_keys(p.members)) FROM steep_repl.preparations p WHERE p.id = made;
EXCEPTION WHEN OTHERS OR query_canceled THEN
  -- Also where the answer was not waited for.
  PERFORM steep_repl._drop_preparation_at(made, (SELECT coalesce(jsonb_object_agg(l.peer, NULL::text), '{}') FROM steep_repl.links l WHERE l.wanted <> 'remove'), until);
  RAISE;
END $$;
COMMENT ON FUNCTION steep_repl.prepare_node(interval) IS
  'Has this node and all that it receives from keep their streams, until it expires, for nodes that will be filled from a copy of this node made from now on: a snapshot (start_snapshot with preparation), then start_node with method snapshot there; or a physical backup of its server, then complete_node() there. Any number of nodes. Waits until this node has received what the others had written. Definer: makes slots. Errors: SR001, SR115.';

CREATE OR REPLACE FUNCTION steep_repl.preparations() RETURNS TABLE (
  id uuid, source text, state text, made_at timestamptz, expires_at timestamptz, asked_by text, slot_name name, retained_wal_bytes bigint, members text[])
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT p.id, p.source, CASE WHEN s.slot_name IS NULL OR s.invalidation_reason IS NOT NULL THEN 'lost' ELSE 'ready' END, p.made_at, p.expires_at, p.asked_by,
         p.slot_name, pg_wal_lsn_diff(pg_current_wal_lsn(), s.restart_lsn)::bigint, ARRAY(SELECT jsonb_object_keys(p.members))
    FROM steep_repl.preparations p LEFT JOIN pg_replication_slots s ON s.slot_name = p.slot_name ORDER BY p.made_at;
END;
COMMENT ON FUNCTION steep_repl.preparations() IS
  'What this node keeps for nodes to come, on their source with the other nodes that do; lost: PostgreSQL has invalidated the slot (max_slot_wal_keep_size). Definer: the table is not the caller''s.';

CREATE OR REPLACE FUNCTION steep_repl.cancel_preparation(id uuid) RETURNS text[]
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  known steep_repl.preparations;
  missed text[];
BEGIN
  IF steep_repl._copied() IS NOT NULL OR steep_repl._completing(id) THEN
    RAISE EXCEPTION USING ERRCODE = 'SR119', MESSAGE = CASE WHEN steep_repl._copied() IS NOT NULL THEN 'this is a copy: its preparation is cancelled on the source' ELSE 'some members do not receive from this node yet, and would miss what it has written' END,
      HINT = 'complete_node() makes the copy a node of its own, or goes on; start_progress() shows what it waits for.';
  END IF;
  SELECT * INTO known FROM steep_repl.preparations p WHERE p.id = id;
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = 'SR116', MESSAGE = format('there is no preparation %s on this node', coalesce(id::text, 'NULL')), HINT = 'SELECT * FROM steep_repl.preparations() lists them.';
  END IF;
  missed := steep_repl._drop_preparation_at(id, known.members, known.expires_at);
  PERFORM steep_repl._drop_preparation(id);
  PERFORM steep_repl._audit('node.prepare_cancelled', 'preparation', id::text);
  RETURN missed;
END $$;
COMMENT ON FUNCTION steep_repl.cancel_preparation(uuid) IS
  'Ends a preparation; on its source also on the other nodes. Returns those that could not be asked: theirs expires. Definer: drops slots. Errors: SR116.';

-- What nodes ask each other.

CREATE OR REPLACE FUNCTION steep_repl._copy_kept_slot(id uuid, slot name) RETURNS text
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  kept name := (SELECT p.slot_name FROM steep_repl.preparations() p WHERE p.id = id AND p.state = 'ready' AND (p.expires_at > clock_timestamp() OR steep_repl._completing(id)));
BEGIN
  IF kept IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'SR116', MESSAGE = format('%s no longer keeps its stream for preparation %s', steep_repl.node_id(), id),
      HINT = 'It has expired, was cancelled, or held more WAL than max_slot_wal_keep_size. Prepare again and take a new copy of the source.';
  END IF;
  RETURN (SELECT c.lsn::text FROM pg_copy_logical_replication_slot(kept, slot) c);
END $$;
COMMENT ON FUNCTION steep_repl._copy_kept_slot(uuid, name) IS 'Makes a slot that begins where that of a preparation does. Definer: makes a slot. Errors: SR116.';

CREATE OR REPLACE FUNCTION steep_repl._preparation_joined(id uuid, node_id text, lsn pg_lsn) RETURNS jsonb
  LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  UPDATE steep_repl.preparations p SET members = p.members || CASE WHEN lsn IS NULL THEN '{}' ELSE jsonb_build_object(node_id, lsn) END
   WHERE p.id = _preparation_joined.id AND p.members IS NOT NULL AND p.expires_at > clock_timestamp()
  RETURNING jsonb_build_object('expires_at', p.expires_at, 'members', p.members);
END;
COMMENT ON FUNCTION steep_repl._preparation_joined(uuid, text, pg_lsn) IS
  'Notes, on the source, that a node which was filled from a copy keeps its stream for the next ones, all of it; until when, and who else does. Definer: writes the preparation.';

CREATE OR REPLACE FUNCTION steep_repl._copy_problems(id uuid, members text[], tables jsonb) RETURNS jsonb
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT coalesce(jsonb_agg(p.problem), '[]') FROM (
    SELECT format('%s does not keep its stream for preparation %s any more', steep_repl.node_id(), id) AS problem
     WHERE NOT EXISTS (SELECT 1 FROM steep_repl.preparations() p WHERE p.id = _copy_problems.id AND p.state = 'ready' AND p.expires_at > clock_timestamp())
    UNION ALL SELECT format('node %s was linked with %s after the copy was made', l.peer, steep_repl.node_id()) FROM steep_repl.links l
     WHERE l.wanted <> 'remove' AND l.peer <> ALL (members) AND NOT EXISTS (SELECT 1 FROM steep_repl.preparations p WHERE p.id = _copy_problems.id AND p.members ? l.peer)
    UNION ALL SELECT format('node %s is no longer linked with %s, and what it wrote after the copy was made is not known', m, steep_repl.node_id()) FROM unnest(members) m
     WHERE NOT EXISTS (SELECT 1 FROM steep_repl.links l WHERE l.peer = m AND l.wanted <> 'remove')
    -- Those that are new come through the stream.
    UNION ALL SELECT format('table %I.%I was removed and added again after the copy was made', t.table_schema, t.table_name) FROM steep_repl.tables t
      JOIN jsonb_array_elements(tables) k ON k->>'schema' = t.table_schema AND k->>'table' = t.table_name AND (k->>'joined_at')::timestamptz <> t.joined_at) p;
END;
COMMENT ON FUNCTION steep_repl._copy_problems(uuid, text[], jsonb) IS 'Why a node cannot go on from a copy of this one. Definer: reads the links.';

CREATE OR REPLACE FUNCTION steep_repl._preparation_problems(id uuid) RETURNS SETOF text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT CASE WHEN p.id IS NULL THEN format('there is no preparation %s on this node', _preparation_problems.id)
              ELSE format('preparation %s was made on %s: take the snapshot there', p.id, p.source) END
    FROM (SELECT) one LEFT JOIN steep_repl.preparations p ON p.id = _preparation_problems.id
   WHERE _preparation_problems.id IS NOT NULL AND p.members IS NULL
  UNION ALL
  SELECT problem FROM steep_repl.preparations p
   CROSS JOIN LATERAL jsonb_array_elements_text(steep_repl._copy_problems(p.id, ARRAY(SELECT jsonb_object_keys(p.members)),
     (SELECT jsonb_agg(jsonb_build_object('schema', t.table_schema, 'table', t.table_name, 'joined_at', t.joined_at)) FROM steep_repl.tables t))) problem
   WHERE p.id = _preparation_problems.id AND p.members IS NOT NULL;
END;
COMMENT ON FUNCTION steep_repl._preparation_problems(uuid) IS 'Why no copy of this node can be made under a preparation any more; nothing for NULL.';
