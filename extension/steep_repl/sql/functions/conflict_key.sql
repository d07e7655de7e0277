-- Finding rows by their keys.

CREATE OR REPLACE FUNCTION steep_repl._key_is(root oid, key jsonb) RETURNS text
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  condition text := steep_repl._key_condition(root);
  column_name text;
  type_name text;
  place int;
BEGIN
  -- From the last on, so that $1 does not match in $10.
  FOR column_name, type_name, place IN
    SELECT a.attname, format_type(a.atttypid, a.atttypmod), k.place
      FROM pg_index i CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY k(attnum, place)
      JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
     WHERE i.indrelid = root AND i.indisprimary AND k.place <= i.indnkeyatts ORDER BY k.place DESC
  LOOP
    condition := replace(condition, '$' || place, format('%L::%s', key->>column_name, type_name));
  END LOOP;
  RETURN condition;
END $$;
COMMENT ON FUNCTION steep_repl._key_is(oid, jsonb) IS 'The condition by which the row with a key is found, as SQL text.';
