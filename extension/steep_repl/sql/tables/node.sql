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
  -- Its daemon does not answer ours, and until when that is believed.
  unanswered_until timestamptz,
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

-- A dump is read by others than the server: entries whose connection string may hold a password are left out.
SELECT pg_catalog.pg_extension_config_dump('steep_repl.nodes', 'WHERE conninfo IS NULL OR conninfo !~* ''password|://''');
SELECT pg_catalog.pg_extension_config_dump('steep_repl.coordinator_state', '');
