-- Rows as JSON, checked and written: by the caller, with the caller's own rights.

CREATE OR REPLACE FUNCTION steep_repl._tuple_problems(relation regclass, tuple jsonb, key jsonb, hidden boolean)
  RETURNS TABLE (code text, problem text)
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  col record;
  message text;
BEGIN
  RETURN QUERY SELECT 'SR064', format('there is no column %I', k.name) FROM jsonb_object_keys(tuple) k(name)
   WHERE NOT EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = relation AND a.attname = k.name AND a.attnum > 0 AND NOT a.attisdropped);
  FOR col IN
    SELECT a.attname AS name, a.attnotnull AS needed, a.atthasdef OR a.attidentity <> '' AS has_default,
           format_type(a.atttypid, a.atttypmod) AS type, a.attnum = ANY (i.indkey::int2[]) AS in_key
      FROM pg_attribute a LEFT JOIN pg_index i ON i.indrelid = a.attrelid AND i.indisprimary
     WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' ORDER BY a.attnum
  LOOP
    IF NOT tuple ? col.name THEN
      IF col.needed AND NOT col.has_default AND NOT coalesce(key ? col.name, false) THEN
        RETURN QUERY SELECT 'SR066', format('column %I is missing, must not be NULL, and has no default', col.name);
      END IF;
    ELSIF col.needed AND tuple->>col.name IS NULL THEN
      RETURN QUERY SELECT 'SR066', format('column %I must not be NULL', col.name);
    ELSE
      BEGIN
        EXECUTE format('SELECT (jsonb_populate_record(NULL::%1$s, jsonb_build_object(%2$L, $1))).%2$I', relation, col.name) USING tuple->col.name;
        IF col.in_key AND key ? col.name THEN
          EXECUTE format('SELECT ''x'' WHERE to_jsonb((jsonb_populate_record(NULL::%1$s, jsonb_build_object(%2$L, $1))).%2$I)
                                 IS DISTINCT FROM to_jsonb((jsonb_populate_record(NULL::%1$s, jsonb_build_object(%2$L, $2))).%2$I)',
                         relation, col.name) INTO message USING tuple->col.name, key->col.name;
          IF message IS NOT NULL THEN
            RETURN QUERY SELECT 'SR067', format('column %I has another value than the key of the row', col.name);
          END IF;
        END IF;
      EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS message = MESSAGE_TEXT;
        RETURN QUERY SELECT 'SR065', format('column %I is of type %s: %s', col.name, col.type, CASE WHEN hidden THEN 'it does not take the logged value' ELSE message END);
      END;
    END IF;
  END LOOP;
END $$;
COMMENT ON FUNCTION steep_repl._tuple_problems(regclass, jsonb, jsonb, boolean) IS
  'All that keeps a row from being written into a table. hidden: whoever asks does not know the values.';

CREATE OR REPLACE FUNCTION steep_repl._check_tuple(relation regclass, tuple jsonb, key jsonb, hidden boolean) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  code text;
  problems text;
BEGIN
  SELECT min(p.code), string_agg(p.problem, E'\n') INTO code, problems FROM steep_repl._tuple_problems(relation, tuple, key, hidden) p;
  IF problems IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = code, MESSAGE = format('this is not a row of %s', relation), DETAIL = problems,
      HINT = 'All problems are listed; nothing has been changed. A row is given whole: a column that is left out gets its default.';
  END IF;
END $$;
COMMENT ON FUNCTION steep_repl._check_tuple(regclass, jsonb, jsonb, boolean) IS 'Errors SR064 to SR067 when a row cannot be written into a table.';

CREATE OR REPLACE FUNCTION steep_repl._tuple_columns(root oid, tuple jsonb, current_row jsonb, whole boolean)
  RETURNS TABLE (name text, in_key boolean, fixed boolean, given boolean, changes boolean, large boolean)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT a.attname::text, coalesce(a.attnum = ANY (i.indkey::int2[]), false), a.attidentity = 'a', tuple ? a.attname,
         CASE WHEN tuple ? a.attname THEN (tuple->a.attname) IS DISTINCT FROM (current_row->a.attname) ELSE whole END, a.attstorage <> 'p'
    FROM pg_attribute a LEFT JOIN pg_index i ON i.indrelid = a.attrelid AND i.indisprimary
   WHERE a.attrelid = root AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' ORDER BY a.attnum;
END;
COMMENT ON FUNCTION steep_repl._tuple_columns(oid, jsonb, jsonb, boolean) IS
  'The columns of a table that can be written, and what a row says of them. whole: what is left out gets its default.';

CREATE OR REPLACE FUNCTION steep_repl._taken_from(root regclass, columns text[], tuple jsonb) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN format('SELECT %s FROM pg_catalog.jsonb_populate_record(NULL::%s, %L::pg_catalog.jsonb) n',
                (SELECT string_agg('n.' || quote_ident(c.name), ', ' ORDER BY c.place) FROM unnest(columns) WITH ORDINALITY c(name, place)), root, tuple);
COMMENT ON FUNCTION steep_repl._taken_from(regclass, text[], jsonb) IS 'A query of some columns of a row that is given as JSON.';

CREATE OR REPLACE FUNCTION steep_repl._names(columns text[]) RETURNS text
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN (SELECT string_agg(quote_ident(c.name), ', ' ORDER BY c.place) FROM unnest(columns) WITH ORDINALITY c(name, place));
COMMENT ON FUNCTION steep_repl._names(text[]) IS 'Names of columns as they stand in a statement.';

CREATE OR REPLACE FUNCTION steep_repl._write_statement(root regclass, key jsonb, tuple jsonb, current_row jsonb, whole boolean) RETURNS text
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  source text := steep_repl._source_of(root);
  condition text := steep_repl._key_is(root, key);
  given text[];
  defaults text;
BEGIN
  IF tuple IS NULL THEN
    RETURN CASE WHEN current_row IS NOT NULL THEN format('DELETE FROM %s WHERE %s', source, condition) END;
  ELSIF current_row IS NULL THEN
    given := ARRAY(SELECT c.name FROM steep_repl._tuple_columns(root, tuple || key, NULL, whole) c WHERE c.given);
    RETURN format('INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE %s', root, steep_repl._names(given), steep_repl._taken_from(root, given, tuple || key));
  END IF;
  -- Only what changes, as a user would; one column at least, so that the row gets a new version.
  SELECT array_agg(c.name) FILTER (WHERE c.given), string_agg(format('%I = DEFAULT', c.name), ', ') FILTER (WHERE NOT c.given)
    INTO given, defaults FROM steep_repl._tuple_columns(root, tuple, current_row, whole) c WHERE c.changes AND NOT c.in_key;
  IF given IS NULL AND defaults IS NULL THEN
    given := (SELECT ARRAY[c.name] FROM steep_repl._tuple_columns(root, tuple || key, current_row, whole) c
               WHERE c.given AND NOT c.fixed ORDER BY c.in_key LIMIT 1);
  END IF;
  RETURN 'UPDATE ' || source || ' SET '
         || nullif(concat_ws(', ', '(' || steep_repl._names(given) || ') = (' || steep_repl._taken_from(root, given, tuple || key) || ')', defaults), '')
         || ' WHERE ' || condition;
END $$;
COMMENT ON FUNCTION steep_repl._write_statement(regclass, jsonb, jsonb, jsonb, boolean) IS
  'The statement that makes a row stand under a key, or none (tuple NULL); NULL when there is nothing to write.';

CREATE OR REPLACE FUNCTION steep_repl._apply_statement(table_schema text, table_name text, tuple jsonb) RETURNS text
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  root regclass := to_regclass(format('%I.%I', table_schema, table_name));
  missing text;
  given text[];
  updates text;
  arbiter text;
BEGIN
  IF root IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'undefined_table', MESSAGE = format('there is no table %I.%I', table_schema, table_name),
      HINT = 'Give schema and name apart, as they are: apply_tuple(''public'', ''orders'', …).';
  ELSIF jsonb_typeof(tuple) IS DISTINCT FROM 'object' THEN
    RAISE EXCEPTION USING ERRCODE = 'SR060', MESSAGE = 'a row is a JSON object', HINT = 'For example {"id": 1, "status": "paid"}.';
  END IF;
  SELECT string_agg(quote_ident(a.attname), ', '), string_agg(quote_ident(a.attname), ', ') FILTER (WHERE tuple->>a.attname IS NULL)
    INTO arbiter, missing
    FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1])
   WHERE i.indrelid = root AND i.indisprimary;
  IF arbiter IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'SR063', MESSAGE = format('%s has no primary key, so its rows cannot be told apart', root),
      HINT = 'Write the row with INSERT, UPDATE or DELETE.';
  ELSIF missing IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'SR066', MESSAGE = format('this is not a row of %s', root), DETAIL = format('Missing of the primary key: %s', missing),
      HINT = 'A row is given whole.';
  END IF;
  PERFORM steep_repl._check_tuple(root, tuple, NULL, false);
  SELECT array_agg(c.name) FILTER (WHERE c.given),
         string_agg(CASE WHEN c.given THEN format('%1$I = excluded.%1$I', c.name) ELSE format('%I = DEFAULT', c.name) END, ', ') FILTER (WHERE NOT c.in_key AND NOT c.fixed)
    INTO given, updates FROM steep_repl._tuple_columns(root, tuple, NULL, true) c;
  RETURN format('INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE %s ON CONFLICT (%s) DO %s',
    root, steep_repl._names(given), steep_repl._taken_from(root, given, tuple), arbiter, coalesce('UPDATE SET ' || updates, 'NOTHING'));
END $$;
COMMENT ON FUNCTION steep_repl._apply_statement(text, text, jsonb) IS 'The statement that inserts a row or, where its key is taken, replaces the row. Errors: SR060, SR063 to SR066.';
