-- The changes of rows that are folds of them (column_merge, delta columns, a function): kept until no peer can send an older one.
-- The version of a change is that of the transaction which wrote it here, unless time and node say otherwise. The library
-- writes this without SQL: the order of the columns matters, and there is one index.
CREATE TABLE steep_repl.row_changes (
  relation oid NOT NULL,
  key_id uuid NOT NULL,
  -- Insert, Update, Delete; Base: all before it, folded.
  kind "char" NOT NULL,
  ordinal bigint NOT NULL,
  row_before text,
  row_after text,
  version_time timestamptz,
  version_node text,
  -- The transaction that keeps it: apply workers remember the changes of those that have ended.
  writer xid8 NOT NULL DEFAULT pg_catalog.pg_current_xact_id()
);
COMMENT ON TABLE steep_repl.row_changes IS 'Changes of rows that keep something of both sides in a conflict: such a row is the fold of its changes, in the order of their versions.';
CREATE INDEX row_changes_key ON steep_repl.row_changes (relation, key_id, writer);
