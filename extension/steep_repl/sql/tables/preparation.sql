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
