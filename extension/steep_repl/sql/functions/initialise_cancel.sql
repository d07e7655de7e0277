-- Ending a take-over before its time: what cancel_start() and cancel_reinit() have in common.

CREATE OR REPLACE FUNCTION steep_repl._init_process(id bigint) RETURNS integer
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
  RETURN (SELECT (w->>'initialisation_pid')::integer FROM steep_repl._worker_state() w WHERE (w->>'initialisation')::bigint = _init_process.id);
COMMENT ON FUNCTION steep_repl._init_process(bigint) IS 'The process that works on a take-over, NULL when none does: it may be on another one.';

CREATE OR REPLACE FUNCTION steep_repl._init_seize(id bigint) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  started timestamptz := clock_timestamp();
BEGIN
  LOOP
    PERFORM 1 FROM steep_repl.initialisations i WHERE i.id = _init_seize.id FOR NO KEY UPDATE SKIP LOCKED;
    EXIT WHEN FOUND OR clock_timestamp() > started + interval '10 s'
      OR NOT EXISTS (SELECT FROM steep_repl.initialisations i WHERE i.id = _init_seize.id AND i.state IN ('waiting', 'running'));
    -- Not once: when one process has ended the worker starts the next one, which may be faster at the row than this session.
    PERFORM pg_terminate_backend(steep_repl._init_process(id));
    PERFORM pg_sleep(0.01);
  END LOOP;
END $$;
COMMENT ON FUNCTION steep_repl._init_seize(bigint) IS 'Takes the row of a take-over from the process that works on it, which holds it while it waits for tables or for a peer, by ending that process.';

CREATE OR REPLACE FUNCTION steep_repl._init_cancel(id bigint, kind text) RETURNS steep_repl.initialisations
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  noun text := CASE kind WHEN 'node' THEN 'start' ELSE kind END;
  before steep_repl.initialisations;
  job steep_repl.initialisations;
  was text;
BEGIN
  SELECT * INTO before FROM steep_repl.initialisations i WHERE i.id = _init_cancel.id AND i.kind = _init_cancel.kind;
  PERFORM steep_repl._init_seize(before.id);
  UPDATE steep_repl.initialisations i SET state = 'failed', phase = 'cancelled', error = format('cancelled by %s', steep_repl._actor()), finished_at = clock_timestamp()
   WHERE i.id = before.id AND i.state IN ('waiting', 'running') RETURNING old.state INTO was;
  SELECT * INTO job FROM steep_repl.initialisations i WHERE i.id = before.id AND was IS NOT NULL;
  IF job.id IS NULL THEN
    SELECT * INTO before FROM steep_repl.initialisations i WHERE i.id = before.id;
    RAISE EXCEPTION USING ERRCODE = CASE kind WHEN 'node' THEN 'SR118' ELSE 'SR123' END,
      MESSAGE = CASE WHEN before.id IS NULL THEN format('there is no %s %s', noun, coalesce(id::text, 'NULL'))
                     ELSE format('%s %s has ended: it is %s', noun, id, CASE before.phase WHEN 'cancelled' THEN before.phase ELSE before.state END) END,
      HINT = format('SELECT * FROM steep_repl.%s_progress() lists those of this node.', noun);
  END IF;
  -- The worker starts another one at once, which waits for that row and then finds it cancelled.
  IF was = 'running' THEN
    PERFORM pg_terminate_backend(steep_repl._init_process(id), 10000);
  END IF;
  RETURN job;
END $$;
COMMENT ON FUNCTION steep_repl._init_cancel(bigint, text) IS 'Has a take-over of a kind be cancelled, and ends its process. Errors: SR118, SR123 there is none, or it has ended.';

CREATE OR REPLACE FUNCTION steep_repl._init_let_go(id bigint) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  BEGIN
    PERFORM steep_repl._init_release(id) WHERE steep_repl._init_holding(id);
  EXCEPTION WHEN OTHERS THEN
    RAISE LOG 'steep_repl: the source will let go by itself: %', SQLERRM;
  END;
  UPDATE steep_repl.initialisation_members m SET held_at = NULL WHERE m.id = _init_let_go.id AND m.held_at IS NOT NULL AND steep_repl._init_holding(_init_let_go.id);
END $$;
COMMENT ON FUNCTION steep_repl._init_let_go(bigint) IS 'Lets the source go on applying the members'' streams, where it is held and can be asked.';
