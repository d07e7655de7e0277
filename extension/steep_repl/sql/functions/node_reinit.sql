-- Taking tables of this node anew from a peer: their rows here are thrown away. The take-over itself is that of initialise.sql.

CREATE OR REPLACE FUNCTION steep_repl._reinit_chosen(tables text[], schema text)
  RETURNS TABLE (relation oid, table_schema name, table_name name, strategy text, before_images boolean)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT k.* FROM (
    SELECT t.relation, t.table_schema, t.table_name, t.strategy, t.before_images FROM steep_repl.tables t
    UNION ALL
    -- Those that have been emptied before, and could not be taken over.
    SELECT c.oid, l.table_schema, l.table_name, l.strategy, l.before_images
      FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid AND NOT c.relispartition JOIN pg_namespace n ON n.oid = c.relnamespace
     CROSS JOIN LATERAL (SELECT x.* FROM steep_repl.initialisation_tables x WHERE x.table_schema = n.nspname AND x.table_name = c.relname ORDER BY x.id DESC LIMIT 1) l
     WHERE g.tgname = '!steep_repl_reinit' AND NOT EXISTS (SELECT 1 FROM steep_repl.tables t WHERE t.relation = c.oid)) k
   WHERE (_reinit_chosen.schema IS NULL OR k.table_schema = _reinit_chosen.schema)
     AND (_reinit_chosen.tables IS NULL
          OR EXISTS (SELECT 1 FROM (SELECT steep_repl._table_name(w) AS name FROM unnest(_reinit_chosen.tables) w) u
                      WHERE u.name[cardinality(u.name)] = k.table_name AND (cardinality(u.name) = 1 OR u.name[1] = k.table_schema)));
END;
COMMENT ON FUNCTION steep_repl._reinit_chosen(text[], text) IS 'The tables that a call means: all that replicate, those of a schema, or those named.';

CREATE OR REPLACE FUNCTION steep_repl._reinit_source_problems(source text, OUT peer text, OUT conninfo text, OUT problems jsonb)
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  link steep_repl.links;
  running steep_repl.initialisations;
  no_worker text := steep_repl._worker_missing();
BEGIN
  problems := '[]';
  SELECT * INTO running FROM steep_repl.initialisations i WHERE i.state IN ('waiting', 'running') ORDER BY i.id LIMIT 1;
  IF FOUND THEN
    problems := problems || jsonb_build_object('problem', format('another take-over is under way (initialisation %s: %s)', running.id, running.phase), 'remedy', 'Wait until it has ended');
  END IF;
  IF no_worker IS NOT NULL THEN
    problems := problems || jsonb_build_object('problem', no_worker, 'remedy', 'health() says more');
  END IF;
  BEGIN
    peer := steep_repl._resolve_peer(source);
  EXCEPTION WHEN OTHERS THEN
    problems := problems || jsonb_build_object('problem', SQLERRM, 'remedy', 'Name a node with which this one is linked');
    RETURN;
  END;
  SELECT * INTO link FROM steep_repl.links l WHERE l.peer = _reinit_source_problems.peer;
  IF link.subscription IS NULL OR link.wanted = 'remove' THEN
    problems := problems || jsonb_build_object('problem', format('the link with %s is not there (%s)', peer, coalesce(link.last_error, link.state)), 'remedy', 'subscription_status() shows it');
  END IF;
  IF NOT EXISTS (SELECT 1 FROM pg_replication_slots s WHERE s.slot_name = steep_repl._link_name(peer, steep_repl.node_id())) THEN
    problems := problems || jsonb_build_object('problem', format('%s does not receive from this node: what was written here would be gone', peer), 'remedy', format('subscribe, on %s', peer));
  END IF;
  conninfo := link.conninfo;
END $$;
COMMENT ON FUNCTION steep_repl._reinit_source_problems(text) IS 'The source of tables that are to be taken anew, and what speaks against it as such.';

CREATE OR REPLACE FUNCTION steep_repl._reinit_problems(source text, tables text[], schema text) RETURNS TABLE (relation oid, problem text, remedy text)
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  me text := steep_repl.node_id();
  given record;
  chosen jsonb := (SELECT jsonb_agg(to_jsonb(c)) FROM steep_repl._reinit_chosen(tables, schema) c);
  theirs record;
  mine jsonb;
BEGIN
  SELECT * INTO given FROM steep_repl._reinit_source_problems(source);
  RETURN QUERY SELECT NULL::oid, p->>'problem', p->>'remedy' FROM jsonb_array_elements(given.problems) p;
  RETURN QUERY SELECT NULL::oid, format('%s is no replicated table here', (SELECT string_agg(quote_ident(n), '.') FROM unnest(steep_repl._table_name(w)) n)), 'replicated_tables() lists those that are'
                 FROM unnest(tables) w WHERE NOT EXISTS (SELECT 1 FROM steep_repl._reinit_chosen(ARRAY[w], schema));
  IF chosen IS NULL THEN
    RETURN QUERY SELECT NULL::oid, 'no table here replicates' || coalesce(' in schema ' || quote_ident(schema), ''), 'replicated_tables() lists those that do' WHERE coalesce(cardinality(tables), 0) = 0;
    RETURN;
  END IF;
  RETURN QUERY SELECT c.oid, 'it belongs to ' || pg_get_userbyid(c.relowner), 'Only its owner may throw its rows away'
                 FROM jsonb_array_elements(chosen) t JOIN pg_class c ON c.oid = (t->>'relation')::oid WHERE NOT pg_has_role(session_user, c.relowner, 'MEMBER');
  RETURN QUERY SELECT p.* FROM steep_repl._emptying_problems(ARRAY(SELECT (t->>'relation')::oid FROM jsonb_array_elements(chosen) t)) p;
  IF given.conninfo IS NULL THEN
    RETURN;
  END IF;
  BEGIN
    FOR theirs IN SELECT (r::jsonb->>'relation')::oid AS relation, r::jsonb->'described' AS described, r::jsonb->'ranges' AS ranges
                    FROM steep_repl._peer_rows_within(given.conninfo, format(
        'SELECT pg_catalog.jsonb_build_object(''relation'', t->>''relation'', ''ranges'', steep_repl._range_facts(t->>''table_schema'', t->>''table_name''),
           ''described'', steep_repl._describe_table(t->>''table_schema'', t->>''table_name'', (t->>''before_images'')::boolean))::text
         FROM pg_catalog.jsonb_array_elements(%L) t', chosen), 60) r LOOP
      mine := steep_repl._columns(theirs.relation);
      IF NOT coalesce((theirs.described->>'joined')::boolean, false) THEN
        RETURN QUERY SELECT theirs.relation, format('%s does not replicate it', given.peer), 'Name a node that does';
        CONTINUE;
      END IF;
      RETURN QUERY SELECT theirs.relation, format('%s: %s', given.peer, p), 'Put that right there' FROM jsonb_array_elements_text(theirs.described->'problems') p;
      RETURN QUERY SELECT theirs.relation, format('other columns than on %s: %s', given.peer, steep_repl._column_problem(mine, theirs.described->'columns', me, given.peer)), 'Make both the same'
                    WHERE mine <> theirs.described->'columns';
      RETURN QUERY SELECT theirs.relation, format('its ids go in ranges here, begun apart from those of %s', given.peer), 'set_ranges(…, enabled => false), and ranges as of one node'
                     FROM steep_repl.range_tables t JOIN steep_repl.range_sequences s USING (sequence) WHERE t.relation = theirs.relation AND s.line <> (theirs.ranges->>'line')::uuid;
    END LOOP;
  EXCEPTION WHEN OTHERS THEN
    RETURN QUERY SELECT NULL::oid, format('%s cannot be asked: %s', given.peer, SQLERRM), 'It must answer until the tables are taken over';
  END;
END $$;
COMMENT ON FUNCTION steep_repl._reinit_problems(text, text[], text) IS 'All that speaks against taking tables anew; relation NULL: of no table in particular.';

CREATE OR REPLACE FUNCTION steep_repl.check_reinit(source text, tables text[] DEFAULT NULL, schema text DEFAULT NULL)
  RETURNS TABLE (table_schema text, table_name text, row_count bigint, problem text, remedy text)
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '10s' AS $$
#variable_conflict use_column
DECLARE
  chosen record;
BEGIN
  PERFORM steep_repl._this_node();
  FOR chosen IN SELECT * FROM steep_repl._reinit_chosen(tables, schema) c ORDER BY c.table_schema, c.table_name LOOP
    table_schema := chosen.table_schema;
    table_name := chosen.table_name;
    EXECUTE format('SELECT count(*) FROM %s', steep_repl._source_of(chosen.relation)) INTO row_count;
    RETURN NEXT;
  END LOOP;
  RETURN QUERY SELECT n.nspname::text, c.relname::text, NULL::bigint, p.problem, p.remedy FROM steep_repl._reinit_problems(source, tables, schema) p
                 LEFT JOIN pg_class c ON c.oid = p.relation LEFT JOIN pg_namespace n ON n.oid = c.relnamespace;
END $$;
COMMENT ON FUNCTION steep_repl.check_reinit(text, text[], text) IS
  'What reinit_tables() would do: a row for each table, with how many rows this node would throw away; then a row for each problem, all that there are. Definer: counts the rows. Errors: SR001, SR052, 55P03 somebody keeps even readers out.';

CREATE OR REPLACE FUNCTION steep_repl.reinit_tables(source text, tables text[] DEFAULT NULL, schema text DEFAULT NULL) RETURNS bigint
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '10s' AS $$
#variable_conflict use_variable
DECLARE
  id bigint;
  peer text;
  message text;
BEGIN
  PERFORM steep_repl._this_node();
  -- Of two calls at once the second sees what the first asked for.
  PERFORM pg_advisory_xact_lock(hashtextextended('steep_repl reinit_tables', 0));
  SELECT i.id INTO id FROM steep_repl.initialisations i
   WHERE i.kind = 'reinit' AND i.state IN ('waiting', 'running') AND EXISTS (SELECT 1 FROM steep_repl.links l WHERE l.peer = i.source AND source IN (l.peer, l.conninfo))
     AND (SELECT bool_and(EXISTS (SELECT 1 FROM steep_repl.initialisation_tables t WHERE t.id = i.id AND (t.table_schema, t.table_name) = (c.table_schema, c.table_name)))
            FROM steep_repl._reinit_chosen(tables, schema) c);
  IF id IS NOT NULL THEN
    RETURN id;
  END IF;
  PERFORM steep_repl._refuse('SR120', 'the tables cannot be taken anew',
    ARRAY(SELECT coalesce(p.relation::regclass::text || ': ', '') || p.problem || '. ' || p.remedy FROM steep_repl._reinit_problems(source, tables, schema) p), 'Nothing has been changed.');
  peer := steep_repl._resolve_peer(source);
  INSERT INTO steep_repl.initialisations (kind, source, source_conninfo) SELECT 'reinit', peer, l.conninfo FROM steep_repl.links l WHERE l.peer = peer
    RETURNING initialisations.id INTO id;
  -- Announced: as long as nothing has been emptied, a failure is nobody else's matter.
  INSERT INTO steep_repl.initialisation_tables (id, table_schema, table_name, strategy, before_images, state, announced)
    SELECT id, c.table_schema, c.table_name, c.strategy, c.before_images, 'wanted', true FROM steep_repl._reinit_chosen(tables, schema) c;
  PERFORM steep_repl._audit('node.reinit', 'node', steep_repl.node_id(), NULL, jsonb_build_object('initialisation', id, 'source', peer,
    'tables', (SELECT jsonb_agg(format('%I.%I', t.table_schema, t.table_name) ORDER BY 1) FROM steep_repl.initialisation_tables t WHERE t.id = id)));
  PERFORM steep_repl._wake_worker();
  RETURN id;
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS message = MESSAGE_TEXT;
  PERFORM steep_repl._audit_failure('node.reinit', 'node', steep_repl.node_id(), message);
  RAISE;
END $$;
COMMENT ON FUNCTION steep_repl.reinit_tables(text, text[], text) IS
  'Throws away the rows that this node holds of tables, all that replicate, those named (t or schema.t) or those of a schema, and takes the tables anew from a peer; no other node loses a row. The worker does it after the commit, see reinit_progress(); until a table is there it takes no writes here. Again: goes on with the same. Owners of the tables only. Definer: writes the extension''s tables. Errors: SR001, SR052, SR120 with all problems.';

CREATE OR REPLACE FUNCTION steep_repl.reinit_progress() RETURNS TABLE (
  id bigint, kind text, state text, phase text, percent numeric, current_table text, tables_done bigint, tables_total bigint,
  rows_done bigint, rows_total bigint, bytes_done bigint, bytes_total bigint, bytes_per_second bigint, seconds_left bigint,
  started_at timestamptz, finished_at timestamptz, streams jsonb, error text, source text, emptied boolean)
  LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT * FROM steep_repl._init_progress('reinit', NULL);
END;
COMMENT ON FUNCTION steep_repl.reinit_progress() IS 'How far the take-overs are that reinit_tables() asked for, the latest first: the columns of work_progress(), the peer, and whether the rows of this node are gone already. Definer: reads the extension''s tables.';

CREATE OR REPLACE FUNCTION steep_repl.cancel_reinit(id bigint, OUT state text, OUT closed text[])
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  job steep_repl.initialisations := steep_repl._init_cancel(id, 'reinit');
  actor text := steep_repl._actor();
BEGIN
  IF NOT EXISTS (SELECT 1 FROM steep_repl.initialisation_tables t WHERE t.id = cancel_reinit.id AND t.state <> 'complete') THEN
    RAISE EXCEPTION USING ERRCODE = 'SR123', MESSAGE = format('reinit %s has taken all its tables anew', id), HINT = 'There is nothing left to cancel.';
  END IF;
  -- By the trigger, not by what this one has done: an earlier one may have emptied them.
  closed := ARRAY(SELECT format('%I.%I', t.table_schema, t.table_name) FROM steep_repl.initialisation_tables t
                    JOIN pg_namespace n ON n.nspname = t.table_schema JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = t.table_name
                    JOIN pg_trigger g ON g.tgrelid = c.oid AND g.tgname = '!steep_repl_reinit'
                   WHERE t.id = cancel_reinit.id AND t.state <> 'complete' ORDER BY 1);
  UPDATE steep_repl.initialisation_tables t SET state = 'failed', reason = format('cancelled by %s', actor)
      || CASE WHEN format('%I.%I', t.table_schema, t.table_name) = ANY (closed)
              THEN format(': it is empty on %s, and takes no writes there, until reinit_tables() has taken it anew', steep_repl.node_id()) ELSE '' END
   WHERE t.id = cancel_reinit.id AND t.state <> 'complete';
  IF closed <> '{}' THEN
    UPDATE steep_repl.initialisations i SET error = format('%s; empty here, and without writes, until reinit_tables() has taken them anew: %s', i.error, array_to_string(closed, ', '))
     WHERE i.id = cancel_reinit.id;
  END IF;
  -- Those that have been taken anew are done with.
  PERFORM steep_repl._advance_sequences(k.relation::regclass) FROM steep_repl.initialisation_tables t
     JOIN steep_repl.tables k ON k.table_schema = t.table_schema AND k.table_name = t.table_name
    WHERE t.id = cancel_reinit.id AND t.state = 'complete';
  PERFORM steep_repl._reinit_finish(id);
  PERFORM steep_repl._init_end(id);
  PERFORM steep_repl._audit('node.reinit_cancelled', 'node', steep_repl.node_id(), NULL, jsonb_build_object('initialisation', id, 'source', job.source, 'closed', closed));
  state := 'cancelled';
END $$;
COMMENT ON FUNCTION steep_repl.cancel_reinit(bigint) IS
  'Ends what reinit_tables() began; what is being copied ends at once. Tables that still held their rows replicate on, and those that were taken anew already stay. closed: those that were emptied and are not there again. Their rows are gone here, nowhere else, and they take no writes until reinit_tables() has taken them anew. Definer: ends the process. Errors: SR123.';
