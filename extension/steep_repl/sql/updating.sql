\echo Use "ALTER EXTENSION steep_repl UPDATE" to load this file. \quit

-- The start of ALTER EXTENSION … UPDATE. A server keeps the library that it loaded at its start; what follows is for the
-- new one.
DO $library$
BEGIN
  IF steep_repl.version() <> '@TO@' THEN
    RAISE EXCEPTION USING
      ERRCODE = 'object_not_in_prerequisite_state',
      MESSAGE = pg_catalog.format('this server runs the library of steep_repl %s, the update is to @TO@', steep_repl.version()),
      HINT = 'Restart the server, then run ALTER EXTENSION steep_repl UPDATE again.';
  END IF;
END
$library$;
