-- Replicated tables keep their names: a table that a peer's stream names and that is not there stops that stream, with
-- all other tables in it.

CREATE OR REPLACE FUNCTION steep_repl._guard_drop() RETURNS event_trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  lost text := (SELECT string_agg(format('%I.%I', t.table_schema, t.table_name), ', ') FROM pg_event_trigger_dropped_objects() o
                  JOIN steep_repl.tables t ON t.relation = o.objid WHERE o.classid = 'pg_class'::regclass AND o.objsubid = 0);
  -- Of another sequence of that name nobody would know which ids are whose.
  source record;
BEGIN
  IF lost IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'SR046', MESSAGE = format('cannot drop %s: it is replicated', lost),
      HINT = 'SELECT steep_repl.remove_table(…) first; then drop it on each node.';
  END IF;
  SELECT o.object_identity AS sequence, t.relation::regclass::text AS relation INTO source FROM pg_event_trigger_dropped_objects() o
    JOIN steep_repl.range_tables t ON t.sequence = o.objid AND t.active JOIN pg_class c ON c.oid = t.relation
   WHERE o.classid = 'pg_class'::regclass AND o.objsubid = 0 LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION USING ERRCODE = 'SR046', MESSAGE = format('cannot drop %s: the ids of %s, which come from it, go in ranges', source.sequence, source.relation),
      HINT = format('SELECT steep_repl.set_ranges(%L, enabled => false) first; or remove the table.', source.relation);
  END IF;
END $$;
COMMENT ON FUNCTION steep_repl._guard_drop() IS 'Refuses to drop replicated tables, and sequences whose ids go in ranges. Definer: whoever drops may not read the list.';

CREATE OR REPLACE FUNCTION steep_repl._guard_rename() RETURNS event_trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  renamed text := (SELECT string_agg(format('%I.%I', t.table_schema, t.table_name), ', ') FROM steep_repl.tables t
                     JOIN pg_class c ON c.oid = t.relation JOIN pg_namespace n ON n.oid = c.relnamespace
                    WHERE (n.nspname, c.relname) IS DISTINCT FROM (t.table_schema, t.table_name));
  ranged text := (SELECT string_agg(format('column %I of %s', t.column_name, t.relation::regclass), ', ') FROM steep_repl.range_tables t
                   WHERE t.active AND EXISTS (SELECT 1 FROM pg_class c WHERE c.oid = t.relation)
                     AND NOT EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = t.relation AND a.attname = t.column_name AND NOT a.attisdropped));
  elsewhere record;
BEGIN
  SELECT t.column_name, t.relation::regclass AS relation, t.sequence::regclass AS sequence INTO elsewhere FROM pg_event_trigger_ddl_commands() d
    JOIN steep_repl.range_tables t ON d.classid = 'pg_class'::regclass AND t.relation = d.objid
   -- DROP IDENTITY takes the sequence along, and sql_drop does not tell of that.
   WHERE t.active AND (steep_repl._draws_elsewhere(t.relation, t.column_name, t.sequence) OR NOT EXISTS (SELECT 1 FROM pg_class s WHERE s.oid = t.sequence)) LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION USING ERRCODE = 'SR047',
      MESSAGE = format('cannot have column %I of %s take its values from another sequence: those of %s go in ranges', elsewhere.column_name, elsewhere.relation, elsewhere.sequence),
      HINT = format('SELECT steep_repl.set_ranges(%L, enabled => false); change the column on all nodes; then set_ranges(%1$L, enabled => true) on one.', elsewhere.relation::text);
  END IF;
  IF ranged IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'SR047', MESSAGE = format('cannot rename or drop %s: its ids go in ranges', ranged),
      HINT = 'SELECT steep_repl.remove_table(…), rename it on each node, and add it again with existing => ''identical''.';
  END IF;
  IF renamed IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'SR047', MESSAGE = format('cannot rename or move %s: it is replicated under that name', renamed),
      HINT = 'SELECT steep_repl.remove_table(…), rename it on each node, and add it again with existing => ''identical''.';
  END IF;
END $$;
COMMENT ON FUNCTION steep_repl._guard_rename() IS 'Refuses to rename replicated tables. Definer: whoever renames may not read the list.';

-- There is no CREATE OR REPLACE EVENT TRIGGER, and an update runs this file again.
DROP EVENT TRIGGER IF EXISTS steep_repl_guard_drop;
DROP EVENT TRIGGER IF EXISTS steep_repl_guard_rename;
CREATE EVENT TRIGGER steep_repl_guard_drop ON sql_drop EXECUTE FUNCTION steep_repl._guard_drop();
CREATE EVENT TRIGGER steep_repl_guard_rename ON ddl_command_end
  WHEN TAG IN ('ALTER TABLE', 'ALTER SCHEMA') EXECUTE FUNCTION steep_repl._guard_rename();
