-- A server that was restored from a backup of a node starts with the node's identity, its subscriptions and its work. Until it
-- is made a node of its own (node_complete.sql) or cannot be taken for a copy any more, nothing of that may be done here: the
-- slots at the other nodes are the original's.

CREATE OR REPLACE FUNCTION steep_repl._preparation_lock() RETURNS bigint
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN hashtextextended('steep_repl.preparations', 0);
COMMENT ON FUNCTION steep_repl._preparation_lock() IS 'The advisory lock that is held, shared, while a slot of a preparation has no row yet.';

CREATE OR REPLACE FUNCTION steep_repl._copied() RETURNS text
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  -- Backups bring rows along, and no slots. A node has had a slot for each row of its own; where just that one is gone,
  -- those of its receivers are still there.
  SELECT format('this server is a copy of node %s, made under preparation %s', steep_repl.node_id(), p.id) FROM steep_repl.preparations p
   WHERE p.members IS NOT NULL AND steep_repl.node_id() IS NOT NULL
     AND NOT EXISTS (SELECT 1 FROM pg_replication_slots s WHERE s.slot_name = p.slot_name)
     AND NOT EXISTS (SELECT 1 FROM steep_repl._slots())
   ORDER BY p.made_at DESC LIMIT 1;
END;
COMMENT ON FUNCTION steep_repl._copied() IS 'What to say of a server that is a copy of a node; NULL when it is none. Definer: apply workers ask.';

CREATE OR REPLACE FUNCTION steep_repl._note_copy() RETURNS text
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  copied text := steep_repl._copied();
  name name;
BEGIN
  IF copied IS NULL THEN
    -- It would be taken for that of a later copy of this node.
    DELETE FROM steep_repl.copy_ends;
    RETURN NULL;
  ELSIF EXISTS (SELECT 1 FROM steep_repl.copy_ends) THEN
    RETURN copied;
  END IF;
  -- While a preparation is made or dropped, its slot may be there without a row, or the row without its slot.
  IF NOT pg_try_advisory_xact_lock(steep_repl._preparation_lock()) THEN
    RETURN copied;
  END IF;
  copied := steep_repl._copied();
  IF copied IS NULL THEN
    RETURN NULL;
  END IF;
  -- Exact in the first run only: later ones have gone through WAL of this server's own. The checkpoint at the end of a recovery,
  -- before which nobody writes, is one without a distance to its beginning.
  INSERT INTO steep_repl.copy_ends (replayed_lsn, next_xid, received)
  SELECT CASE WHEN known THEN pg_last_wal_replay_lsn() END,
         CASE WHEN known THEN (split_part(next_xid, ':', 1)::bigint * 4294967296 + split_part(next_xid, ':', 2)::bigint)::text::xid8 END,
         (SELECT coalesce(jsonb_object_agg(l.peer, coalesce(pg_replication_origin_progress('pg_' || l.subscription, false), '0/0')), '{}')
            FROM steep_repl.links l WHERE l.subscription IS NOT NULL)
    FROM (SELECT c.next_xid, steep_repl._from_backup() AND pg_last_wal_replay_lsn() IS NOT NULL AND c.redo_lsn = c.checkpoint_lsn AS known
            FROM pg_control_checkpoint() c) ended;
  -- They could not stream; it keeps the server's log clear.
  FOR name IN SELECT l.subscription_name FROM steep_repl.links l JOIN pg_subscription s ON s.oid = l.subscription WHERE s.subenabled LOOP
    EXECUTE format('ALTER SUBSCRIPTION %I DISABLE', name);
  END LOOP;
  RAISE LOG 'steep_repl: %: it waits for complete_node()', copied;
  RETURN copied;
END $$;
COMMENT ON FUNCTION steep_repl._note_copy() IS
  'Whether this is a copy of a node, for which the worker does nothing but to note where the copy ends, and to disable the original''s subscriptions.';
