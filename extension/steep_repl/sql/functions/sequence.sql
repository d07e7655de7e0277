-- Sequences of tables that were taken over: past the highest id that came with the copy.

CREATE OR REPLACE FUNCTION steep_repl._advance_sequences(relation regclass) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  owned record;
  highest bigint;
BEGIN
  FOR owned IN
    SELECT a.attname, s.seqrelid::regclass AS sequence, s.seqincrement FROM pg_depend d
      JOIN pg_sequence s ON s.seqrelid = d.objid JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
     WHERE d.refobjid = relation AND d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
       AND a.atttypid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype)
       -- Those are in a range, past all ids that there are.
       AND NOT EXISTS (SELECT 1 FROM steep_repl.range_tables r WHERE r.sequence = s.seqrelid AND r.active)
  LOOP
    EXECUTE format('SELECT %s(%I) FROM %s', CASE WHEN owned.seqincrement > 0 THEN 'max' ELSE 'min' END, owned.attname, relation) INTO highest;
    -- Past the highest id in steps of the increment: offices that hand out odd and even ids keep doing so.
    IF highest IS NOT NULL THEN
      PERFORM steep_repl._advance_sequence(owned.sequence, highest);
    END IF;
  END LOOP;
END $$;
COMMENT ON FUNCTION steep_repl._advance_sequences(regclass) IS 'Moves the sequences that a table owns past its highest id.';

CREATE OR REPLACE FUNCTION steep_repl._advance_sequence(sequence regclass, highest bigint) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  s pg_sequence;
  last bigint;
  called boolean;
  steps bigint;
BEGIN
  SELECT * INTO s FROM pg_sequence q WHERE q.seqrelid = sequence;
  EXECUTE format('SELECT last_value, is_called FROM %s', sequence) INTO last, called;
  IF (highest - last) * sign(s.seqincrement) < 0 OR highest = last AND called THEN
    RETURN;
  END IF;
  steps := (highest - last) / s.seqincrement + 1;
  IF last + steps * s.seqincrement BETWEEN s.seqmin AND s.seqmax THEN
    PERFORM setval(sequence, last + steps * s.seqincrement, false);
  END IF;
END $$;
COMMENT ON FUNCTION steep_repl._advance_sequence(regclass, bigint) IS 'Moves a sequence past an id, staying on its own steps.';
