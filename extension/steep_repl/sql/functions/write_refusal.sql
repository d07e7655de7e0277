-- Tables that take no writes of users for a while: those that have been emptied and are taken anew from a peer.

CREATE OR REPLACE FUNCTION steep_repl._refuse_write() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  name text := format('%I.%I', TG_TABLE_SCHEMA, TG_TABLE_NAME);
  job record;
BEGIN
  -- Without any link nobody is left to take it from.
  IF NOT EXISTS (SELECT 1 FROM steep_repl.links) THEN
    RETURN NULL;
  END IF;
  SELECT i.id, i.state, i.source, i.phase, coalesce(t.reason, i.error) AS error INTO job
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN steep_repl.initialisation_tables t ON t.table_schema = n.nspname AND t.table_name = c.relname
    JOIN steep_repl.initialisations i ON i.id = t.id AND i.kind = 'reinit' AND i.emptied_lsn IS NOT NULL
   WHERE c.oid = coalesce(pg_partition_root(TG_RELID)::oid, TG_RELID) AND t.state <> 'complete' ORDER BY i.id DESC LIMIT 1;
  RAISE EXCEPTION USING ERRCODE = 'SR121',
    MESSAGE = format('table %s takes no writes on this node: its rows are %s taken anew%s', name, CASE WHEN job.state IN ('waiting', 'running') THEN 'being' ELSE 'yet to be' END, ' from ' || job.source),
    DETAIL = CASE WHEN job.id IS NULL THEN 'It had another name when it was emptied.' ELSE format('Initialisation %s: %s.%s', job.id, job.phase, ' ' || job.error) END,
    HINT = CASE WHEN job.id IS NULL THEN 'Give it that name back.'
                WHEN job.state = 'failed' THEN 'Remove the cause and call reinit_tables again, with this source or another one; or remove_table, on a node that has the table.'
                ELSE 'Write it on another node, or wait: reinit_progress() shows how far it is.' END;
END $$;
COMMENT ON FUNCTION steep_repl._refuse_write() IS 'Fires where a table is empty because it is taken anew from a peer: what is written there would be lost, or keep it from being filled. Definer: whoever writes may not read our tables. Errors: SR121.';

CREATE OR REPLACE FUNCTION steep_repl._refuse_writes(relation regclass) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  one regclass;
BEGIN
  -- On partitions, too: statement triggers are not inherited. Not in sessions that copy or apply.
  FOR one IN SELECT relation UNION SELECT t.relid FROM pg_partition_tree(relation) t JOIN pg_class c ON c.oid = t.relid WHERE c.relkind IN ('r', 'p') LOOP
    EXECUTE format('CREATE OR REPLACE TRIGGER "!steep_repl_reinit" BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION steep_repl._refuse_write()', one);
  END LOOP;
END $$;
COMMENT ON FUNCTION steep_repl._refuse_writes(regclass) IS 'Has a table and its partitions take no writes of users.';

CREATE OR REPLACE FUNCTION steep_repl._admit_writes(relation oid) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  one regclass;
BEGIN
  FOR one IN SELECT g.tgrelid FROM pg_trigger g WHERE g.tgname = '!steep_repl_reinit'
                AND (g.tgrelid = relation OR g.tgrelid IN (SELECT t.relid FROM pg_partition_tree(relation) t)) LOOP
    EXECUTE format('DROP TRIGGER "!steep_repl_reinit" ON %s', one);
  END LOOP;
END $$;
COMMENT ON FUNCTION steep_repl._admit_writes(oid) IS 'Ends what _refuse_writes() began.';
