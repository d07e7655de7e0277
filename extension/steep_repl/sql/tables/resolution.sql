-- Conflicts that people resolved. Told to all nodes ahead of the write that it belongs to, in one transaction with it: "what
-- follows is absolute, it replaces these versions". A set that only grows. Replicates like table_events.
CREATE TABLE steep_repl.resolutions (
  node_id text NOT NULL,
  seq bigint NOT NULL,
  at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  resolved_by text NOT NULL,
  conflict_key uuid NOT NULL,
  table_schema name NOT NULL,
  table_name name NOT NULL,
  key jsonb NOT NULL,
  -- [[microseconds since 2000, node], …]
  replaces jsonb NOT NULL,
  chosen jsonb,
  resolution text NOT NULL CHECK (resolution IN ('APPLIED_REMOTE', 'KEPT_LOCAL', 'MERGED', 'REVERTED')),
  result jsonb,
  reason text,
  replaced jsonb,
  replaced_version jsonb,
  new_key uuid,
  absent boolean NOT NULL DEFAULT false,
  PRIMARY KEY (node_id, seq)
);
COMMENT ON TABLE steep_repl.resolutions IS 'Conflicts that people resolved, on any node: which versions of which row the write replaces that follows in the same transaction.';
COMMENT ON COLUMN steep_repl.resolutions.replaces IS 'The versions of the row that were known where it was resolved; an older one of the same node is replaced, too.';
COMMENT ON COLUMN steep_repl.resolutions.chosen IS 'The version of the side that was chosen: local and remote are not the same on all nodes.';
COMMENT ON COLUMN steep_repl.resolutions.result IS 'The row as it was written; NULL: deleted.';
COMMENT ON COLUMN steep_repl.resolutions.replaced IS 'The row that stood there before.';
COMMENT ON COLUMN steep_repl.resolutions.absent IS 'No row is to stand there, and where it was resolved none stood: no deletion follows that would tell the others.';
COMMENT ON COLUMN steep_repl.resolutions.new_key IS 'The conflict_key of the entry that a revert makes.';
CREATE SEQUENCE steep_repl.resolution_seq;
CREATE INDEX resolutions_conflict ON steep_repl.resolutions (conflict_key);
CREATE INDEX resolutions_new ON steep_repl.resolutions (new_key) WHERE new_key IS NOT NULL;
CREATE INDEX resolutions_row ON steep_repl.resolutions (table_schema, table_name, pg_catalog.md5(key::text));

-- Changes that were set aside and that somebody has asked to apply after all.
CREATE TABLE steep_repl.retries (
  conflict_id bigint PRIMARY KEY,
  asked_by text NOT NULL,
  asked_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()
);
COMMENT ON TABLE steep_repl.retries IS 'Entries APPLY-ERROR whose change the worker is to apply once more, under its original version.';

-- Resolutions whose write has not been seen yet. Empty but for the moment between the two, within one transaction.
CREATE TABLE steep_repl.resolving (
  seq bigint PRIMARY KEY,
  conflict_id bigint NOT NULL,
  relation oid NOT NULL,
  row_before jsonb NOT NULL,
  must_write boolean NOT NULL
);
COMMENT ON TABLE steep_repl.resolving IS 'Resolutions that this transaction has begun and whose write it has not made yet.';
