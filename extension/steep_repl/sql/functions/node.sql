-- Nodes: this database's identity, and the registry.

CREATE OR REPLACE FUNCTION steep_repl.node_id() RETURNS text
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  -- A copy of the database made by CREATE DATABASE … TEMPLATE has another OID and is not the node.
  SELECT l.node_id FROM steep_repl.local_node l
   WHERE l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database());
END;
COMMENT ON FUNCTION steep_repl.node_id() IS 'The node id of this database, NULL when it is not a node.';

CREATE OR REPLACE FUNCTION steep_repl._this_node() RETURNS text
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF steep_repl.node_id() IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'SR001', MESSAGE = format('database %I is not a node', current_database()),
      HINT = 'SELECT steep_repl.create_node(''a'') makes it one.';
  END IF;
  RETURN steep_repl.node_id();
END $$;
COMMENT ON FUNCTION steep_repl._this_node() IS 'The node id of this database, or error SR001.';

CREATE OR REPLACE FUNCTION steep_repl._node_audit() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  -- What a node merely observes is not an action.
  observed constant text[] := ARRAY['last_seen', 'status'];
  before jsonb := CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) - '{conninfo,unanswered_until}'::text[] END;
  after jsonb := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) - '{conninfo,unanswered_until}'::text[] END;
BEGIN
  IF TG_OP = 'INSERT' THEN
    PERFORM steep_repl._audit('node.register', 'node', NEW.node_id, NULL, after);
  ELSIF TG_OP = 'DELETE' THEN
    PERFORM steep_repl._audit('node.delete', 'node', OLD.node_id, before, NULL);
  ELSIF NEW.status = 'removed' AND OLD.status <> 'removed' THEN
    PERFORM steep_repl._audit('node.unregister', 'node', NEW.node_id, before, after);
  ELSIF (before - observed) IS DISTINCT FROM (after - observed) OR OLD.status = 'removed' AND NEW.status <> 'removed' THEN
    PERFORM steep_repl._audit('node.change', 'node', NEW.node_id, before, after);
  END IF;
  RETURN NULL;
END $$;
COMMENT ON FUNCTION steep_repl._node_audit() IS 'Writes registration, change and removal of nodes into the audit log. Definer: the log is not the caller''s.';

CREATE OR REPLACE TRIGGER nodes_audit AFTER INSERT OR UPDATE OR DELETE ON steep_repl.nodes
  FOR EACH ROW EXECUTE FUNCTION steep_repl._node_audit();
ALTER TABLE steep_repl.nodes ENABLE ALWAYS TRIGGER nodes_audit;

CREATE OR REPLACE FUNCTION steep_repl._node_problems(
  node_id text, node_name text, host text, port integer, priority integer, dbname text
) RETURNS SETOF text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT 'the node id is empty or missing' WHERE coalesce(_node_problems.node_id, '') = ''
  UNION ALL SELECT 'the node id is longer than 252 bytes' WHERE octet_length(_node_problems.node_id) > 252
  UNION ALL SELECT 'the node name is empty' WHERE _node_problems.node_name = ''
  UNION ALL SELECT 'the host is empty or missing' WHERE coalesce(_node_problems.host, '') = ''
  UNION ALL SELECT 'the database name is empty or missing' WHERE coalesce(_node_problems.dbname, '') = ''
  UNION ALL SELECT format('port %s is not between 1 and 65535', _node_problems.port)
    WHERE _node_problems.port IS NULL OR _node_problems.port NOT BETWEEN 1 AND 65535
  UNION ALL SELECT format('priority %s is not between 0 and 1000', _node_problems.priority)
    WHERE _node_problems.priority IS NULL OR _node_problems.priority NOT BETWEEN 0 AND 1000
  UNION ALL SELECT format('%s:%s/%s is the address of node %s', n.host, n.port, n.dbname, n.node_id)
    FROM steep_repl.nodes n WHERE n.host = _node_problems.host AND n.port = _node_problems.port AND n.dbname = _node_problems.dbname
     AND n.status <> 'removed' AND n.node_id <> _node_problems.node_id;
END;
COMMENT ON FUNCTION steep_repl._node_problems(text, text, text, integer, integer, text) IS
  'All that is wrong with an entry of the registry. The constraints say the same, but their errors show the whole row, connection string included.';

CREATE OR REPLACE FUNCTION steep_repl._put_node(
  node_id text, node_name text, host text, port integer, priority integer, dbname text, conninfo text
) RETURNS steep_repl.nodes
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  problems text := (SELECT string_agg(p, E'\n') FROM steep_repl._node_problems(node_id, node_name, host, port, priority, dbname) p);
  node steep_repl.nodes;
BEGIN
  IF problems IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'SR007', MESSAGE = format('cannot register node %s', coalesce(nullif(node_id, ''), 'without an id')), DETAIL = problems,
      HINT = 'All problems are listed; nothing has been changed.';
  END IF;
  INSERT INTO steep_repl.nodes AS n (node_id, node_name, host, port, priority, dbname, conninfo)
  VALUES (node_id, coalesce(node_name, node_id), host, port, priority, dbname, conninfo)
  ON CONFLICT ON CONSTRAINT nodes_pkey DO UPDATE SET
    node_name = coalesce(_put_node.node_name, n.node_name), host = excluded.host, port = excluded.port,
    priority = excluded.priority, dbname = excluded.dbname, conninfo = coalesce(excluded.conninfo, n.conninfo),
    -- Whoever comes back under the id of a removed node may be another database.
    node_uid = CASE n.status WHEN 'removed' THEN NULL ELSE n.node_uid END,
    status = CASE n.status WHEN 'removed' THEN 'unknown' ELSE n.status END
  RETURNING * INTO node;
  RETURN node;
END $$;
COMMENT ON FUNCTION steep_repl._put_node(text, text, text, integer, integer, text, text) IS 'The one upsert of a node. Errors: SR007.';

CREATE OR REPLACE FUNCTION steep_repl._forget_dump() RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
DECLARE
  name name;
  one record;
BEGIN
  FOR one IN SELECT g.tgrelid::regclass AS relation, g.tgname FROM pg_trigger g WHERE g.tgname ~ '^[!~]steep_repl_' AND NOT g.tgisinternal AND g.tgparentid = 0 LOOP
    EXECUTE format('DROP TRIGGER %I ON %s', one.tgname, one.relation);
  END LOOP;
  PERFORM steep_repl._unguard_ids(c.conrelid) FROM pg_constraint c WHERE c.contype = 'c' AND c.conname LIKE 'steep\_range\_%' AND c.conrelid <> 0;
  FOR name IN SELECT s.subname FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid
               WHERE d.datname = current_database() AND s.subname LIKE 'steep\_repl\_%' AND s.subslotname IS NULL AND NOT s.subenabled LOOP
    EXECUTE format('DROP SUBSCRIPTION %I', name);
  END LOOP;
  DROP PUBLICATION IF EXISTS steep_repl;
  -- As the former node saw them.
  UPDATE steep_repl.nodes n SET status = 'unknown', is_coordinator = false WHERE n.status <> 'removed';
END $$;
COMMENT ON FUNCTION steep_repl._forget_dump() IS 'Takes away what a dump brings of the node that it was taken from: the triggers and constraints of its tables, its subscriptions, its publication, and what it saw of the others.';

CREATE OR REPLACE FUNCTION steep_repl._disarm_subscriptions() RETURNS event_trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  made record;
BEGIN
  FOR made IN SELECT s.subname FROM pg_event_trigger_ddl_commands() d JOIN pg_subscription s ON d.classid = 'pg_subscription'::regclass AND s.oid = d.objid
               WHERE s.subname LIKE 'steep\_repl\_%' AND s.subslotname IS NOT NULL AND NOT s.subenabled AND steep_repl.node_id() IS NULL LOOP
    EXECUTE format('ALTER SUBSCRIPTION %I SET (slot_name = NONE)', made.subname);
  END LOOP;
END $$;
COMMENT ON FUNCTION steep_repl._disarm_subscriptions() IS
  'Parts the subscriptions of a dump from their slots, which are those of the node that it was taken from: enabling one would take its stream away, dropping one its slot. Definer: whoever restores need not be a superuser.';
DROP EVENT TRIGGER IF EXISTS steep_repl_disarm;
CREATE EVENT TRIGGER steep_repl_disarm ON ddl_command_end WHEN TAG IN ('CREATE SUBSCRIPTION') EXECUTE FUNCTION steep_repl._disarm_subscriptions();

CREATE OR REPLACE FUNCTION steep_repl.create_node(
  node_id text, node_name text DEFAULT NULL, host text DEFAULT 'localhost',
  port integer DEFAULT current_setting('port')::integer, priority integer DEFAULT 50
) RETURNS steep_repl.nodes
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  known steep_repl.local_node;
  node steep_repl.nodes;
  message text;
BEGIN
  SELECT * INTO known FROM steep_repl.local_node;
  IF known.node_id IS NOT NULL AND known.node_id <> node_id AND steep_repl.node_id() IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'SR002',
      MESSAGE = format('database %I is already node %s', current_database(), known.node_id),
      HINT = 'A database is one node for good: initialise another database for another node.';
  END IF;
  IF steep_repl.node_id() IS NULL AND EXISTS (SELECT 1 FROM steep_repl.nodes n WHERE n.node_id = create_node.node_id AND n.node_uid IS NOT NULL AND n.status <> 'removed') THEN
    RAISE EXCEPTION USING ERRCODE = 'SR002',
      MESSAGE = format('node id %s is that of another database, of which this one was restored or copied, or which that one knew', node_id),
      HINT = format('Give this database an id of its own. Where that node is gone for good and this one is to take its place: SELECT steep_repl.unregister_node(%L) first.', node_id);
  END IF;
  IF known.node_id IS NULL THEN
    PERFORM steep_repl._forget_dump();
  ELSIF steep_repl.node_id() IS NULL THEN
    -- A copy of a node's database, made with CREATE DATABASE … TEMPLATE: it starts with an identity of its own.
    DELETE FROM steep_repl.local_node;
    known := NULL;
  END IF;
  node := steep_repl._put_node(node_id, node_name, host, port, priority, current_database(), NULL);
  IF known.node_id IS NULL THEN
    INSERT INTO steep_repl.local_node (node_id, database)
      SELECT node_id, d.oid FROM pg_database d WHERE d.datname = current_database();
  END IF;
  UPDATE steep_repl.nodes n SET status = 'online', last_seen = now(),
      node_uid = (SELECT l.node_uid FROM steep_repl.local_node l)
    WHERE n.node_id = create_node.node_id RETURNING * INTO node;
  IF NOT EXISTS (SELECT 1 FROM pg_publication WHERE pubname = 'steep_repl') THEN
    -- TRUNCATE does not travel natively: it would take rows away that the other side has just written.
    CREATE PUBLICATION steep_repl FOR TABLE steep_repl.table_events, steep_repl.beats, steep_repl.displaced, steep_repl.truncations,
      steep_repl.resolutions
      WITH (publish = 'insert, update, delete', publish_via_partition_root = true);
  END IF;
  PERFORM steep_repl._wake_worker();
  RETURN node;
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS message = MESSAGE_TEXT;
  PERFORM steep_repl._audit_failure('node.create', 'node', node_id, message);
  RAISE;
END $$;
COMMENT ON FUNCTION steep_repl.create_node(text, text, text, integer, integer) IS
  'Makes this database a node. Definer: makes the publication and writes the registry. Errors: SR002 already another node, or another database''s id.';

CREATE OR REPLACE FUNCTION steep_repl.register_node(
  node_id text, node_name text DEFAULT NULL, host text DEFAULT 'localhost', port integer DEFAULT 5432,
  priority integer DEFAULT 50, dbname text DEFAULT current_database(), conninfo text DEFAULT NULL
) RETURNS steep_repl.nodes
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  node steep_repl.nodes;
  message text;
BEGIN
  IF node_id = steep_repl.node_id() AND (host, port, dbname) IS DISTINCT FROM
      (SELECT (n.host, n.port, n.dbname) FROM steep_repl.nodes n WHERE n.node_id = register_node.node_id) THEN
    RAISE EXCEPTION USING ERRCODE = 'SR008', MESSAGE = format('%s is this node itself', node_id),
      HINT = 'Change its own address with steep_repl.create_node; a peer needs another node id.';
  END IF;
  -- A superuser may link with that node later, by its id.
  IF conninfo IS NOT NULL THEN
    PERFORM steep_repl._check_conninfo(conninfo, false);
  ELSIF host ~ '(^|,)[/@]' THEN
    PERFORM steep_repl._check_conninfo('host=' || steep_repl._conninfo_quote(host), false);
  END IF;
  node := steep_repl._put_node(node_id, node_name, host, port, priority, dbname, conninfo);
  node.conninfo := steep_repl._masked(node.conninfo);
  RETURN node;
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS message = MESSAGE_TEXT;
  PERFORM steep_repl._audit_failure('node.register', 'node', node_id, message);
  RAISE;
END $$;
COMMENT ON FUNCTION steep_repl.register_node(text, text, text, integer, integer, text, text) IS
  'Puts a peer into the registry, or changes its entry. Definer: writes the registry and the audit log. Errors: SR007, SR008, SR017.';

CREATE OR REPLACE FUNCTION steep_repl.unregister_node(node_id text) RETURNS steep_repl.nodes
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  node steep_repl.nodes;
  message text;
BEGIN
  IF node_id = steep_repl.node_id() THEN
    RAISE EXCEPTION USING ERRCODE = 'SR003', MESSAGE = format('%s is this node itself', node_id),
      HINT = 'Unregister it on the other nodes.';
  END IF;
  UPDATE steep_repl.nodes n SET status = 'removed', is_coordinator = false WHERE n.node_id = unregister_node.node_id
    RETURNING * INTO node;
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = 'SR004', MESSAGE = format('node %s is not known here', node_id),
      HINT = 'SELECT * FROM steep_repl.node_status() lists the nodes.';
  END IF;
  UPDATE steep_repl.links l SET wanted = 'remove', next_try = now() WHERE l.peer = node_id;
  PERFORM steep_repl._wake_worker();
  node.conninfo := steep_repl._masked(node.conninfo);
  RETURN node;
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS message = MESSAGE_TEXT;
  PERFORM steep_repl._audit_failure('node.unregister', 'node', node_id, message);
  RAISE;
END $$;
COMMENT ON FUNCTION steep_repl.unregister_node(text) IS
  'Takes a peer out: its status becomes removed, its link and the slot it holds here go. Definer: writes the registry. Errors: SR003, SR004.';

CREATE OR REPLACE FUNCTION steep_repl.heartbeat() RETURNS timestamptz
  LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  UPDATE steep_repl.nodes n SET last_seen = clock_timestamp(), status = 'online'
   WHERE n.node_id = steep_repl.node_id() RETURNING n.last_seen;
END;
COMMENT ON FUNCTION steep_repl.heartbeat() IS 'Notes that this node is alive and returns when; NULL when it is not a node. Definer: writes the registry.';

CREATE OR REPLACE FUNCTION steep_repl.observe_node(node_id text, answers boolean, valid interval DEFAULT interval '1 minute') RETURNS text
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  -- What the worker sees of the peer's database counts too: both must answer.
  lost constant boolean := EXISTS (SELECT 1 FROM steep_repl.link_observations o
                                    WHERE o.peer = observe_node.node_id AND o.failing_since IS NOT NULL);
  seen text;
BEGIN
  IF node_id = steep_repl.node_id() THEN
    RAISE EXCEPTION USING ERRCODE = 'SR003', MESSAGE = format('%s is this node itself', node_id),
      HINT = 'SELECT steep_repl.heartbeat() says that it is alive.';
  END IF;
  -- Whoever says it has to say it again: what is believed for years outlives its author.
  IF valid IS NULL OR valid <= interval '0' OR valid > interval '1 hour' THEN
    RAISE EXCEPTION USING ERRCODE = 'SR009', MESSAGE = format('an observation cannot hold for %s', coalesce(valid::text, 'NULL')),
      HINT = 'Give more than nothing and at most an hour, and say it again before that ends.';
  END IF;
  -- Seldom, because every change of the registry goes to the WAL.
  IF answers THEN
    UPDATE steep_repl.nodes n SET unanswered_until = NULL, last_seen = clock_timestamp(),
        status = CASE WHEN lost THEN n.status ELSE 'online' END
     WHERE n.node_id = observe_node.node_id AND n.status <> 'removed'
       AND (n.unanswered_until IS NOT NULL OR n.status <> 'online' AND NOT lost
            OR coalesce(n.last_seen < clock_timestamp() - interval '10 seconds', true));
  ELSE
    UPDATE steep_repl.nodes n SET unanswered_until = clock_timestamp() + valid, status = 'unavailable'
     WHERE n.node_id = observe_node.node_id AND n.status <> 'removed'
       AND (n.status <> 'unavailable' OR coalesce(n.unanswered_until < clock_timestamp() + valid / 2, true));
  END IF;
  SELECT n.status INTO seen FROM steep_repl.nodes n WHERE n.node_id = observe_node.node_id;
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = 'SR004', MESSAGE = format('node %s is not known here', node_id),
      HINT = 'SELECT * FROM steep_repl.node_status() lists the nodes.';
  END IF;
  RETURN seen;
END $$;
COMMENT ON FUNCTION steep_repl.observe_node(text, boolean, interval) IS
  'Notes whether the daemon of a peer answers ours, and returns the peer''s status. That it does not is believed for so long; say it again before. Definer: writes the registry. Errors: SR003, SR004, SR009.';

CREATE OR REPLACE FUNCTION steep_repl.node_status() RETURNS TABLE (
  node_id text, node_name text, host text, port integer, dbname text, priority integer,
  is_coordinator boolean, is_self boolean, last_seen timestamptz, status text)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT n.node_id, n.node_name, n.host, n.port, n.dbname, n.priority, n.is_coordinator,
         coalesce(n.node_id = steep_repl.node_id(), false), n.last_seen, n.status
    FROM steep_repl.nodes n ORDER BY n.node_id;
END;
COMMENT ON FUNCTION steep_repl.node_status() IS 'The nodes that this one knows. Definer: the registry also holds connection strings.';

CREATE OR REPLACE FUNCTION steep_repl.coordinator_compare_and_set(p_key text, p_expected jsonb, p_new jsonb) RETURNS boolean
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  changed bigint;
BEGIN
  IF p_expected IS NULL THEN
    INSERT INTO steep_repl.coordinator_state (key, value) VALUES (p_key, p_new) ON CONFLICT (key) DO NOTHING;
  ELSE
    UPDATE steep_repl.coordinator_state SET value = p_new, updated_at = now() WHERE key = p_key AND value = p_expected;
  END IF;
  GET DIAGNOSTICS changed = ROW_COUNT;
  IF changed = 1 THEN
    PERFORM steep_repl._audit('coordinator.set', 'coordinator_state', p_key, p_expected, p_new);
  END IF;
  RETURN changed = 1;
END $$;
COMMENT ON FUNCTION steep_repl.coordinator_compare_and_set(text, jsonb, jsonb) IS
  'Sets a key of the coordinator''s state if it still has the expected value (NULL: does not exist yet); false if not. Definer: writes the state.';
