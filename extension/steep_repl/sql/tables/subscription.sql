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
