-- Work in the background, as users see it: what is asked for is a row, and a process of its own carries it out with the
-- rights of whoever asked (src/job/). Its progress is in shared memory, and in the row once it has ended.

CREATE OR REPLACE FUNCTION steep_repl._outer_role() RETURNS oid
  LANGUAGE c STABLE STRICT AS 'MODULE_PATHNAME', 'outer_role_wrapper';
COMMENT ON FUNCTION steep_repl._outer_role() IS 'The role that the session acts as, also within a function that runs as its owner.';

CREATE OR REPLACE FUNCTION steep_repl._live_work() RETURNS SETOF jsonb
  LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'live_work_wrapper';
COMMENT ON FUNCTION steep_repl._live_work() IS 'What shared memory knows of the work that runs in this database.';

CREATE OR REPLACE FUNCTION steep_repl._stop_work(id bigint, why text) RETURNS void
  LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'stop_work_wrapper';
COMMENT ON FUNCTION steep_repl._stop_work(bigint, text) IS 'Has running work fail, for that reason; what it has loaded stays. At once, whatever becomes of the transaction.';

CREATE OR REPLACE FUNCTION steep_repl._enqueue(kind text, parameters jsonb) RETURNS bigint
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  made bigint;
BEGIN
  IF NOT (steep_repl._worker_state()->>'preloaded')::boolean THEN
    RAISE EXCEPTION USING ERRCODE = 'SR100', MESSAGE = 'work in the background needs the steep_repl worker, which this server does not run',
      HINT = 'Add steep_repl to shared_preload_libraries and restart the server.';
  ELSIF current_setting('steep_repl.max_jobs')::int = 0 THEN
    RAISE EXCEPTION USING ERRCODE = 'SR100', MESSAGE = 'work in the background is switched off: steep_repl.max_jobs is 0',
      HINT = 'ALTER SYSTEM SET steep_repl.max_jobs = 2; SELECT pg_reload_conf();';
  END IF;
  INSERT INTO steep_repl.work_queue (kind, parameters, role, asked_by)
  VALUES (_enqueue.kind, _enqueue.parameters, steep_repl._outer_role(), steep_repl._actor()) RETURNING id INTO made;
  PERFORM steep_repl._audit(_enqueue.kind || '.start', 'work', made::text, NULL, parameters);
  PERFORM steep_repl._wake_worker();
  RETURN made;
END $$;
COMMENT ON FUNCTION steep_repl._enqueue(text, jsonb) IS 'Has work done after the commit, as the role that the session acts as. Errors: SR100 no worker.';

CREATE OR REPLACE FUNCTION steep_repl._work(id bigint) RETURNS steep_repl.work_queue
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  found_work steep_repl.work_queue;
BEGIN
  SELECT * INTO found_work FROM steep_repl.work_queue q WHERE q.id = _work.id FOR UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = 'SR101', MESSAGE = format('there is no work %s', coalesce(_work.id::text, 'NULL')),
      HINT = coalesce((SELECT CASE i.kind WHEN 'node' THEN format('It is a start: cancel_start(%s) ends it.', i.id) WHEN 'reinit' THEN format('It is a reinit: cancel_reinit(%s) ends it.', i.id)
                                          ELSE 'It is a table that this node takes over from a peer: remove_table() there ends that.' END FROM steep_repl.initialisations i WHERE i.id = _work.id),
                      'SELECT id, kind, state FROM steep_repl.work_queue ORDER BY id lists it.');
  END IF;
  RETURN found_work;
END $$;
COMMENT ON FUNCTION steep_repl._work(bigint) IS 'The row of some work, locked. Errors: SR101.';

CREATE OR REPLACE FUNCTION steep_repl.cancel_work(id bigint) RETURNS text
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  work steep_repl.work_queue := steep_repl._work(id);
  -- What waits with what it has loaded: for retry_work(), or for tables to join.
  half_loaded boolean := work.state <> 'running' AND work.kind = 'apply' AND 
    (EXISTS (SELECT 1 FROM steep_repl.loaded_pieces p WHERE p.work_id = cancel_work.id) OR EXISTS (SELECT 1 FROM steep_repl.deferred_indexes d WHERE d.work_id = cancel_work.id));
BEGIN
  IF work.state IN ('complete', 'cancelled') AND NOT half_loaded THEN
    RAISE EXCEPTION USING ERRCODE = 'SR102', MESSAGE = format('work %s has ended: it is %s', id, work.state),
      HINT = 'There is nothing to cancel.';
  END IF;
  UPDATE steep_repl.work_queue q SET cancelled_by = steep_repl._actor(), state = next.state, finished_at = CASE next.state WHEN 'cancelled' THEN clock_timestamp() END
    FROM (SELECT CASE WHEN work.state = 'running' THEN 'running' WHEN half_loaded THEN 'pending' ELSE 'cancelled' END AS state) next
   WHERE q.id = cancel_work.id RETURNING q.* INTO work;
  PERFORM steep_repl._audit('work.cancel', 'work', id::text);
  IF work.state = 'cancelled' THEN
    RETURN 'cancelled';
  END IF;
  -- The worker, and what runs, see the row once it is committed.
  PERFORM steep_repl._wake_worker();
  RETURN 'cancelling';
END $$;
COMMENT ON FUNCTION steep_repl.cancel_work(bigint) IS
  'Ends work: cancelled when it had not begun, or has failed and is to be tried no more: health() says no more of it; cancelling when it is being stopped or, a load that failed half way, undone. Nothing half-made is left. Definer: writes the queue. Errors: SR101, SR102 it has ended.';

CREATE OR REPLACE FUNCTION steep_repl.retry_work(id bigint) RETURNS bigint
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  work steep_repl.work_queue := steep_repl._work(id);
BEGIN
  IF work.state NOT IN ('failed', 'cancelled') THEN
    RAISE EXCEPTION USING ERRCODE = 'SR102', MESSAGE = format('work %s is %s', id, work.state),
      HINT = 'Work that has failed or was cancelled can be tried again.';
  ELSIF NOT EXISTS (SELECT 1 FROM pg_roles r WHERE r.oid = work.role) THEN
    RAISE EXCEPTION USING ERRCODE = 'SR103', MESSAGE = format('the role that asked for work %s no longer exists', id), HINT = 'Ask for it anew.';
  ELSIF NOT pg_has_role(steep_repl._outer_role(), work.role, 'MEMBER') THEN
    RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege', MESSAGE = format('work %s runs as %s, of which you are not a member', id, work.role::regrole),
      HINT = 'Ask for the same work under your own name.';
  END IF;
  UPDATE steep_repl.work_queue q SET state = 'pending', error = NULL, sqlstate = NULL, cancelled_by = NULL, finished_at = NULL, progress = NULL WHERE q.id = retry_work.id;
  PERFORM steep_repl._audit('work.retry', 'work', id::text, to_jsonb(work.state));
  PERFORM steep_repl._wake_worker();
  RETURN id;
END $$;
COMMENT ON FUNCTION steep_repl.retry_work(bigint) IS
  'Has work that failed or was cancelled tried again, from where it can go on. For members of the role that it runs as. Definer: writes the queue. Errors: SR101, SR102, SR103, 42501.';

CREATE OR REPLACE FUNCTION steep_repl._made_good(work steep_repl.work_queue) RETURNS boolean
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  -- Into the same folder, or the same in all but the folder and what work notes for itself.
  SELECT EXISTS (SELECT 1 FROM steep_repl.work_queue q WHERE q.kind = (work).kind AND q.state = 'complete' AND q.finished_at > (work).finished_at
     AND (q.parameters->'path' = (work).parameters->'path' OR q.parameters - '{path,snapshot_uid,begun}'::text[] = (work).parameters - '{path,snapshot_uid,begun}'::text[]));
END;
COMMENT ON FUNCTION steep_repl._made_good(steep_repl.work_queue) IS 'Whether the same as what failed was asked for anew, and has been done.';

-- What the processes call (src/job/), as the extension.

CREATE OR REPLACE FUNCTION steep_repl._work_round(live bigint[], ended text[]) RETURNS SETOF text
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  interrupted CONSTANT text := 'interrupted: the server or its process ended; retry_work() starts it again';
BEGIN
  -- Its process is gone: the server was restarted, or the process never came to its first step. Or it was at its very end.
  UPDATE steep_repl.work_queue q SET state = 'complete', finished_at = clock_timestamp()
   WHERE q.state = 'running' AND q.id <> ALL (live) AND EXISTS (SELECT 1 FROM steep_repl.snapshots s WHERE s.id = q.id);
  -- Nor is it forgotten that it was to be undone.
  UPDATE steep_repl.work_queue q SET state = 'pending' WHERE q.state = 'running' AND q.kind = 'apply' AND q.cancelled_by IS NOT NULL AND q.id <> ALL (live);
  -- Nor that there are indexes to build, for which a process comes once more. Once: it might be what ended the server.
  UPDATE steep_repl.work_queue q SET state = 'pending', error = interrupted WHERE q.state = 'running' AND q.kind = 'apply' AND q.error IS NULL AND q.id <> ALL (live)
     AND EXISTS (SELECT 1 FROM steep_repl.deferred_indexes d WHERE d.work_id = q.id);
  RETURN QUERY
  UPDATE steep_repl.work_queue q SET state = 'failed', sqlstate = '57P02', finished_at = clock_timestamp(),
      error = CASE q.state WHEN 'running' THEN interrupted
                           ELSE 'its process could not start: the server log says why' END
   WHERE q.state = 'running' AND q.id <> ALL (live) OR q.state = 'pending' AND q.id || ' ' || q.attempts = ANY (ended)
  RETURNING jsonb_build_object('lost', q.id, 'kind', q.kind, 'parameters', q.parameters)::text;
  RETURN QUERY SELECT jsonb_build_object('cancel', q.id)::text FROM steep_repl.work_queue q WHERE q.state = 'running' AND q.cancelled_by IS NOT NULL AND q.id = ANY (live);
  RETURN QUERY
  SELECT jsonb_build_object('start', q.id, 'role', q.role::bigint, 'attempts', q.attempts)::text FROM steep_repl.work_queue q
   WHERE q.state = 'pending' AND q.id <> ALL (live) ORDER BY q.id
   LIMIT greatest(current_setting('steep_repl.max_jobs')::int - cardinality(live), 0);
END $$;
COMMENT ON FUNCTION steep_repl._work_round(bigint[], text[]) IS 'Work whose process is gone, which becomes failed, work that was cancelled while it runs, and work to start now.';

CREATE OR REPLACE FUNCTION steep_repl._work_tell(id bigint, progress text) RETURNS boolean
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM pg_notify('steep_repl_progress', progress);
  RETURN EXISTS (SELECT 1 FROM steep_repl.work_queue q WHERE q.id = _work_tell.id AND q.cancelled_by IS NOT NULL);
END $$;
COMMENT ON FUNCTION steep_repl._work_tell(bigint, text) IS 'Tells whoever listens how far work is; whether it was cancelled.';

CREATE OR REPLACE FUNCTION steep_repl._work_claim(id bigint) RETURNS jsonb
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  UPDATE steep_repl.work_queue q SET state = 'running', started_at = clock_timestamp(), attempts = q.attempts + 1
   WHERE q.id = _work_claim.id AND q.state = 'pending' RETURNING jsonb_build_object('kind', q.kind, 'parameters', q.parameters, 'cancelled', q.cancelled_by IS NOT NULL, 'interrupted', q.error);
END;
COMMENT ON FUNCTION steep_repl._work_claim(bigint) IS 'Takes waiting work; NULL when it was cancelled before it began, or somebody else has it.';

CREATE OR REPLACE FUNCTION steep_repl._work_end(id bigint, state text, error text, sqlstate text, progress jsonb, result jsonb, knew boolean) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  work steep_repl.work_queue;
BEGIN
  -- It came to its end while somebody cancelled it: what it has loaded is to go all the same.
  UPDATE steep_repl.work_queue q SET state = 'pending' WHERE q.id = _work_end.id AND q.state = 'running' AND q.kind = 'apply' AND q.cancelled_by IS NOT NULL AND NOT knew;
  IF FOUND THEN
    PERFORM steep_repl._wake_worker();
    RETURN;
  END IF;
  UPDATE steep_repl.work_queue q SET state = state, error = error, sqlstate = sqlstate, progress = progress, result = result, finished_at = clock_timestamp()
   WHERE q.id = _work_end.id AND q.state = 'running' RETURNING * INTO work;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  -- A node that joins has further steps to take, and sees by them that nobody else has written.
  DELETE FROM steep_repl.loaded_pieces l WHERE l.work_id = _work_end.id AND state = 'complete' AND NOT work.parameters ? 'joins';
  IF state = 'failed' THEN
    INSERT INTO steep_repl.audit_log (action, actor, target_type, target_id, success, error_message)
    VALUES (work.kind || '.failed', work.asked_by, 'work', id::text, false, error);
  ELSE
    PERFORM steep_repl._audit_as(coalesce(work.cancelled_by, work.asked_by), work.kind || '.' || state, 'work', id::text, NULL, result);
  END IF;
  PERFORM pg_notify('steep_repl_progress', progress::text);
END $$;
COMMENT ON FUNCTION steep_repl._work_end(bigint, text, text, text, jsonb, jsonb, boolean) IS 'Writes down how work ended, and tells whoever listens. knew: whether its process had seen that it was cancelled.';

CREATE OR REPLACE FUNCTION steep_repl._prune_work() RETURNS void
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  DELETE FROM steep_repl.loaded_pieces l WHERE NOT EXISTS (SELECT 1 FROM steep_repl.work_queue q WHERE q.id = l.work_id AND (q.finished_at IS NULL OR q.finished_at > now() - interval '90 days'));
  DELETE FROM steep_repl.work_queue q WHERE q.finished_at < now() - interval '90 days';
END;
COMMENT ON FUNCTION steep_repl._prune_work() IS 'Forgets work that ended more than 90 days ago.';
