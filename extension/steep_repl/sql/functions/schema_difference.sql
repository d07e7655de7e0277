-- Where two definitions of a table differ.

CREATE OR REPLACE FUNCTION steep_repl._column_text(definition jsonb) RETURNS text
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN nullif(concat_ws(' ', definition->>'type', 'COLLATE ' || (definition->>'collation'), definition->>'nullability', 'DEFAULT ' || (definition->>'default'),
                   'GENERATED ' || (definition->>'identity') || ' AS IDENTITY', 'GENERATED ' || (definition->>'generated')), '');
COMMENT ON FUNCTION steep_repl._column_text(jsonb) IS 'A column of a definition on one line.';

CREATE OR REPLACE FUNCTION steep_repl._definition_differences(here jsonb, there jsonb) RETURNS TABLE (object text, property text, local text, remote text)
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  WITH mine AS (
    SELECT c.d->>'name' AS name, c.d, c.n FROM jsonb_array_elements(here->'columns') WITH ORDINALITY c(d, n)
  ), theirs AS (
    SELECT c.d->>'name' AS name, c.d, c.n FROM jsonb_array_elements(there->'columns') WITH ORDINALITY c(d, n)
  ), beside AS (
    SELECT name, mine.d AS mine, theirs.d AS theirs, mine.n AS mine_n, theirs.n AS theirs_n FROM mine FULL JOIN theirs USING (name)
  ), kept AS (
    -- In what order the columns stand that both have: one more or less in between is no other order.
    SELECT string_agg(quote_ident(name), ', ' ORDER BY mine_n) AS mine, string_agg(quote_ident(name), ', ' ORDER BY theirs_n) AS theirs
      FROM beside WHERE mine_n IS NOT NULL AND theirs_n IS NOT NULL
  ), listed AS (
    -- What has no name that counts: what only one side has. The first here is put beside the first there, and so on, so
    -- that one thing which is otherwise on the other side is one difference.
    SELECT s.n, s.object, x.side, x.entry, row_number() OVER (PARTITION BY s.n, x.side ORDER BY x.entry COLLATE "C") AS place
      FROM (VALUES (30, 'primary_key', 'primary key'), (31, 'unique', 'unique'), (32, 'checks', 'check'), (33, 'exclusions', 'exclusion'),
                   (34, 'foreign_keys', 'foreign key')) s(n, section, object)
      CROSS JOIN LATERAL (
        SELECT 'here' AS side, e AS entry FROM jsonb_array_elements_text(here->s.section) e WHERE NOT coalesce(there->s.section, '[]') ? e
        UNION ALL
        SELECT 'there', e FROM jsonb_array_elements_text(there->s.section) e WHERE NOT coalesce(here->s.section, '[]') ? e) x
  ), differing(n, place, object, property, local, remote) AS (
    SELECT 0, NULL::bigint, 'table', NULL::text, CASE WHEN here IS NULL THEN 'does not exist' ELSE 'exists' END, CASE WHEN there IS NULL THEN 'does not exist' ELSE 'exists' END
     WHERE (here IS NULL) <> (there IS NULL)
    UNION ALL
    SELECT s.n, NULL, s.object, s.property, here->>s.section, there->>s.section
      FROM (VALUES (1, 'kind', 'table', 'kind'), (2, 'persistence', 'table', 'persistence'), (3, 'inherits', 'table', 'inherits'),
                   (4, 'partition_by', 'partition key', NULL), (5, 'partition_of', 'partition of', NULL)) s(n, section, object, property)
     WHERE here->>s.section IS DISTINCT FROM there->>s.section
    UNION ALL
    SELECT 10, coalesce(mine_n, theirs_n), 'column ' || quote_ident(name), NULL, steep_repl._column_text(mine), steep_repl._column_text(theirs)
      FROM beside WHERE mine IS NULL OR theirs IS NULL
    UNION ALL
    SELECT 10, mine_n, 'column ' || quote_ident(name), p.property, coalesce(mine->>p.property, p.without), coalesce(theirs->>p.property, p.without)
      FROM beside, (VALUES ('type', NULL), ('collation', NULL), ('nullability', 'NULL'), ('default', NULL), ('identity', NULL), ('generated', NULL)) p(property, without)
     WHERE mine IS NOT NULL AND theirs IS NOT NULL AND mine->>p.property IS DISTINCT FROM theirs->>p.property
    UNION ALL
    SELECT 20, NULL, 'columns', 'order', kept.mine, kept.theirs FROM kept WHERE kept.mine <> kept.theirs
    UNION ALL
    SELECT coalesce(h.n, t.n), coalesce(h.place, t.place), coalesce(h.object, t.object), NULL, h.entry, t.entry
      FROM (SELECT * FROM listed WHERE side = 'here') h FULL JOIN (SELECT * FROM listed WHERE side = 'there') t USING (n, place)
    UNION ALL
    SELECT s.n, NULL, s.object || ' ' || x.key, NULL, x.local, x.remote
      FROM (VALUES (40, 'partitions', 'partition'), (50, 'types', 'type')) s(n, section, object)
      CROSS JOIN LATERAL (
        SELECT key, h.value AS local, t.value AS remote FROM jsonb_each_text(here->s.section) h FULL JOIN jsonb_each_text(there->s.section) t USING (key)) x
     WHERE x.local IS DISTINCT FROM x.remote
       -- A type that one side does not use at all comes with a column that it does not have.
       AND (s.section <> 'types' OR x.local IS NOT NULL AND x.remote IS NOT NULL OR here->'columns' = there->'columns')
  )
  SELECT d.object, d.property, d.local, d.remote FROM differing d
   WHERE d.n = 0 OR here IS NOT NULL AND there IS NOT NULL
   ORDER BY d.n, d.place, d.object COLLATE "C", d.property COLLATE "C";
END;
COMMENT ON FUNCTION steep_repl._definition_differences(jsonb, jsonb) IS
  'Where two definitions of a table differ, each thing once; NULL stands for a table that is not there.';

CREATE OR REPLACE FUNCTION steep_repl._difference(object text, property text, local text, remote text, here text, there text) RETURNS text
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN format('%s: %s on %s, %s on %s', concat_ws(' ', object, property), coalesce(local, 'none'), here, coalesce(remote, 'none'), there);
COMMENT ON FUNCTION steep_repl._difference(text, text, text, text, text, text) IS 'A difference as a sentence; here and there are how the sides are called.';
