-- Finding rows by their keys.

CREATE OR REPLACE FUNCTION steep_repl._plain_type(type oid, modifier integer) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  WITH RECURSIVE below AS (
    SELECT type AS oid, modifier
    UNION ALL SELECT t.typbasetype, t.typtypmod FROM below b JOIN pg_type t ON t.oid = b.oid WHERE t.typtype = 'd')
  SELECT format_type(b.oid, b.modifier) FROM below b JOIN pg_type t ON t.oid = b.oid WHERE t.typtype <> 'd';
END;
COMMENT ON FUNCTION steep_repl._plain_type(oid, integer) IS
  'The type below a domain, for values that are only looked for: those checks are code of the table''s owner, which must not run with the rights of the extension.';

CREATE OR REPLACE FUNCTION steep_repl._holds_domain(type oid) RETURNS boolean
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  WITH RECURSIVE inside AS (
    SELECT type AS oid
    UNION
    SELECT x.oid FROM inside i JOIN pg_type t ON t.oid = i.oid CROSS JOIN LATERAL (
      SELECT t.typelem UNION ALL SELECT a.atttypid FROM pg_attribute a WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
      UNION ALL SELECT r.rngsubtype FROM pg_range r WHERE t.oid IN (r.rngtypid, r.rngmultitypid)) x(oid))
  SELECT EXISTS (SELECT FROM inside i JOIN pg_type t ON t.oid = i.oid WHERE t.typtype = 'd');
END;
COMMENT ON FUNCTION steep_repl._holds_domain(oid) IS 'Whether a type is a domain, or an array, a composite or a range with one inside.';

CREATE OR REPLACE FUNCTION steep_repl._key_operators(root oid) RETURNS TABLE (place bigint, name name, type text, operator text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT k.place, a.attname, steep_repl._plain_type(a.atttypid, a.atttypmod), format('%I.%s', n.nspname, o.oprname)
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
