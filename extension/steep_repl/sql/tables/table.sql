-- The tables that this node replicates.
CREATE TABLE steep_repl.tables (
  relation oid PRIMARY KEY,
  table_schema name NOT NULL,
  table_name name NOT NULL,
  strategy text NOT NULL DEFAULT 'last_write_wins',
  before_images boolean NOT NULL,
  announced boolean NOT NULL DEFAULT false,
  joined_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
  identities_before jsonb NOT NULL,
  -- The nodes of the strategy node_priority, the first wins.
  priority text[],
  -- Columns whose differences are added up, and the function of the strategy function, as it stands in SQL.
  delta_columns text[],
  resolver text
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
  action text NOT NULL CHECK (action IN ('join', 'ready', 'fail', 'leave', 'strategy', 'range', 'ranges')),
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
  detail jsonb NOT NULL,
  -- Under which a share of its ids is asked for.
  range_request uuid NOT NULL DEFAULT pg_catalog.gen_random_uuid(),
  -- On which timeline, by default (functions/range_state.sql).
  range_timeline integer
);
COMMENT ON TABLE steep_repl.table_inbox IS 'What peers said about tables and the worker has not yet acted on.';

-- Tables being taken over from a source: for a new node all that the source has, else those that a peer has joined, or that are
-- thrown away here and taken anew.
CREATE TABLE steep_repl.initialisations (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('node', 'tables', 'reinit')),
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
  finished_at timestamptz,
  asked_by name NOT NULL DEFAULT session_user,
  -- direct copies from the source; snapshot loads files, as work of that role; copy: the whole database was one of the source's.
  method text NOT NULL DEFAULT 'direct' CHECK (method IN ('direct', 'snapshot', 'copy')),
  snapshot_path text,
  preparation uuid,
  parallel integer,
  role oid,
  work_id bigint,
  -- Where this node's own WAL was when it had emptied the tables that it takes anew.
  emptied_lsn pg_lsn,
  -- Since when it copies, and how much was done of it before.
  copying_since timestamptz,
  bytes_before bigint NOT NULL DEFAULT 0,
  units_before bigint NOT NULL DEFAULT 0
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
  hopeless boolean NOT NULL DEFAULT false,
  range_request uuid NOT NULL DEFAULT pg_catalog.gen_random_uuid(),
  range_timeline integer,
  -- What it takes on the source.
  bytes_expected bigint NOT NULL DEFAULT 0,
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
