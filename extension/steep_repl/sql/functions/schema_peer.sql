-- Schemas: asking a peer for its own.

CREATE OR REPLACE FUNCTION steep_repl._conninfo_for(peer text) RETURNS text
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  node steep_repl.nodes;
  conninfo text;
BEGIN
  SELECT * INTO node FROM steep_repl.nodes n WHERE n.node_id = peer AND n.status <> 'removed';
  IF NOT FOUND AND peer ~ '=|^postgres(ql)?://' THEN
    PERFORM steep_repl._check_conninfo(peer);
    RETURN peer;
  ELSIF node.node_id IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'SR004', MESSAGE = format('node %s is not known here', coalesce(peer, 'without an id')),
      HINT = format('SELECT steep_repl.register_node(%L, …), or name the peer by a connection string.', peer);
  ELSIF peer = steep_repl.node_id() THEN
    RAISE EXCEPTION USING ERRCODE = 'SR006', MESSAGE = format('%s is this node itself', peer), HINT = 'Name a peer.';
  END IF;
  -- That of a link was checked when the link was asked for.
  SELECT l.conninfo INTO conninfo FROM steep_repl.links l WHERE l.peer = _conninfo_for.peer AND l.wanted <> 'remove';
  IF NOT FOUND THEN
    conninfo := steep_repl._conninfo_of(node);
    PERFORM steep_repl._check_conninfo(conninfo, true, session_user, 'the connection string that is registered for ' || peer);
  END IF;
  RETURN conninfo;
END $$;
COMMENT ON FUNCTION steep_repl._conninfo_for(text) IS
  'How to connect to a peer that the session''s user names by its node id or by a connection string. Errors: SR004, SR006, SR017.';

CREATE OR REPLACE FUNCTION steep_repl._peer_schema(peer text, wanted text, p_schema text, p_table text) RETURNS jsonb
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  by_id boolean := EXISTS (SELECT 1 FROM steep_repl.nodes n WHERE n.node_id = peer AND n.status <> 'removed');
  name text := CASE WHEN by_id THEN 'node ' || peer ELSE 'the peer' END;
  conninfo text;
  basics jsonb;
  answer jsonb;
  message text;
BEGIN
  BEGIN
    conninfo := steep_repl._conninfo_for(peer);
    -- Nothing of steep_repl is named here but as text: the peer may not have it.
    basics := steep_repl._peer_value(conninfo, $q$
      SELECT pg_catalog.jsonb_build_object('number', current_setting('server_version_num')::int, 'server', current_setting('server_version'),
        'database', current_database(), 'role', current_user,
        'extension', (SELECT e.extversion FROM pg_catalog.pg_extension e WHERE e.extname = 'steep_repl'),
        'known', EXISTS (SELECT 1 FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
                          WHERE n.nspname = 'steep_repl' AND p.proname = 'schema_definitions'),
        'allowed', EXISTS (SELECT 1 FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
                            WHERE n.nspname = 'steep_repl' AND p.proname = 'schema_definitions'
                              AND pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND pg_catalog.has_function_privilege(p.oid, 'EXECUTE')))::text $q$);
  EXCEPTION WHEN sqlclient_unable_to_establish_sqlconnection THEN
    GET STACKED DIAGNOSTICS message = MESSAGE_TEXT;
    RAISE EXCEPTION USING ERRCODE = 'SR090', MESSAGE = format('%s cannot be reached', name), DETAIL = message,
      HINT = 'Check that it runs, and host, port and pg_hba.conf there. It is this node''s server that connects.';
  END;
  IF (basics->>'number')::int < 180000 THEN
    RAISE EXCEPTION USING ERRCODE = 'SR021', MESSAGE = format('%s runs PostgreSQL %s', name, basics->>'server'),
      DETAIL = format('Its database is %s.', basics->>'database'), HINT = 'steep_repl requires PostgreSQL 18 or newer on every node.';
  ELSIF basics->>'extension' IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'SR022', MESSAGE = format('%s does not have the extension', name),
      DETAIL = format('Its database is %s.', basics->>'database'), HINT = 'CREATE EXTENSION steep_repl there.';
  ELSIF NOT (basics->>'known')::boolean THEN
    RAISE EXCEPTION USING ERRCODE = 'SR091', MESSAGE = format('%s has no fingerprints yet', name),
      DETAIL = format('Its database %s has steep_repl %s, this one %s.', basics->>'database', basics->>'extension', steep_repl.version()),
      HINT = 'ALTER EXTENSION steep_repl UPDATE there.';
  ELSIF NOT (basics->>'allowed')::boolean THEN
    RAISE EXCEPTION USING ERRCODE = 'SR092', MESSAGE = format('role %s may not ask %s for its schema', basics->>'role', name),
      DETAIL = format('Its database is %s.', basics->>'database'), HINT = format('GRANT steep_repl_viewer TO %I, there.', basics->>'role');
  END IF;
  answer := steep_repl._peer_value(conninfo, format(
    'SELECT pg_catalog.jsonb_build_object(''node_id'', steep_repl.node_id(), ''tables'', (SELECT %s FROM steep_repl.schema_definitions(%L, %L) d))::text',
    wanted, p_schema, p_table), 120)::jsonb;
  IF by_id AND answer->>'node_id' IS DISTINCT FROM peer THEN
    RAISE EXCEPTION USING ERRCODE = 'SR024', MESSAGE = format('%s answers where %s was expected', coalesce('node ' || (answer->>'node_id'), 'no node'), peer),
      HINT = 'Correct host and port with steep_repl.register_node.';
  END IF;
  RETURN answer || jsonb_build_object('node_id', coalesce(answer->>'node_id', 'the peer'), 'tables', coalesce(nullif(answer->'tables', 'null'), '[]'));
END $$;
COMMENT ON FUNCTION steep_repl._peer_schema(text, text, text, text) IS
  'What a peer answers of its tables: node_id, and as tables that aggregate of schema_definitions(). Errors: SR004, SR006, SR017, SR021, SR022, SR024, SR090 to SR092.';
