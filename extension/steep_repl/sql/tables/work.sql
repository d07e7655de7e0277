-- Long work that no session waits for: who asked for what, where it stands, and how it ended.
CREATE TABLE steep_repl.work_queue (
  -- One numbering with take-overs: progress is shown, and told, of both.
  id bigint DEFAULT pg_catalog.nextval('steep_repl.initialisations_id_seq') PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('snapshot', 'apply')),
  state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'running', 'complete', 'failed', 'cancelled')),
  -- No passwords: all who may look at work see it.
  parameters jsonb NOT NULL,
  -- The role as which it runs; by its OID, because it may be renamed.
  role oid NOT NULL,
  asked_by text NOT NULL,
  asked_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  started_at timestamptz,
  finished_at timestamptz,
  attempts integer NOT NULL DEFAULT 0,
  cancelled_by text,
  error text,
  sqlstate text,
  -- Where it stood when it ended, in the shape of work_progress().
  progress jsonb,
  result jsonb
);
COMMENT ON TABLE steep_repl.work_queue IS 'Long work in the background: snapshots and their application. work_progress() shows what runs now, and take-overs with it.';
CREATE INDEX work_queue_open_idx ON steep_repl.work_queue (id) WHERE state IN ('pending', 'running');
CREATE INDEX work_queue_finished_at_idx ON steep_repl.work_queue (finished_at);
