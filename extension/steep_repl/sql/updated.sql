-- The end of ALTER EXTENSION … UPDATE.
SELECT steep_repl._audit('extension.update', 'extension', 'steep_repl', '"@FROM@"', '"@TO@"');
SELECT steep_repl._audit_settings();
SELECT steep_repl._wake_worker();
