-- Roles: viewer sees, operator acts on what is set up, admin sets up. They belong to the server, not to this database,
-- and so outlive the extension.
DO $roles$
DECLARE
  wanted text;
BEGIN
  FOREACH wanted IN ARRAY ARRAY['steep_repl_viewer', 'steep_repl_operator', 'steep_repl_admin'] LOOP
    IF NOT EXISTS (SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = wanted) THEN
      EXECUTE pg_catalog.format('CREATE ROLE %I NOLOGIN', wanted);
    END IF;
  END LOOP;
END
$roles$;
GRANT steep_repl_viewer TO steep_repl_operator;
GRANT steep_repl_operator TO steep_repl_admin;
