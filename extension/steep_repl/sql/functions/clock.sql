-- This node's clock may be set back. What was due by the clock that was ahead would then wait until the right one has come to that
-- time, and what was seen by it would count as seen later than it was.

CREATE OR REPLACE FUNCTION steep_repl._clock_went_back() RETURNS void
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  -- The next look is a first one: nobody passes for having caught up who has not.
  DELETE FROM steep_repl.link_observations o WHERE greatest(o.observed_at, o.caught_up_at) > now();
  UPDATE steep_repl.forget_marks m SET confirmed_at = now() WHERE m.confirmed_at > now();
  UPDATE steep_repl.pulls p SET seen_at = now() WHERE p.seen_at > now();
  -- Nothing is put off for longer than half a minute. What is left out by hand is put off for ever.
  UPDATE steep_repl.conflict_log l SET next_proof = now()
   WHERE l.converged_at IS NULL AND l.next_proof > now() + interval '1 minute' AND l.next_proof < 'infinity';
  UPDATE steep_repl.proof_requests r SET asked_at = least(r.asked_at, now()), next_proof = now() WHERE r.next_proof > now() + interval '1 minute';
  UPDATE steep_repl.orphan_suspects s SET seen_at = least(s.seen_at, now()), next_look = now() WHERE s.next_look > now() + interval '1 minute';
  UPDATE steep_repl.orphans o SET next_look = now() WHERE o.next_look > now() + interval '1 minute';
  UPDATE steep_repl.links l SET next_try = now() WHERE l.next_try > now() + interval '1 minute';
  -- A stream is held for ten minutes at most.
  UPDATE steep_repl.links l SET held_by = NULL, held_until = NULL WHERE l.held_until > now() + interval '15 minutes';
  UPDATE steep_repl.initialisations i SET next_try = now() WHERE i.next_try > now() + interval '1 minute';
  UPDATE steep_repl.range_sequences s SET next_try = now() WHERE s.next_try > now() + interval '1 minute';
  -- Else no further failure would count, and the change would hold up its stream.
  UPDATE steep_repl.apply_failures f SET last_try = now() WHERE f.last_try > now();
  DELETE FROM steep_repl.table_reservations r WHERE r.until > now() + interval '1 minute';
END;
COMMENT ON FUNCTION steep_repl._clock_went_back() IS 'Brings back what lies so far ahead of this node''s clock that it must have been noted before the clock was set back.';
