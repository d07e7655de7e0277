-- Fingerprints of tables, as they were captured. First the columns of the requirements.
CREATE TABLE steep_repl.schema_fingerprints (
  table_schema text NOT NULL,
  table_name text NOT NULL,
  fingerprint text NOT NULL,
  column_count integer NOT NULL,
  captured_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
  -- What the fingerprint is of, so that it can be said later what has changed since.
  definition jsonb NOT NULL,
  PRIMARY KEY (table_schema, table_name)
);
COMMENT ON TABLE steep_repl.schema_fingerprints IS 'What the tables of this node were when their fingerprints were last captured.';
