\echo Use "CREATE EXTENSION steep_repl" to load this file. \quit

-- Before any function of the library is defined: the library itself would refuse to load, with a message about magic
-- blocks instead of this one.
DO $requirement$
BEGIN
  IF pg_catalog.current_setting('server_version_num')::int < 180000 THEN
    RAISE EXCEPTION USING
      ERRCODE = 'feature_not_supported',
      MESSAGE = pg_catalog.format('steep_repl requires PostgreSQL 18 or newer, this server is %s',
                                  pg_catalog.current_setting('server_version')),
      HINT = 'Upgrade the server with pg_upgrade, then run CREATE EXTENSION steep_repl again.';
  END IF;
END
$requirement$;
