-- Displaced rows: those that lost a unique value are displaced on all nodes (crates/conflict/src/unique.rs says why).

CREATE OR REPLACE FUNCTION steep_repl._tell_displaced() RETURNS void
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  WITH told AS (DELETE FROM steep_repl.displaced_queue q RETURNING q.*)
  INSERT INTO steep_repl.displaced (node_id, seq, table_schema, table_name, key, version_time, version_node, reason)
  SELECT steep_repl.node_id(), nextval('steep_repl.displaced_seq'), t.table_schema, t.table_name, t.key, t.version_time, t.version_node, t.reason
    FROM told t ORDER BY t.id;
END;
COMMENT ON FUNCTION steep_repl._tell_displaced() IS 'Tells all nodes which rows were displaced here, by a write of the worker''s own, which is sent on.';

CREATE OR REPLACE FUNCTION steep_repl._displace(root regclass, key jsonb, micros bigint, node text) RETURNS boolean
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  state jsonb;
BEGIN
  EXECUTE format('SELECT 1 FROM %s t WHERE %s FOR UPDATE', steep_repl._source_of(root), steep_repl._key_is(root, key));
  state := steep_repl._key_state(root, key);
  IF state->>'row' IS NOT NULL AND ((state->>'micros')::bigint, state->>'node') = (micros, node) THEN
    PERFORM steep_repl._remove_quietly((state->>'leaf')::bigint::oid, state->>'place');
    PERFORM steep_repl._put_tombstone(root, key, state->>'row', micros, node, true);
    RETURN true;
  END IF;
  -- A later write of the key is visible again.
  RETURN state->>'micros' IS NOT NULL AND ((state->>'micros')::bigint, state->>'node' COLLATE "C") > (micros, node COLLATE "C")
      OR state->>'row' IS NULL AND ((state->>'micros')::bigint, state->>'node') = (micros, node) AND (state->>'displaced')::boolean AND state->>'row_gone' IS NOT NULL;
END $$;
COMMENT ON FUNCTION steep_repl._displace(regclass, jsonb, bigint, text) IS 'Removes the row with that key and version, if it is here; false when that write has not arrived yet.';

CREATE OR REPLACE FUNCTION steep_repl._moved_on(root regclass, key jsonb, since timestamptz) RETURNS jsonb
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  place jsonb := key;
  next_key jsonb;
BEGIN
  -- As often as there are tombstones, at most: a row may come back to a key that it had.
  FOR hop IN 1..20 LOOP
    EXIT WHEN steep_repl._key_state(root, place)->>'row' IS NOT NULL;
    SELECT s.moved_to::jsonb INTO next_key FROM steep_repl.tombstones s
     CROSS JOIN LATERAL steep_repl._row_version(root, steep_repl._key_id(root, place), s.xmin) v
     WHERE s.relation = root AND s.key_id = steep_repl._key_id(root, place) AND s.moved_to IS NOT NULL AND v.micros >= steep_repl._micros(since)
     ORDER BY v.micros DESC LIMIT 1;
    EXIT WHEN next_key IS NULL;
    place := next_key;
  END LOOP;
  RETURN place;
END $$;
COMMENT ON FUNCTION steep_repl._moved_on(regclass, jsonb, timestamptz) IS 'The key under which a row stands that had this key at that time, as far as its moves are remembered.';

CREATE OR REPLACE FUNCTION steep_repl._log_row_under_two_keys(root regclass, told steep_repl.displaced) RETURNS void
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  -- Several peers may tell of it at the same moment, each to another apply worker.
  SELECT pg_advisory_xact_lock(hashtextextended(format('steep_repl two keys %s %s', root::oid, (told).key), 0));
  INSERT INTO steep_repl.conflict_log (relation, subscription, peer, table_schema, table_name, conflict_type, local_tuple, local_origin, remote_origin,
                                       local_xact_ts, resolution, conflict_key, key, key_id, result, strategy, reason, not_converged_reason)
  SELECT t.relation, '', (told).node_id, t.table_schema, t.table_name, 'KEY-UPDATE', s.state->'row', s.state->>'node', (told).node_id,
         steep_repl._at((s.state->>'micros')::bigint), 'PENDING', i.identity, m.key, steep_repl._key_id(t.relation, m.key), s.state->'row', t.strategy,
         'the move that made this key lost against another change of the old key, but the row has changed since: it stands under both keys', 'not compared yet'
    FROM steep_repl.tables t CROSS JOIN LATERAL (SELECT steep_repl._moved_on(root, (told).key, (told).version_time) AS key) m
   CROSS JOIN LATERAL (SELECT steep_repl._key_state(root, m.key) AS state) s
   CROSS JOIN LATERAL (SELECT steep_repl._conflict_key(t.table_schema, t.table_name, (told).key::text,
                                format('%s %s', steep_repl._micros((told).version_time), (told).version_node), 'two keys') AS identity) i
   WHERE t.relation = root AND s.state->>'row' IS NOT NULL AND (s.state->>'micros')::bigint > steep_repl._micros((told).version_time)
     AND NOT EXISTS (SELECT 1 FROM steep_repl.conflict_log c WHERE c.conflict_key = i.identity);
END;
COMMENT ON FUNCTION steep_repl._log_row_under_two_keys(regclass, steep_repl.displaced) IS 'Leaves a row that stands under two keys to a person.';

CREATE OR REPLACE FUNCTION steep_repl._undo_own_move(root regclass, key jsonb, micros bigint) RETURNS jsonb
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  me text := steep_repl.node_id();
  place jsonb := steep_repl._moved_on(root, key, steep_repl._at(micros));
  state jsonb := steep_repl._key_state(root, place);
  told steep_repl.displaced;
BEGIN
  SELECT me, 0, t.table_schema, t.table_name, place, steep_repl._at(micros), me, 'moved'
    INTO told.node_id, told.seq, told.table_schema, told.table_name, told.key, told.version_time, told.version_node, told.reason
    FROM steep_repl.tables t WHERE t.relation = root;
  IF state->>'row' IS NOT NULL AND ((state->>'micros')::bigint, state->>'node') = (micros, me) THEN
    PERFORM steep_repl._displace(root, place, micros, me);
    PERFORM steep_repl._queue_displaced(told.table_schema, told.table_name, place::text, micros, me, 'moved');
    RETURN state->'row';
  END IF;
  PERFORM steep_repl._log_row_under_two_keys(root, told);
  RETURN NULL;
END $$;
COMMENT ON FUNCTION steep_repl._undo_own_move(regclass, jsonb, bigint) IS
  'Displaces, on all nodes, the row that this node had moved to a key in the transaction of that time, and that row; NULL, and an entry for a person, when it has changed since.';

CREATE OR REPLACE FUNCTION steep_repl._take_displaced() RETURNS trigger
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  root regclass := (SELECT t.relation FROM steep_repl.tables t WHERE t.table_schema = NEW.table_schema AND t.table_name = NEW.table_name);
BEGIN
  IF root IS NOT NULL AND NOT steep_repl._displace(root, NEW.key, steep_repl._micros(NEW.version_time), NEW.version_node) THEN
    -- Its tombstone is there before it: then it will not be inserted; an update in place is looked for by the worker.
    PERFORM steep_repl._put_tombstone(root, NEW.key, NULL, steep_repl._micros(NEW.version_time), NEW.version_node, true);
    INSERT INTO steep_repl.displaced_early (relation, key, version_time, version_node)
    VALUES (root, NEW.key, NEW.version_time, NEW.version_node);
  END IF;
  IF root IS NOT NULL AND NEW.reason = 'moved' AND NEW.version_node = steep_repl.node_id() THEN
    PERFORM steep_repl._log_row_under_two_keys(root, NEW);
  END IF;
  RETURN NEW;
END $$;
COMMENT ON FUNCTION steep_repl._take_displaced() IS 'Fires in the apply worker: a peer tells of a displaced row.';

CREATE OR REPLACE TRIGGER displaced_arrived BEFORE INSERT ON steep_repl.displaced
  FOR EACH ROW EXECUTE FUNCTION steep_repl._take_displaced();
ALTER TABLE steep_repl.displaced ENABLE REPLICA TRIGGER displaced_arrived;

CREATE OR REPLACE FUNCTION steep_repl._clashes(leaf oid, whole text) RETURNS SETOF jsonb
  LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'clashes_wrapper';
COMMENT ON FUNCTION steep_repl._clashes(oid, text) IS
  'The places (ctid) of the rows in a table or leaf partition that hold a unique value of a row which is not here, locked, with the index. The index''s expressions run as the table''s owner.';

CREATE OR REPLACE FUNCTION steep_repl._holders(root regclass, whole jsonb)
  RETURNS TABLE (leaf oid, place text, key jsonb, state jsonb, index_name text)
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  part regclass;
  found record;
BEGIN
  FOR part IN SELECT p.relid FROM pg_partition_tree(root) p WHERE p.isleaf UNION SELECT root WHERE NOT EXISTS (SELECT 1 FROM pg_partition_tree(root)) LOOP
    FOR found IN SELECT c->>'place' AS place, c->>'index' AS name FROM steep_repl._clashes(part, whole::text) c LOOP
      leaf := part;
      place := found.place;
      index_name := found.name;
      EXECUTE format('SELECT steep_repl._key_json(t)::jsonb FROM ONLY %s t WHERE t.ctid = $1::tid', part) INTO key USING found.place;
      state := steep_repl._key_state(root, key);
      RETURN NEXT;
    END LOOP;
  END LOOP;
END $$;
COMMENT ON FUNCTION steep_repl._holders(regclass, jsonb) IS 'The rows that hold a unique value of a row which is not here, locked.';

CREATE OR REPLACE FUNCTION steep_repl._make_room(root regclass, pull steep_repl.pulls) RETURNS boolean
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  target jsonb := (pull).target;
  micros bigint := (target->>'micros')::bigint;
  strategy text := (SELECT t.strategy FROM steep_repl.tables t WHERE t.relation = root);
  holder record;
  stays boolean := true;
BEGIN
  -- As crates/conflict/src/unique.rs decides of a row that arrives: the latest stays, and who gives way does so on all nodes.
  FOR holder IN SELECT DISTINCT ON (h.leaf, h.place) h.* FROM steep_repl._holders(root, target->'row') h LOOP
    IF ((holder.state->>'micros')::bigint, holder.state->>'node' COLLATE "C") > (micros, target->>'node' COLLATE "C") THEN
      stays := false;
    END IF;
  END LOOP;
  FOR holder IN SELECT DISTINCT ON (h.leaf, h.place) h.* FROM steep_repl._holders(root, target->'row') h
                 WHERE stays OR ((h.state->>'micros')::bigint, h.state->>'node' COLLATE "C") > (micros, target->>'node' COLLATE "C") LOOP
    PERFORM steep_repl._log_conflict('', target->>'node', (pull).table_schema, (pull).table_name, 'UNIQUE', (holder.state->'row')::text, (target->'row')::text, NULL, NULL,
      holder.state->>'node', (holder.state->>'micros')::bigint, micros, NULL, 0, (CASE WHEN stays THEN holder.key ELSE (pull).key END)::text,
      steep_repl._key_id(root, CASE WHEN stays THEN holder.key ELSE (pull).key END)::text, CASE WHEN stays THEN 'remote' ELSE 'local' END, true,
      format('both claim the same value in %s', holder.index_name), strategy, false);
    IF stays THEN
      PERFORM steep_repl._remove_quietly(holder.leaf, holder.place);
      -- A row whose version nobody knows is older than all that have one.
      PERFORM steep_repl._put_tombstone(root, holder.key, holder.state->>'row', coalesce((holder.state->>'micros')::bigint, 0), coalesce(holder.state->>'node', ''), true);
      PERFORM steep_repl._queue_displaced((pull).table_schema, (pull).table_name, holder.key::text, coalesce((holder.state->>'micros')::bigint, 0), coalesce(holder.state->>'node', ''), 'unique');
    END IF;
  END LOOP;
  IF NOT stays THEN
    PERFORM steep_repl._put_tombstone(root, (pull).key, target->>'row', micros, target->>'node', true);
    PERFORM steep_repl._refuse_newcomer(root, (pull).key);
    PERFORM steep_repl._queue_displaced((pull).table_schema, (pull).table_name, (pull).key::text, micros, target->>'node', 'unique');
  END IF;
  RETURN stays;
END $$;
COMMENT ON FUNCTION steep_repl._make_room(regclass, steep_repl.pulls) IS
  'Displaces, on all nodes, the rows that hold a unique value of one that is to be adopted; or that one, when a later row holds it: then false.';

CREATE OR REPLACE FUNCTION steep_repl._settle_early() RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  early record;
BEGIN
  DELETE FROM steep_repl.displaced_early e WHERE NOT EXISTS (SELECT 1 FROM steep_repl.tables t WHERE t.relation = e.relation);
  FOR early IN
    -- Who displaced that version had received it: it is here as soon as this node has received all that its writer had by then.
    SELECT e.*, CASE WHEN e.version_node = steep_repl.node_id() THEN true WHEN l.peer IS NULL THEN e.since < clock_timestamp() - interval '7 days'
                     ELSE coalesce(o.caught_up_at > e.since, false) END AS arrived
      FROM steep_repl.displaced_early e
      LEFT JOIN steep_repl.links l ON l.peer = e.version_node AND l.wanted <> 'remove'
      LEFT JOIN steep_repl.link_observations o ON o.peer = l.peer
     ORDER BY arrived DESC, random() LIMIT 500
  LOOP
    BEGIN
      IF steep_repl._displace(early.relation, early.key, steep_repl._micros(early.version_time), early.version_node) OR early.arrived THEN
        DELETE FROM steep_repl.displaced_early e WHERE (e.relation, e.key, e.version_time, e.version_node)
          = (early.relation, early.key, early.version_time, early.version_node);
      END IF;
    EXCEPTION WHEN lock_not_available THEN
      PERFORM steep_repl._wait_no_more();
    WHEN OTHERS THEN
      -- One row must not hold up the others.
      RAISE LOG 'steep_repl: cannot look for displaced row % of %: % (%)', early.key, early.relation::regclass, SQLERRM, SQLSTATE;
    END;
  END LOOP;
END $$;
COMMENT ON FUNCTION steep_repl._settle_early() IS 'Removes displaced rows that arrived after their displacement, as an update in place.';
