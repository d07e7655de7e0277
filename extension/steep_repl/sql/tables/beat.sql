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
