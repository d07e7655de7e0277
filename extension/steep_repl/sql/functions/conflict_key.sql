-- Finding rows by their keys.

CREATE OR REPLACE FUNCTION steep_repl._key_operators(root oid) RETURNS TABLE (place bigint, name name, type text, operator text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT k.place, a.attname, format_type(a.atttypid, a.atttypmod), format('%I.%s', n.nspname, o.oprname)
    FROM pg_index i
    CROSS JOIN LATERAL unnest(i.indkey::int2[], i.indclass::oid[]) WITH ORDINALITY k(attnum, opclass, place)
    JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
    JOIN pg_opclass c ON c.oid = k.opclass
    JOIN pg_amop m ON m.amopfamily = c.opcfamily AND m.amoplefttype = c.opcintype AND m.amoprighttype = c.opcintype AND m.amopstrategy = 3
    JOIN pg_operator o ON o.oid = m.amopopr
    JOIN pg_namespace n ON n.oid = o.oprnamespace
   WHERE i.indrelid = root AND i.indisprimary AND k.place <= i.indnkeyatts ORDER BY k.place;
END;
COMMENT ON FUNCTION steep_repl._key_operators(oid) IS 'The columns of a primary key in its order, and the operator by which the key is unique.';

CREATE OR REPLACE FUNCTION steep_repl._key_condition(root oid) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT string_agg(format('%I OPERATOR(%s) $%s', k.name, k.operator, k.place), ' AND ' ORDER BY k.place) FROM steep_repl._key_operators(root) k;
END;
COMMENT ON FUNCTION steep_repl._key_condition(oid) IS 'The condition by which a row is found by the values of its primary key, as parameters.';

CREATE OR REPLACE FUNCTION steep_repl._key_is(root oid, key jsonb) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT string_agg(format('%I OPERATOR(%s) %L::%s', k.name, k.operator, key->>k.name, k.type), ' AND ' ORDER BY k.place) FROM steep_repl._key_operators(root) k;
END;
COMMENT ON FUNCTION steep_repl._key_is(oid, jsonb) IS 'The condition by which the row with a key is found, as SQL text: for EXECUTE without parameters of its own.';
