-- Starting a node: all tables of a source, and links with every member, both ways.

CREATE OR REPLACE FUNCTION steep_repl._clock_problem(theirs timestamptz, asked_at timestamptz, answered_at timestamptz) RETURNS TABLE (problem text, remedy text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  -- As _clock_alarms() once the two are linked: it looked at its clock at some moment between question and answer.
  SELECT format('the clocks differ: the source says %s, this node %s', theirs, here),
         'Set both by NTP: of two writes the later wins, by the clocks of the nodes.'
    FROM (SELECT asked_at + (answered_at - asked_at) / 2 AS here) h
   WHERE abs(extract(epoch FROM theirs - here)) - extract(epoch FROM answered_at - asked_at) / 2 > 0.5;
END;
COMMENT ON FUNCTION steep_repl._clock_problem(timestamptz, timestamptz, timestamptz) IS 'What is to be said of a source whose clock surely differs from this node''s by more than half a second.';

CREATE OR REPLACE FUNCTION steep_repl.check_start(source_conninfo text, own_conninfo text, path text DEFAULT NULL) RETURNS TABLE (problem text, remedy text)
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  identity jsonb;
  back jsonb;
  described jsonb;
  theirs record;
  mine jsonb;
  asked_at timestamptz;
  their_clock timestamptz;
BEGIN
  PERFORM steep_repl._this_node();
  RETURN QUERY SELECT w, 'steep_repl must stand in shared_preload_libraries when the server starts; health() says more.' FROM steep_repl._worker_missing() w WHERE w IS NOT NULL;
  BEGIN
    identity := steep_repl._peer_identity(source_conninfo);
  EXCEPTION WHEN OTHERS THEN
    RETURN QUERY SELECT 'the source: ' || SQLERRM, 'Check the connection string of the source, as this server would use it.';
    RETURN;
  END;
  RETURN QUERY SELECT * FROM steep_repl._check_pair(identity);
  IF path IS NOT NULL THEN
    RETURN QUERY SELECT * FROM steep_repl._check_start_from(path, source_conninfo, identity);
  END IF;
  BEGIN
    asked_at := clock_timestamp();
    their_clock := steep_repl._peer_value(source_conninfo, 'SELECT pg_catalog.to_jsonb(pg_catalog.clock_timestamp())::text', 5)::jsonb->>0;
    RETURN QUERY SELECT * FROM steep_repl._clock_problem(their_clock, asked_at, clock_timestamp());
  EXCEPTION WHEN OTHERS THEN
    -- Once the two are linked the worker compares them all the time.
    RAISE WARNING USING MESSAGE = format('the clock of the source could not be compared: %s', SQLERRM);
  END;
  BEGIN
    back := steep_repl._peer_value(source_conninfo, format('SELECT steep_repl._peer_identity(%L)::text', own_conninfo))::jsonb;
    IF back->>'node_uid' IS DISTINCT FROM steep_repl._identity()->>'node_uid' THEN
      RETURN QUERY SELECT format('at the connection string of this node the source finds node %s', coalesce(back->>'node_id', 'none')), 'Give the source a connection string of this node that works from there.';
    END IF;
  EXCEPTION WHEN OTHERS THEN
    RETURN QUERY SELECT 'the source cannot connect to this node: ' || SQLERRM, 'Give a connection string of this node that works from the source; check pg_hba.conf here.';
  END;
  FOR theirs IN SELECT r::jsonb AS t FROM steep_repl._peer_rows_within(source_conninfo,
      'SELECT (to_jsonb(t) || jsonb_build_object(''described'', steep_repl._describe_table(t.table_schema, t.table_name, t.before_images)))::text FROM steep_repl.tables t', 60) r
  LOOP
    mine := steep_repl._describe_table(theirs.t->>'table_schema', theirs.t->>'table_name', theirs.t->>'before_images' = 'true');
    described := theirs.t->'described';
    CONTINUE WHEN (mine->>'joined')::boolean;
    IF NOT (mine->>'exists')::boolean THEN
      RETURN QUERY SELECT format('table %I.%I does not exist here', theirs.t->>'table_schema', theirs.t->>'table_name'), 'Create the schema here first, for example with pg_dump --schema-only.';
    ELSIF mine->'columns' <> described->'columns' THEN
      RETURN QUERY SELECT format('table %I.%I has other columns here than on the source: %s', theirs.t->>'table_schema', theirs.t->>'table_name',
          steep_repl._column_problem(mine->'columns', described->'columns', steep_repl.node_id(), identity->>'node_id')), 'Make both the same.';
    ELSIF (mine->>'holds_rows')::boolean THEN
      RETURN QUERY SELECT format('table %I.%I holds rows here%s', theirs.t->>'table_schema', theirs.t->>'table_name',
          CASE WHEN (described->>'holds_rows')::boolean THEN ' and on the source' ELSE '' END), 'Empty it here; rows of both sides are not merged.';
    END IF;
    RETURN QUERY SELECT format('table %I.%I: %s', theirs.t->>'table_schema', theirs.t->>'table_name', p), 'See above.' FROM jsonb_array_elements_text(mine->'problems') p;
  END LOOP;
END $$;
COMMENT ON FUNCTION steep_repl.check_start(text, text, text) IS 'All that speaks against starting this node from a source, with a path from a snapshot of it. own_conninfo: how the members reach this node. Definer: asks the source.';

CREATE OR REPLACE FUNCTION steep_repl._start_options_problems(method text, path text, parallel integer) RETURNS SETOF text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT format('method is %s: it is direct or snapshot', coalesce(quote_literal(method), 'NULL')) WHERE method IS NULL OR method NOT IN ('direct', 'snapshot')
  UNION ALL SELECT 'method snapshot needs the path of a snapshot' WHERE method = 'snapshot' AND coalesce(path, '') = ''
  UNION ALL SELECT 'method direct takes no path' WHERE method = 'direct' AND path IS NOT NULL
  UNION ALL SELECT format('parallel is %s: it goes from 1 to 16', coalesce(parallel::text, 'NULL')) WHERE coalesce(parallel, 0) NOT BETWEEN 1 AND 16
  -- What has come through its streams since they were made would be missing.
  UNION ALL SELECT format('this node is linked with %s already: only a node without links can be filled from a snapshot', string_agg(l.peer, ', ')) FROM steep_repl.links l
     WHERE method = 'snapshot' HAVING count(*) > 0
  UNION ALL SELECT 'this node replicates tables already: only a node without can be filled from a snapshot' WHERE method = 'snapshot' AND EXISTS (SELECT 1 FROM steep_repl.tables);
END;
COMMENT ON FUNCTION steep_repl._start_options_problems(text, text, integer) IS 'What is wrong with the options of a start.';

CREATE OR REPLACE FUNCTION steep_repl.start_node(
  source_conninfo text, own_conninfo text, method text DEFAULT 'direct', path text DEFAULT NULL, parallel integer DEFAULT 4
) RETURNS bigint
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  id bigint;
  problems text;
  message text;
BEGIN
  PERFORM steep_repl._this_node();
  -- Of two calls at once the second sees what the first asked for.
  PERFORM pg_advisory_xact_lock(hashtextextended('steep_repl start_node', 0));
  SELECT i.id INTO id FROM steep_repl.initialisations i WHERE i.kind = 'node' AND i.state IN ('waiting', 'running') ORDER BY i.id DESC LIMIT 1;
  IF id IS NOT NULL THEN
    RETURN id;
  END IF;
  PERFORM steep_repl._refuse('SR045', 'this node cannot be started', ARRAY(SELECT steep_repl._start_options_problems(method, path, parallel)), 'For example: start_node(…, method => ''snapshot'', path => ''/backup/monday'')');
  IF method = 'snapshot' THEN
    PERFORM steep_repl._may_use_files('start_node', 'pg_read_server_files');
    path := steep_repl._snapshot_path(path);
  END IF;
  SELECT string_agg(format('%s. %s', c.problem, c.remedy), E'\n') INTO problems FROM steep_repl.check_start(source_conninfo, own_conninfo, path) c;
  IF problems IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'SR045', MESSAGE = 'this node cannot be started', DETAIL = problems, HINT = 'All problems are listed; nothing has been changed.';
  END IF;
  INSERT INTO steep_repl.initialisations (kind, source_conninfo, own_conninfo, method, snapshot_path, preparation, parallel, role)
  VALUES ('node', source_conninfo, own_conninfo, method, path, (steep_repl._snapshot_manifest(path)->'replication'->>'preparation')::uuid, parallel, steep_repl._outer_role())
    RETURNING initialisations.id INTO id;
  PERFORM steep_repl._audit('node.start', 'node', steep_repl.node_id(), NULL, jsonb_build_object('initialisation', id, 'method', method, 'path', path));
  PERFORM steep_repl._wake_worker();
  RETURN id;
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS message = MESSAGE_TEXT;
  PERFORM steep_repl._audit_failure('node.start', 'node', steep_repl.node_id(), message);
  RAISE;
END $$;
COMMENT ON FUNCTION steep_repl.start_node(text, text, text, text, integer) IS
  'Initialises this node from a source and links it with every member, both ways; the worker does it after the commit, see start_progress(). method direct copies from the source; snapshot loads a snapshot of it, which was taken with a preparation (prepare_node()) and lies in path on this server, with parallel streams and the rights of the caller. Again: goes on, or changes nothing. Definer: links are the extension''s. Errors: SR001, SR045.';

CREATE OR REPLACE FUNCTION steep_repl.cancel_start(id bigint) RETURNS text
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  job steep_repl.initialisations := steep_repl._init_cancel(id, 'node');
BEGIN
  UPDATE steep_repl.initialisation_tables t SET state = 'failed', reason = coalesce(t.reason, 'cancelled') WHERE t.id = cancel_start.id AND t.state <> 'complete';
  PERFORM steep_repl.cancel_work(q.id) FROM steep_repl.work_queue q WHERE q.id = job.work_id
     AND (q.state IN ('pending', 'running') OR q.state IN ('failed', 'complete') AND EXISTS (SELECT 1 FROM steep_repl.loaded_pieces p WHERE p.work_id = q.id));
  PERFORM steep_repl._init_end(id);
  PERFORM steep_repl._audit('node.start_cancelled', 'node', steep_repl.node_id(), NULL, jsonb_build_object('initialisation', id));
  RETURN 'cancelled';
END $$;
COMMENT ON FUNCTION steep_repl.cancel_start(bigint) IS
  'Ends a start of this node. Tables that have been taken over stay and replicate; the rest is as it was, and start_node() goes on from there. To give up, unregister this node on the others. Definer: ends the process. Errors: SR118.';

CREATE OR REPLACE FUNCTION steep_repl.start_progress() RETURNS TABLE (
  id bigint, kind text, state text, phase text, percent numeric, current_table text, tables_done bigint, tables_total bigint,
  rows_done bigint, rows_total bigint, bytes_done bigint, bytes_total bigint, bytes_per_second bigint, seconds_left bigint,
  started_at timestamptz, finished_at timestamptz, streams jsonb, error text, source text)
  LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT p.id, p.kind, p.state, p.phase, p.percent, p.current_table, p.tables_done, p.tables_total, p.rows_done, p.rows_total, p.bytes_done, p.bytes_total,
         p.bytes_per_second, p.seconds_left, p.started_at, p.finished_at, p.streams, p.error, p.source
    FROM steep_repl._init_progress('start', NULL) p;
END;
COMMENT ON FUNCTION steep_repl.start_progress() IS 'How far the starts of this node are, the latest first: the columns of work_progress(), and the node that it is filled from. Definer: reads the extension''s tables.';

CREATE OR REPLACE FUNCTION steep_repl._invite(identity jsonb, conninfo text) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  -- Its links are paused for that, and another one would have no place in what is loaded.
  IF EXISTS (SELECT 1 FROM steep_repl.initialisations i WHERE i.kind = 'node' AND i.method = 'snapshot' AND i.state IN ('waiting', 'running') AND i.work_id IS NOT NULL)
     AND NOT EXISTS (SELECT 1 FROM steep_repl.links l WHERE l.peer = identity->>'node_id') THEN
    RAISE EXCEPTION USING ERRCODE = 'SR018', MESSAGE = format('%s is being filled from a snapshot: a further node can be started when that is complete', steep_repl.node_id()),
      HINT = 'It tries again by itself for half a minute; then start_node again.';
  END IF;
  PERFORM steep_repl.register_node(identity->>'node_id', identity->>'node_name', identity->>'host', (identity->>'port')::int,
                                   (identity->>'priority')::int, identity->>'dbname', _invite.conninfo);
  IF NOT EXISTS (SELECT 1 FROM steep_repl.links l WHERE l.peer = identity->>'node_id' AND l.wanted <> 'remove') THEN
    PERFORM steep_repl.subscribe(identity->>'node_id', _invite.conninfo, false);
  END IF;
END $$;
COMMENT ON FUNCTION steep_repl._invite(jsonb, text) IS 'A new node asks this one to receive from it. Errors: SR018 while this one is being filled itself.';
