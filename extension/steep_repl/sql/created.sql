-- The end of CREATE EXTENSION.
SELECT steep_repl._audit('extension.create', 'extension', 'steep_repl', NULL, pg_catalog.to_jsonb(steep_repl.version()));
SELECT steep_repl._audit_settings();
SELECT steep_repl._wake_worker();
