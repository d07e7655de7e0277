-- What a table is, as a document: the one place that says what counts. Its fingerprint is the hash of its text
-- (docs/internals/schema.md).

CREATE OR REPLACE FUNCTION steep_repl._type_definitions(relation oid) RETURNS jsonb
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  -- Types of users only: what has a number below 16384 came with the server.
  WITH RECURSIVE used(oid) AS (
    SELECT a.atttypid FROM pg_attribute a
     WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped AND a.atttypid >= 16384
    UNION
    SELECT x.oid FROM used JOIN pg_type t ON t.oid = used.oid
      CROSS JOIN LATERAL (
        SELECT t.typelem AS oid
        UNION ALL SELECT t.typbasetype
        UNION ALL SELECT a.atttypid FROM pg_attribute a WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
        UNION ALL SELECT r.rngsubtype FROM pg_range r WHERE t.typtype = 'r' AND r.rngtypid = t.oid
        UNION ALL SELECT r.rngtypid FROM pg_range r WHERE t.typtype = 'm' AND r.rngmultitypid = t.oid) x
     WHERE x.oid >= 16384
  )
  SELECT jsonb_object_agg(format('%I.%I', n.nspname, t.typname), CASE t.typtype
      WHEN 'e' THEN format('ENUM (%s)', (SELECT string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid))
      WHEN 'd' THEN concat_ws(' ', 'DOMAIN', format_type(t.typbasetype, t.typtypmod),
        (SELECT format('COLLATE %I.%I', cn.nspname, c.collname) FROM pg_collation c JOIN pg_namespace cn ON cn.oid = c.collnamespace
           JOIN pg_type b ON b.oid = t.typbasetype WHERE c.oid = t.typcollation AND t.typcollation <> b.typcollation),
        'DEFAULT ' || pg_get_expr(t.typdefaultbin, 0), CASE WHEN t.typnotnull THEN 'NOT NULL' END,
        (SELECT string_agg(d.def, ' ' ORDER BY d.def COLLATE "C")
           FROM (SELECT DISTINCT pg_get_constraintdef(c.oid) AS def FROM pg_constraint c WHERE c.contypid = t.oid AND c.contype = 'c') d))
      WHEN 'c' THEN format('COMPOSITE (%s)', (SELECT string_agg(concat_ws(' ', quote_ident(a.attname), format_type(a.atttypid, a.atttypmod),
            (SELECT format('COLLATE %I.%I', cn.nspname, c.collname) FROM pg_collation c JOIN pg_namespace cn ON cn.oid = c.collnamespace
               JOIN pg_type b ON b.oid = a.atttypid WHERE c.oid = a.attcollation AND a.attcollation <> b.typcollation)), ', ' ORDER BY a.attnum)
          FROM pg_attribute a WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped))
      ELSE format('RANGE (%s)', (SELECT format_type(r.rngsubtype, NULL) FROM pg_range r WHERE r.rngtypid = t.oid)) END)
    FROM used JOIN pg_type t USING (oid) JOIN pg_namespace n ON n.oid = t.typnamespace
   WHERE t.typtype IN ('e', 'd', 'c', 'r')
     -- What an extension brings is a matter of its version.
     AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e');
END;
COMMENT ON FUNCTION steep_repl._type_definitions(oid) IS 'The enums, domains, composite types and ranges of users that the columns of a table have, also within each other; NULL without any.';

CREATE OR REPLACE FUNCTION steep_repl._unique_index(index oid) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  -- pg_get_indexdef() without what it begins with, which has the names, and without storage parameters.
  SELECT 'INDEX ' || replace(substr(pg_get_indexdef(i.indexrelid), length(format('CREATE UNIQUE INDEX %I ON %s%I.%I USING ',
             c.relname, CASE c.relkind WHEN 'I' THEN 'ONLY ' ELSE '' END, CASE tn.oid WHEN pg_my_temp_schema() THEN 'pg_temp' ELSE tn.nspname END, t.relname)) + 1),
           coalesce((SELECT ' WITH (' || string_agg(quote_ident(o.option_name) || '='
                              || CASE quote_ident(o.option_value) WHEN o.option_value THEN o.option_value ELSE quote_literal(o.option_value) END, ', ') || ')'
                       FROM pg_options_to_table(c.reloptions) o), ''), '')
         || CASE WHEN i.indisvalid THEN '' ELSE ' INVALID' END
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid JOIN pg_namespace tn ON tn.oid = t.relnamespace
   WHERE i.indexrelid = index;
END;
COMMENT ON FUNCTION steep_repl._unique_index(oid) IS 'A unique index that belongs to no constraint, without names.';

CREATE OR REPLACE FUNCTION steep_repl._definitions(relations oid[]) RETURNS TABLE (relation oid, definition jsonb)
  LANGUAGE sql STABLE ROWS 10 SET search_path = pg_catalog, pg_temp
  -- Constants in expressions and bounds are written as these say, names as the last two.
  SET datestyle = 'ISO, YMD' SET timezone = 'UTC' SET intervalstyle = 'postgres' SET extra_float_digits = 1 SET bytea_output = 'hex'
  SET lc_monetary = 'C' SET xmlbinary = 'base64' SET standard_conforming_strings = on SET quote_all_identifiers = off
BEGIN ATOMIC
  SELECT c.oid, jsonb_strip_nulls(jsonb_build_object(
    'kind', CASE c.relkind WHEN 'p' THEN 'partitioned table' ELSE 'table' END,
    'persistence', CASE c.relpersistence WHEN 'u' THEN 'unlogged' WHEN 't' THEN 'temporary' END,
    'columns', (
      SELECT coalesce(jsonb_agg(jsonb_build_object(
               'name', a.attname,
               'type', format_type(a.atttypid, a.atttypmod),
               'collation', CASE WHEN a.attcollation <> 0 AND a.attcollation <> (SELECT t.typcollation FROM pg_type t WHERE t.oid = a.atttypid) THEN (SELECT format('%I.%I', n.nspname, l.collname)
                                  FROM pg_collation l JOIN pg_namespace n ON n.oid = l.collnamespace WHERE l.oid = a.attcollation) END,
               'nullability', CASE WHEN a.attnotnull THEN coalesce((
                   SELECT concat_ws(' ', 'NOT NULL', CASE WHEN k.connoinherit THEN 'NO INHERIT' END, CASE WHEN NOT k.convalidated THEN 'NOT VALID' END)
                     FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'n' AND k.conkey = ARRAY[a.attnum]), 'NOT NULL') END,
               'default', CASE WHEN a.attgenerated = '' THEN pg_get_expr(d.adbin, d.adrelid) END,
               'identity', CASE a.attidentity WHEN 'a' THEN 'ALWAYS' WHEN 'd' THEN 'BY DEFAULT' END,
               'generated', CASE a.attgenerated WHEN 's' THEN 'STORED ' WHEN 'v' THEN 'VIRTUAL ' END || pg_get_expr(d.adbin, d.adrelid))
             ORDER BY a.attnum), '[]')
        FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
       WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
    'types', CASE WHEN (SELECT bool_or(a.atttypid >= 16384) FROM pg_attribute a WHERE a.attrelid = c.oid) THEN steep_repl._type_definitions(c.oid) END,
    'inherits', (
      SELECT jsonb_agg(format('%I.%I', n.nspname, p.relname) ORDER BY i.inhseqno)
        FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhparent JOIN pg_namespace n ON n.oid = p.relnamespace
       WHERE i.inhrelid = c.oid AND NOT c.relispartition),
    'partition_of', CASE WHEN c.relispartition THEN (
      SELECT format('%I.%I %s', n.nspname, p.relname, pg_get_expr(c.relpartbound, c.oid))
        FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhparent JOIN pg_namespace n ON n.oid = p.relnamespace WHERE i.inhrelid = c.oid) END,
    'partition_by', CASE c.relkind WHEN 'p' THEN pg_get_partkeydef(c.oid) END,
    'partitions', CASE c.relkind WHEN 'p' THEN (
      WITH RECURSIVE tree AS (
        SELECT i.inhrelid, i.inhparent FROM pg_inherits i WHERE i.inhparent = c.oid
        UNION ALL SELECT i.inhrelid, i.inhparent FROM tree JOIN pg_inherits i ON i.inhparent = tree.inhrelid)
      SELECT jsonb_object_agg(format('%I.%I', n.nspname, p.relname), concat_ws(' ',
               CASE WHEN tree.inhparent <> c.oid THEN (SELECT format('OF %I.%I', n.nspname, o.relname)
                 FROM pg_class o JOIN pg_namespace n ON n.oid = o.relnamespace WHERE o.oid = tree.inhparent) END,
               pg_get_expr(p.relpartbound, p.oid), CASE p.relkind WHEN 'p' THEN 'PARTITION BY ' || pg_get_partkeydef(p.oid) WHEN 'f' THEN 'FOREIGN' END))
        FROM tree JOIN pg_class p ON p.oid = tree.inhrelid JOIN pg_namespace n ON n.oid = p.relnamespace) END)
    || (SELECT coalesce(jsonb_object_agg(s.section, s.entries), '{}') FROM (
      SELECT e.section, jsonb_agg(e.entry ORDER BY e.entry COLLATE "C") AS entries FROM (
        -- Without names, and what is there twice counts once: neither changes what rows the table takes.
        SELECT CASE k.contype WHEN 'p' THEN 'primary_key' WHEN 'u' THEN 'unique' WHEN 'c' THEN 'checks' WHEN 'x' THEN 'exclusions' ELSE 'foreign_keys' END AS section,
               pg_get_constraintdef(k.oid) AS entry
          FROM pg_constraint k
         WHERE k.conrelid = c.oid AND k.contype IN ('p', 'u', 'c', 'x', 'f')
           -- A foreign key to a partitioned table has an entry more for each of its partitions.
           AND NOT EXISTS (SELECT 1 FROM pg_constraint p WHERE p.oid = k.conparentid AND p.conrelid = c.oid)
           -- Each node has ids of its own in it.
           AND NOT (k.contype = 'c' AND starts_with(k.conname, 'steep_range_') AND pg_get_constraintdef(k.oid) LIKE '%steep_repl.check_id_range(%')
        UNION
        SELECT 'unique', steep_repl._unique_index(i.indexrelid) FROM pg_index i
         WHERE i.indrelid = c.oid AND i.indisunique
           AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.conrelid = c.oid AND k.contype IN ('p', 'u', 'x'))
        ) e GROUP BY e.section) s))
    FROM pg_class c WHERE c.oid = ANY (relations);
END;
COMMENT ON FUNCTION steep_repl._definitions(oid[]) IS 'What counts of tables, as documents that are the same wherever the table is the same, whatever the session has set.';
