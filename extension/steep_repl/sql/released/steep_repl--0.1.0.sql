\echo Use "CREATE EXTENSION steep_repl" to load this file. \quit

-- Before any function of the library is defined: the library itself would refuse to load, with a message about magic
-- blocks instead of this one.
DO $requirement$
BEGIN
  IF pg_catalog.current_setting('server_version_num')::int < 180000 THEN
    RAISE EXCEPTION USING
      ERRCODE = 'feature_not_supported',
      MESSAGE = pg_catalog.format('steep_repl requires PostgreSQL 18 or newer, this server is %s',
                                  pg_catalog.current_setting('server_version')),
      HINT = 'Upgrade the server with pg_upgrade, then run CREATE EXTENSION steep_repl again.';
  END IF;
END
$requirement$;
-- Roles: viewer sees, operator acts on what is set up, admin sets up. They belong to the server, not to this database,
-- and so outlive the extension.
DO $roles$
DECLARE
  wanted text;
BEGIN
  FOREACH wanted IN ARRAY ARRAY['steep_repl_viewer', 'steep_repl_operator', 'steep_repl_admin'] LOOP
    IF NOT EXISTS (SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = wanted) THEN
      EXECUTE pg_catalog.format('CREATE ROLE %I NOLOGIN', wanted);
    END IF;
  END LOOP;
END
$roles$;
GRANT steep_repl_viewer TO steep_repl_operator;
GRANT steep_repl_operator TO steep_repl_admin;
-- The registry: the nodes that this one knows, itself included.
CREATE TABLE steep_repl.nodes (
  node_id text PRIMARY KEY,
  node_name text NOT NULL,
  host text NOT NULL,
  port integer NOT NULL DEFAULT 5432,
  priority integer NOT NULL DEFAULT 50,
  is_coordinator boolean NOT NULL DEFAULT false,
  last_seen timestamptz,
  status text NOT NULL DEFAULT 'unknown',
  dbname text NOT NULL DEFAULT pg_catalog.current_database(),
  conninfo text,
  node_uid uuid,
  CONSTRAINT nodes_node_id_check CHECK (node_id <> '' AND pg_catalog.octet_length(node_id) <= 252),
  CONSTRAINT nodes_node_name_check CHECK (node_name <> ''),
  CONSTRAINT nodes_host_check CHECK (host <> ''),
  CONSTRAINT nodes_port_check CHECK (port BETWEEN 1 AND 65535),
  CONSTRAINT nodes_priority_check CHECK (priority BETWEEN 0 AND 1000),
  CONSTRAINT nodes_status_check CHECK (status IN ('unknown', 'online', 'unavailable', 'removed'))
);
COMMENT ON TABLE steep_repl.nodes IS 'The nodes that this node knows, itself included. Removed ones stay, as history.';
CREATE UNIQUE INDEX nodes_one_coordinator ON steep_repl.nodes (is_coordinator) WHERE is_coordinator;
CREATE UNIQUE INDEX nodes_address ON steep_repl.nodes (host, port, dbname) WHERE status <> 'removed';

-- Which of them this database is. Not dumped: a restored dump is not the node that it was taken from.
CREATE TABLE steep_repl.local_node (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  node_id text NOT NULL REFERENCES steep_repl.nodes,
  node_uid uuid NOT NULL DEFAULT pg_catalog.gen_random_uuid(),
  database oid NOT NULL,
  created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
  created_at_xid xid8 NOT NULL DEFAULT pg_catalog.pg_current_xact_id()
);
COMMENT ON TABLE steep_repl.local_node IS 'The identity of this database as a node, at most one row.';

CREATE TABLE steep_repl.coordinator_state (
  key text PRIMARY KEY,
  value jsonb,
  updated_at timestamptz DEFAULT pg_catalog.now(),
  CONSTRAINT coordinator_state_key_check CHECK (key <> '')
);
COMMENT ON TABLE steep_repl.coordinator_state IS 'Cluster-wide facts of the coordinator; changed by compare-and-set.';

SELECT pg_catalog.pg_extension_config_dump('steep_repl.nodes', '');
SELECT pg_catalog.pg_extension_config_dump('steep_repl.coordinator_state', '');
-- Who did what, when, to what, and how it ended. Append-only.
CREATE TABLE steep_repl.audit_log (
  id serial PRIMARY KEY,
  occurred_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
  action text NOT NULL,
  actor text NOT NULL,
  target_type text,
  target_id text,
  old_value jsonb,
  new_value jsonb,
  client_ip inet,
  success boolean NOT NULL DEFAULT true,
  error_message text
);
COMMENT ON TABLE steep_repl.audit_log IS 'Who did what, when, to what, and how it ended. Append-only; prune_audit_log() shortens it.';
CREATE INDEX audit_log_occurred_at_idx ON steep_repl.audit_log (occurred_at);
CREATE INDEX audit_log_actor_idx ON steep_repl.audit_log (actor);
CREATE INDEX audit_log_action_idx ON steep_repl.audit_log (action);
SELECT pg_catalog.pg_extension_config_dump('steep_repl.audit_log', '');
SELECT pg_catalog.pg_extension_config_dump('steep_repl.audit_log_id_seq', '');

-- The values of our settings as last audited, so that a change is seen whoever made it.
CREATE TABLE steep_repl.known_settings (
  name text PRIMARY KEY,
  setting text
);
COMMENT ON TABLE steep_repl.known_settings IS 'The steep_repl.* settings as last written into the audit log.';
-- Links: from whom this node receives. Local to the node, so not dumped.
CREATE TABLE steep_repl.links (
  peer text PRIMARY KEY REFERENCES steep_repl.nodes,
  conninfo text NOT NULL,
  copy_data boolean NOT NULL DEFAULT false,
  slot_name name NOT NULL,
  subscription_name name NOT NULL,
  subscription oid,
  state text NOT NULL DEFAULT 'requested' CHECK (state IN ('requested', 'linked', 'unlinked')),
  wanted text NOT NULL DEFAULT 'stream' CHECK (wanted IN ('stream', 'pause', 'remove')),
  held_by text,
  held_until timestamptz,
  initialising bigint,
  last_error text,
  last_error_at timestamptz,
  attempts integer NOT NULL DEFAULT 0,
  next_try timestamptz NOT NULL DEFAULT pg_catalog.now(),
  requested_at timestamptz NOT NULL DEFAULT pg_catalog.now()
);
COMMENT ON TABLE steep_repl.links IS 'From whom this node receives; the worker makes the subscription be what a row says.';

-- What the worker last saw at each peer. Unlogged: worthless after a crash, and written every second.
CREATE UNLOGGED TABLE steep_repl.link_observations (
  peer text PRIMARY KEY,
  observed_at timestamptz,
  peer_lsn pg_lsn,
  confirmed_lsn pg_lsn,
  caught_up_at timestamptz,
  failing_since timestamptz,
  error text
);
COMMENT ON TABLE steep_repl.link_observations IS 'The positions that the worker last saw at each peer.';

-- Which node an origin number meant, within a range of this node's transactions: numbers are reused after a
-- subscription is dropped, and the rows of a copy carry the number of the copy.
CREATE TABLE steep_repl.origins (
  origin_number oid NOT NULL,
  xid_from xid8 NOT NULL DEFAULT pg_catalog.pg_current_xact_id(),
  xid_to xid8,
  kind text NOT NULL CHECK (kind IN ('peer', 'copy')),
  node_id text,
  node_uid uuid,
  PRIMARY KEY (origin_number, xid_from)
);
COMMENT ON TABLE steep_repl.origins IS 'Which node an origin number meant in which range of local transactions.';
-- The tables that this node replicates.
CREATE TABLE steep_repl.tables (
  relation oid PRIMARY KEY,
  table_schema name NOT NULL,
  table_name name NOT NULL,
  strategy text NOT NULL DEFAULT 'last_write_wins',
  before_images boolean NOT NULL,
  identity_before "char" NOT NULL,
  announced boolean NOT NULL DEFAULT false,
  joined_at timestamptz NOT NULL DEFAULT pg_catalog.now()
);
COMMENT ON TABLE steep_repl.tables IS 'The tables that this node sends and receives, by their OID here.';

-- What each node says about its tables, in the order of its stream. The only table that replicates by itself: its rows
-- have the writing node in their key and are never changed, so they cannot conflict.
CREATE TABLE steep_repl.table_events (
  node_id text NOT NULL,
  seq bigint NOT NULL,
  at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  table_schema name NOT NULL,
  table_name name NOT NULL,
  action text NOT NULL CHECK (action IN ('join', 'ready', 'fail', 'leave')),
  detail jsonb NOT NULL DEFAULT '{}',
  PRIMARY KEY (node_id, seq)
);
COMMENT ON TABLE steep_repl.table_events IS 'What each node says about its tables, in the order of its stream.';
CREATE SEQUENCE steep_repl.table_event_seq;

-- Who is adding a table at this moment, so that two nodes do not do it at once. Short-lived.
CREATE TABLE steep_repl.table_reservations (
  table_schema name NOT NULL,
  table_name name NOT NULL,
  node_id text NOT NULL,
  until timestamptz NOT NULL,
  PRIMARY KEY (table_schema, table_name, node_id)
);
COMMENT ON TABLE steep_repl.table_reservations IS 'Which peers are adding a table at this moment.';

-- Wishes of peers that came through the stream, for the worker.
CREATE TABLE steep_repl.table_inbox (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  node_id text NOT NULL,
  table_schema name NOT NULL,
  table_name name NOT NULL,
  action text NOT NULL,
  detail jsonb NOT NULL
);
COMMENT ON TABLE steep_repl.table_inbox IS 'What peers said about tables and the worker has not yet acted on.';

-- Tables being taken over from a source: for a new node all that the source has, else those that a peer has joined.
CREATE TABLE steep_repl.initialisations (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('node', 'tables')),
  source text,
  source_conninfo text NOT NULL,
  own_conninfo text,
  state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'running', 'complete', 'failed')),
  phase text NOT NULL DEFAULT 'waiting',
  snapshot_lsn pg_lsn,
  error text,
  attempts integer NOT NULL DEFAULT 0,
  next_try timestamptz NOT NULL DEFAULT pg_catalog.now(),
  requested_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
  started_at timestamptz,
  finished_at timestamptz
);
COMMENT ON TABLE steep_repl.initialisations IS 'Tables being taken over from a source, and those that were.';

CREATE TABLE steep_repl.initialisation_tables (
  id bigint NOT NULL REFERENCES steep_repl.initialisations ON DELETE CASCADE,
  table_schema name NOT NULL,
  table_name name NOT NULL,
  strategy text,
  before_images boolean,
  existing text NOT NULL DEFAULT 'refuse',
  rows_expected bigint NOT NULL DEFAULT 0,
  rows_copied bigint NOT NULL DEFAULT 0,
  bytes_copied bigint NOT NULL DEFAULT 0,
  state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('wanted', 'waiting', 'complete', 'failed')),
  reason text,
  announced boolean NOT NULL DEFAULT false,
  PRIMARY KEY (id, table_schema, table_name)
);
COMMENT ON TABLE steep_repl.initialisation_tables IS 'The tables of each initialisation.';

CREATE TABLE steep_repl.initialisation_members (
  id bigint NOT NULL REFERENCES steep_repl.initialisations ON DELETE CASCADE,
  peer text NOT NULL,
  conninfo text NOT NULL,
  paused_at pg_lsn,
  held_at pg_lsn,
  PRIMARY KEY (id, peer)
);
COMMENT ON TABLE steep_repl.initialisation_members IS 'The positions of the other members during an initialisation.';
-- Beats: how nodes notice that one of them went back in time (a restored backup, a virtual machine's snapshot).
-- The published half: one row a node, its number only grows.
CREATE TABLE steep_repl.beats (
  node_id text PRIMARY KEY,
  seq bigint NOT NULL
);
COMMENT ON TABLE steep_repl.beats IS 'The latest beat of each node that has arrived here.';

-- The local half: where in this node's WAL each of its beats was made.
CREATE TABLE steep_repl.beat_history (
  seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  lsn pg_lsn NOT NULL DEFAULT pg_catalog.pg_current_wal_insert_lsn()
);
COMMENT ON TABLE steep_repl.beat_history IS 'Where in the WAL this node''s latest beats were made.';
-- What the library provides. The functions with an underscore are for the others of this schema only.

CREATE OR REPLACE FUNCTION steep_repl.version() RETURNS text
  LANGUAGE c STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'version_wrapper';
COMMENT ON FUNCTION steep_repl.version() IS 'The version of the library that this server has loaded.';

CREATE OR REPLACE FUNCTION steep_repl.check_settings(peers integer DEFAULT 1)
  RETURNS TABLE (name text, current text, wanted text, problem text)
  LANGUAGE c STABLE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'check_settings_wrapper';
COMMENT ON FUNCTION steep_repl.check_settings(integer) IS
  'What is missing or harmful in the settings of this server for a node with that many peers; wanted is the value for postgresql.conf.';

CREATE OR REPLACE FUNCTION steep_repl._wake_worker() RETURNS void
  LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'wake_worker_wrapper';
COMMENT ON FUNCTION steep_repl._wake_worker() IS 'Wakes, or asks for, the worker of this database once this transaction has committed.';

CREATE OR REPLACE FUNCTION steep_repl._worker_state() RETURNS jsonb
  LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'worker_state_wrapper';
COMMENT ON FUNCTION steep_repl._worker_state() IS 'What shared memory knows of the worker of this database.';

CREATE OR REPLACE FUNCTION steep_repl._ask_worker(kind text, argument text) RETURNS text
  LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'ask_worker_wrapper';
COMMENT ON FUNCTION steep_repl._ask_worker(text, text) IS 'Has the worker run _serve(kind, argument) in a transaction of its own and waits for the answer.';

CREATE OR REPLACE FUNCTION steep_repl._audit_hand_over(action text, actor text, target_type text, target_id text, client text, message text)
  RETURNS boolean
  LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'audit_failure_hand_over_wrapper';
COMMENT ON FUNCTION steep_repl._audit_hand_over(text, text, text, text, text, text) IS 'Hands a failure to the worker, which writes it into the audit log.';

CREATE OR REPLACE FUNCTION steep_repl._peer_rows(conninfo text, query text) RETURNS SETOF text
  LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'peer_rows_wrapper';
COMMENT ON FUNCTION steep_repl._peer_rows(text, text) IS 'Runs a query with one column of type text on a peer.';

CREATE OR REPLACE FUNCTION steep_repl._set_subscription_table(subscription oid, relation oid, state "char", lsn bigint) RETURNS void
  LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'set_subscription_table_wrapper';
COMMENT ON FUNCTION steep_repl._set_subscription_table(oid, oid, "char", bigint) IS 'Makes a subscription apply a table: state r at once, s from an LSN on.';

CREATE OR REPLACE FUNCTION steep_repl._remove_subscription_table(subscription oid, relation oid) RETURNS void
  LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'remove_subscription_table_wrapper';
COMMENT ON FUNCTION steep_repl._remove_subscription_table(oid, oid) IS 'Takes a table out of a subscription.';

CREATE OR REPLACE FUNCTION steep_repl._before_drop() RETURNS text
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  peers text := (SELECT string_agg(l.peer, ', ') FROM steep_repl.links l);
BEGIN
  IF peers IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'SR013', MESSAGE = format('this node is still linked with %s', peers),
      DETAIL = 'Subscriptions, and slots on the peers, would stay behind and hold WAL for ever.',
      HINT = 'SELECT steep_repl.unsubscribe(peer) FROM steep_repl.subscription_status(); drop the extension when that is empty.';
  END IF;
  RETURN 'ok';
END $$;
COMMENT ON FUNCTION steep_repl._before_drop() IS 'Called before DROP EXTENSION: refuses while there are links. Definer: whoever drops the extension may not read the links.';
-- The audit log. Writing is for the functions of this schema; everybody else reads.

CREATE OR REPLACE FUNCTION steep_repl._actor() RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN session_user || '@' || coalesce(host(inet_client_addr()), 'local');
COMMENT ON FUNCTION steep_repl._actor() IS 'Who acts, as role@host.';

CREATE OR REPLACE FUNCTION steep_repl._masked(conninfo text) RETURNS text
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  -- password=… of both forms, quoted or not, and user:password@ of a URI.
  RETURN regexp_replace(regexp_replace(conninfo,
    '((?:ssl)?password\s*=\s*)(''(?:[^''\\]|\\.)*''|[^\s&]*)', '\1***', 'gi'),
    '^(postgres(?:ql)?://[^:/@?]*):[^@]*@', '\1:***@', 'i');
COMMENT ON FUNCTION steep_repl._masked(text) IS 'A connection string without its passwords, for people.';

CREATE OR REPLACE FUNCTION steep_repl._audit(
  action text, target_type text, target_id text, old_value jsonb DEFAULT NULL, new_value jsonb DEFAULT NULL
) RETURNS void
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  INSERT INTO steep_repl.audit_log (action, actor, target_type, target_id, old_value, new_value, client_ip)
  VALUES (_audit.action, steep_repl._actor(), _audit.target_type, _audit.target_id, _audit.old_value, _audit.new_value,
          inet_client_addr());
END;
COMMENT ON FUNCTION steep_repl._audit(text, text, text, jsonb, jsonb) IS 'Writes an entry in the transaction of the action.';

CREATE OR REPLACE FUNCTION steep_repl._audit_failure(action text, target_type text, target_id text, message text) RETURNS void
  LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
  RETURN steep_repl._audit_hand_over(action, steep_repl._actor(), target_type, coalesce(steep_repl._masked(target_id), ''),
                                     coalesce(host(inet_client_addr()), ''), coalesce(steep_repl._masked(message), ''));
COMMENT ON FUNCTION steep_repl._audit_failure(text, text, text, text) IS
  'Has a failure written although the transaction of the action is rolled back. Definer: any caller may fail.';

CREATE OR REPLACE FUNCTION steep_repl._audit_failure_write(
  at timestamptz, action text, actor text, target_type text, target_id text, client text, message text
) RETURNS void
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  INSERT INTO steep_repl.audit_log (occurred_at, action, actor, target_type, target_id, client_ip, success, error_message)
  VALUES (coalesce(at, now()), _audit_failure_write.action, _audit_failure_write.actor, _audit_failure_write.target_type,
          nullif(_audit_failure_write.target_id, ''), nullif(client, '')::inet, false, message);
END;
COMMENT ON FUNCTION steep_repl._audit_failure_write(timestamptz, text, text, text, text, text, text) IS 'The worker''s half of _audit_failure.';

CREATE OR REPLACE FUNCTION steep_repl._audit_append_only() RETURNS trigger
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  stack text;
BEGIN
  -- The call stack, not a setting that anybody could set.
  GET DIAGNOSTICS stack = PG_CONTEXT;
  IF TG_OP = 'DELETE' AND stack LIKE '%steep_repl.prune_audit_log(interval)%' THEN
    RETURN OLD;
  END IF;
  RAISE EXCEPTION USING
    ERRCODE = 'SR030',
    MESSAGE = format('the audit log is append-only, %s is not possible', TG_OP),
    HINT = 'SELECT steep_repl.prune_audit_log(interval ''2 years'') removes old entries.';
END $$;
COMMENT ON FUNCTION steep_repl._audit_append_only() IS 'Refuses changes of the audit log.';

CREATE OR REPLACE TRIGGER audit_log_append_only BEFORE UPDATE OR DELETE ON steep_repl.audit_log
  FOR EACH ROW EXECUTE FUNCTION steep_repl._audit_append_only();
CREATE OR REPLACE TRIGGER audit_log_no_truncate BEFORE TRUNCATE ON steep_repl.audit_log
  FOR EACH STATEMENT EXECUTE FUNCTION steep_repl._audit_append_only();
ALTER TABLE steep_repl.audit_log ENABLE ALWAYS TRIGGER audit_log_append_only;
ALTER TABLE steep_repl.audit_log ENABLE ALWAYS TRIGGER audit_log_no_truncate;

CREATE OR REPLACE FUNCTION steep_repl.prune_audit_log(older_than interval) RETURNS bigint
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  removed bigint;
BEGIN
  IF older_than IS NULL OR older_than < interval '0' THEN
    RAISE EXCEPTION USING ERRCODE = 'SR031', MESSAGE = 'older_than must be an interval that is not negative',
      HINT = 'SELECT steep_repl.prune_audit_log(interval ''2 years'')';
  END IF;
  DELETE FROM steep_repl.audit_log WHERE occurred_at < now() - older_than;
  GET DIAGNOSTICS removed = ROW_COUNT;
  PERFORM steep_repl._audit('audit.prune', 'audit_log', NULL, NULL,
                            jsonb_build_object('older_than', older_than::text, 'removed', removed));
  RETURN removed;
END $$;
COMMENT ON FUNCTION steep_repl.prune_audit_log(interval) IS
  'Removes audit entries older than that and returns how many. Definer: nobody else may delete from the log.';

CREATE OR REPLACE FUNCTION steep_repl._audit_settings() RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  changed record;
BEGIN
  FOR changed IN
    SELECT s.name, k.setting AS before, s.setting AS after, k.name IS NULL AS first
    FROM pg_settings s LEFT JOIN steep_repl.known_settings k USING (name)
    WHERE s.name LIKE 'steep\_repl.%' AND k.setting IS DISTINCT FROM s.setting
  LOOP
    INSERT INTO steep_repl.known_settings VALUES (changed.name, changed.after)
      ON CONFLICT (name) DO UPDATE SET setting = excluded.setting;
    IF NOT changed.first THEN
      PERFORM steep_repl._audit('settings.change', 'setting', changed.name, to_jsonb(changed.before), to_jsonb(changed.after));
    END IF;
  END LOOP;
END $$;
COMMENT ON FUNCTION steep_repl._audit_settings() IS 'Writes changes of steep_repl.* settings into the audit log.';
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
  observed constant text[] := ARRAY['last_seen', 'status', 'conninfo'];
  before jsonb := CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) - 'conninfo' END;
  after jsonb := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) - 'conninfo' END;
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
  IF known.node_id IS NOT NULL AND steep_repl.node_id() IS NULL THEN
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
    CREATE PUBLICATION steep_repl FOR TABLE steep_repl.table_events, steep_repl.beats
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
  'Makes this database a node. Definer: makes the publication and writes the registry. Errors: SR002 already another node.';

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
  node := steep_repl._put_node(node_id, node_name, host, port, priority, dbname, conninfo);
  node.conninfo := steep_repl._masked(node.conninfo);
  RETURN node;
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS message = MESSAGE_TEXT;
  PERFORM steep_repl._audit_failure('node.register', 'node', node_id, message);
  RAISE;
END $$;
COMMENT ON FUNCTION steep_repl.register_node(text, text, text, integer, integer, text, text) IS
  'Puts a peer into the registry, or changes its entry. Definer: writes the registry and the audit log.';

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
-- Questions between nodes.

CREATE OR REPLACE FUNCTION steep_repl._with_timeout(conninfo text, seconds integer) RETURNS text
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN CASE
    WHEN conninfo ~ 'connect_timeout' THEN conninfo
    WHEN conninfo ~ '^postgres(ql)?://' THEN
      conninfo || CASE WHEN conninfo ~ '\?' THEN '&' ELSE '?' END || 'connect_timeout=' || seconds
    ELSE conninfo || ' connect_timeout=' || seconds
  END;
COMMENT ON FUNCTION steep_repl._with_timeout(text, integer) IS 'A connection string with a limit for connecting, unless it has one.';

CREATE OR REPLACE FUNCTION steep_repl._peer_value(conninfo text, query text, seconds integer DEFAULT 15) RETURNS text
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
  RETURN (SELECT r FROM steep_repl._peer_rows(
            steep_repl._with_timeout(conninfo, 5),
            format('SET statement_timeout = %s; SET lock_timeout = %s; ', seconds * 1000, seconds * 1000) || query) r LIMIT 1);
COMMENT ON FUNCTION steep_repl._peer_value(text, text, integer) IS
  'The first row of a query with one text column on a peer; seconds is the limit for connecting (5) and for the query.';

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
    'links', (SELECT count(*) FROM steep_repl.links k WHERE k.wanted <> 'remove'),
    'settings', (SELECT coalesce(jsonb_agg(to_jsonb(s)), '[]')
                   FROM steep_repl.check_settings((SELECT count(*)::int + 1 FROM steep_repl.links k WHERE k.wanted <> 'remove')) s));
END;
COMMENT ON FUNCTION steep_repl._identity() IS 'What a peer must know of this node before it links. Definer: reads the registry.';

CREATE OR REPLACE FUNCTION steep_repl._peer_identity(conninfo text) RETURNS jsonb
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  basics jsonb;
BEGIN
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
                FROM jsonb_array_elements(identity->'settings') s;
END $$;
COMMENT ON FUNCTION steep_repl._check_pair(jsonb) IS 'All that speaks against a link with a peer of that identity.';
-- Links between nodes, as users see them. What is asked for here is a row; the worker makes it real after the commit, so
-- that a call that fails or is rolled back leaves nothing behind on either side.

CREATE OR REPLACE FUNCTION steep_repl._link_name(receiver text, sender text) RETURNS name
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  -- Slot names are [a-z0-9_] and at most 63 bytes (slot.c); the hash keeps names apart that look alike.
  RETURN 'steep_repl_' || left(regexp_replace(lower(receiver), '[^a-z0-9_]', '_', 'g'), 20)
         || '_' || left(md5(sender || '/' || receiver), 8);
COMMENT ON FUNCTION steep_repl._link_name(text, text) IS 'The name of the slot and subscription by which a node receives from another.';

CREATE OR REPLACE FUNCTION steep_repl._resolve_peer(peer text) RETURNS text
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  node_id text := peer;
BEGIN
  IF NOT EXISTS (SELECT 1 FROM steep_repl.links l WHERE l.peer = node_id) AND peer ~ '=|^postgres(ql)?://' THEN
    SELECT l.peer INTO node_id FROM steep_repl.links l WHERE l.conninfo = _resolve_peer.peer;
    node_id := coalesce(node_id, steep_repl._peer_identity(peer)->>'node_id');
  END IF;
  IF NOT EXISTS (SELECT 1 FROM steep_repl.links l WHERE l.peer = node_id) THEN
    RAISE EXCEPTION USING ERRCODE = 'SR005', MESSAGE = format('this node does not receive from %s', coalesce(node_id, 'that database')),
      HINT = 'SELECT * FROM steep_repl.subscription_status() lists the links.';
  END IF;
  RETURN node_id;
END $$;
COMMENT ON FUNCTION steep_repl._resolve_peer(text) IS 'The node id of a linked peer, given by that or by a connection string, or error SR005.';

CREATE OR REPLACE FUNCTION steep_repl._conninfo_quote(value text) RETURNS text
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN '''' || replace(replace(value, '\', '\\'), '''', '\''') || '''';
COMMENT ON FUNCTION steep_repl._conninfo_quote(text) IS 'A value for a connection string (libpq, Connection Strings).';

CREATE OR REPLACE FUNCTION steep_repl._conninfo_of(node steep_repl.nodes) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN coalesce((node).conninfo, format('host=%s port=%s dbname=%s',
    steep_repl._conninfo_quote((node).host), (node).port, steep_repl._conninfo_quote((node).dbname)));
COMMENT ON FUNCTION steep_repl._conninfo_of(steep_repl.nodes) IS 'How to connect to a node of the registry.';

CREATE OR REPLACE FUNCTION steep_repl.subscribe(peer text, conninfo text DEFAULT NULL, copy_data boolean DEFAULT false) RETURNS void
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  me text := steep_repl._this_node();
  identity jsonb;
  node steep_repl.nodes;
  message text;
BEGIN
  IF peer ~ '=|^postgres(ql)?://' THEN
    conninfo := coalesce(conninfo, peer);
    identity := steep_repl._peer_identity(conninfo);
    peer := identity->>'node_id';
    IF peer IS NULL THEN
      RAISE EXCEPTION USING ERRCODE = 'SR022', MESSAGE = format('database %s of the peer is not a node', identity->>'dbname'),
        HINT = 'SELECT steep_repl.create_node(…) there.';
    END IF;
    PERFORM steep_repl._put_node(peer, identity->>'node_name', identity->>'host', (identity->>'port')::int,
                                 (identity->>'priority')::int, identity->>'dbname', conninfo);
  END IF;
  IF peer = me THEN
    RAISE EXCEPTION USING ERRCODE = 'SR006', MESSAGE = 'a node does not receive from itself', HINT = 'Name a peer.';
  END IF;
  SELECT * INTO node FROM steep_repl.nodes n WHERE n.node_id = peer AND n.status <> 'removed';
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = 'SR004', MESSAGE = format('node %s is not known here', peer),
      HINT = format('SELECT steep_repl.register_node(%L, …), or name the peer by a connection string.', peer);
  END IF;
  IF (SELECT NOT (steep_repl._worker_state()->>'preloaded')::boolean) THEN
    RAISE EXCEPTION USING ERRCODE = 'SR010', MESSAGE = 'steep_repl is not in shared_preload_libraries, so no worker can make a link',
      HINT = 'SELECT * FROM steep_repl.check_settings() shows what to set; then restart the server.';
  END IF;
  INSERT INTO steep_repl.links AS l (peer, conninfo, copy_data, slot_name, subscription_name)
  VALUES (peer, coalesce(conninfo, steep_repl._conninfo_of(node)), copy_data,
          steep_repl._link_name(me, peer), steep_repl._link_name(peer, me))
  ON CONFLICT ON CONSTRAINT links_pkey DO UPDATE SET
    conninfo = coalesce(subscribe.conninfo, l.conninfo), next_try = now(),
    state = CASE WHEN l.wanted = 'remove' AND l.subscription IS NULL THEN 'requested' ELSE l.state END,
    wanted = CASE l.wanted WHEN 'remove' THEN 'stream' ELSE l.wanted END;
  PERFORM steep_repl._audit('subscription.create', 'subscription', peer, NULL, jsonb_build_object('copy_data', copy_data));
  PERFORM steep_repl._wake_worker();
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS message = MESSAGE_TEXT;
  PERFORM steep_repl._audit_failure('subscription.create', 'subscription', peer, message);
  RAISE;
END $$;
COMMENT ON FUNCTION steep_repl.subscribe(text, text, boolean) IS
  'Asks for a link on which this node receives from a peer (node id or connection string); the worker makes it after the commit, see subscription_status(). copy_data: also take over the peer''s rows of tables that are empty here. Definer: links are the extension''s. Errors: SR001, SR004, SR006, SR010, SR021 to SR023.';

CREATE OR REPLACE FUNCTION steep_repl.unsubscribe(peer text) RETURNS void
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
BEGIN
  peer := steep_repl._resolve_peer(peer);
  UPDATE steep_repl.links l SET wanted = 'remove', next_try = now(), attempts = 0 WHERE l.peer = unsubscribe.peer;
  PERFORM steep_repl._audit('subscription.drop', 'subscription', peer);
  PERFORM steep_repl._wake_worker();
END $$;
COMMENT ON FUNCTION steep_repl.unsubscribe(text) IS
  'Ends receiving from a peer: subscription, origin and the slot over there go, the last once the peer answers. Definer: links are the extension''s. Errors: SR005.';

CREATE OR REPLACE FUNCTION steep_repl._wait_stopped(peer text) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  pid integer;
BEGIN
  FOR attempt IN 1..600 LOOP
    PERFORM pg_stat_clear_snapshot();
    SELECT s.pid INTO pid FROM steep_repl.links l JOIN pg_stat_subscription s ON s.subid = l.subscription
     WHERE l.peer = _wait_stopped.peer AND s.pid IS NOT NULL;
    IF NOT FOUND THEN
      RETURN;
    END IF;
    PERFORM pg_sleep(0.05);
  END LOOP;
  RAISE EXCEPTION USING ERRCODE = 'SR011', MESSAGE = format('the apply worker for %s (pid %s) did not stop within 30 s', peer, pid),
    DETAIL = format('It waits for: %s', (SELECT coalesce(string_agg(b::text, ', '), 'nobody') FROM unnest(pg_blocking_pids(pid)) b)),
    HINT = 'It stops at the end of the transaction that it applies.';
END $$;
COMMENT ON FUNCTION steep_repl._wait_stopped(text) IS 'Returns once no apply worker runs for a peer, or error SR011 after 30 s.';

CREATE OR REPLACE FUNCTION steep_repl.pause(peer text) RETURNS void
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  node_id text := steep_repl._resolve_peer(pause.peer);
BEGIN
  PERFORM steep_repl._ask_worker('pause', node_id);
  PERFORM steep_repl._wait_stopped(node_id);
  PERFORM steep_repl._audit('subscription.pause', 'subscription', node_id);
END $$;
COMMENT ON FUNCTION steep_repl.pause(text) IS
  'Stops receiving from a peer and returns when that has stopped; the peer keeps what it writes meanwhile. Takes effect at once, not at commit. Definer: links are the extension''s. Errors: SR005, SR011.';

CREATE OR REPLACE FUNCTION steep_repl.resume(peer text) RETURNS void
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  node_id text := steep_repl._resolve_peer(resume.peer);
BEGIN
  PERFORM steep_repl._ask_worker('resume', node_id);
  PERFORM steep_repl._audit('subscription.resume', 'subscription', node_id);
END $$;
COMMENT ON FUNCTION steep_repl.resume(text) IS 'Goes on receiving from a paused peer. Takes effect at once, not at commit. Definer: links are the extension''s. Errors: SR005.';

CREATE OR REPLACE FUNCTION steep_repl._slots() RETURNS TABLE (
  peer text, slot_name name, active boolean, retained_wal_bytes bigint, confirmed_lsn pg_lsn)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT n.node_id, s.slot_name, s.active, pg_wal_lsn_diff(pg_current_wal_lsn(), s.restart_lsn)::bigint, s.confirmed_flush_lsn
    FROM steep_repl.nodes n
    JOIN pg_replication_slots s ON s.slot_name = steep_repl._link_name(n.node_id, steep_repl.node_id());
END;
COMMENT ON FUNCTION steep_repl._slots() IS 'The slots that peers have on this node, with the WAL that they hold. Definer: reads the registry.';

CREATE OR REPLACE FUNCTION steep_repl.subscription_status() RETURNS TABLE (
  peer text, state text, lag_bytes bigint, lag_seconds double precision, last_error text, blocked_by integer,
  slot_name text, retained_wal_bytes bigint, received_lsn pg_lsn, last_message_at timestamptz, tables_pending integer)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT l.peer,
         CASE WHEN l.wanted = 'remove' THEN 'removing'
              WHEN l.state = 'requested' THEN CASE WHEN l.last_error IS NULL THEN 'linking' ELSE 'failed' END
              WHEN l.wanted = 'pause' OR l.held_until > now() THEN 'paused'
              WHEN l.initialising IS NOT NULL THEN 'copying'
              WHEN a.pid IS NOT NULL AND o.failing_since IS NULL THEN 'streaming'
              ELSE 'waiting' END,
         greatest(pg_wal_lsn_diff(o.peer_lsn, o.confirmed_lsn), 0)::bigint,
         CASE WHEN o.failing_since IS NULL AND o.confirmed_lsn >= o.peer_lsn THEN 0
              ELSE extract(epoch FROM clock_timestamp() - o.caught_up_at)::double precision END,
         coalesce(o.error, l.last_error, (SELECT format('the apply worker has failed %s times; the server log of this node says why', e.apply_error_count)
            FROM pg_stat_subscription_stats e WHERE e.subid = l.subscription AND e.apply_error_count > 0 AND a.pid IS NULL AND l.wanted = 'stream' AND l.initialising IS NULL)),
         (pg_blocking_pids(a.pid))[1],
         l.slot_name::text,
         (SELECT s.retained_wal_bytes FROM steep_repl._slots() s WHERE s.peer = l.peer),
         a.received_lsn, a.last_msg_receipt_time,
         (SELECT count(*)::integer FROM steep_repl.initialisation_tables t JOIN steep_repl.initialisations i USING (id)
           WHERE i.source = l.peer AND i.state IN ('waiting', 'running') AND t.state IN ('wanted', 'waiting'))
    FROM steep_repl.links l
    LEFT JOIN pg_stat_subscription a ON a.subid = l.subscription AND a.worker_type = 'apply'
    LEFT JOIN steep_repl.link_observations o ON o.peer = l.peer
   ORDER BY l.peer;
END;
COMMENT ON FUNCTION steep_repl.subscription_status() IS
  'The links on which this node receives: state, lag, last error, who blocks the apply worker, and the WAL that this node keeps for the peer (retained_wal_bytes). Definer: reads connection state of all.';
-- Making and ending links: the worker's side. One step a call, each in a transaction of its own, each repeatable.

CREATE OR REPLACE FUNCTION steep_repl._link_should_stream(link steep_repl.links) RETURNS boolean
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN (link).wanted = 'stream' AND (link).initialising IS NULL AND coalesce((link).held_until <= now(), true);
COMMENT ON FUNCTION steep_repl._link_should_stream(steep_repl.links) IS 'Whether the subscription of a link should be enabled now.';

CREATE OR REPLACE FUNCTION steep_repl._links_due() RETURNS SETOF text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT l.peer FROM steep_repl.links l LEFT JOIN pg_subscription s ON s.oid = l.subscription
   WHERE l.next_try <= now()
     AND (l.wanted = 'remove' OR l.state = 'requested'
          OR s.subenabled IS DISTINCT FROM steep_repl._link_should_stream(l));
END;
COMMENT ON FUNCTION steep_repl._links_due() IS 'The peers whose link needs a step now.';

CREATE OR REPLACE FUNCTION steep_repl._link_failed(peer text, error text) RETURNS void
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  UPDATE steep_repl.links l SET last_error = _link_failed.error, last_error_at = now(), attempts = l.attempts + 1,
         next_try = now() + least(power(2, l.attempts), 30) * interval '1 second'
   WHERE l.peer = _link_failed.peer;
END;
COMMENT ON FUNCTION steep_repl._link_failed(text, text) IS 'Notes why a step failed, and when to try again: 1 s, 2 s, … 30 s.';

CREATE OR REPLACE FUNCTION steep_repl._link_set_streaming(link steep_repl.links) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  EXECUTE format('ALTER SUBSCRIPTION %I %s', (link).subscription_name,
                 CASE WHEN steep_repl._link_should_stream(link) THEN 'ENABLE' ELSE 'DISABLE' END);
END $$;
COMMENT ON FUNCTION steep_repl._link_set_streaming(steep_repl.links) IS 'Enables or disables the subscription of a link, whichever its row says.';

CREATE OR REPLACE FUNCTION steep_repl._link_step(peer text) RETURNS boolean
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  link steep_repl.links;
BEGIN
  -- Not FOR UPDATE: a row lock takes a transaction id, and the peer's making of a slot waits for every transaction id
  -- of its server, which may be this one.
  SELECT * INTO link FROM steep_repl.links l WHERE l.peer = _link_step.peer;
  IF NOT FOUND THEN
    RETURN false;
  ELSIF link.wanted = 'remove' THEN
    RETURN steep_repl._link_remove(link);
  ELSIF link.state = 'requested' THEN
    PERFORM steep_repl._link_make(link);
    RETURN true;
  END IF;
  PERFORM steep_repl._link_set_streaming(link);
  RETURN false;
END $$;
COMMENT ON FUNCTION steep_repl._link_step(text) IS 'Takes the next step of a link; true when there is a further one.';

CREATE OR REPLACE FUNCTION steep_repl._link_make(link steep_repl.links) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET client_min_messages = error SET log_min_messages = error AS $$
DECLARE
  identity jsonb := steep_repl._peer_identity((link).conninfo);
  problems text;
  made oid;
  event jsonb;
  origin oid;
  own steep_repl.tables;
  answer text := CASE WHEN (link).initialising IS NOT NULL THEN 'none' WHEN (link).copy_data THEN 'join' ELSE 'trust' END;
BEGIN
  IF identity->>'node_id' IS DISTINCT FROM (link).peer AND identity->>'node_id' IS DISTINCT FROM steep_repl.node_id() THEN
    RAISE EXCEPTION USING ERRCODE = 'SR024', MESSAGE = format('node %s answers where %s was expected', identity->>'node_id', (link).peer),
      HINT = 'Correct host and port with steep_repl.register_node and subscribe again.';
  END IF;
  SELECT string_agg(format('%s. %s', p.problem, p.remedy), E'\n') INTO problems FROM steep_repl._check_pair(identity) p;
  IF problems IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'SR025', MESSAGE = format('cannot link with %s', (link).peer), DETAIL = problems;
  END IF;
  IF EXISTS (SELECT 1 FROM pg_subscription s WHERE s.subname = (link).subscription_name
               AND s.subdbid = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())) THEN
    RAISE EXCEPTION USING ERRCODE = 'SR026', MESSAGE = format('subscription %I exists and is not ours', (link).subscription_name),
      HINT = 'Drop it, or give the node another id.';
  END IF;
  IF (link).initialising IS NULL AND EXISTS (SELECT 1 FROM steep_repl.tables)
     AND EXISTS (SELECT 1 FROM steep_repl.origins o WHERE o.node_id = (link).peer AND o.node_uid = (identity->>'node_uid')::uuid) THEN
    RAISE EXCEPTION USING ERRCODE = 'SR015', MESSAGE = format('this node has received from %s before, and would miss what was written there since', (link).peer),
      DETAIL = format('Replicated here: %s', (SELECT string_agg(format('%I.%I', t.table_schema, t.table_name), ', ') FROM steep_repl.tables t)),
      HINT = 'Remove the tables on all nodes and add them again, with empty tables on one side or existing => ''identical''; pause() is the call for an interruption.';
  END IF;
  -- A slot left by an attempt that did not get further is older than what follows: make it anew.
  PERFORM steep_repl._peer_value((link).conninfo, format(
    'SELECT pg_catalog.pg_drop_replication_slot(slot_name)::text FROM pg_catalog.pg_replication_slots WHERE slot_name = %L AND NOT active',
    (link).slot_name));
  PERFORM steep_repl._peer_value((link).conninfo, format(
    'SELECT lsn::text FROM pg_catalog.pg_create_logical_replication_slot(%L, ''pgoutput'')', (link).slot_name));

  -- From here on this transaction writes. If it fails, the slot is made anew by the next attempt or dropped by unsubscribe.
  EXECUTE format('CREATE SUBSCRIPTION %I CONNECTION %L PUBLICATION steep_repl WITH (connect = false, slot_name = %L, origin = none, streaming = off)',
                 (link).subscription_name, (link).conninfo, (link).slot_name);
  SELECT s.oid INTO made FROM pg_subscription s WHERE s.subname = (link).subscription_name
     AND s.subdbid = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database());
  SELECT o.roident INTO origin FROM pg_replication_origin o WHERE o.roname = 'pg_' || made;
  PERFORM steep_repl._origin_means(origin, 'peer', (link).peer);
  UPDATE steep_repl.origins o SET node_uid = (identity->>'node_uid')::uuid WHERE o.origin_number = origin AND o.xid_to IS NULL;
  UPDATE steep_repl.nodes n SET node_uid = (identity->>'node_uid')::uuid, status = 'online', last_seen = now()
   WHERE n.node_id = (link).peer;

  PERFORM steep_repl._set_subscription_table(made, 'steep_repl.table_events'::regclass, 'r', 0);
  PERFORM steep_repl._set_subscription_table(made, 'steep_repl.beats'::regclass, 'r', 0);
  DELETE FROM steep_repl.beats b WHERE b.node_id = (link).peer;
  INSERT INTO steep_repl.beats (node_id, seq)
    SELECT (link).peer, coalesce((steep_repl._peer_value((link).conninfo, format('SELECT steep_repl._stream_facts(%L)::text', (link).slot_name))::jsonb->>'beat')::bigint, 0);
  FOR own IN SELECT * FROM steep_repl.tables LOOP
    PERFORM steep_repl._set_subscription_table(made, own.relation, 'r', 0);
  END LOOP;
  UPDATE steep_repl.links l SET state = 'linked', subscription = made, last_error = NULL, attempts = 0
   WHERE l.peer = (link).peer RETURNING * INTO link;
  -- What the peer said before the slot was made; what it says later comes through the stream, and twice does no harm.
  FOR event IN SELECT r::jsonb FROM steep_repl._peer_rows(steep_repl._with_timeout((link).conninfo, 5), format(
      'SELECT to_jsonb(e)::text FROM steep_repl.table_events e WHERE e.node_id = %L ORDER BY e.seq', (link).peer)) r
  LOOP
    PERFORM steep_repl._take_event(jsonb_populate_record(NULL::steep_repl.table_events, event), answer);
  END LOOP;
  PERFORM steep_repl._link_set_streaming(link);
  PERFORM steep_repl._audit('subscription.linked', 'subscription', (link).peer);
END $$;
COMMENT ON FUNCTION steep_repl._link_make(steep_repl.links) IS 'Checks the peer, makes the slot there and the subscription here.';

CREATE OR REPLACE FUNCTION steep_repl._origin_means(origin oid, kind text, node_id text) RETURNS void
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  UPDATE steep_repl.origins o SET xid_to = pg_current_xact_id()
   WHERE o.origin_number = _origin_means.origin AND o.xid_to IS NULL;
  INSERT INTO steep_repl.origins (origin_number, kind, node_id) VALUES (_origin_means.origin, _origin_means.kind, _origin_means.node_id)
  ON CONFLICT (origin_number, xid_from) DO UPDATE SET xid_to = NULL, kind = excluded.kind, node_id = excluded.node_id;
END;
COMMENT ON FUNCTION steep_repl._origin_means(oid, text, text) IS 'From this transaction on the origin number means that node, or a copy from it.';

CREATE OR REPLACE FUNCTION steep_repl._link_remove(link steep_repl.links) RETURNS boolean
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET client_min_messages = error AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM pg_subscription s WHERE s.oid = (link).subscription) THEN
    UPDATE steep_repl.origins o SET xid_to = pg_current_xact_id()
     WHERE o.xid_to IS NULL AND o.origin_number = (SELECT r.roident FROM pg_replication_origin r WHERE r.roname = 'pg_' || (link).subscription);
    EXECUTE format('ALTER SUBSCRIPTION %I DISABLE', (link).subscription_name);
    EXECUTE format('ALTER SUBSCRIPTION %I SET (slot_name = NONE)', (link).subscription_name);
    EXECUTE format('DROP SUBSCRIPTION %I', (link).subscription_name);
    UPDATE steep_repl.links l SET subscription = NULL, state = 'unlinked' WHERE l.peer = (link).peer;
    RETURN true;
  END IF;
  -- A peer that is gone for good is not asked. Its own slot here: _drop_slots_of_removed().
  IF (SELECT n.status FROM steep_repl.nodes n WHERE n.node_id = (link).peer) <> 'removed' THEN
    PERFORM steep_repl._peer_value((link).conninfo, format(
      'SELECT pg_catalog.pg_terminate_backend(active_pid)::text FROM pg_catalog.pg_replication_slots WHERE slot_name = %L AND active', (link).slot_name));
    PERFORM steep_repl._peer_value((link).conninfo, format(
      'SELECT pg_catalog.pg_drop_replication_slot(slot_name)::text FROM pg_catalog.pg_replication_slots WHERE slot_name = %L', (link).slot_name));
  END IF;
  DELETE FROM steep_repl.link_observations o WHERE o.peer = (link).peer;
  DELETE FROM steep_repl.links l WHERE l.peer = (link).peer;
  RETURN false;
END $$;
COMMENT ON FUNCTION steep_repl._link_remove(steep_repl.links) IS 'Drops the subscription here, then the slot over there.';

CREATE OR REPLACE FUNCTION steep_repl._serve(kind text, argument text) RETURNS text
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  link steep_repl.links;
  who jsonb := CASE WHEN kind IN ('hold', 'release') THEN argument::jsonb ELSE jsonb_build_object('peer', argument) END;
BEGIN
  SELECT * INTO link FROM steep_repl.links l WHERE l.peer = who->>'peer' FOR UPDATE;
  IF NOT FOUND OR link.subscription IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'SR005', MESSAGE = format('this node is not linked to %s', who->>'peer');
  END IF;
  CASE kind
    WHEN 'pause' THEN link.wanted := 'pause';
    WHEN 'resume' THEN link.wanted := 'stream';
    WHEN 'hold' THEN
      IF link.held_until > now() AND link.held_by <> who->>'by' THEN
        RAISE EXCEPTION USING ERRCODE = 'SR012', MESSAGE = format('%s already holds the stream of %s', link.held_by, link.peer);
      END IF;
      link.held_by := who->>'by';
      link.held_until := now() + (who->>'seconds')::int * interval '1 second';
    WHEN 'release' THEN
      IF link.held_by = who->>'by' THEN
        link.held_by := NULL;
        link.held_until := NULL;
      END IF;
  END CASE;
  UPDATE steep_repl.links l SET wanted = link.wanted, held_by = link.held_by, held_until = link.held_until WHERE l.peer = link.peer;
  PERFORM steep_repl._link_set_streaming(link);
  RETURN 'ok';
END $$;
COMMENT ON FUNCTION steep_repl._serve(text, text) IS 'What the worker does for a session that asks: pause, resume, hold and release a stream.';

CREATE OR REPLACE FUNCTION steep_repl._hold(peer text, holder text, seconds integer) RETURNS pg_lsn
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM steep_repl._ask_worker('hold', jsonb_build_object('peer', _hold.peer, 'by', holder, 'seconds', seconds)::text);
  PERFORM steep_repl._wait_stopped(_hold.peer);
  RETURN (SELECT coalesce(pg_replication_origin_progress('pg_' || l.subscription, false), '0/0') FROM steep_repl.links l WHERE l.peer = _hold.peer);
END $$;
COMMENT ON FUNCTION steep_repl._hold(text, text, integer) IS
  'Stops applying a peer''s stream on behalf of another node, for so many seconds at most, and returns up to where it is applied. Definer: asks the worker.';

CREATE OR REPLACE FUNCTION steep_repl._held_at(peer text, holder text) RETURNS pg_lsn
  LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT coalesce(pg_replication_origin_progress('pg_' || l.subscription, false), '0/0') FROM steep_repl.links l
    JOIN pg_subscription s ON s.oid = l.subscription
   WHERE l.peer = _held_at.peer AND l.held_by = holder AND l.held_until > clock_timestamp() AND NOT s.subenabled;
END;
COMMENT ON FUNCTION steep_repl._held_at(text, text) IS 'Where a stream is still held by another node, NULL when the hold has ended. Definer: reads the links.';

CREATE OR REPLACE FUNCTION steep_repl._release(peer text, holder text) RETURNS text
  LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
  RETURN steep_repl._ask_worker('release', jsonb_build_object('peer', peer, 'by', holder)::text);
COMMENT ON FUNCTION steep_repl._release(text, text) IS 'Ends what _hold began. Definer: asks the worker.';
-- What speaks against replicating a table.

CREATE OR REPLACE FUNCTION steep_repl._columns(relation oid) RETURNS jsonb
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  -- By name: the order may differ between nodes, and dropped columns leave holes.
  SELECT coalesce(jsonb_object_agg(a.attname, format_type(a.atttypid, a.atttypmod)
           || CASE a.attgenerated WHEN '' THEN '' ELSE ' generated' END), '{}')
    FROM pg_attribute a WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped;
END;
COMMENT ON FUNCTION steep_repl._columns(oid) IS 'The columns of a table with their types, as a JSON object.';

CREATE OR REPLACE FUNCTION steep_repl._table_problems(relation oid, before_images boolean) RETURNS TABLE (problem text, remedy text)
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  class pg_class;
  keyed boolean;
BEGIN
  SELECT * INTO class FROM pg_class c WHERE c.oid = relation;
  IF NOT FOUND THEN
    RETURN QUERY SELECT 'the table does not exist', 'Create it first, on all nodes.';
    RETURN;
  END IF;
  SELECT EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = relation AND i.indisprimary) INTO keyed;
  RETURN QUERY
  SELECT 'it is a ' || CASE class.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'f' THEN 'foreign table'
                            WHEN 'S' THEN 'sequence' WHEN 'c' THEN 'composite type' ELSE 'relation of kind ' || class.relkind::text END,
         'Only tables replicate.'
   WHERE class.relkind NOT IN ('r', 'p')
  UNION ALL SELECT 'it is unlogged, its changes are not in the WAL', 'ALTER TABLE … SET LOGGED' WHERE class.relpersistence = 'u'
  UNION ALL SELECT 'it is temporary', 'Only permanent tables replicate.' WHERE class.relpersistence = 't'
  UNION ALL SELECT 'it belongs to the system or to steep_repl', 'Only tables of your own replicate.'
   WHERE class.relnamespace IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace, 'steep_repl'::regnamespace)
  UNION ALL SELECT 'it is a partition', format('Add its root: SELECT steep_repl.add_table(%L)', pg_partition_root(relation)::regclass)
   WHERE class.relispartition
  UNION ALL SELECT 'FORCE ROW LEVEL SECURITY would stop the apply worker, which writes as the table''s owner',
                   'ALTER TABLE … NO FORCE ROW LEVEL SECURITY' WHERE class.relforcerowsecurity
  UNION ALL SELECT format('trigger %I is deferrable and fires in the apply worker, which cannot fire it', t.tgname),
                   format('ALTER TABLE … ENABLE TRIGGER %I (not REPLICA or ALWAYS), or make it not deferrable', t.tgname)
              FROM pg_trigger t WHERE t.tgrelid = relation AND t.tgdeferrable AND t.tgenabled IN ('R', 'A') AND NOT t.tgisinternal
  UNION ALL SELECT 'it has neither a primary key nor before-images, so its rows cannot be told apart',
                   'Add a primary key, or leave before_images on.' WHERE NOT keyed AND NOT before_images
  UNION ALL SELECT format('column %I of type %s has no equality and there is no primary key, so its rows cannot be found again', a.attname, format_type(a.atttypid, NULL)),
                   'Add a primary key.'
              FROM pg_attribute a WHERE NOT keyed AND a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped
               AND a.attgenerated = '' AND NOT steep_repl._has_equality(a.atttypid)
  UNION ALL SELECT format('it has the generated column %I and no primary key: its rows cannot be told apart', a.attname), 'Add a primary key.'
              FROM pg_attribute a WHERE NOT keyed AND a.attrelid = relation AND a.attgenerated <> '' AND NOT a.attisdropped
  UNION ALL SELECT 'it is a partitioned table with a foreign table as partition', 'Detach the foreign partition.'
   WHERE class.relkind = 'p' AND EXISTS (SELECT 1 FROM pg_partition_tree(relation) t JOIN pg_class c ON c.oid = t.relid WHERE c.relkind = 'f')
  UNION ALL SELECT 'it is a partitioned table with an unlogged partition', 'ALTER TABLE … SET LOGGED on the partition.'
   WHERE class.relkind = 'p' AND EXISTS (SELECT 1 FROM pg_partition_tree(relation) t JOIN pg_class c ON c.oid = t.relid WHERE c.relpersistence = 'u');
END $$;
COMMENT ON FUNCTION steep_repl._table_problems(oid, boolean) IS 'All that speaks against replicating a table.';

CREATE OR REPLACE FUNCTION steep_repl._refuse_problems(relation regclass, before_images boolean) RETURNS void
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  problems text := (SELECT string_agg(p.problem || '. ' || p.remedy, '; ')
                      FROM steep_repl._table_problems(_refuse_problems.relation, _refuse_problems.before_images) p);
BEGIN
  IF problems IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'SR042', MESSAGE = format('table %s: %s', relation, problems);
  END IF;
END $$;
COMMENT ON FUNCTION steep_repl._refuse_problems(regclass, boolean) IS 'Error SR042 with all that speaks against replicating a table.';

CREATE OR REPLACE FUNCTION steep_repl._has_equality(type oid) RETURNS boolean
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  -- A default btree or hash operator class for the type, what it is a domain over or an array of, or a polymorphic kind.
  SELECT CASE
    WHEN t.typtype = 'd' THEN steep_repl._has_equality(t.typbasetype)
    WHEN t.typcategory = 'A' AND t.typelem <> 0 THEN steep_repl._has_equality(t.typelem)
    WHEN t.typtype IN ('e', 'r', 'm') THEN true
    WHEN t.typtype = 'c' THEN NOT EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = t.typrelid AND a.attnum > 0
                                           AND NOT a.attisdropped AND NOT steep_repl._has_equality(a.atttypid))
    ELSE EXISTS (SELECT 1 FROM pg_opclass o JOIN pg_am m ON m.oid = o.opcmethod
                  WHERE o.opcdefault AND m.amname IN ('btree', 'hash')
                    AND (o.opcintype = t.oid OR EXISTS (SELECT 1 FROM pg_cast c WHERE c.castsource = t.oid
                                                          AND c.casttarget = o.opcintype AND c.castmethod = 'b'
                                                          AND c.castcontext = 'i')))
  END FROM pg_type t WHERE t.oid = type;
$$;
COMMENT ON FUNCTION steep_repl._has_equality(oid) IS 'Whether values of a type can be compared for equality (typcache.c).';

CREATE OR REPLACE FUNCTION steep_repl._holds_rows(relation regclass) RETURNS boolean
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  found_one boolean;
BEGIN
  EXECUTE format('SELECT EXISTS (SELECT 1 FROM %s)', steep_repl._source_of(relation)) INTO found_one;
  RETURN found_one;
END $$;
COMMENT ON FUNCTION steep_repl._holds_rows(regclass) IS 'Whether a table holds a row.';

CREATE OR REPLACE FUNCTION steep_repl._source_of(relation regclass) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  -- Tables that inherit from it in the old way replicate by themselves; partitions belong to their root.
  RETURN (SELECT CASE c.relkind WHEN 'p' THEN '' ELSE 'ONLY ' END || relation::text FROM pg_class c WHERE c.oid = relation);
COMMENT ON FUNCTION steep_repl._source_of(regclass) IS 'A table as it stands in FROM, LOCK and publications.';

CREATE OR REPLACE FUNCTION steep_repl._content_hash(relation regclass) RETURNS text
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET datestyle = 'ISO, YMD' SET timezone = 'UTC'
  SET extra_float_digits = 3 SET bytea_output = 'hex' SET intervalstyle = 'postgres' AS $$
DECLARE
  columns text;
  hash text;
BEGIN
  -- No views, whose functions would run as the owner of this one; and no way to read what one may not read.
  IF NOT EXISTS (SELECT 1 FROM pg_class c WHERE c.oid = relation AND c.relkind IN ('r', 'p'))
     OR NOT (EXISTS (SELECT 1 FROM steep_repl.tables t WHERE t.relation = _content_hash.relation)
             OR has_table_privilege(session_user, relation, 'SELECT')) THEN
    RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege', MESSAGE = format('no right to hash the rows of %s', relation);
  END IF;
  SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attname COLLATE "C") INTO columns
    FROM pg_attribute a WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '';
  -- A sum over the rows, so that their order does not matter; 128 bits in two halves.
  EXECUTE format($q$SELECT count(*) || '/' || coalesce(sum(('x' || left(h, 16))::bit(64)::bigint), 0) || '/'
                        || coalesce(sum(('x' || right(h, 16))::bit(64)::bigint), 0)
                   FROM (SELECT md5(ROW(%s)::text) AS h FROM %s) rows$q$, columns, steep_repl._source_of(relation)) INTO hash;
  RETURN hash;
END $$;
COMMENT ON FUNCTION steep_repl._content_hash(regclass) IS 'Row count and a hash of all rows of a table, the same on every node that holds the same rows. Definer: reads the table.';

CREATE OR REPLACE FUNCTION steep_repl._describe_table(schema_name text, table_name text, before_images boolean) RETURNS jsonb
  LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT CASE WHEN c.oid IS NULL THEN jsonb_build_object('exists', false)
    ELSE jsonb_build_object('exists', true, 'relation', c.oid, 'columns', steep_repl._columns(c.oid),
      'joined', EXISTS (SELECT 1 FROM steep_repl.tables t WHERE t.relation = c.oid),
      'problems', (SELECT coalesce(jsonb_agg(p.problem || '. ' || p.remedy), '[]') FROM steep_repl._table_problems(c.oid, _describe_table.before_images) p),
      'holds_rows', CASE WHEN c.relkind IN ('r', 'p') THEN steep_repl._holds_rows(c.oid::regclass) ELSE false END) END
    FROM (SELECT) one LEFT JOIN (pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace)
      ON n.nspname = _describe_table.schema_name AND c.relname = _describe_table.table_name;
END;
COMMENT ON FUNCTION steep_repl._describe_table(text, text, boolean) IS 'What a peer must know of a table here before it joins. Definer: looks into the table.';
-- What nodes say to each other about tables, through the stream.

CREATE OR REPLACE FUNCTION steep_repl._say(table_schema name, table_name name, action text, detail jsonb) RETURNS void
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  INSERT INTO steep_repl.table_events (node_id, seq, table_schema, table_name, action, detail)
  VALUES (steep_repl._this_node(), nextval('steep_repl.table_event_seq'), _say.table_schema, _say.table_name, _say.action, _say.detail);
END;
COMMENT ON FUNCTION steep_repl._say(name, name, text, jsonb) IS 'Says something about a table to all that receive from this node.';

CREATE OR REPLACE FUNCTION steep_repl._reserve_table(table_schema name, table_name name, holder text) RETURNS text
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
BEGIN
  IF EXISTS (SELECT 1 FROM steep_repl.tables t WHERE t.table_schema = _reserve_table.table_schema AND t.table_name = _reserve_table.table_name) THEN
    RAISE EXCEPTION USING ERRCODE = 'SR048', MESSAGE = format('%I.%I is replicated already on %s', table_schema, table_name, steep_repl.node_id()),
      HINT = 'Wait until replicated_tables() lists it here, or remove it there first.';
  END IF;
  DELETE FROM steep_repl.table_reservations r WHERE r.until < clock_timestamp();
  INSERT INTO steep_repl.table_reservations VALUES (table_schema, table_name, holder, clock_timestamp() + interval '30 seconds')
  ON CONFLICT ON CONSTRAINT table_reservations_pkey DO UPDATE SET until = excluded.until;
  RETURN 'ok';
END $$;
COMMENT ON FUNCTION steep_repl._reserve_table(name, name, text) IS 'Notes that a peer is adding a table. Definer: writes the reservations. Errors: SR048 it is replicated here.';

CREATE OR REPLACE FUNCTION steep_repl._reserve_everywhere(table_schema name, table_name name) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  other text;
BEGIN
  PERFORM steep_repl._peer_value(l.conninfo, format('SELECT steep_repl._reserve_table(%L, %L, %L)', table_schema, table_name, steep_repl.node_id()))
     FROM steep_repl.links l WHERE l.wanted <> 'remove';
  -- Each writes at all others first and then looks at home: of two at once, at least one sees the other and gives way.
  SELECT r.node_id INTO other FROM steep_repl.table_reservations r
   WHERE r.table_schema = _reserve_everywhere.table_schema AND r.table_name = _reserve_everywhere.table_name AND r.until > clock_timestamp() LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION USING ERRCODE = 'SR048', MESSAGE = format('%I.%I is being added on %s at the same time', table_schema, table_name, other),
      HINT = 'One call on one node is enough. If neither succeeded, try again on one of them in half a minute.';
  END IF;
END $$;
COMMENT ON FUNCTION steep_repl._reserve_everywhere(name, name) IS 'Error SR048 when another node adds the same table at the same time.';

CREATE OR REPLACE FUNCTION steep_repl._event_arrived() RETURNS trigger
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM steep_repl.table_events e WHERE e.node_id = NEW.node_id AND e.seq = NEW.seq) THEN
    RETURN NULL;  -- read when the link was made; a second insert would stop the stream for good
  END IF;
  IF NEW.action IN ('join', 'leave') THEN
    INSERT INTO steep_repl.table_inbox (node_id, table_schema, table_name, action, detail)
    VALUES (NEW.node_id, NEW.table_schema, NEW.table_name, NEW.action, NEW.detail);
    PERFORM steep_repl._wake_worker();
  END IF;
  RETURN NEW;
END $$;
COMMENT ON FUNCTION steep_repl._event_arrived() IS 'Fires in the apply worker. Hands what a peer said to the worker; does nothing that could fail, because an error here stops the stream.';

CREATE OR REPLACE TRIGGER table_events_arrived BEFORE INSERT ON steep_repl.table_events
  FOR EACH ROW EXECUTE FUNCTION steep_repl._event_arrived();
ALTER TABLE steep_repl.table_events ENABLE REPLICA TRIGGER table_events_arrived;

CREATE OR REPLACE FUNCTION steep_repl._take_event(event steep_repl.table_events, answer text) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
BEGIN
  INSERT INTO steep_repl.table_events SELECT (event).* ON CONFLICT DO NOTHING;
  IF NOT FOUND OR answer = 'none' OR (event).action NOT IN ('join', 'ready', 'leave') THEN
    RETURN;
  END IF;
  INSERT INTO steep_repl.table_inbox (node_id, table_schema, table_name, action, detail)
  VALUES ((event).node_id, (event).table_schema, (event).table_name,
          CASE (event).action WHEN 'leave' THEN 'leave' ELSE answer END, (event).detail);
END $$;
COMMENT ON FUNCTION steep_repl._take_event(steep_repl.table_events, text) IS
  'Takes in what a peer said before the link was made. answer: join = take its tables over, trust = the user has said that the contents are already equal, none = an initialisation sees to it.';

CREATE OR REPLACE FUNCTION steep_repl._grant_wish(wish steep_repl.table_inbox) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  known steep_repl.tables;
  relation regclass := to_regclass(format('%I.%I', (wish).table_schema, (wish).table_name));
  link steep_repl.links;
  id bigint;
BEGIN
  SELECT * INTO known FROM steep_repl.tables t WHERE t.table_schema = (wish).table_schema AND t.table_name = (wish).table_name;
  IF (wish).action = 'leave' THEN
    IF known.relation IS NOT NULL THEN
      PERFORM steep_repl._say(known.table_schema, known.table_name, 'leave', '{}');
      PERFORM steep_repl._leave_table(known);
    END IF;
    DELETE FROM steep_repl.initialisation_tables t WHERE t.table_schema = (wish).table_schema AND t.table_name = (wish).table_name AND t.state <> 'complete';
    RETURN;
  END IF;
  SELECT * INTO link FROM steep_repl.links l WHERE l.peer = (wish).node_id;
  IF known.relation IS NOT NULL OR link.peer IS NULL THEN
    RETURN;
  END IF;
  IF (wish).action = 'trust' AND relation IS NOT NULL THEN
    PERFORM steep_repl._refuse_problems(relation, (wish).detail->>'before_images' = 'true');
    PERFORM steep_repl._join_table(relation, (wish).detail->>'strategy', (wish).detail->>'before_images' = 'true');
    PERFORM steep_repl._set_subscription_table(l.subscription, relation, 'r', 0) FROM steep_repl.links l WHERE l.subscription IS NOT NULL;
    RETURN;
  END IF;
  IF EXISTS (SELECT 1 FROM steep_repl.initialisations i JOIN steep_repl.initialisation_tables t USING (id)
              WHERE i.state IN ('waiting', 'running') AND t.table_schema = (wish).table_schema AND t.table_name = (wish).table_name) THEN
    RETURN;
  END IF;
  -- Tables that come together are taken over together.
  SELECT i.id INTO id FROM steep_repl.initialisations i WHERE i.kind = 'tables' AND i.source = link.peer AND i.state = 'waiting' LIMIT 1;
  IF id IS NULL THEN
    INSERT INTO steep_repl.initialisations (kind, source, source_conninfo) VALUES ('tables', link.peer, link.conninfo)
      RETURNING initialisations.id INTO id;
  END IF;
  INSERT INTO steep_repl.initialisation_tables (id, table_schema, table_name, strategy, before_images, existing, state)
  VALUES (id, (wish).table_schema, (wish).table_name, (wish).detail->>'strategy', (wish).detail->>'before_images' = 'true',
          coalesce((wish).detail->>'existing', 'refuse'), 'wanted');
END $$;
COMMENT ON FUNCTION steep_repl._grant_wish(steep_repl.table_inbox) IS 'Acts on what a peer said about a table.';

CREATE OR REPLACE FUNCTION steep_repl._announce_tables() RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  news record;
BEGIN
  -- Here and not where a table is taken over: that transaction carries the origin of the copy, and would not be sent on.
  FOR news IN UPDATE steep_repl.tables t SET announced = true WHERE NOT t.announced RETURNING t.* LOOP
    PERFORM steep_repl._say(news.table_schema, news.table_name, 'ready',
                            jsonb_build_object('strategy', news.strategy, 'before_images', news.before_images));
  END LOOP;
  FOR news IN UPDATE steep_repl.initialisation_tables t SET announced = true WHERE t.state = 'failed' AND NOT t.announced RETURNING t.* LOOP
    PERFORM steep_repl._say(news.table_schema, news.table_name, 'fail', jsonb_build_object('reason', news.reason));
  END LOOP;
END $$;
COMMENT ON FUNCTION steep_repl._announce_tables() IS 'Says which tables this node has taken over, and which it could not.';
-- Tables that replicate: joining and leaving.
--
-- One node, the source, joins the table under a lock that keeps writers out for a moment: from then on its changes are in
-- its stream. It says so in table_events, which travels in the same stream. Each peer that reads it takes the table over
-- (initialise.sql), from one point of every stream on.

CREATE OR REPLACE FUNCTION steep_repl.add_table(
  "table" regclass, strategy text DEFAULT NULL, before_images boolean DEFAULT true, existing text DEFAULT 'refuse'
) RETURNS text
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  me text := steep_repl._this_node();
  class record;
  here jsonb;
  there jsonb;
  link steep_repl.links;
  problems text[] := '{}';
  holders text[] := '{}';
  elsewhere steep_repl.links;
  message text;
BEGIN
  SELECT c.relname, n.nspname, c.relowner INTO class FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = "table";
  IF NOT pg_has_role(session_user, class.relowner, 'MEMBER') THEN
    RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege', MESSAGE = format('must be owner of table %s', "table"),
      HINT = 'Adding a table changes its replica identity, as ALTER TABLE does.';
  END IF;
  IF existing NOT IN ('refuse', 'identical') OR existing IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'SR040', MESSAGE = format('existing must be refuse or identical, not %L', existing),
      HINT = 'refuse: only one node may hold rows. identical: the rows that several hold must be equal.';
  END IF;
  IF strategy IS DISTINCT FROM 'last_write_wins' AND strategy IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'SR041', MESSAGE = format('unknown strategy %L', strategy), HINT = 'Known: last_write_wins (default).';
  END IF;
  IF EXISTS (SELECT 1 FROM steep_repl.tables t WHERE t.relation = "table") THEN
    RETURN (SELECT r.state FROM steep_repl.replicated_tables() r WHERE r.table_schema = class.nspname AND r.table_name = class.relname);
  END IF;
  here := steep_repl._describe_table(class.nspname, class.relname, before_images);
  problems := ARRAY(SELECT format('%s: %s', me, p) FROM jsonb_array_elements_text(here->'problems') p);
  IF (here->>'holds_rows')::boolean THEN
    holders := ARRAY[me];
  END IF;
  FOR link IN SELECT * FROM steep_repl.links l WHERE l.wanted <> 'remove' LOOP
    there := steep_repl._peer_value(link.conninfo, format('SELECT steep_repl._describe_table(%L, %L, %L)::text',
                                                          class.nspname, class.relname, before_images))::jsonb;
    IF NOT (there->>'exists')::boolean THEN
      problems := problems || format('%s: the table does not exist. Create it there too', link.peer);
      CONTINUE;
    END IF;
    problems := problems || ARRAY(SELECT format('%s: %s', link.peer, p) FROM jsonb_array_elements_text(there->'problems') p);
    IF there->'columns' <> here->'columns' THEN
      problems := problems || format('%s: other columns. There: %s. Here: %s', link.peer,
        (SELECT string_agg(format('%I %s', c.key, c.value), ', ') FROM jsonb_each_text(there->'columns') c WHERE c.value IS DISTINCT FROM here->'columns'->>c.key),
        (SELECT string_agg(format('%I %s', c.key, c.value), ', ') FROM jsonb_each_text(here->'columns') c WHERE c.value IS DISTINCT FROM there->'columns'->>c.key));
    END IF;
    IF (there->>'holds_rows')::boolean THEN
      holders := holders || link.peer;
      elsewhere := link;
    END IF;
  END LOOP;
  IF cardinality(holders) > 1 AND existing = 'refuse' THEN
    problems := problems || format('rows on %s. Empty all but one, or prove them equal with existing => ''identical''', array_to_string(holders, ', '));
  END IF;
  IF problems <> '{}' THEN
    RAISE EXCEPTION USING ERRCODE = 'SR042', MESSAGE = format('cannot replicate table %s', "table"), DETAIL = array_to_string(problems, E'\n'),
      HINT = 'All problems are listed; nothing has been changed.';
  END IF;
  IF holders[1] <> me THEN
    -- The rows are on one peer: it is the source.
    RETURN steep_repl._peer_value(elsewhere.conninfo, format('SELECT steep_repl.add_table(%L::regclass, %L, %L, %L)',
             format('%I.%I', class.nspname, class.relname), strategy, before_images, existing));
  END IF;
  PERFORM steep_repl._reserve_everywhere(class.nspname, class.relname);
  PERFORM steep_repl._join_table("table", coalesce(strategy, 'last_write_wins'), before_images);
  FOR link IN SELECT * FROM steep_repl.links l WHERE l.subscription IS NOT NULL LOOP
    PERFORM steep_repl._set_subscription_table(link.subscription, "table", 'r', 0);
  END LOOP;
  PERFORM steep_repl._say(class.nspname, class.relname, 'join', jsonb_build_object(
    'strategy', coalesce(strategy, 'last_write_wins'), 'before_images', before_images, 'existing', existing));
  UPDATE steep_repl.tables t SET announced = true WHERE t.relation = "table";
  PERFORM steep_repl._audit('table.add', 'table', format('%I.%I', class.nspname, class.relname), NULL,
                            jsonb_build_object('strategy', strategy, 'before_images', before_images, 'existing', existing));
  PERFORM steep_repl._wake_worker();
  RETURN CASE WHEN EXISTS (SELECT 1 FROM steep_repl.links l WHERE l.wanted <> 'remove') THEN 'joining' ELSE 'ready' END;
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS message = MESSAGE_TEXT;
  PERFORM steep_repl._audit_failure('table.add', 'table', "table"::text, message);
  RAISE;
END $$;
COMMENT ON FUNCTION steep_repl.add_table(regclass, text, boolean, text) IS
  'Replicates a table between this node and all that it is linked with, both ways; rows that only one node holds are copied. Returns ready, or joining while peers take it over (replicated_tables()). Takes SHARE ROW EXCLUSIVE for a moment, ACCESS EXCLUSIVE when the replica identity changes, within steep_repl.lock_timeout. Definer: changes the publication. Errors: SR001, SR040, SR041, SR042.';

CREATE OR REPLACE FUNCTION steep_repl._join_table(relation regclass, strategy text, before_images boolean) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  leaf regclass;
  root pg_class;
BEGIN
  SELECT * INTO root FROM pg_class c WHERE c.oid = relation;
  before_images := before_images AND steep_repl._before_images_possible(relation);
  PERFORM steep_repl._lock_table(relation, before_images);
  FOR leaf IN SELECT steep_repl._leaves(relation) LOOP
    PERFORM steep_repl._identify(leaf, before_images);
  END LOOP;
  EXECUTE format('ALTER PUBLICATION steep_repl ADD TABLE %s', steep_repl._source_of(relation));
  INSERT INTO steep_repl.tables (relation, table_schema, table_name, strategy, before_images, identity_before)
  SELECT relation, n.nspname, c.relname, strategy, before_images, root.relreplident
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = relation;
END $$;
COMMENT ON FUNCTION steep_repl._join_table(regclass, text, boolean) IS 'Sends the changes of a table from this point of the stream on. The lock keeps writers out until the transaction ends: changes of a transaction that had already written the table would be sent only from here on.';

CREATE OR REPLACE FUNCTION steep_repl._leaves(relation regclass) RETURNS SETOF regclass
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT relation WHERE NOT EXISTS (SELECT 1 FROM pg_class c WHERE c.oid = relation AND c.relkind = 'p')
  UNION ALL
  SELECT t.relid FROM pg_partition_tree(relation) t JOIN pg_class c ON c.oid = t.relid WHERE t.isleaf AND c.relkind = 'r';
END;
COMMENT ON FUNCTION steep_repl._leaves(regclass) IS 'The table itself, or the leaf partitions of a partitioned one.';

CREATE OR REPLACE FUNCTION steep_repl._lock_table(relation regclass, before_images boolean) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  before text := current_setting('lock_timeout');
  changes boolean := EXISTS (SELECT 1 FROM steep_repl._leaves(relation) l JOIN pg_class c ON c.oid = l
                              WHERE (c.relreplident = 'f') <> before_images);
BEGIN
  PERFORM set_config('lock_timeout', current_setting('steep_repl.lock_timeout'), true);
  EXECUTE format('LOCK TABLE %s IN %s MODE', steep_repl._source_of(relation),
                 CASE WHEN changes THEN 'ACCESS EXCLUSIVE' ELSE 'SHARE ROW EXCLUSIVE' END);
  PERFORM set_config('lock_timeout', before, true);
EXCEPTION WHEN lock_not_available THEN
  RAISE EXCEPTION USING ERRCODE = 'lock_not_available', MESSAGE = format('table %s is being used', relation),
    DETAIL = format('Held by: %s', (SELECT coalesce(string_agg(DISTINCT format('pid %s (%s)', l.pid, a.usename), ', '), 'nobody any more')
                                      FROM pg_locks l JOIN pg_stat_activity a USING (pid)
                                     WHERE l.relation = _lock_table.relation AND l.granted AND l.pid <> pg_backend_pid())),
    HINT = 'Try again when those transactions have ended, or raise steep_repl.lock_timeout.';
END $$;
COMMENT ON FUNCTION steep_repl._lock_table(regclass, boolean) IS 'Keeps writers out of a table until the end of the transaction.';

CREATE OR REPLACE FUNCTION steep_repl._before_images_possible(relation regclass) RETURNS boolean
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  -- "Replica identity must not contain unpublished generated columns" (CheckCmdReplicaIdentity in execReplication.c), and
  -- a published one cannot be received where the column is generated too.
  SELECT NOT EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = relation AND a.attgenerated <> '' AND NOT a.attisdropped);
END;
COMMENT ON FUNCTION steep_repl._before_images_possible(regclass) IS 'Whether the whole row can be the replica identity: not with generated columns.';

CREATE OR REPLACE FUNCTION steep_repl._identify(leaf regclass, before_images boolean) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF (SELECT (c.relreplident = 'f') <> before_images FROM pg_class c WHERE c.oid = leaf) THEN
    EXECUTE format('ALTER TABLE %s REPLICA IDENTITY %s', leaf, CASE WHEN before_images THEN 'FULL' ELSE 'DEFAULT' END);
  END IF;
END $$;
COMMENT ON FUNCTION steep_repl._identify(regclass, boolean) IS 'Sets the replica identity of a table: the whole row with before-images, else its key.';

CREATE OR REPLACE FUNCTION steep_repl._identify_new_leaves() RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET lock_timeout = '200ms' AS $$
DECLARE
  late record;
BEGIN
  -- Replica identity is not inherited by later partitions (PostgreSQL documentation, ALTER TABLE, REPLICA IDENTITY).
  FOR late IN SELECT l AS leaf FROM steep_repl.tables t JOIN pg_class r ON r.oid = t.relation AND r.relkind = 'p',
                     steep_repl._leaves(t.relation) l JOIN pg_class c ON c.oid = l
               WHERE t.before_images AND c.relreplident <> 'f'
  LOOP
    BEGIN
      PERFORM steep_repl._identify(late.leaf, true);
    EXCEPTION WHEN lock_not_available OR undefined_table THEN
      NULL;  -- in the next round
    END;
  END LOOP;
END $$;
COMMENT ON FUNCTION steep_repl._identify_new_leaves() IS 'Gives partitions that were added later the replica identity of their table.';

CREATE OR REPLACE FUNCTION steep_repl.add_tables(schema text) RETURNS TABLE (table_name text, state text, reason text)
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  candidate record;
  detail text;
BEGIN
  PERFORM steep_repl._this_node();
  IF NOT EXISTS (SELECT 1 FROM pg_namespace n WHERE n.nspname = add_tables.schema) THEN
    RAISE EXCEPTION USING ERRCODE = 'invalid_schema_name', MESSAGE = format('schema %I does not exist', add_tables.schema);
  END IF;
  FOR candidate IN SELECT c.oid::regclass AS relation, c.relname::text AS name FROM pg_class c
                    WHERE c.relnamespace = (SELECT n.oid FROM pg_namespace n WHERE n.nspname = add_tables.schema)
                      AND c.relkind IN ('r', 'p', 'f') AND NOT c.relispartition ORDER BY c.relname
  LOOP
    table_name := candidate.name;
    reason := NULL;
    BEGIN
      state := steep_repl.add_table(candidate.relation);
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS reason = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
      reason := coalesce(nullif(detail, ''), reason);
      state := 'refused';
    END;
    RETURN NEXT;
  END LOOP;
END $$;
COMMENT ON FUNCTION steep_repl.add_tables(text) IS 'add_table for each table of a schema; a row for each, refused ones with the reason.';

CREATE OR REPLACE FUNCTION steep_repl.remove_table("table" regclass) RETURNS void
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  known steep_repl.tables;
BEGIN
  PERFORM steep_repl._this_node();
  SELECT * INTO known FROM steep_repl.tables t WHERE t.relation = "table";
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = 'SR043', MESSAGE = format('table %s is not replicated', "table"),
      HINT = 'SELECT * FROM steep_repl.replicated_tables() lists those that are.';
  END IF;
  IF NOT pg_has_role(session_user, (SELECT c.relowner FROM pg_class c WHERE c.oid = "table"), 'MEMBER') THEN
    RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege', MESSAGE = format('must be owner of table %s', "table");
  END IF;
  PERFORM steep_repl._say(known.table_schema, known.table_name, 'leave', '{}');
  PERFORM steep_repl._leave_table(known);
  PERFORM steep_repl._audit('table.remove', 'table', format('%I.%I', known.table_schema, known.table_name), to_jsonb(known), NULL);
END $$;
COMMENT ON FUNCTION steep_repl.remove_table(regclass) IS
  'Ends the replication of a table on all nodes, each at that point of the stream; rows stay where they are. Definer: changes the publication. Errors: SR043.';

CREATE OR REPLACE FUNCTION steep_repl._leave_table(known steep_repl.tables) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  link steep_repl.links;
BEGIN
  FOR link IN SELECT * FROM steep_repl.links l WHERE l.subscription IS NOT NULL LOOP
    PERFORM steep_repl._remove_subscription_table(link.subscription, (known).relation);
  END LOOP;
  IF EXISTS (SELECT 1 FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid
              WHERE p.pubname = 'steep_repl' AND r.prrelid = (known).relation) THEN
    EXECUTE format('ALTER PUBLICATION steep_repl DROP TABLE %s', steep_repl._source_of((known).relation::regclass));
    IF (known).identity_before <> 'f' THEN
      PERFORM steep_repl._identify(l, false) FROM steep_repl._leaves((known).relation::regclass) l;
    END IF;
  END IF;
  DELETE FROM steep_repl.tables t WHERE t.relation = (known).relation;
END $$;
COMMENT ON FUNCTION steep_repl._leave_table(steep_repl.tables) IS 'Takes a table out of the publication and all subscriptions of this node.';

CREATE OR REPLACE FUNCTION steep_repl.replicated_tables() RETURNS TABLE (
  table_schema text, table_name text, strategy text, before_images boolean, state text, reason text, rows_not_taken bigint)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  WITH latest AS (
    SELECT DISTINCT ON (e.node_id, e.table_schema, e.table_name) e.* FROM steep_repl.table_events e
     ORDER BY e.node_id, e.table_schema, e.table_name, e.seq DESC
  ), peers AS (
    SELECT l.peer FROM steep_repl.links l WHERE l.wanted <> 'remove'
  )
  SELECT t.table_schema::text, t.table_name::text, t.strategy, t.before_images,
         CASE WHEN bool_or(e.action = 'fail') THEN 'failed' WHEN bool_or(p.peer IS NOT NULL AND coalesce(e.action, '') NOT IN ('join', 'ready')) THEN 'joining' ELSE 'ready' END,
         string_agg(CASE WHEN e.action = 'fail' THEN format('%s: %s', p.peer, e.detail->>'reason')
                         WHEN p.peer IS NOT NULL AND coalesce(e.action, '') NOT IN ('join', 'ready') THEN format('%s has not taken it over yet', p.peer) END, '; '), 0
    FROM steep_repl.tables t LEFT JOIN peers p ON true
    LEFT JOIN latest e ON e.node_id = p.peer AND e.table_schema = t.table_schema AND e.table_name = t.table_name
   GROUP BY t.relation, t.table_schema, t.table_name, t.strategy, t.before_images
  UNION ALL
  SELECT i.table_schema::text, i.table_name::text, i.strategy, i.before_images,
         CASE i.state WHEN 'failed' THEN 'failed' ELSE 'copying' END, i.reason, i.rows_expected - i.rows_copied
    FROM (SELECT DISTINCT ON (x.table_schema, x.table_name) x.* FROM steep_repl.initialisation_tables x
           ORDER BY x.table_schema, x.table_name, x.id DESC) i
   WHERE i.state <> 'complete' AND NOT EXISTS (SELECT 1 FROM steep_repl.tables t WHERE t.table_schema = i.table_schema AND t.table_name = i.table_name)
   ORDER BY 1, 2;
END;
COMMENT ON FUNCTION steep_repl.replicated_tables() IS
  'The tables that this node replicates or is taking over. state: ready, joining (peers are taking it over), copying, failed; rows_not_taken: rows of the source still to be copied. Definer: reads the extension''s tables.';
-- Sequences of tables that were taken over: past the highest id that came with the copy.

CREATE OR REPLACE FUNCTION steep_repl._advance_sequences(relation regclass) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  owned record;
  highest bigint;
BEGIN
  FOR owned IN
    SELECT a.attname, s.seqrelid::regclass AS sequence, s.seqincrement FROM pg_depend d
      JOIN pg_sequence s ON s.seqrelid = d.objid JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
     WHERE d.refobjid = relation AND d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
       AND a.atttypid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype)
  LOOP
    EXECUTE format('SELECT %s(%I) FROM %s', CASE WHEN owned.seqincrement > 0 THEN 'max' ELSE 'min' END, owned.attname, relation) INTO highest;
    -- Past the highest id in steps of the increment: offices that hand out odd and even ids keep doing so.
    IF highest IS NOT NULL THEN
      PERFORM steep_repl._advance_sequence(owned.sequence, highest);
    END IF;
  END LOOP;
END $$;
COMMENT ON FUNCTION steep_repl._advance_sequences(regclass) IS 'Moves the sequences that a table owns past its highest id.';

CREATE OR REPLACE FUNCTION steep_repl._advance_sequence(sequence regclass, highest bigint) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  s pg_sequence;
  last bigint;
  called boolean;
  steps bigint;
BEGIN
  SELECT * INTO s FROM pg_sequence q WHERE q.seqrelid = sequence;
  EXECUTE format('SELECT last_value, is_called FROM %s', sequence) INTO last, called;
  IF (highest - last) * sign(s.seqincrement) < 0 OR highest = last AND called THEN
    RETURN;
  END IF;
  steps := (highest - last) / s.seqincrement + 1;
  IF last + steps * s.seqincrement BETWEEN s.seqmin AND s.seqmax THEN
    PERFORM setval(sequence, last + steps * s.seqincrement, false);
  END IF;
END $$;
COMMENT ON FUNCTION steep_repl._advance_sequence(regclass, bigint) IS 'Moves a sequence past an id, staying on its own steps.';
-- Taking tables over from a source, one from one point of every stream on, while all nodes are written to.
--
-- The order of the steps is what makes it safe; P, O and X are positions in the stream of a member M or the source S:
--   1. links exist in both directions; those on which this node receives are paused. M's stream here stands at P (all
--      that was skipped because the table was not known yet lies before P).
--   2. wait until S has received M's stream up to P, then hold S's applying of M for a moment: it stands at O >= P.
--   3. take a snapshot of S, at X of S's own stream; let S go on. The snapshot holds M's changes up to O, no later ones.
--   4. copy; the table applies S's stream from X on and M's stream from O on: nothing missing, nothing twice.
--   5. resume the links.
-- A crash between tables leaves those that are done done; the rest is taken over under a new snapshot.

CREATE OR REPLACE FUNCTION steep_repl._initialisations_due() RETURNS SETOF text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  -- One that says running has lost its worker: the caller asks only when none runs.
  SELECT i.id::text FROM steep_repl.initialisations i WHERE i.state IN ('waiting', 'running') AND i.next_try <= now() ORDER BY i.id;
END;
COMMENT ON FUNCTION steep_repl._initialisations_due() IS 'The initialisations to be worked on, the oldest first.';

CREATE OR REPLACE FUNCTION steep_repl._init_phase(id bigint, phase text) RETURNS steep_repl.initialisations
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  UPDATE steep_repl.initialisations i SET phase = _init_phase.phase WHERE i.id = _init_phase.id RETURNING i;
END;
COMMENT ON FUNCTION steep_repl._init_phase(bigint, text) IS 'Sets what an initialisation is doing now.';

CREATE OR REPLACE FUNCTION steep_repl._init_prepare(id bigint) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  job steep_repl.initialisations;
  member jsonb;
  me jsonb := steep_repl._identity();
BEGIN
  UPDATE steep_repl.initialisations i SET state = 'running', phase = 'asking the source', error = NULL,
      attempts = i.attempts + 1, started_at = coalesce(i.started_at, now())
    WHERE i.id = _init_prepare.id RETURNING * INTO job;
  DELETE FROM steep_repl.initialisation_members m WHERE m.id = _init_prepare.id;
  IF job.kind = 'tables' THEN
    INSERT INTO steep_repl.initialisation_members (id, peer, conninfo)
      SELECT id, l.peer, l.conninfo FROM steep_repl.links l WHERE l.subscription IS NOT NULL AND l.wanted <> 'remove';
    RETURN;
  END IF;
  FOR member IN SELECT jsonb_array_elements(steep_repl._peer_value(job.source_conninfo, 'SELECT steep_repl._members()::text')::jsonb) LOOP
    CONTINUE WHEN member->>'node_id' = me->>'node_id';
    IF member ? 'self' THEN
      member := member || jsonb_build_object('conninfo', job.source_conninfo);
      UPDATE steep_repl.initialisations i SET source = member->>'node_id' WHERE i.id = _init_prepare.id;
    END IF;
    PERFORM steep_repl._put_node(member->>'node_id', member->>'node_name', member->>'host', (member->>'port')::int,
                                 (member->>'priority')::int, member->>'dbname', member->>'conninfo');
    INSERT INTO steep_repl.initialisation_members (id, peer, conninfo) VALUES (id, member->>'node_id', member->>'conninfo');
    INSERT INTO steep_repl.links (peer, conninfo, copy_data, slot_name, subscription_name, initialising)
    VALUES (member->>'node_id', member->>'conninfo', true, steep_repl._link_name(me->>'node_id', member->>'node_id'),
            steep_repl._link_name(member->>'node_id', me->>'node_id'), id)
    ON CONFLICT ON CONSTRAINT links_pkey DO UPDATE SET next_try = now(),
      wanted = CASE links.wanted WHEN 'remove' THEN 'stream' ELSE links.wanted END;
    PERFORM steep_repl._peer_value(member->>'conninfo', format(
      'SELECT steep_repl._invite(%L, %L)::text', me - 'settings', job.own_conninfo));
  END LOOP;
  PERFORM steep_repl._wake_worker();
END $$;
COMMENT ON FUNCTION steep_repl._init_prepare(bigint) IS 'Finds the members; for a new node asks for links in both directions.';

CREATE OR REPLACE FUNCTION steep_repl._members() RETURNS jsonb
  LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT jsonb_agg(m) FROM (
    SELECT to_jsonb(n) || jsonb_build_object('self', true) AS m FROM steep_repl.nodes n WHERE n.node_id = steep_repl.node_id()
    UNION ALL
    SELECT to_jsonb(n) || jsonb_build_object('conninfo', l.conninfo)
      FROM steep_repl.links l JOIN steep_repl.nodes n ON n.node_id = l.peer WHERE l.wanted <> 'remove') members;
END;
COMMENT ON FUNCTION steep_repl._members() IS 'This node and all that it receives from, with how to connect. Definer: reads the registry.';

CREATE OR REPLACE FUNCTION steep_repl._invite(identity jsonb, conninfo text) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM steep_repl.register_node(identity->>'node_id', identity->>'node_name', identity->>'host', (identity->>'port')::int,
                                   (identity->>'priority')::int, identity->>'dbname', _invite.conninfo);
  IF NOT EXISTS (SELECT 1 FROM steep_repl.links l WHERE l.peer = identity->>'node_id' AND l.wanted <> 'remove') THEN
    PERFORM steep_repl.subscribe(identity->>'node_id', _invite.conninfo, false);
  END IF;
END $$;
COMMENT ON FUNCTION steep_repl._invite(jsonb, text) IS 'A new node asks this one to receive from it.';

CREATE OR REPLACE FUNCTION steep_repl._init_links_ready(id bigint) RETURNS text
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  job steep_repl.initialisations;
  member record;
  answer jsonb;
  waits text;
BEGIN
  SELECT * INTO job FROM steep_repl.initialisations i WHERE i.id = _init_links_ready.id;
  SELECT string_agg(format('link with %s%s', l.peer, ': ' || l.last_error), '; ') INTO waits
    FROM steep_repl.links l JOIN steep_repl.initialisation_members m ON m.peer = l.peer AND m.id = _init_links_ready.id
   WHERE l.state <> 'linked';
  IF waits IS NULL THEN
    FOR member IN SELECT m.peer, m.conninfo, l.slot_name FROM steep_repl.initialisation_members m JOIN steep_repl.links l USING (peer)
                   WHERE m.id = _init_links_ready.id LOOP
      IF steep_repl._peer_value(member.conninfo, format(
           'SELECT count(*)::text FROM pg_catalog.pg_replication_slots WHERE slot_name = %L AND invalidation_reason IS NULL', member.slot_name)) = '0' THEN
        RAISE EXCEPTION USING ERRCODE = 'SR027', MESSAGE = format('%s no longer keeps what this node has not received: its slot %s is gone', member.peer, member.slot_name),
          HINT = 'Start anew on an empty database: tables that were taken over before would miss changes.';
      END IF;
    END LOOP;
  END IF;
  IF waits IS NULL AND job.kind = 'node' THEN
    FOR member IN SELECT * FROM steep_repl.initialisation_members m WHERE m.id = _init_links_ready.id LOOP
      answer := steep_repl._peer_value(member.conninfo, format(
        'SELECT to_jsonb(l)::text FROM steep_repl.links l WHERE l.peer = %L', steep_repl.node_id()))::jsonb;
      IF answer->>'state' IS DISTINCT FROM 'linked' THEN
        waits := format('link of %s with this node%s', member.peer, ': ' || (answer->>'last_error'));
        EXIT;
      END IF;
    END LOOP;
  END IF;
  IF waits IS NOT NULL THEN
    waits := 'waiting for ' || waits;
  END IF;
  PERFORM steep_repl._init_phase(id, coalesce(waits, 'links made'));
  RETURN waits;
END $$;
COMMENT ON FUNCTION steep_repl._init_links_ready(bigint) IS 'NULL once all links of the initialisation are made, else what it waits for.';

CREATE OR REPLACE FUNCTION steep_repl._init_pause(id bigint) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  link steep_repl.links;
BEGIN
  FOR link IN UPDATE steep_repl.links l SET initialising = id WHERE l.subscription IS NOT NULL RETURNING l.* LOOP
    PERFORM steep_repl._link_set_streaming(link);
  END LOOP;
END $$;
COMMENT ON FUNCTION steep_repl._init_pause(bigint) IS 'Pauses all links of this node.';

CREATE OR REPLACE FUNCTION steep_repl._init_hold(id bigint) RETURNS text
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  job steep_repl.initialisations;
  member record;
  at pg_lsn;
  waits text;
BEGIN
  SELECT * INTO job FROM steep_repl.initialisations i WHERE i.id = _init_hold.id;
  SELECT 'waiting for the apply worker of ' || string_agg(l.peer, ', ') INTO waits
    FROM steep_repl.links l JOIN pg_stat_subscription s ON s.subid = l.subscription AND s.pid IS NOT NULL;
  IF waits IS NOT NULL THEN
    RETURN waits;
  END IF;
  FOR member IN SELECT * FROM steep_repl.initialisation_members m WHERE m.id = _init_hold.id AND m.peer <> job.source AND m.held_at IS NULL LOOP
    IF member.paused_at IS NULL THEN
      at := steep_repl._peer_value(member.conninfo, 'SELECT pg_current_wal_flush_lsn()::text');
      UPDATE steep_repl.initialisation_members m SET paused_at = at WHERE m.id = _init_hold.id AND m.peer = member.peer;
      RETURN format('asked %s for its position', member.peer);
    END IF;
    at := steep_repl._peer_value(member.conninfo, format(
      'SELECT confirmed_flush_lsn::text FROM pg_catalog.pg_replication_slots WHERE slot_name = %L', steep_repl._link_name(job.source, member.peer)));
    IF at IS NULL THEN
      RAISE EXCEPTION USING ERRCODE = 'SR028', MESSAGE = format('%s does not receive from %s', job.source, member.peer),
        HINT = 'All members must be linked with each other before a node takes tables over.';
    ELSIF at < member.paused_at THEN
      RETURN format('waiting until %s has received what %s wrote (%s of %s)', job.source, member.peer, at, member.paused_at);
    END IF;
    at := steep_repl._peer_value(job.source_conninfo, format('SELECT steep_repl._hold(%L, %L, 120)::text', member.peer, steep_repl.node_id()), 40);
    UPDATE steep_repl.initialisation_members m SET held_at = at WHERE m.id = _init_hold.id AND m.peer = member.peer;
  END LOOP;
  PERFORM steep_repl._init_phase(id, 'taking a snapshot of the source');
  RETURN NULL;
END $$;
COMMENT ON FUNCTION steep_repl._init_hold(bigint) IS 'Steps 1 and 2: NULL once the source holds the streams of all members, else what it waits for.';

CREATE OR REPLACE FUNCTION steep_repl._init_source(id bigint) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT i.source_conninfo FROM steep_repl.initialisations i WHERE i.id = _init_source.id;
END;
COMMENT ON FUNCTION steep_repl._init_source(bigint) IS 'How to connect to the source.';

CREATE OR REPLACE FUNCTION steep_repl._init_release(id bigint) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  job steep_repl.initialisations;
BEGIN
  SELECT * INTO job FROM steep_repl.initialisations i WHERE i.id = _init_release.id;
  PERFORM steep_repl._peer_value(job.source_conninfo, format('SELECT steep_repl._release(%L, %L)', m.peer, steep_repl.node_id()))
     FROM steep_repl.initialisation_members m WHERE m.id = _init_release.id AND m.held_at IS NOT NULL;
END $$;
COMMENT ON FUNCTION steep_repl._init_release(bigint) IS 'Lets the source go on applying the members'' streams.';

CREATE OR REPLACE FUNCTION steep_repl._init_snapshot_taken(id bigint, lsn bigint) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  member steep_repl.initialisation_members;
BEGIN
  -- The snapshot waits for every open transaction of the source: was everything held until it was there?
  FOR member IN SELECT * FROM steep_repl.initialisation_members m WHERE m.id = _init_snapshot_taken.id AND m.held_at IS NOT NULL LOOP
    IF steep_repl._peer_value((SELECT i.source_conninfo FROM steep_repl.initialisations i WHERE i.id = _init_snapshot_taken.id),
         format('SELECT steep_repl._held_at(%L, %L)::text', member.peer, steep_repl.node_id()))::pg_lsn IS DISTINCT FROM member.held_at THEN
      RAISE EXCEPTION USING ERRCODE = 'SR016', MESSAGE = format('the source went on applying the stream of %s before the snapshot was taken', member.peer),
        HINT = 'A long transaction on the source keeps the snapshot waiting. The copy begins again.';
    END IF;
  END LOOP;
  PERFORM steep_repl._init_release(id);
  UPDATE steep_repl.initialisations i SET snapshot_lsn = '0/0'::pg_lsn + lsn, phase = 'looking at the tables' WHERE i.id = _init_snapshot_taken.id;
END $$;
COMMENT ON FUNCTION steep_repl._init_snapshot_taken(bigint, bigint) IS 'Step 3.';

CREATE OR REPLACE FUNCTION steep_repl._init_end(id bigint) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  link steep_repl.links;
BEGIN
  -- Step 5. Whatever has not been taken over is taken over under a later snapshot, so its changes may be skipped.
  FOR link IN UPDATE steep_repl.links l SET initialising = NULL WHERE l.initialising = id RETURNING l.* LOOP
    IF link.subscription IS NOT NULL THEN
      PERFORM steep_repl._link_set_streaming(link);
    END IF;
  END LOOP;
  PERFORM steep_repl._wake_worker();
END $$;
COMMENT ON FUNCTION steep_repl._init_end(bigint) IS 'Step 5: the links go on.';

CREATE OR REPLACE FUNCTION steep_repl._init_again(id bigint, error text) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  again boolean;
BEGIN
  UPDATE steep_repl.initialisations i SET error = _init_again.error,
      state = CASE WHEN i.attempts < 5 THEN 'waiting' ELSE 'failed' END,
      phase = CASE WHEN i.attempts < 5 THEN 'trying again' ELSE 'failed' END,
      next_try = now() + least(power(2, i.attempts), 30) * interval '1 second',
      finished_at = CASE WHEN i.attempts < 5 THEN NULL ELSE now() END
    WHERE i.id = _init_again.id RETURNING i.state = 'waiting' INTO again;
  UPDATE steep_repl.initialisation_tables t SET state = CASE WHEN again THEN 'wanted' ELSE 'failed' END,
      reason = coalesce(t.reason, _init_again.error)
    WHERE t.id = _init_again.id AND t.state <> 'complete';
END $$;
COMMENT ON FUNCTION steep_repl._init_again(bigint, text) IS 'Notes why an initialisation stopped, and has it tried again, up to five times.';

CREATE OR REPLACE FUNCTION steep_repl._init_finish(id bigint) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  left_out text;
BEGIN
  PERFORM steep_repl._advance_sequences(k.relation::regclass) FROM steep_repl.initialisation_tables t
     JOIN steep_repl.tables k ON k.table_schema = t.table_schema AND k.table_name = t.table_name
    WHERE t.id = _init_finish.id AND t.state = 'complete';
  PERFORM steep_repl._init_end(id);
  SELECT string_agg(format('%I.%I: %s', t.table_schema, t.table_name, coalesce(t.reason, 'the source does not replicate it')), '; ') INTO left_out
    FROM steep_repl.initialisation_tables t WHERE t.id = _init_finish.id AND t.state <> 'complete';
  IF left_out IS NOT NULL THEN
    PERFORM steep_repl._init_again(id, left_out);
    RETURN;
  END IF;
  UPDATE steep_repl.initialisations i SET state = 'complete', phase = 'complete', error = NULL, finished_at = now() WHERE i.id = _init_finish.id;
END $$;
COMMENT ON FUNCTION steep_repl._init_finish(bigint) IS 'Moves sequences past the copied ids and lets the links go on.';

CREATE OR REPLACE FUNCTION steep_repl._init_table_failed(id bigint, "table" text, error text) RETURNS void
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  UPDATE steep_repl.initialisation_tables t SET state = 'failed', reason = _init_table_failed.error
   WHERE t.id = _init_table_failed.id AND format('%I.%I', t.table_schema, t.table_name) = "table";
END;
COMMENT ON FUNCTION steep_repl._init_table_failed(bigint, text, text) IS 'Notes why a table could not be taken over; the others go on.';

CREATE OR REPLACE FUNCTION steep_repl._init_failed(id bigint, error text) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
BEGIN
  PERFORM steep_repl._init_again(id, error);
  PERFORM steep_repl._init_end(id);
  BEGIN
    PERFORM steep_repl._init_release(id);
  EXCEPTION WHEN OTHERS THEN
    RAISE LOG 'steep_repl: the source will let go by itself: %', SQLERRM;
  END;
END $$;
COMMENT ON FUNCTION steep_repl._init_failed(bigint, text) IS 'Notes why an initialisation stopped, lets the links go on, and tries again up to five times.';
-- The tables of an initialisation: which, and one after the other (steps 3 and 4 of initialise.sql).

CREATE OR REPLACE FUNCTION steep_repl._init_tables_query(id bigint) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN $q$SELECT t.table_schema::text, t.table_name::text, t.strategy, t.before_images::text,
                   (SELECT coalesce(sum(greatest(c.reltuples, 0)), 0)::bigint::text FROM pg_catalog.pg_class c
                     WHERE c.oid IN (SELECT l FROM steep_repl._leaves(t.relation) l))
              FROM steep_repl.tables t JOIN pg_catalog.pg_class k ON k.oid = t.relation ORDER BY k.relpages$q$;
COMMENT ON FUNCTION steep_repl._init_tables_query(bigint) IS 'The query that lists the source''s tables within the snapshot.';

CREATE OR REPLACE FUNCTION steep_repl._init_tables(id bigint, listed text) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  job steep_repl.initialisations;
BEGIN
  SELECT * INTO job FROM steep_repl.initialisations i WHERE i.id = _init_tables.id;
  IF job.kind = 'node' THEN
    INSERT INTO steep_repl.initialisation_tables (id, table_schema, table_name, strategy, before_images, state)
    SELECT id, l->>0, l->>1, l->>2, l->>3 = 'true', 'wanted' FROM jsonb_array_elements(listed::jsonb) l
    ON CONFLICT DO NOTHING;
  END IF;
  -- What is wanted and is on the source; what has been taken over already stays.
  UPDATE steep_repl.initialisation_tables t SET state = 'waiting', rows_expected = (l->>4)::bigint, reason = NULL
    FROM jsonb_array_elements(listed::jsonb) l
   WHERE t.id = _init_tables.id AND t.state IN ('wanted', 'failed') AND t.table_schema = l->>0 AND t.table_name = l->>1;
  UPDATE steep_repl.initialisation_tables t SET state = 'complete'
   WHERE t.id = _init_tables.id AND EXISTS (SELECT 1 FROM steep_repl.tables k WHERE k.table_schema = t.table_schema AND k.table_name = t.table_name);
END $$;
COMMENT ON FUNCTION steep_repl._init_tables(bigint, text) IS 'Notes which tables to take over.';

CREATE OR REPLACE FUNCTION steep_repl._init_origin(id bigint) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  -- Origins belong to the server, and one process at a time uses each.
  name text := 'steep_repl_copy_' || (SELECT d.oid FROM pg_database d WHERE d.datname = current_database());
BEGIN
  IF NOT EXISTS (SELECT 1 FROM pg_replication_origin o WHERE o.roname = name) THEN
    PERFORM pg_replication_origin_create(name);
  END IF;
  PERFORM steep_repl._origin_means((SELECT o.roident FROM pg_replication_origin o WHERE o.roname = name), 'copy',
                                   (SELECT i.source FROM steep_repl.initialisations i WHERE i.id = _init_origin.id));
  -- From now on nothing that this process writes is sent to peers: they have these rows from elsewhere.
  PERFORM pg_replication_origin_session_setup(name);
END $$;
COMMENT ON FUNCTION steep_repl._init_origin(bigint) IS 'Marks what this process writes as copied.';

CREATE OR REPLACE FUNCTION steep_repl._init_check_links(id bigint) RETURNS void
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  strangers text;
BEGIN
  SELECT string_agg(l.peer, ', ') INTO strangers FROM steep_repl.links l JOIN steep_repl.initialisations i ON i.id = _init_check_links.id
    LEFT JOIN steep_repl.initialisation_members m ON m.id = i.id AND m.peer = l.peer
   WHERE l.subscription IS NOT NULL AND (m.peer IS NULL OR l.peer <> i.source AND m.held_at IS NULL);
  IF strangers IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'SR014', MESSAGE = format('a link with %s was made meanwhile; its position in the copy is not known', strangers),
      HINT = 'The copy begins again under a new snapshot.';
  END IF;
END $$;
COMMENT ON FUNCTION steep_repl._init_check_links(bigint) IS 'Error SR014 when there is a link whose position in the snapshot is not known.';

CREATE OR REPLACE FUNCTION steep_repl._init_next_table(id bigint) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT steep_repl._init_check_links(_init_next_table.id);
  SELECT format('%I.%I', t.table_schema, t.table_name) FROM steep_repl.initialisation_tables t
   WHERE t.id = _init_next_table.id AND t.state = 'waiting' ORDER BY t.rows_expected, t.table_schema, t.table_name LIMIT 1;
END;
COMMENT ON FUNCTION steep_repl._init_next_table(bigint) IS 'The next table to copy, quoted; NULL when all are done.';

CREATE OR REPLACE FUNCTION steep_repl._init_table_begin(id bigint, "table" text) RETURNS jsonb
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  relation regclass := to_regclass("table");
  wanted steep_repl.initialisation_tables;
BEGIN
  PERFORM set_config('session_replication_role', 'replica', true);
  SELECT * INTO wanted FROM steep_repl.initialisation_tables t WHERE t.id = _init_table_begin.id AND format('%I.%I', t.table_schema, t.table_name) = "table";
  IF relation IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'undefined_table', MESSAGE = format('table %s does not exist here', "table");
  END IF;
  PERFORM steep_repl._refuse_problems(relation, wanted.before_images);
  PERFORM steep_repl._lock_table(relation, wanted.before_images AND steep_repl._before_images_possible(relation));
  IF steep_repl._holds_rows(relation) AND wanted.existing = 'refuse' THEN
    RAISE EXCEPTION USING ERRCODE = 'SR044', MESSAGE = format('table %s holds rows on this node and on the source', "table"),
      HINT = 'Empty it here, or prove the contents equal: add_table(…, existing => ''identical'').';
  END IF;
  -- With nothing here, rows are copied also where those of others are to be identical.
  RETURN steep_repl._copy_plan(relation, CASE WHEN steep_repl._holds_rows(relation) THEN wanted.existing ELSE 'refuse' END);
END $$;
COMMENT ON FUNCTION steep_repl._init_table_begin(bigint, text) IS 'Locks an empty table and says how to copy it: relation, columns, query for the source.';

CREATE OR REPLACE FUNCTION steep_repl._copy_plan(relation regclass, existing text) RETURNS jsonb
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  names text[];
BEGIN
  SELECT array_agg(a.attname ORDER BY a.attnum) INTO names FROM pg_attribute a
   WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '';
  RETURN jsonb_build_object('relation', relation::oid::bigint, 'columns', to_jsonb(coalesce(names, '{}')),
    'query', format('COPY (SELECT %s FROM %s%s) TO STDOUT', (SELECT string_agg(quote_ident(n), ', ' ORDER BY o) FROM unnest(names) WITH ORDINALITY u(n, o)),
                    steep_repl._source_of(relation), CASE WHEN existing = 'identical' THEN ' WHERE false' ELSE '' END),
    'proof', CASE WHEN existing = 'identical' THEN format('SELECT steep_repl._content_hash(%L::regclass)', format('%s', relation)) END,
    'hash', CASE WHEN existing = 'identical' THEN steep_repl._content_hash(relation) END);
END $$;
COMMENT ON FUNCTION steep_repl._copy_plan(regclass, text) IS 'How to copy a table; for contents that are to be identical, the hash here and the query for the source''s.';

CREATE OR REPLACE FUNCTION steep_repl._init_table_done(id bigint, "table" text, rows bigint, bytes bigint) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  relation regclass := "table"::regclass;
  job steep_repl.initialisations;
  wanted steep_repl.initialisation_tables;
BEGIN
  SELECT * INTO job FROM steep_repl.initialisations i WHERE i.id = _init_table_done.id;
  UPDATE steep_repl.initialisation_tables t SET state = 'complete', rows_copied = rows, bytes_copied = bytes, reason = NULL
   WHERE t.id = _init_table_done.id AND format('%I.%I', t.table_schema, t.table_name) = "table" RETURNING * INTO wanted;
  PERFORM steep_repl._join_table(relation, coalesce(wanted.strategy, 'last_write_wins'), wanted.before_images);
  PERFORM steep_repl._init_check_links(id);
  -- Step 4.
  PERFORM steep_repl._set_subscription_table(l.subscription, relation, 's',
            (CASE WHEN l.peer = job.source THEN job.snapshot_lsn ELSE m.held_at END - '0/0'::pg_lsn)::bigint)
     FROM steep_repl.links l LEFT JOIN steep_repl.initialisation_members m ON m.peer = l.peer AND m.id = _init_table_done.id
    WHERE l.subscription IS NOT NULL;
END $$;
COMMENT ON FUNCTION steep_repl._init_table_done(bigint, text, bigint, bigint) IS 'Step 4, in the transaction of the copy: sends and receives the table from here on.';
-- Starting a node: all tables of a source, and links with every member, both ways.

CREATE OR REPLACE FUNCTION steep_repl.check_start(source_conninfo text, own_conninfo text) RETURNS TABLE (problem text, remedy text)
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  identity jsonb;
  back jsonb;
  described jsonb;
  theirs record;
  mine jsonb;
BEGIN
  PERFORM steep_repl._this_node();
  -- Right after CREATE EXTENSION the worker is on its way.
  FOR attempt IN 1..50 LOOP
    EXIT WHEN (steep_repl._worker_state()->>'running')::boolean OR NOT (steep_repl._worker_state()->>'preloaded')::boolean;
    PERFORM pg_sleep(0.1);
  END LOOP;
  IF NOT (steep_repl._worker_state()->>'running')::boolean THEN
    RETURN QUERY SELECT 'no steep_repl worker runs in this database', 'Add steep_repl to shared_preload_libraries and restart the server.';
  END IF;
  BEGIN
    identity := steep_repl._peer_identity(source_conninfo);
  EXCEPTION WHEN OTHERS THEN
    RETURN QUERY SELECT 'the source: ' || SQLERRM, 'Check the connection string of the source, as this server would use it.';
    RETURN;
  END;
  RETURN QUERY SELECT * FROM steep_repl._check_pair(identity);
  BEGIN
    back := steep_repl._peer_value(source_conninfo, format('SELECT steep_repl._peer_identity(%L)::text', own_conninfo))::jsonb;
    IF back->>'node_uid' IS DISTINCT FROM steep_repl._identity()->>'node_uid' THEN
      RETURN QUERY SELECT format('at the connection string of this node the source finds node %s', coalesce(back->>'node_id', 'none')), 'Give the source a connection string of this node that works from there.';
    END IF;
  EXCEPTION WHEN OTHERS THEN
    RETURN QUERY SELECT 'the source cannot connect to this node: ' || SQLERRM, 'Give a connection string of this node that works from the source; check pg_hba.conf here.';
  END;
  FOR theirs IN SELECT r::jsonb AS t FROM steep_repl._peer_rows(steep_repl._with_timeout(source_conninfo, 5),
      'SELECT (to_jsonb(t) || jsonb_build_object(''described'', steep_repl._describe_table(t.table_schema, t.table_name, t.before_images)))::text FROM steep_repl.tables t') r
  LOOP
    mine := steep_repl._describe_table(theirs.t->>'table_schema', theirs.t->>'table_name', theirs.t->>'before_images' = 'true');
    described := theirs.t->'described';
    CONTINUE WHEN (mine->>'joined')::boolean;
    IF NOT (mine->>'exists')::boolean THEN
      RETURN QUERY SELECT format('table %I.%I does not exist here', theirs.t->>'table_schema', theirs.t->>'table_name'), 'Create the schema here first, for example with pg_dump --schema-only.';
    ELSIF mine->'columns' <> described->'columns' THEN
      RETURN QUERY SELECT format('table %I.%I has other columns here than on the source', theirs.t->>'table_schema', theirs.t->>'table_name'), 'Make both the same.';
    ELSIF (mine->>'holds_rows')::boolean THEN
      RETURN QUERY SELECT format('table %I.%I holds rows here%s', theirs.t->>'table_schema', theirs.t->>'table_name',
          CASE WHEN (described->>'holds_rows')::boolean THEN ' and on the source' ELSE '' END), 'Empty it here; rows of both sides are not merged.';
    END IF;
    RETURN QUERY SELECT format('table %I.%I: %s', theirs.t->>'table_schema', theirs.t->>'table_name', p), 'See above.' FROM jsonb_array_elements_text(mine->'problems') p;
  END LOOP;
END $$;
COMMENT ON FUNCTION steep_repl.check_start(text, text) IS 'All that speaks against starting this node from a source. own_conninfo: how the members reach this node. Definer: asks the source.';

CREATE OR REPLACE FUNCTION steep_repl.start_node(source_conninfo text, own_conninfo text) RETURNS bigint
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  id bigint;
  problems text;
  message text;
BEGIN
  PERFORM steep_repl._this_node();
  SELECT i.id INTO id FROM steep_repl.initialisations i WHERE i.kind = 'node' AND i.state IN ('waiting', 'running') ORDER BY i.id DESC LIMIT 1;
  IF id IS NOT NULL THEN
    RETURN id;
  END IF;
  SELECT string_agg(format('%s. %s', c.problem, c.remedy), E'\n') INTO problems FROM steep_repl.check_start(source_conninfo, own_conninfo) c;
  IF problems IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'SR045', MESSAGE = 'this node cannot be started', DETAIL = problems, HINT = 'All problems are listed; nothing has been changed.';
  END IF;
  INSERT INTO steep_repl.initialisations (kind, source_conninfo, own_conninfo) VALUES ('node', source_conninfo, own_conninfo)
    RETURNING initialisations.id INTO id;
  PERFORM steep_repl._audit('node.start', 'node', steep_repl.node_id(), NULL, jsonb_build_object('initialisation', id));
  PERFORM steep_repl._wake_worker();
  RETURN id;
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS message = MESSAGE_TEXT;
  PERFORM steep_repl._audit_failure('node.start', 'node', steep_repl.node_id(), message);
  RAISE;
END $$;
COMMENT ON FUNCTION steep_repl.start_node(text, text) IS
  'Initialises this node from a source and links it with every member, both ways; the worker does it after the commit, see start_progress(). Again: goes on, or changes nothing. Definer: links are the extension''s. Errors: SR001, SR045.';

CREATE OR REPLACE FUNCTION steep_repl.start_progress() RETURNS TABLE (
  id bigint, state text, phase text, tables_done integer, tables_total integer, current_table text, rows_done bigint,
  rows_total bigint, bytes_done bigint, error text, started_at timestamptz, finished_at timestamptz)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT i.id, CASE i.state WHEN 'waiting' THEN 'running' ELSE i.state END, CASE WHEN c.relid IS NULL THEN i.phase ELSE 'copying' END,
         (count(t.*) FILTER (WHERE t.state = 'complete'))::integer, count(t.*)::integer, c.relid::regclass::text,
         (coalesce(sum(t.rows_copied), 0) + coalesce(c.tuples_processed, 0))::bigint,
         sum(greatest(t.rows_expected, t.rows_copied))::bigint,
         (coalesce(sum(t.bytes_copied), 0) + coalesce(c.bytes_processed, 0))::bigint, i.error, i.started_at, i.finished_at
    FROM steep_repl.initialisations i
    LEFT JOIN steep_repl.initialisation_tables t ON t.id = i.id
    LEFT JOIN pg_stat_progress_copy c ON i.state = 'running' AND c.pid = (steep_repl._worker_state()->>'initialisation_pid')::integer
   WHERE i.kind = 'node'
   GROUP BY i.id, c.relid, c.tuples_processed, c.bytes_processed ORDER BY i.id DESC;
END;
COMMENT ON FUNCTION steep_repl.start_progress() IS 'How far the starts of this node are, the latest first. Definer: reads the extension''s tables.';
-- Beats: a stream must never go on over a gap. A slot only moves forward: when a node comes back from an old backup, its
-- peers' slots stand behind what it now lacks, and PostgreSQL would silently go on from there.

CREATE OR REPLACE FUNCTION steep_repl._beat() RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  last steep_repl.beat_history;
  this bigint;
BEGIN
  SELECT * INTO last FROM steep_repl.beat_history ORDER BY seq DESC LIMIT 1;
  -- Every two seconds while there is something written, so that a quiet node stays quiet.
  IF last.at > clock_timestamp() - interval '2 seconds' OR pg_current_wal_insert_lsn() - last.lsn < 8192 THEN
    RETURN;
  END IF;
  INSERT INTO steep_repl.beat_history DEFAULT VALUES RETURNING seq INTO this;
  INSERT INTO steep_repl.beats (node_id, seq) VALUES (steep_repl.node_id(), this)
    ON CONFLICT (node_id) DO UPDATE SET seq = excluded.seq;
  DELETE FROM steep_repl.beat_history h WHERE h.seq < this - 1000;
END $$;
COMMENT ON FUNCTION steep_repl._beat() IS 'Makes a beat when it is time for one.';

CREATE OR REPLACE FUNCTION steep_repl._beat_arrived() RETURNS trigger
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    -- Known since the link was made; a second insert would stop the stream.
    UPDATE steep_repl.beats b SET seq = greatest(b.seq, NEW.seq) WHERE b.node_id = NEW.node_id;
    RETURN CASE WHEN FOUND THEN NULL ELSE NEW END;
  END IF;
  NEW.seq := greatest(OLD.seq, NEW.seq);
  RETURN NEW;
END $$;
COMMENT ON FUNCTION steep_repl._beat_arrived() IS 'Fires in the apply worker: beats only grow.';

CREATE OR REPLACE TRIGGER beats_arrived BEFORE INSERT OR UPDATE ON steep_repl.beats
  FOR EACH ROW EXECUTE FUNCTION steep_repl._beat_arrived();
ALTER TABLE steep_repl.beats ENABLE REPLICA TRIGGER beats_arrived;

CREATE OR REPLACE FUNCTION steep_repl._stream_facts(slot name) RETURNS jsonb
  LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT jsonb_build_object(
    'node_id', steep_repl.node_id(),
    'flushed', pg_current_wal_flush_lsn(),
    'beat', (SELECT max(h.seq) FROM steep_repl.beat_history h),
    -- A beat has certainly been confirmed when the next one's beginning has.
    'confirmed_beat', (SELECT max(h.seq) FROM steep_repl.beat_history h JOIN steep_repl.beat_history n ON n.seq = h.seq + 1
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
-- What the worker looks after by itself: peers, slots, and what peers said about tables.

CREATE OR REPLACE FUNCTION steep_repl._observations_due() RETURNS SETOF text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT l.peer FROM steep_repl.links l LEFT JOIN steep_repl.link_observations o ON o.peer = l.peer
   WHERE l.state = 'linked' AND l.wanted <> 'remove'
     AND coalesce(o.observed_at + CASE WHEN o.failing_since IS NULL THEN interval '0.9 seconds' ELSE interval '5 seconds' END <= clock_timestamp(), true);
END;
COMMENT ON FUNCTION steep_repl._observations_due() IS 'The peers to look at now: every second, those that do not answer every five.';

CREATE OR REPLACE FUNCTION steep_repl._observe(peer text) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET synchronous_commit = off AS $$
#variable_conflict use_variable
DECLARE
  link steep_repl.links;
  asked_at timestamptz := clock_timestamp();
  seen jsonb;
  problem text;
  applied pg_lsn;
  beat bigint;
BEGIN
  SELECT * INTO link FROM steep_repl.links l WHERE l.peer = _observe.peer;
  -- Before the peer is asked: the stream moves on meanwhile.
  applied := coalesce(pg_replication_origin_progress('pg_' || link.subscription, false), '0/0');
  beat := steep_repl._received_beat(link.slot_name);
  seen := steep_repl._peer_value(link.conninfo, format($q$
    SELECT jsonb_build_object('lsn', pg_catalog.pg_current_wal_lsn(), 'confirmed', s.confirmed_flush_lsn, 'exists', s.slot_name IS NOT NULL,
      'lost', s.wal_status = 'lost' OR s.invalidation_reason IS NOT NULL, 'facts', steep_repl._stream_facts(%L))::text
    FROM (SELECT) one LEFT JOIN pg_catalog.pg_replication_slots s ON s.slot_name = %L $q$, link.slot_name, link.slot_name), 5)::jsonb;
  IF NOT (seen->>'exists')::boolean OR (seen->>'lost')::boolean THEN
    RAISE EXCEPTION USING ERRCODE = 'SR027', MESSAGE = format('%s no longer keeps what this node has not received: its slot %s is gone or invalid', peer, link.slot_name),
      HINT = 'This node must be initialised anew: it would miss changes.';
  END IF;
  problem := steep_repl._stream_problem(seen->'facts', applied, beat);
  IF problem IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'SR029', MESSAGE = problem;
  END IF;
  INSERT INTO steep_repl.link_observations AS o (peer, observed_at, peer_lsn, confirmed_lsn, caught_up_at)
  VALUES (peer, asked_at, (seen->>'lsn')::pg_lsn, (seen->>'confirmed')::pg_lsn, asked_at)
  ON CONFLICT ON CONSTRAINT link_observations_pkey DO UPDATE SET
    -- Caught up with all that the peer had at the time of the last look.
    caught_up_at = CASE WHEN excluded.confirmed_lsn >= excluded.peer_lsn THEN excluded.observed_at
                        WHEN excluded.confirmed_lsn >= o.peer_lsn THEN coalesce(o.observed_at, excluded.observed_at)
                        ELSE o.caught_up_at END,
    observed_at = excluded.observed_at, peer_lsn = excluded.peer_lsn, confirmed_lsn = excluded.confirmed_lsn,
    failing_since = NULL, error = NULL;
  -- Seldom, because every change of the registry goes to the WAL.
  UPDATE steep_repl.nodes n SET last_seen = asked_at, status = 'online'
   WHERE n.node_id = peer AND n.status <> 'removed' AND (n.status <> 'online' OR coalesce(n.last_seen < asked_at - interval '10 seconds', true));
END $$;
COMMENT ON FUNCTION steep_repl._observe(text) IS 'Asks a peer how far it is and how far we are, for lag and node status.';

CREATE OR REPLACE FUNCTION steep_repl._observe_failed(peer text, error text) RETURNS void
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  INSERT INTO steep_repl.link_observations AS o (peer, observed_at, failing_since, error)
  VALUES (_observe_failed.peer, clock_timestamp(), clock_timestamp(), _observe_failed.error)
  ON CONFLICT ON CONSTRAINT link_observations_pkey DO UPDATE SET observed_at = excluded.observed_at,
    failing_since = coalesce(o.failing_since, excluded.failing_since), error = excluded.error;
  UPDATE steep_repl.nodes n SET status = 'unavailable' WHERE n.node_id = _observe_failed.peer AND n.status IN ('online', 'unknown');
END;
COMMENT ON FUNCTION steep_repl._observe_failed(text, text) IS 'Notes that a peer did not answer.';

CREATE OR REPLACE FUNCTION steep_repl._drop_slots_of_removed() RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  slot record;
BEGIN
  FOR slot IN
    SELECT s.slot_name, s.active_pid FROM steep_repl.nodes n
      JOIN pg_replication_slots s ON s.slot_name = steep_repl._link_name(n.node_id, steep_repl.node_id())
     WHERE n.status = 'removed'
  LOOP
    IF slot.active_pid IS NULL THEN
      PERFORM pg_drop_replication_slot(slot.slot_name);
    ELSE
      PERFORM pg_terminate_backend(slot.active_pid);
    END IF;
  END LOOP;
END $$;
COMMENT ON FUNCTION steep_repl._drop_slots_of_removed() IS 'Frees the slots of unregistered nodes, which hold WAL for nobody.';

CREATE OR REPLACE FUNCTION steep_repl._housekeeping() RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  wish steep_repl.table_inbox;
BEGIN
  PERFORM steep_repl._audit_settings();
  IF steep_repl.node_id() IS NULL THEN
    RETURN;
  END IF;
  PERFORM steep_repl._beat();
  PERFORM steep_repl._drop_slots_of_removed();
  -- Tables that were dropped here; their names may come back as other tables.
  DELETE FROM steep_repl.tables t WHERE NOT EXISTS (SELECT 1 FROM pg_class c WHERE c.oid = t.relation);
  FOR wish IN SELECT * FROM steep_repl.table_inbox ORDER BY id LOOP
    BEGIN
      DELETE FROM steep_repl.table_inbox i WHERE i.id = wish.id;
      PERFORM steep_repl._grant_wish(wish);
    EXCEPTION
      WHEN lock_not_available OR deadlock_detected OR out_of_memory OR disk_full THEN
        EXIT;  -- in the next round; those behind it wait, so that a leave does not overtake its join
      WHEN OTHERS THEN
        DELETE FROM steep_repl.table_inbox i WHERE i.id = wish.id;
        PERFORM steep_repl._say(wish.table_schema, wish.table_name, 'fail', jsonb_build_object('reason', SQLERRM));
        RAISE LOG 'steep_repl: cannot % table %.%: %', wish.action, wish.table_schema, wish.table_name, SQLERRM;
    END;
  END LOOP;
  PERFORM steep_repl._identify_new_leaves();
  -- Links that an initialisation left paused when it ended without its own end.
  UPDATE steep_repl.links l SET initialising = NULL WHERE l.initialising IS NOT NULL
     AND NOT EXISTS (SELECT 1 FROM steep_repl.initialisations i WHERE i.id = l.initialising AND i.state IN ('waiting', 'running'));
  PERFORM steep_repl._announce_tables();
  UPDATE steep_repl.nodes n SET last_seen = now(), status = 'online'
   WHERE n.node_id = steep_repl.node_id() AND coalesce(n.last_seen < now() - interval '10 seconds', true);
END $$;
COMMENT ON FUNCTION steep_repl._housekeeping() IS 'What the worker does in every round.';
-- Health: what a monitor, or a person at night, has to know first.

CREATE OR REPLACE FUNCTION steep_repl._health_reasons() RETURNS TABLE (severity integer, reason text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  -- 2 makes the node unhealthy, 1 degraded.
  SELECT 2, 'steep_repl is not in shared_preload_libraries: no worker runs' WHERE NOT (steep_repl._worker_state()->>'preloaded')::boolean
  UNION ALL SELECT 2, 'the worker of this database does not run' WHERE (steep_repl._worker_state()->>'preloaded')::boolean AND NOT (steep_repl._worker_state()->>'running')::boolean
  UNION ALL SELECT 1, 'this database is not a node yet: SELECT steep_repl.create_node(…)' WHERE steep_repl.node_id() IS NULL
  UNION ALL SELECT 1, format('setting %s is %s: %s', s.name, s.current, s.problem)
    FROM steep_repl.check_settings((SELECT greatest(count(*), 1)::int FROM steep_repl.links)) s WHERE s.name <> 'shared_preload_libraries'
  UNION ALL SELECT CASE WHEN s.state IN ('waiting', 'failed') THEN 2 ELSE 1 END,
                   format('receiving from %s: %s%s', s.peer, s.state, ': ' || s.last_error)
    FROM steep_repl.subscription_status() s WHERE s.state NOT IN ('streaming', 'copying')
  UNION ALL SELECT 1, format('the stream of %s waits for process %s, which holds a lock', s.peer, s.blocked_by)
    FROM steep_repl.subscription_status() s WHERE s.blocked_by IS NOT NULL
  UNION ALL SELECT 1, format('%s does not receive from this node; %s of WAL are kept for it', s.peer, pg_size_pretty(s.retained_wal_bytes))
    FROM steep_repl._slots() s WHERE NOT s.active
  UNION ALL SELECT 2, format('table %I.%I: %s', t.table_schema, t.table_name, t.reason)
    FROM steep_repl.replicated_tables() t WHERE t.state = 'failed';
END;
COMMENT ON FUNCTION steep_repl._health_reasons() IS 'All that is wrong, with its weight.';

CREATE OR REPLACE FUNCTION steep_repl.health() RETURNS jsonb
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT jsonb_build_object(
    'status', CASE coalesce(max(r.severity), 0) WHEN 0 THEN 'healthy' WHEN 1 THEN 'degraded' ELSE 'unhealthy' END,
    'reasons', coalesce(jsonb_agg(r.reason ORDER BY r.severity DESC, r.reason) FILTER (WHERE r.reason IS NOT NULL), '[]'),
    'version', steep_repl.version(),
    'node_id', steep_repl.node_id(),
    'database', jsonb_build_object('name', current_database(), 'server_version', current_setting('server_version'),
                                   'in_recovery', pg_is_in_recovery(), 'started_at', pg_postmaster_start_time()),
    'worker', steep_repl._worker_state(),
    'settings', (SELECT coalesce(jsonb_agg(to_jsonb(s)), '[]') FROM steep_repl.check_settings((SELECT greatest(count(*), 1)::int FROM steep_repl.links)) s),
    'nodes', (SELECT coalesce(jsonb_object_agg(n.node_id, n.status), '{}') FROM steep_repl.nodes n WHERE n.status <> 'removed'),
    'subscriptions', (SELECT coalesce(jsonb_agg(to_jsonb(s)), '[]') FROM steep_repl.subscription_status() s),
    'slots', (SELECT coalesce(jsonb_agg(to_jsonb(s)), '[]') FROM steep_repl._slots() s),
    'tables', (SELECT coalesce(jsonb_object_agg(t.state, t.n), '{}') FROM (SELECT x.state, count(*) AS n FROM steep_repl.replicated_tables() x GROUP BY x.state) t))
  FROM steep_repl._health_reasons() r;
END;
COMMENT ON FUNCTION steep_repl.health() IS 'status healthy, degraded or unhealthy, the reasons, and the state of worker, settings, links, slots and tables. Definer: looks at all of it.';
-- Replicated tables keep their names: a table that a peer's stream names and that is not there stops that stream, with
-- all other tables in it.

CREATE OR REPLACE FUNCTION steep_repl._guard_drop() RETURNS event_trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  lost text := (SELECT string_agg(format('%I.%I', t.table_schema, t.table_name), ', ') FROM pg_event_trigger_dropped_objects() o
                  JOIN steep_repl.tables t ON t.relation = o.objid WHERE o.classid = 'pg_class'::regclass AND o.objsubid = 0);
BEGIN
  IF lost IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'SR046', MESSAGE = format('cannot drop %s: it is replicated', lost),
      HINT = 'SELECT steep_repl.remove_table(…) first; then drop it on each node.';
  END IF;
END $$;
COMMENT ON FUNCTION steep_repl._guard_drop() IS 'Refuses to drop replicated tables. Definer: whoever drops may not read the list.';

CREATE OR REPLACE FUNCTION steep_repl._guard_rename() RETURNS event_trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  renamed text := (SELECT string_agg(format('%I.%I', t.table_schema, t.table_name), ', ') FROM steep_repl.tables t
                     JOIN pg_class c ON c.oid = t.relation JOIN pg_namespace n ON n.oid = c.relnamespace
                    WHERE (n.nspname, c.relname) IS DISTINCT FROM (t.table_schema, t.table_name));
BEGIN
  IF renamed IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'SR047', MESSAGE = format('cannot rename or move %s: it is replicated under that name', renamed),
      HINT = 'SELECT steep_repl.remove_table(…), rename it on each node, and add it again with existing => ''identical''.';
  END IF;
END $$;
COMMENT ON FUNCTION steep_repl._guard_rename() IS 'Refuses to rename replicated tables. Definer: whoever renames may not read the list.';

CREATE EVENT TRIGGER steep_repl_guard_drop ON sql_drop EXECUTE FUNCTION steep_repl._guard_drop();
CREATE EVENT TRIGGER steep_repl_guard_rename ON ddl_command_end
  WHEN TAG IN ('ALTER TABLE', 'ALTER SCHEMA') EXECUTE FUNCTION steep_repl._guard_rename();
-- Who may call and see what. Everything is taken from PUBLIC first; what has an underscore is for the functions of this
-- schema, which run as their owner, and for peers, which connect as members of steep_repl_admin.
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA steep_repl FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA steep_repl FROM PUBLIC;
GRANT USAGE ON SCHEMA steep_repl TO steep_repl_viewer;

GRANT SELECT ON steep_repl.coordinator_state, steep_repl.audit_log, steep_repl.tables, steep_repl.table_events,
  steep_repl.origins TO steep_repl_viewer;
GRANT SELECT (node_id, node_name, host, port, priority, is_coordinator, last_seen, status, dbname, node_uid)
  ON steep_repl.nodes TO steep_repl_viewer;
GRANT EXECUTE ON FUNCTION steep_repl.version(), steep_repl.node_id(), steep_repl.node_status(), steep_repl.health(),
  steep_repl.check_settings(integer), steep_repl.subscription_status(), steep_repl.replicated_tables(),
  steep_repl.start_progress() TO steep_repl_viewer;
GRANT EXECUTE ON FUNCTION steep_repl._before_drop() TO PUBLIC;

GRANT EXECUTE ON FUNCTION steep_repl.heartbeat(), steep_repl.pause(text), steep_repl.resume(text) TO steep_repl_operator;

-- Not the tables with connection strings (nodes.conninfo, links, initialisations): functions show what is needed of them.
GRANT SELECT ON steep_repl.local_node, steep_repl.known_settings, steep_repl.link_observations, steep_repl.table_inbox,
  steep_repl.initialisation_tables, steep_repl.beats, steep_repl.beat_history TO steep_repl_admin;
GRANT SELECT (id, peer, paused_at, held_at) ON steep_repl.initialisation_members TO steep_repl_admin;
GRANT SELECT (peer, slot_name, subscription_name, subscription, state, wanted, held_by, held_until, initialising, last_error,
  last_error_at, attempts, next_try, requested_at) ON steep_repl.links TO steep_repl_admin;
GRANT SELECT (id, kind, source, state, phase, snapshot_lsn, error, attempts, next_try, requested_at, started_at, finished_at)
  ON steep_repl.initialisations TO steep_repl_admin;
GRANT EXECUTE ON FUNCTION
  steep_repl.create_node(text, text, text, integer, integer),
  steep_repl.register_node(text, text, text, integer, integer, text, text),
  steep_repl.unregister_node(text),
  steep_repl.coordinator_compare_and_set(text, jsonb, jsonb),
  steep_repl.prune_audit_log(interval),
  steep_repl.subscribe(text, text, boolean),
  steep_repl.unsubscribe(text),
  steep_repl.add_table(regclass, text, boolean, text),
  steep_repl.add_tables(text),
  steep_repl.remove_table(regclass),
  steep_repl.check_start(text, text),
  steep_repl.start_node(text, text),
  -- what a node asks of its peers
  steep_repl._identity(), steep_repl._peer_identity(text), steep_repl._members(), steep_repl._invite(jsonb, text),
  steep_repl._this_node(), steep_repl._describe_table(text, text, boolean), steep_repl._content_hash(regclass),
  steep_repl._leaves(regclass), steep_repl._init_tables_query(bigint), steep_repl._stream_facts(name),
  steep_repl._hold(text, text, integer), steep_repl._release(text, text), steep_repl._held_at(text, text), steep_repl._reserve_table(name, name, text)
  TO steep_repl_admin;

SELECT steep_repl._audit('extension.create', 'extension', 'steep_repl', NULL, pg_catalog.to_jsonb(steep_repl.version()));
SELECT steep_repl._audit_settings();
SELECT steep_repl._wake_worker();
