-- From 0.1.0 to 0.2.0: what functions/ and grants.sql, which run after this file, do not do by themselves.

-- Has another column; the first two look at it.
DROP FUNCTION steep_repl.health();
DROP FUNCTION steep_repl._health_reasons();
DROP FUNCTION steep_repl.subscription_status();
-- Have another argument.
DROP FUNCTION steep_repl._init_again(bigint, text);
DROP FUNCTION steep_repl._init_failed(bigint, text);
DROP FUNCTION steep_repl._init_table_failed(bigint, text, text);

ALTER TABLE steep_repl.initialisation_tables ADD COLUMN hopeless boolean NOT NULL DEFAULT false;

\include tables/conflict.sql
