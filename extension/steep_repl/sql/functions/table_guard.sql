-- Replicated tables stay such as can be replicated, whatever their owners alter.

CREATE OR REPLACE FUNCTION steep_repl._statement_is_direct() RETURNS boolean
  LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'statement_is_direct_wrapper';
COMMENT ON FUNCTION steep_repl._statement_is_direct() IS 'Whether a client has sent the statement that is being carried out, rather than a function.';

CREATE OR REPLACE FUNCTION steep_repl._statement_attaches() RETURNS oid
  LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'statement_attaches_wrapper';
COMMENT ON FUNCTION steep_repl._statement_attaches() IS 'The table that the statement which is being carried out makes a partition; 0 for none.';

CREATE OR REPLACE FUNCTION steep_repl._alteration_problems(relation oid, before_images boolean) RETURNS SETOF text
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT format('%s. %s', p.problem, p.remedy) FROM steep_repl._table_problems(relation, before_images) p
  UNION ALL
  -- The trigger for changed keys names the columns of the key that there was.
  SELECT 'its primary key would be another one, by which the peers do not know its rows' FROM (
    SELECT (SELECT array_agg(c ORDER BY c) FROM pg_trigger g CROSS JOIN LATERAL unnest(g.tgattr::int2[]) c
             WHERE g.tgrelid = relation AND g.tgname = '~steep_repl_moved') AS before,
           (SELECT array_agg(c ORDER BY c) FROM pg_index i CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY k(c, place)
             WHERE i.indrelid = relation AND i.indisprimary) AS now) k
   WHERE k.before IS DISTINCT FROM k.now
  UNION ALL
  SELECT format('the replica identity of %s would not send what the peers need', l::regclass) FROM steep_repl._identified(relation) l JOIN pg_class c ON c.oid = l
   WHERE NOT steep_repl._identity_fits(c.relreplident, before_images)
  UNION ALL
  SELECT format('%s holds rows, which would be in %s on this node only', a::regclass, relation::regclass) FROM steep_repl._statement_attaches() a
   WHERE pg_partition_root(a) = relation AND EXISTS (SELECT 1 FROM steep_repl._leaves(a) l WHERE steep_repl._holds_rows(l::regclass));
END;
COMMENT ON FUNCTION steep_repl._alteration_problems(oid, boolean) IS 'Why a table could not go on being replicated, a line each.';

CREATE OR REPLACE FUNCTION steep_repl._rearm(relation oid) RETURNS boolean
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  one record;
BEGIN
  FOR one IN SELECT g.tgrelid::regclass AS leaf, g.tgname AS name, m.mode FROM (SELECT _rearm.relation AS oid UNION SELECT t.relid FROM pg_partition_tree(_rearm.relation) t) t
                JOIN pg_trigger g ON g.tgrelid = t.oid
                JOIN (VALUES ('!steep_repl_decide', 'REPLICA'), ('!steep_repl_truncate', 'ALWAYS'), ('!steep_repl_restart', 'ALWAYS'), ('~steep_repl_deleted', 'ALWAYS'),
                             ('~steep_repl_changed', 'ALWAYS'), ('~steep_repl_moved', ''), ('!steep_repl_range', '')) m(name, mode) ON m.name = g.tgname
               WHERE g.tgenabled <> CASE m.mode WHEN 'REPLICA' THEN 'R' WHEN 'ALWAYS' THEN 'A' ELSE 'O' END LOOP
    EXECUTE format('ALTER TABLE %s ENABLE %s TRIGGER %I', one.leaf, one.mode, one.name);
  END LOOP;
  RETURN FOUND;
END $$;
COMMENT ON FUNCTION steep_repl._rearm(oid) IS 'Has our triggers on a table and its partitions fire where they must; whether that had been changed.';

CREATE OR REPLACE FUNCTION steep_repl._guard_alteration() RETURNS event_trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  known record;
  problems text;
BEGIN
  IF NOT steep_repl._statement_is_direct() THEN
    RETURN;
  END IF;
  FOR known IN SELECT DISTINCT t.relation, t.before_images FROM pg_event_trigger_ddl_commands() d
                 JOIN steep_repl.tables t ON t.relation = coalesce(pg_partition_root(d.objid), d.objid)
                WHERE d.classid = 'pg_class'::regclass LOOP
    problems := (SELECT string_agg(p, '; ') FROM steep_repl._alteration_problems(known.relation, known.before_images) p);
    IF problems IS NOT NULL THEN
      RAISE EXCEPTION USING ERRCODE = 'SR047', MESSAGE = format('cannot alter %s so: it is replicated', known.relation::regclass), DETAIL = problems,
        HINT = 'SELECT steep_repl.remove_table(…), alter it on each node, and add it again with existing => ''identical''. A partition is attached empty, on each node, and filled through its table on one.';
    ELSIF steep_repl._rearm(known.relation) THEN
      -- DISABLE TRIGGER ALL is what pg_restore --disable-triggers does, and ENABLE TRIGGER ALL lets none fire in apply workers.
      RAISE NOTICE 'the triggers by which % is replicated fire as before', known.relation::regclass;
    END IF;
  END LOOP;
END $$;
COMMENT ON FUNCTION steep_repl._guard_alteration() IS
  'Refuses what a replicated table could not be replicated with, and keeps our triggers on it armed. Definer: whoever alters a table may not read the list. Errors: SR047 with all problems.';

-- By its name it fires after the one that gives an attached partition its replica identity.
DROP EVENT TRIGGER IF EXISTS steep_repl_keep_tables;
CREATE EVENT TRIGGER steep_repl_keep_tables ON ddl_command_end
  WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION steep_repl._guard_alteration();
