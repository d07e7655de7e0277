-- Beats: a stream must never go on over a gap. A slot only moves forward: when a node comes back from an old backup, its
-- peers' slots stand behind what it now lacks, and PostgreSQL would silently go on from there.

CREATE OR REPLACE FUNCTION steep_repl._beat(at_once boolean DEFAULT false) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  last steep_repl.beat_history;
  this bigint;
BEGIN
  SELECT * INTO last FROM steep_repl.beat_history ORDER BY seq DESC LIMIT 1;
  -- Every two seconds while there is something written, so that a quiet node stays quiet; also when the clock went back.
  IF NOT at_once AND (last.at BETWEEN clock_timestamp() - interval '2 seconds' AND clock_timestamp() OR pg_current_wal_insert_lsn() - last.lsn < 8192) THEN
    RETURN;
  END IF;
  INSERT INTO steep_repl.beat_history DEFAULT VALUES RETURNING seq INTO this;
  INSERT INTO steep_repl.beats (node_id, seq) VALUES (steep_repl.node_id(), this)
    ON CONFLICT (node_id) DO UPDATE SET seq = excluded.seq;
  DELETE FROM steep_repl.beat_history h WHERE h.seq < this - 1000;
END $$;
COMMENT ON FUNCTION steep_repl._beat(boolean) IS 'Makes a beat when it is time for one.';

CREATE OR REPLACE FUNCTION steep_repl._beat_arrived() RETURNS trigger
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  -- A node speaks for itself only: what another one knew of it when they linked comes by here too. It says nothing about
  -- what has arrived here, and may meet the row that our own link with that node is about to write.
  IF TG_OP = 'DELETE' OR steep_repl._sender() <> NEW.node_id THEN
    RETURN NULL;
  END IF;
  IF TG_OP = 'INSERT' THEN
    -- Known since the link was made; a second insert would stop the stream.
    UPDATE steep_repl.beats b SET seq = greatest(b.seq, NEW.seq) WHERE b.node_id = NEW.node_id;
    RETURN CASE WHEN FOUND THEN NULL ELSE NEW END;
  END IF;
  NEW.seq := greatest(OLD.seq, NEW.seq);
  RETURN NEW;
END $$;
COMMENT ON FUNCTION steep_repl._beat_arrived() IS 'Fires in the apply worker: takes the beats of the peer itself, which only grow.';

CREATE OR REPLACE TRIGGER beats_arrived BEFORE INSERT OR UPDATE OR DELETE ON steep_repl.beats
  FOR EACH ROW EXECUTE FUNCTION steep_repl._beat_arrived();
ALTER TABLE steep_repl.beats ENABLE REPLICA TRIGGER beats_arrived;

CREATE OR REPLACE FUNCTION steep_repl._stream_facts(slot name) RETURNS jsonb
  LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT jsonb_build_object(
    'node_id', steep_repl.node_id(),
    'flushed', pg_current_wal_flush_lsn(),
    'beat', (SELECT max(h.seq) FROM steep_repl.beat_history h),
    -- A beat has certainly been confirmed when the beginning of the next one, of a later transaction, has.
    'confirmed_beat', (SELECT max(h.seq) FROM steep_repl.beat_history h JOIN steep_repl.beat_history n ON n.seq = h.seq + 1 AND n.xmin <> h.xmin
                        WHERE n.lsn <= (SELECT s.confirmed_flush_lsn FROM pg_replication_slots s WHERE s.slot_name = slot)));
END;
COMMENT ON FUNCTION steep_repl._stream_facts(name) IS 'What the receiver at a slot of this node must compare before it goes on. Definer: reads the beats.';

CREATE OR REPLACE FUNCTION steep_repl._stream_problem(facts jsonb, start_at pg_lsn, beat bigint) RETURNS text
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT CASE
    WHEN facts->>'node_id' IS NULL THEN NULL
    WHEN (facts->>'confirmed_beat')::bigint > coalesce(b.seq, 0) THEN
      format('this node lacks changes that it has already confirmed to %s (beat %s, has %s): it seems to be restored from an older backup. It must be initialised anew',
             facts->>'node_id', facts->>'confirmed_beat', coalesce(b.seq, 0))
    WHEN (facts->>'flushed')::pg_lsn < start_at OR (facts->>'beat')::bigint < _stream_problem.beat THEN
      format('%s has gone back in time: this node has received changes that it no longer has. It seems to be restored from an older backup and must be initialised anew',
             facts->>'node_id')
    END
  FROM (SELECT) one LEFT JOIN steep_repl.beats b ON b.node_id = facts->>'node_id';
END;
COMMENT ON FUNCTION steep_repl._stream_problem(jsonb, pg_lsn, bigint) IS
  'Why a stream must not go on, NULL when it may. start_at and beat: what was received before the facts were asked for, because the stream moves on meanwhile. Definer: reads the beats.';

CREATE OR REPLACE FUNCTION steep_repl._received_beat(slot name) RETURNS text
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT b.seq::text FROM steep_repl.links l JOIN steep_repl.beats b ON b.node_id = l.peer WHERE l.slot_name = slot;
END;
COMMENT ON FUNCTION steep_repl._received_beat(name) IS 'The latest beat that came from the peer with that slot. Definer: reads the links.';
