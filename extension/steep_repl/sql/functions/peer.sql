-- Questions between nodes.

CREATE OR REPLACE FUNCTION steep_repl._peer_value(conninfo text, query text, seconds integer DEFAULT 15) RETURNS text
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
  RETURN (SELECT r FROM steep_repl._peer_rows_within(
            -- The second limit is for a peer that does not even say that the first has passed.
            conninfo, format('SET statement_timeout = %s; SET lock_timeout = %s; ', seconds * 1000, seconds * 1000) || query, seconds + 5) r LIMIT 1);
COMMENT ON FUNCTION steep_repl._peer_value(text, text, integer) IS
  'The first row of a query with one text column on a peer; seconds is the limit for the query.';

CREATE OR REPLACE FUNCTION steep_repl._drop_idle_slot(slot name) RETURNS void
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT pg_drop_replication_slot(s.slot_name) FROM pg_replication_slots s WHERE s.slot_name = slot AND s.database = current_database() AND NOT s.active;
END;
COMMENT ON FUNCTION steep_repl._drop_idle_slot(name) IS 'Drops a slot of this database, when it is there and nobody receives from it. Another database of the server may hold nodes of the same ids.';

CREATE OR REPLACE FUNCTION steep_repl._drop_idle_slot_at(conninfo text, slot name, seconds integer DEFAULT 15) RETURNS void
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT steep_repl._peer_value(conninfo, format(
    'SELECT pg_catalog.pg_drop_replication_slot(slot_name)::text FROM pg_catalog.pg_replication_slots WHERE slot_name = %L AND database = pg_catalog.current_database() AND NOT active', slot), seconds);
END;
COMMENT ON FUNCTION steep_repl._drop_idle_slot_at(text, name, integer) IS 'The same on a peer, in plain SQL: it need not be a node any more.';

CREATE OR REPLACE FUNCTION steep_repl._check_conninfo(conninfo text, connect boolean DEFAULT true, who name DEFAULT session_user,
    what text DEFAULT 'this connection string') RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  problems text;
BEGIN
  -- The connection is made by the server: with its files, its sockets, and the identity of the user that runs it. What
  -- these open is for its superusers (CREATE SUBSCRIPTION has the same rule, password_required).
  IF (SELECT r.rolsuper FROM pg_roles r WHERE r.rolname = who) THEN
    RETURN;
  END IF;
  problems := steep_repl._conninfo_problems(conninfo);
  IF problems IS NULL AND connect THEN
    BEGIN
      PERFORM steep_repl._check_password_used(conninfo);
    EXCEPTION WHEN prohibited_sql_statement_attempted THEN
      problems := 'the peer lets this server in without asking for the password';
    END;
  END IF;
  IF problems IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'SR017', MESSAGE = format('%s may not use %s', who, what), DETAIL = problems,
      HINT = 'Give host, user and password of a role that the peer asks for its password, or let a superuser make the link.';
  END IF;
END $$;
COMMENT ON FUNCTION steep_repl._check_conninfo(text, boolean, name, text) IS 'Error SR017 when somebody, else the session''s user, is no superuser and a connection string would use the server''s own files or identity. connect: also try that the password is asked for.';

CREATE OR REPLACE FUNCTION steep_repl._this_server() RETURNS text
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
  RETURN md5(format('%s %s', extract(epoch FROM pg_postmaster_start_time()), current_setting('data_directory')));
COMMENT ON FUNCTION steep_repl._this_server() IS 'Tells two running servers apart that have the same identity. Definer: reads a setting.';

CREATE OR REPLACE FUNCTION steep_repl._identity() RETURNS jsonb
  LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT jsonb_build_object(
    'version', steep_repl.version(),
    'node_id', steep_repl.node_id(),
    'node_uid', (SELECT l.node_uid FROM steep_repl.local_node l),
    'node_name', (SELECT n.node_name FROM steep_repl.nodes n WHERE n.node_id = steep_repl.node_id()),
    'host', (SELECT n.host FROM steep_repl.nodes n WHERE n.node_id = steep_repl.node_id()),
    'port', (SELECT n.port FROM steep_repl.nodes n WHERE n.node_id = steep_repl.node_id()),
    'priority', (SELECT n.priority FROM steep_repl.nodes n WHERE n.node_id = steep_repl.node_id()),
    'dbname', current_database(),
    'system_identifier', (SELECT c.system_identifier::text FROM pg_control_system() c),
    'in_recovery', pg_is_in_recovery(),
    'server', steep_repl._this_server(),
    -- A node that was completed from a copy: its first receivers begin where it does.
    'kept', (SELECT i.preparation FROM steep_repl.initialisations i WHERE i.method = 'copy' AND i.state <> 'complete' ORDER BY i.id DESC LIMIT 1),
    'links', (SELECT count(*) FROM steep_repl.links k WHERE k.wanted <> 'remove'),
    'range_lines', (SELECT coalesce(jsonb_object_agg(format('%I.%I', n.nspname, c.relname), r.line), '{}') FROM steep_repl.range_tables t
                      JOIN steep_repl.range_sequences r USING (sequence) JOIN pg_class c ON c.oid = t.relation JOIN pg_namespace n ON n.oid = c.relnamespace
                     WHERE t.active),
    'settings', (SELECT coalesce(jsonb_agg(to_jsonb(s)), '[]')
                   FROM steep_repl.check_settings((SELECT count(*)::int + 1 FROM steep_repl.links k WHERE k.wanted <> 'remove')) s));
END;
COMMENT ON FUNCTION steep_repl._identity() IS 'What a peer must know of this node before it links. Definer: reads the registry.';

CREATE OR REPLACE FUNCTION steep_repl._peer_identity(conninfo text) RETURNS jsonb
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  basics jsonb;
BEGIN
  PERFORM steep_repl._check_conninfo(conninfo);
  basics := steep_repl._peer_value(conninfo, $q$
    SELECT jsonb_build_object('number', current_setting('server_version_num')::int, 'server', current_setting('server_version'),
      'database', current_database(), 'installed', EXISTS (SELECT 1 FROM pg_catalog.pg_extension WHERE extname = 'steep_repl'),
      'replication', (SELECT rolreplication OR rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user), 'role', current_user)::text $q$);
  IF (basics->>'number')::int < 180000 THEN
    RAISE EXCEPTION USING ERRCODE = 'SR021', MESSAGE = format('the peer runs PostgreSQL %s', basics->>'server'),
      HINT = 'steep_repl requires PostgreSQL 18 or newer on every node.';
  ELSIF NOT (basics->>'installed')::boolean THEN
    RAISE EXCEPTION USING ERRCODE = 'SR022', MESSAGE = format('database %s of the peer does not have the extension', basics->>'database'),
      HINT = 'CREATE EXTENSION steep_repl and SELECT steep_repl.create_node(…) there.';
  ELSIF NOT (basics->>'replication')::boolean THEN
    RAISE EXCEPTION USING ERRCODE = 'SR023', MESSAGE = format('role %s may not replicate from the peer', basics->>'role'),
      HINT = format('ALTER ROLE %I REPLICATION, on the peer.', basics->>'role');
  END IF;
  RETURN steep_repl._peer_value(conninfo, 'SELECT steep_repl._identity()::text')::jsonb;
END $$;
COMMENT ON FUNCTION steep_repl._peer_identity(text) IS 'Who answers at a connection string. Errors: SR021 too old, SR022 no extension, SR023 no right to replicate. Definer: connects.';

CREATE OR REPLACE FUNCTION steep_repl._check_pair(identity jsonb) RETURNS TABLE (problem text, remedy text)
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  mine jsonb := steep_repl._identity();
BEGIN
  IF identity->>'node_id' IS NULL THEN
    RETURN QUERY SELECT format('database %s of the peer is not a node', identity->>'dbname'), 'SELECT steep_repl.create_node(…) there.';
  ELSIF identity->>'node_uid' = mine->>'node_uid' THEN
    IF identity->>'system_identifier' = mine->>'system_identifier' AND identity->>'dbname' = mine->>'dbname' THEN
      RETURN QUERY SELECT format('the peer is this node itself, or a physical copy of it: both are node %s with one identity', identity->>'node_id'),
        'A physical copy must not run beside its original. Name another peer, or initialise the copy anew.';
    ELSE
      RETURN QUERY SELECT format('the peer is a copy of this node %s', identity->>'node_id'), 'Initialise the copy as a node of its own.';
    END IF;
  ELSIF identity->>'node_id' = mine->>'node_id' THEN
    RETURN QUERY SELECT format('the peer has the node id of this node, %s', identity->>'node_id'), 'Node ids are unique: give one of the two another id.';
  ELSIF EXISTS (SELECT 1 FROM steep_repl.nodes n WHERE n.node_id = identity->>'node_id' AND n.node_uid <> (identity->>'node_uid')::uuid
                   AND n.status <> 'removed') THEN
    RETURN QUERY SELECT format('another database than before answers as node %s', identity->>'node_id'),
      format('If the old one is gone for good, SELECT steep_repl.unregister_node(%L) first.', identity->>'node_id');
  END IF;
  IF (identity->>'in_recovery')::boolean THEN
    RETURN QUERY SELECT 'the peer is a standby', 'Link with its primary.';
  END IF;
  IF split_part(identity->>'version', '.', 1) <> split_part(mine->>'version', '.', 1) THEN
    RETURN QUERY SELECT format('the peer runs steep_repl %s, this node %s', identity->>'version', mine->>'version'), 'Install one version on both.';
  END IF;
  RETURN QUERY SELECT format('setting %s is %s on this node: %s', s->>'name', s->>'current', s->>'problem'),
                      format('%s = %s', s->>'name', s->>'wanted')
                 FROM jsonb_array_elements(mine->'settings') s
    UNION ALL SELECT format('setting %s is %s on the peer: %s', s->>'name', s->>'current', s->>'problem'),
                     format('%s = %s', s->>'name', s->>'wanted')
                FROM jsonb_array_elements(identity->'settings') s
    UNION ALL SELECT format('the ids of %s go in ranges on both nodes, begun apart: both hand out the same ones', here.key),
                     format('On the node whose rows are to give way: SELECT steep_repl.remove_table(%L); SELECT steep_repl.drop_ranges(%1$L); add it again once they are linked', here.key)
                FROM jsonb_each_text(mine->'range_lines') here JOIN jsonb_each_text(identity->'range_lines') there USING (key)
               WHERE here.value <> there.value;
END $$;
COMMENT ON FUNCTION steep_repl._check_pair(jsonb) IS 'All that speaks against a link with a peer of that identity.';
