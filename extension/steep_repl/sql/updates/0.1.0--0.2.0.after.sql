-- From 0.1.0 to 0.2.0, with the functions of 0.2.0: nodes, links and tables that are there already become as these would
-- make them now.
DO $existing$
BEGIN
  IF EXISTS (SELECT 1 FROM pg_catalog.pg_publication WHERE pubname = 'steep_repl') THEN
    ALTER PUBLICATION steep_repl ADD TABLE steep_repl.displaced, steep_repl.truncations, steep_repl.resolutions;
  END IF;
  PERFORM steep_repl._set_subscription_table(l.subscription, told::pg_catalog.regclass, 'r', 0)
     FROM steep_repl.links l, pg_catalog.unnest(ARRAY['steep_repl.displaced', 'steep_repl.truncations', 'steep_repl.resolutions']) told WHERE l.subscription IS NOT NULL;
  PERFORM steep_repl._watch_rows(c.oid::pg_catalog.regclass) FROM steep_repl.tables t JOIN pg_catalog.pg_class c ON c.oid = t.relation;
END
$existing$;

-- Nothing calls them any more.
DROP FUNCTION steep_repl._with_timeout(text, integer);
DROP FUNCTION steep_repl._peer_rows(text, text);
