-- Streams that are kept for nodes that will be filled from a copy of a source: a row, and a slot, on the source and on each
-- node that it receives from. Local to the node, so not dumped.
CREATE TABLE steep_repl.preparations (
  id uuid PRIMARY KEY,
  source text NOT NULL,
  slot_name name NOT NULL,
  made_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  expires_at timestamptz NOT NULL,
  asked_by text NOT NULL,
  -- On the source: the other nodes, and where their slots begin.
  members jsonb
);
COMMENT ON TABLE steep_repl.preparations IS 'Streams that this node keeps for nodes to come; preparations() shows them.';

-- On a server that began as a copy of a node: where what it holds ends. Written once, before anything can change it.
CREATE TABLE steep_repl.copy_ends (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  noted_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  noted_by xid8 NOT NULL DEFAULT pg_catalog.pg_current_xact_id(),
  -- Of the node's own stream; NULL when nobody can tell.
  replayed_lsn pg_lsn,
  -- The first transaction that is not one of the node.
  next_xid xid8,
  -- Of the other nodes' streams.
  received jsonb NOT NULL
);
COMMENT ON TABLE steep_repl.copy_ends IS 'On a copy of a node: where its streams stood at the end of the recovery.';
