-- What speaks against making a copy of a node a node of its own: all of it at once, before anything is changed.

CREATE OR REPLACE FUNCTION steep_repl._complete_problems_here(node_id text, node_name text, host text, port integer, priority integer, preparation uuid) RETURNS SETOF text
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT format('the node id %s is that of the node that this is a copy of', node_id) WHERE _complete_problems_here.node_id = steep_repl.node_id()
  UNION ALL SELECT format('the node id %s is taken', n.node_id) FROM steep_repl.nodes n WHERE n.node_id = _complete_problems_here.node_id AND n.status <> 'removed' AND n.node_id <> steep_repl.node_id()
  UNION ALL SELECT p FROM steep_repl._node_problems(node_id, node_name, host, port, priority, current_database()) p
  UNION ALL SELECT format('there is no preparation %s in the copy', preparation) WHERE NOT EXISTS (SELECT 1 FROM steep_repl.preparations p WHERE p.id = preparation AND p.members IS NOT NULL)
  UNION ALL SELECT 'the server is still in recovery: promote it' WHERE pg_is_in_recovery()
  UNION ALL SELECT w FROM steep_repl._worker_missing() w WHERE w IS NOT NULL
  UNION ALL SELECT 'the worker has not yet noted where the copy ends: try again in a second' WHERE (steep_repl._worker_state()->>'running')::boolean AND NOT EXISTS (SELECT 1 FROM steep_repl.copy_ends)
  UNION ALL SELECT 'where the copy ends cannot be told: it did not come from an online backup (with backup_label), was promoted from a standby, or was started again before the worker had noted it. Restore the backup once more, with steep_repl in shared_preload_libraries'
     FROM steep_repl.copy_ends e WHERE e.replayed_lsn IS NULL
  UNION ALL SELECT format('transaction %s is prepared in the copy: ROLLBACK PREPARED %L here; when the source commits it, it comes through the stream', x.gid, x.gid) FROM pg_prepared_xacts x WHERE x.database = current_database()
  -- No slot can be made before it ends.
  UNION ALL SELECT format('transaction %s is prepared in database %s of this server: end it there', x.gid, x.database) FROM pg_prepared_xacts x WHERE x.database <> current_database()
  UNION ALL SELECT format('tables were being taken over from %s when the copy was made: make another one', i.source) FROM steep_repl.initialisations i WHERE i.state IN ('waiting', 'running')
  UNION ALL SELECT format('setting %s is %s: %s; set it to %s', s.name, s.current, s.problem, s.wanted)
    FROM steep_repl.check_settings((SELECT count(*)::int + 1 FROM steep_repl.links l WHERE l.wanted <> 'remove')) s;
END;
COMMENT ON FUNCTION steep_repl._complete_problems_here(text, text, text, integer, integer, uuid) IS 'What speaks against completing this copy, as far as it can be seen here.';

CREATE OR REPLACE FUNCTION steep_repl._complete_problems_at(member text, conninfo text, node_id text, host text, port integer, own_conninfo text, preparation uuid) RETURNS SETOF text
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  identity jsonb;
  known uuid := (SELECT n.node_uid FROM steep_repl.nodes n WHERE n.node_id = member);
BEGIN
  identity := steep_repl._peer_identity(conninfo);
  IF identity->>'node_id' IS DISTINCT FROM member OR identity->>'node_uid' <> known::text THEN
    RETURN NEXT format('at the connection string of %s answers %s', member,
      CASE WHEN identity->>'node_id' = member THEN 'another database of that node id' ELSE coalesce('node ' || (identity->>'node_id'), 'no node') END);
    RETURN;
  ELSIF identity->>'server' = steep_repl._this_server() THEN
    RETURN NEXT format('at the connection string of %s answers this server itself', member);
    RETURN;
  END IF;
  -- As if it were a stranger: a copy has the identity of its original.
  RETURN QUERY SELECT format('%s: %s. %s', member, c.problem, c.remedy)
    FROM steep_repl._check_pair(identity || jsonb_build_object('node_uid', gen_random_uuid(), 'node_id', member || ' ', 'settings', '[]'::jsonb, 'range_lines', '{}'::jsonb)) c
   WHERE c.problem NOT LIKE 'setting %';
  RETURN QUERY SELECT format('setting %s is %s on %s: %s; set it to %s there', s->>'name', s->>'current', member, s->>'problem', s->>'wanted') FROM jsonb_array_elements(identity->'settings') s;
  IF member <> steep_repl.node_id() AND steep_repl._peer_value(conninfo, format($q$SELECT pg_catalog.count(*)::text FROM steep_repl.preparations() p
       WHERE p.id = %L AND p.state = 'ready' AND p.expires_at > pg_catalog.clock_timestamp()$q$, preparation)) = '0' THEN
    RETURN NEXT format('%s does not keep its stream for preparation %s any more', member, preparation);
  END IF;
  -- An attempt that came to no end may have left its entry.
  IF steep_repl._peer_value(conninfo, format($q$SELECT pg_catalog.count(*)::text FROM steep_repl.nodes n WHERE n.node_id = %L AND n.status <> 'removed'
       AND (n.node_uid IS NOT NULL OR (n.host, n.port, n.dbname) IS DISTINCT FROM (%L, %s, %L))$q$, node_id, host, port, current_database())) <> '0' THEN
    RETURN NEXT format('the node id %s is taken on %s', node_id, member);
  END IF;
  BEGIN
    IF steep_repl._peer_value(conninfo, format('SELECT steep_repl._peer_identity(%L)->>''server''', own_conninfo)) IS DISTINCT FROM steep_repl._this_server() THEN
      RETURN NEXT format('at the connection string of this server %s finds another one', member);
    END IF;
  EXCEPTION WHEN OTHERS THEN
    RETURN NEXT format('%s cannot connect to this server: %s', member, SQLERRM);
  END;
EXCEPTION WHEN OTHERS THEN
  RETURN NEXT format('%s: %s', member, SQLERRM);
END $$;
COMMENT ON FUNCTION steep_repl._complete_problems_at(text, text, text, text, integer, text, uuid) IS 'What speaks against completing this copy at one of the nodes that it is to be linked with.';

CREATE OR REPLACE FUNCTION steep_repl._complete_members(source_conninfo text) RETURNS TABLE (member text, conninfo text, entry jsonb)
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT m->>'node_id', CASE WHEN m ? 'self' THEN source_conninfo ELSE m->>'conninfo' END, m
    FROM jsonb_array_elements(steep_repl._peer_value(source_conninfo, 'SELECT steep_repl._members()::text')::jsonb) m;
END;
COMMENT ON FUNCTION steep_repl._complete_members(text) IS 'The source and all that it receives from now, with how to connect.';

CREATE OR REPLACE FUNCTION steep_repl._complete_problems(node_id text, source_conninfo text, own_conninfo text, node_name text, host text, port integer, priority integer, preparation uuid) RETURNS SETOF text
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  asked record;
  problem text;
  sound boolean := true;
BEGIN
  IF steep_repl._copied() IS NULL THEN
    RETURN NEXT CASE WHEN EXISTS (SELECT 1 FROM steep_repl.preparations p WHERE p.members IS NOT NULL)
      THEN format('this is node %s itself, not a copy of it, or the files of its slots were copied as well: then empty pg_replslot before the first start of the copy', steep_repl.node_id())
      ELSE format('no preparation of node %s is in this database: a copy must be begun after prepare_node() has returned there, and be completed before that expires', steep_repl.node_id()) END;
    RETURN;
  END IF;
  RETURN QUERY SELECT * FROM steep_repl._complete_problems_here(node_id, node_name, host, port, priority, preparation);
  FOR problem IN SELECT p FROM steep_repl._complete_problems_at(steep_repl.node_id(), source_conninfo, node_id, host, port, own_conninfo, preparation) p LOOP
    sound := false;
    RETURN NEXT problem;
  END LOOP;
  IF NOT sound THEN
    RETURN;
  END IF;
  RETURN QUERY SELECT p FROM steep_repl.preparations k CROSS JOIN LATERAL jsonb_array_elements_text(steep_repl._peer_value(source_conninfo, format('SELECT steep_repl._copy_problems(%L, %L, %L)::text',
      preparation, ARRAY(SELECT jsonb_object_keys(k.members)),
      (SELECT coalesce(jsonb_agg(jsonb_build_object('schema', t.table_schema, 'table', t.table_name, 'joined_at', t.joined_at)), '[]') FROM steep_repl.tables t)))::jsonb) p
     WHERE k.id = preparation;
  FOR asked IN SELECT * FROM steep_repl._complete_members(source_conninfo) m WHERE m.member <> steep_repl.node_id() LOOP
    PERFORM steep_repl._check_conninfo(asked.conninfo, true, session_user, format('the connection string that the source has for %s', asked.member));
    RETURN QUERY SELECT p FROM steep_repl._complete_problems_at(asked.member, asked.conninfo, node_id, host, port, own_conninfo, preparation) p;
  END LOOP;
END $$;
COMMENT ON FUNCTION steep_repl._complete_problems(text, text, text, text, text, integer, integer, uuid) IS 'All that speaks against making this copy a node of its own.';
