-- Sequences with ranges are not set back: the ids behind may be in use on other nodes, or be remembered as deleted.

CREATE OR REPLACE FUNCTION steep_repl._note_positions(relation oid) RETURNS void
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  -- The statement holds the sequences already: nobody draws from them until it ends.
  SELECT set_config(format('steep_repl.positions_%s', relation), (
    SELECT jsonb_agg(jsonb_build_object('sequence', t.sequence::bigint, 'last_value', d.last_value, 'is_called', d.is_called))::text
      FROM steep_repl.range_tables t CROSS JOIN LATERAL pg_get_sequence_data(t.sequence::regclass) d WHERE t.relation = _note_positions.relation AND t.active), true);
END;
COMMENT ON FUNCTION steep_repl._note_positions(oid) IS 'Writes down for this transaction where the sequence of a table with ranges stands, ahead of a TRUNCATE … RESTART IDENTITY.';

CREATE OR REPLACE FUNCTION steep_repl._restore_positions(relation oid) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  stood record;
BEGIN
  FOR stood IN SELECT (p->>'sequence')::oid AS sequence, (p->>'last_value')::bigint AS last_value, (p->>'is_called')::boolean AS is_called
                 FROM jsonb_array_elements(nullif(current_setting(format('steep_repl.positions_%s', relation), true), '')::jsonb) p LOOP
    PERFORM setval(stood.sequence::regclass, stood.last_value, stood.is_called);
    RAISE NOTICE 'sequence % goes on behind the ids that it has given', stood.sequence::regclass
      USING DETAIL = 'The ids of this table go in ranges, and none is given twice: other nodes may still have it.';
  END LOOP;
END $$;
COMMENT ON FUNCTION steep_repl._restore_positions(oid) IS 'Has the sequence of a table go on where it stood before TRUNCATE … RESTART IDENTITY.';

CREATE OR REPLACE FUNCTION steep_repl._guard_restart() RETURNS event_trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  ranged record;
BEGIN
  IF NOT steep_repl._statement_restarts() THEN
    RETURN;
  END IF;
  SELECT t.sequence::regclass AS sequence, t.relation::regclass AS relation INTO ranged FROM pg_event_trigger_ddl_commands() d
    JOIN steep_repl.range_tables t ON d.classid = 'pg_class'::regclass AND t.sequence = d.objid WHERE t.active LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION USING ERRCODE = 'SR047', MESSAGE = format('cannot restart sequence %s: the ids of %s go in ranges', ranged.sequence, ranged.relation),
      DETAIL = 'Ids that it has given may be in use on other nodes.', HINT = format('SELECT steep_repl.set_ranges(%L, enabled => false) first, if these ids may be given again.', ranged.relation::text);
  END IF;
END $$;
COMMENT ON FUNCTION steep_repl._guard_restart() IS 'Refuses to restart a sequence with ranges. Definer: whoever alters it may not read the ranges. Errors: SR047.';

DROP EVENT TRIGGER IF EXISTS steep_repl_guard_restart;
CREATE EVENT TRIGGER steep_repl_guard_restart ON ddl_command_end
  WHEN TAG IN ('ALTER SEQUENCE', 'ALTER TABLE') EXECUTE FUNCTION steep_repl._guard_restart();
