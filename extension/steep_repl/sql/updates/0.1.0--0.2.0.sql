-- From 0.1.0 to 0.2.0: what functions/ and grants.sql, which run after this file, do not do by themselves.

-- Have other columns; the first two look at one that has.
DROP FUNCTION steep_repl.health();
DROP FUNCTION steep_repl._health_reasons();
DROP FUNCTION steep_repl.subscription_status();
DROP FUNCTION steep_repl.replicated_tables();
DROP FUNCTION steep_repl.start_progress();
-- Have another argument.
DROP FUNCTION steep_repl._beat();
DROP FUNCTION steep_repl.add_table(regclass, text, boolean, text);
DROP FUNCTION steep_repl._init_again(bigint, text);
DROP FUNCTION steep_repl._init_failed(bigint, text);
DROP FUNCTION steep_repl._init_table_failed(bigint, text, text);
DROP FUNCTION steep_repl.check_start(text, text);
DROP FUNCTION steep_repl.start_node(text, text);

ALTER TABLE steep_repl.nodes ADD COLUMN unanswered_until timestamptz;
ALTER TABLE steep_repl.initialisations ADD COLUMN asked_by name NOT NULL DEFAULT session_user,
  ADD COLUMN method text NOT NULL DEFAULT 'direct' CHECK (method IN ('direct', 'snapshot', 'copy')), ADD COLUMN snapshot_path text,
  ADD COLUMN preparation uuid, ADD COLUMN parallel integer, ADD COLUMN role oid, ADD COLUMN work_id bigint,
  ADD COLUMN emptied_lsn pg_lsn, ADD COLUMN copying_since timestamptz, ADD COLUMN bytes_before bigint NOT NULL DEFAULT 0, ADD COLUMN units_before bigint NOT NULL DEFAULT 0,
  DROP CONSTRAINT initialisations_kind_check, ADD CONSTRAINT initialisations_kind_check CHECK (kind IN ('node', 'tables', 'reinit'));
ALTER TABLE steep_repl.initialisation_tables ADD COLUMN hopeless boolean NOT NULL DEFAULT false,
  ADD COLUMN range_request uuid NOT NULL DEFAULT pg_catalog.gen_random_uuid(), ADD COLUMN range_timeline integer,
  ADD COLUMN bytes_expected bigint NOT NULL DEFAULT 0;
ALTER TABLE steep_repl.table_inbox ADD COLUMN range_request uuid NOT NULL DEFAULT pg_catalog.gen_random_uuid(), ADD COLUMN range_timeline integer;

-- The index of an identity USING INDEX was not noted.
ALTER TABLE steep_repl.tables ADD COLUMN identities_before jsonb;
UPDATE steep_repl.tables SET identities_before =
  pg_catalog.jsonb_build_object(relation::text, pg_catalog.jsonb_build_object('identity', identity_before));
ALTER TABLE steep_repl.tables ALTER COLUMN identities_before SET NOT NULL;
ALTER TABLE steep_repl.tables DROP COLUMN identity_before;

ALTER TABLE steep_repl.tables ADD COLUMN priority text[], ADD COLUMN delta_columns text[], ADD COLUMN resolver text;
ALTER TABLE steep_repl.table_events DROP CONSTRAINT table_events_action_check,
  ADD CONSTRAINT table_events_action_check CHECK (action IN ('join', 'ready', 'fail', 'leave', 'strategy', 'range', 'ranges'));
-- A dump is read by others than the server: entries whose connection string may hold a password are left out.
SELECT pg_catalog.pg_extension_config_dump('steep_repl.nodes', 'WHERE conninfo IS NULL OR conninfo !~* ''password|://''');
-- The entries of a dump get new numbers, from a trigger. Taking a member out is the way to have it dumped no more.
ALTER TABLE steep_repl.audit_log ALTER COLUMN id DROP DEFAULT;
SELECT pg_catalog.pg_extension_config_dump('steep_repl.audit_log', 'ORDER BY id');
ALTER EXTENSION steep_repl DROP SEQUENCE steep_repl.audit_log_id_seq;
ALTER EXTENSION steep_repl ADD SEQUENCE steep_repl.audit_log_id_seq;

\include tables/conflict.sql
\include tables/resolution.sql
\include tables/fold.sql
\include tables/range.sql
\include tables/work.sql
\include tables/snapshot.sql
\include tables/preparation.sql
\include tables/schema.sql
