-- What slots keep of the WAL for whoever goes on from a snapshot.

CREATE OR REPLACE FUNCTION steep_repl._snapshot_slots() RETURNS TABLE (
  snapshot_id bigint, slot_name name, active boolean, retained_wal_bytes bigint, wal_status text, safe_wal_bytes bigint)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  -- The latest of that name; also of a snapshot whose files are deleted.
  SELECT max(n.id), s.slot_name, s.active, pg_wal_lsn_diff(pg_current_wal_lsn(), s.restart_lsn)::bigint, s.wal_status, s.safe_wal_size
    FROM pg_replication_slots s JOIN steep_repl.snapshots n ON n.slot_name = s.slot_name
   WHERE s.database = current_database()
   GROUP BY s.slot_name, s.active, s.restart_lsn, s.wal_status, s.safe_wal_size;
END;
COMMENT ON FUNCTION steep_repl._snapshot_slots() IS 'The slots that snapshots were taken with, and the WAL that they hold.';

CREATE OR REPLACE FUNCTION steep_repl._much_wal(bytes bigint) RETURNS boolean
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN bytes > pg_size_bytes(current_setting('max_wal_size'));
COMMENT ON FUNCTION steep_repl._much_wal(bigint) IS 'Whether that is more WAL than the server keeps for itself: max_wal_size.';
