-- Who did what, when, to what, and how it ended. Append-only.
CREATE TABLE steep_repl.audit_log (
  id serial PRIMARY KEY,
  occurred_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
  action text NOT NULL,
  actor text NOT NULL,
  target_type text,
  target_id text,
  old_value jsonb,
  new_value jsonb,
  client_ip inet,
  success boolean NOT NULL DEFAULT true,
  error_message text
);
COMMENT ON TABLE steep_repl.audit_log IS 'Who did what, when, to what, and how it ended. Append-only; prune_audit_log() shortens it.';
CREATE INDEX audit_log_occurred_at_idx ON steep_repl.audit_log (occurred_at);
CREATE INDEX audit_log_actor_idx ON steep_repl.audit_log (actor);
CREATE INDEX audit_log_action_idx ON steep_repl.audit_log (action);
-- The database that a dump is restored into has written entries of its own: all get their numbers from a trigger, in the order in
-- which they come. pg_dump appends the condition as it is.
ALTER TABLE steep_repl.audit_log ALTER COLUMN id DROP DEFAULT;
SELECT pg_catalog.pg_extension_config_dump('steep_repl.audit_log', 'ORDER BY id');

-- The values of our settings as last audited, so that a change is seen whoever made it.
CREATE TABLE steep_repl.known_settings (
  name text PRIMARY KEY,
  setting text
);
COMMENT ON TABLE steep_repl.known_settings IS 'The steep_repl.* settings as last written into the audit log.';
