-- Forgetting tombstones and versions of copies, once nothing older can arrive any more.

CREATE OR REPLACE FUNCTION steep_repl._forget() RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  mark steep_repl.forget_marks;
BEGIN
  SELECT * INTO mark FROM steep_repl.forget_marks;
  IF NOT FOUND THEN
    IF EXISTS (SELECT 1 FROM steep_repl.tombstones) OR EXISTS (SELECT 1 FROM steep_repl.row_versions)
       OR EXISTS (SELECT 1 FROM steep_repl.row_changes) THEN
      INSERT INTO steep_repl.forget_marks DEFAULT VALUES;
      -- A transaction of this node after the mark: who has applied it writes later than all that is forgotten.
      PERFORM steep_repl._beat(true);
    END IF;
    RETURN;
  END IF;
  IF mark.lsn IS NULL THEN
    UPDATE steep_repl.forget_marks SET lsn = pg_current_wal_insert_lsn();
    RETURN;
  END IF;
  IF mark.confirmed_at IS NULL THEN
    -- First: every peer has what was here at the mark.
    UPDATE steep_repl.forget_marks m SET confirmed_at = clock_timestamp()
     WHERE NOT EXISTS (SELECT 1 FROM steep_repl._slots() s WHERE s.confirmed_lsn < m.lsn)
       -- Nor is there one to come that begins before it.
       AND NOT EXISTS (SELECT 1 FROM steep_repl.preparations p JOIN pg_replication_slots s ON s.slot_name = p.slot_name WHERE s.confirmed_flush_lsn < m.lsn);
    RETURN;
  END IF;
  -- Then: this node has all that the peers had written until then. A minute more, because clocks differ.
  IF mark.confirmed_at > clock_timestamp() - interval '1 minute'
     OR EXISTS (SELECT 1 FROM steep_repl.links l LEFT JOIN steep_repl.link_observations o ON o.peer = l.peer
                 WHERE l.wanted <> 'remove' AND coalesce(o.caught_up_at <= mark.confirmed_at, true))
     OR EXISTS (SELECT 1 FROM steep_repl.initialisations i WHERE i.state IN ('waiting', 'running')) THEN
    RETURN;
  END IF;
  -- But for keys of which a change may still be applied that was set aside.
  DELETE FROM steep_repl.tombstones s WHERE age(s.xmin) > age(mark.before)
     AND (s.relation, s.key_id) NOT IN (SELECT k.relation, k.key_id FROM steep_repl._keys_set_aside() k);
  DELETE FROM steep_repl.row_versions v WHERE age(v.xmin) > age(mark.before)
     AND (v.relation, v.key_id) NOT IN (SELECT k.relation, k.key_id FROM steep_repl._keys_set_aside() k);
  PERFORM steep_repl._forget_changes(mark.before);
  -- Each node forgets what it told itself; the others get the deletion.
  DELETE FROM steep_repl.displaced d WHERE d.node_id = steep_repl.node_id() AND d.at < clock_timestamp() - interval '7 days';
  DELETE FROM steep_repl.truncations t WHERE t.node_id = steep_repl.node_id() AND t.at < clock_timestamp() - interval '7 days';
  DELETE FROM steep_repl.forget_marks;
END $$;
COMMENT ON FUNCTION steep_repl._forget() IS 'Takes the next step towards forgetting tombstones: a mark, all peers past it, all that they had written by then received. A peer that is away holds it up, as it holds up the WAL.';
