-- Tables whose rows are folds of their changes: column_merge, delta columns, function (crates/conflict/src/fold.rs).

CREATE OR REPLACE FUNCTION steep_repl._record() RETURNS trigger
  LANGUAGE c AS 'MODULE_PATHNAME', 'steep_repl_record';
COMMENT ON FUNCTION steep_repl._record() IS 'Keeps the changes that sessions make in a table whose rows are folds.';

CREATE OR REPLACE FUNCTION steep_repl._fold_past(relation oid, key_id uuid, before text) RETURNS void
  LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'fold_past_wrapper';
COMMENT ON FUNCTION steep_repl._fold_past(oid, uuid, text) IS 'Folds the oldest changes of a key into one, as far as older transactions wrote them.';

CREATE OR REPLACE FUNCTION steep_repl._columns_json("row" anyelement) RETURNS text
  LANGUAGE c STABLE STRICT AS 'MODULE_PATHNAME', 'columns_json_wrapper';
COMMENT ON FUNCTION steep_repl._columns_json(anyelement) IS 'A row of a table as changes keep it.';

CREATE OR REPLACE FUNCTION steep_repl._folds(known steep_repl.tables) RETURNS boolean
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN (known).strategy IN ('column_merge', 'function') OR (known).strategy = 'last_write_wins' AND (known).delta_columns IS NOT NULL;
COMMENT ON FUNCTION steep_repl._folds(steep_repl.tables) IS 'Whether the rows of a table are folds of their changes.';

CREATE OR REPLACE FUNCTION steep_repl._check_query(leaf oid, nulls boolean) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT string_agg(format('SELECT %L FROM (SELECT ($1).*) new WHERE %s', c.conname, c.broken), ' UNION ALL ' ORDER BY c.conname)
    FROM (SELECT conname, format('NOT coalesce((%s), true)', pg_get_expr(conbin, conrelid)) AS broken
            FROM pg_constraint WHERE conrelid = leaf AND contype = 'c' AND conenforced
          UNION ALL
          SELECT format('NOT NULL of %s', attname), format('%I IS NULL', attname)
            FROM pg_attribute WHERE nulls AND attrelid = leaf AND attnum > 0 AND NOT attisdropped AND attnotnull) c;
END;
COMMENT ON FUNCTION steep_repl._check_query(oid, boolean) IS 'The query that names the constraints, NOT NULL among them or not, which a row, its parameter, breaks.';

CREATE OR REPLACE FUNCTION steep_repl._keep_changes(relation regclass) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
DECLARE
  folds boolean := coalesce((SELECT steep_repl._folds(t) FROM steep_repl.tables t WHERE t.relation = _keep_changes.relation), false);
  watched boolean := EXISTS (SELECT 1 FROM pg_trigger t WHERE t.tgrelid = relation AND t.tgname = '~steep_repl_changed');
BEGIN
  IF folds AND NOT watched THEN
    EXECUTE format('CREATE TRIGGER "~steep_repl_changed" AFTER INSERT OR UPDATE OR DELETE ON %s FOR EACH ROW EXECUTE FUNCTION steep_repl._record()', relation);
    -- Also in sessions with session_replication_role = replica, whose changes the peers get, too.
    EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER "~steep_repl_changed"', relation);
  ELSIF watched AND NOT folds THEN
    EXECUTE format('DROP TRIGGER "~steep_repl_changed" ON %s', relation);
  END IF;
  IF NOT folds THEN
    DELETE FROM steep_repl.row_changes c WHERE c.relation = _keep_changes.relation;
  END IF;
END $$;
COMMENT ON FUNCTION steep_repl._keep_changes(regclass) IS 'Has sessions keep their changes of a table, or no more, as its strategy needs.';

CREATE OR REPLACE FUNCTION steep_repl._fold_problems(relation regclass, strategy text, delta_columns text[], resolver regproc)
  RETURNS TABLE (code text, problem text, remedy text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT 'SR055', format('%s takes no delta columns', _fold_problems.strategy), 'Use last_write_wins or column_merge with delta_columns.'
   WHERE delta_columns IS NOT NULL AND _fold_problems.strategy NOT IN ('last_write_wins', 'column_merge')
  UNION ALL
  SELECT 'SR055', format('delta column %s: %s', coalesce(quote_ident(d.name), 'NULL'), why), remedy
    FROM unnest(delta_columns) d(name)
    LEFT JOIN pg_attribute a ON a.attrelid = relation AND a.attname = d.name AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_type t ON t.oid = a.atttypid
    CROSS JOIN LATERAL (VALUES
      (a.attnum IS NULL, 'the table has no such column', 'Name columns of the table.'),
      (CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END NOT IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype, 'numeric'::regtype),
       format('its type is %s', format_type(a.atttypid, a.atttypmod)), 'smallint, integer, bigint, or numeric: sums of others depend on their order, or on settings.'),
      (NOT a.attnotnull, 'it may be null, to which nothing can be added', 'ALTER TABLE … ALTER COLUMN … SET NOT NULL, on every node.'),
      (a.attgenerated <> '' OR a.attidentity <> '', 'the server computes its values', 'Name another column.'),
      (EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = relation AND i.indisprimary AND a.attnum = ANY (i.indkey)), 'it belongs to the key', 'Name another column.'),
      (EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = relation AND i.indisunique AND NOT i.indisprimary AND a.attnum = ANY (i.indkey)),
       'it belongs to a unique index', 'Sums of both sides may clash: drop the index, or name another column.')) p(holds, why, remedy)
   WHERE p.holds
  UNION ALL
  SELECT 'SR055', 'a delta column stands in the list more than once, or the list is empty', 'Name each once.'
   WHERE delta_columns IS NOT NULL AND cardinality(delta_columns) <> (SELECT count(DISTINCT d.name) FROM unnest(delta_columns) d(name)) OR cardinality(delta_columns) = 0
  UNION ALL
  SELECT 'SR056', 'function needs a function', 'For instance: resolver => ''my_schema.my_function''.'
   WHERE _fold_problems.strategy = 'function' AND coalesce(resolver, 0::regproc) = 0::regproc
  UNION ALL
  SELECT 'SR056', format('%s takes no function', _fold_problems.strategy), 'Leave resolver out, or use the strategy function.'
   WHERE _fold_problems.strategy <> 'function' AND resolver IS NOT NULL
  UNION ALL
  SELECT 'SR056', format('%s is not a function of (local jsonb, remote jsonb, base jsonb, versions jsonb) that returns jsonb', resolver),
         'Make one with these types, on every node.'
    FROM pg_proc p WHERE p.oid = resolver AND _fold_problems.strategy = 'function'
     AND NOT (p.prokind = 'f' AND NOT p.proretset AND p.prorettype = 'jsonb'::regtype AND oidvectortypes(p.proargtypes) = 'jsonb, jsonb, jsonb, jsonb')
  UNION ALL
  SELECT 'SR056', format('the owner of %s may not run %s', relation, resolver), format('GRANT EXECUTE ON FUNCTION %s TO %s', resolver, c.relowner::regrole)
    FROM pg_class c WHERE c.oid = relation AND _fold_problems.strategy = 'function' AND resolver <> 0::regproc
     AND NOT has_function_privilege(c.relowner, resolver, 'EXECUTE')
  UNION ALL
  SELECT 'SR054', format('%s with %s needs before-images, which tables with generated columns cannot send', relation, _fold_problems.strategy), 'Use last_write_wins without delta columns.'
   WHERE (_fold_problems.strategy IN ('column_merge', 'function') OR delta_columns IS NOT NULL) AND NOT steep_repl._before_images_possible(relation);
END;
COMMENT ON FUNCTION steep_repl._fold_problems(regclass, text, text[], regproc) IS 'Why the rows of a table cannot be folds of their changes: code, message and hint of each problem.';

CREATE OR REPLACE FUNCTION steep_repl._keys_set_aside() RETURNS TABLE (relation oid, key_id uuid)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT t.relation::oid, k.id
    FROM steep_repl.conflict_log c JOIN steep_repl.tables t ON t.table_schema = c.table_schema AND t.table_name = c.table_name
   CROSS JOIN LATERAL (VALUES (c.key_id), (steep_repl._key_id(t.relation, c.moved_from)), (steep_repl._all_keys())) k(id)
   WHERE c.resolution = 'PENDING' AND c.conflict_type = 'APPLY-ERROR' AND c.key_id IS NOT NULL AND k.id IS NOT NULL;
END;
COMMENT ON FUNCTION steep_repl._keys_set_aside() IS
  'Keys with a change that was set aside and may yet be applied, and all keys of their tables as one: what is newer than that change must not be forgotten.';

CREATE OR REPLACE FUNCTION steep_repl._forget_changes(before xid) RETURNS void
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  -- Keys that nobody has changed since: the row itself is the base of what comes.
  DELETE FROM steep_repl.row_changes c WHERE age(c.xmin) > age(before) AND NOT EXISTS (
    SELECT 1 FROM steep_repl.row_changes n WHERE n.relation = c.relation AND n.key_id = c.key_id AND age(n.xmin) <= age(before))
     AND (c.relation, c.key_id) NOT IN (SELECT k.relation, k.key_id FROM steep_repl._keys_set_aside() k);
  SELECT steep_repl._fold_past(k.relation, k.key_id, before::text)
    FROM (SELECT DISTINCT c.relation, c.key_id FROM steep_repl.row_changes c JOIN pg_class r ON r.oid = c.relation WHERE age(c.xmin) > age(before)
             AND (c.relation, c.key_id) NOT IN (SELECT s.relation, s.key_id FROM steep_repl._keys_set_aside() s)) k;
END;
COMMENT ON FUNCTION steep_repl._forget_changes(xid) IS 'Forgets the changes of transactions before that one: nothing older can arrive any more.';

CREATE OR REPLACE FUNCTION steep_repl._recent_changes(root regclass) RETURNS SETOF text
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN QUERY
  SELECT jsonb_build_object('change', c.kind, 'ordinal', c.ordinal, 'before', c.row_before, 'after', c.row_after, 'micros', v.micros, 'node', v.node)::text
    FROM steep_repl.row_changes c
   CROSS JOIN LATERAL (SELECT x.micros, x.node FROM steep_repl._row_version(root, steep_repl._all_keys(), c.xmin) x WHERE c.version_node IS NULL
                       UNION ALL SELECT steep_repl._micros(c.version_time), c.version_node WHERE c.version_node IS NOT NULL) v
   WHERE c.relation = root AND v.micros IS NOT NULL;
END $$;
COMMENT ON FUNCTION steep_repl._recent_changes(regclass) IS 'The changes that a copy of a table must know: others may still send older ones.';

CREATE OR REPLACE FUNCTION steep_repl._take_change(root oid, v jsonb) RETURNS void
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  INSERT INTO steep_repl.row_changes (relation, key_id, kind, ordinal, row_before, row_after, version_time, version_node)
  VALUES (root, steep_repl._key_id(root, coalesce(v->>'after', v->>'before')::jsonb), (v->>'change')::"char", (v->>'ordinal')::bigint,
          v->>'before', v->>'after', steep_repl._at((v->>'micros')::bigint), v->>'node');
END;
COMMENT ON FUNCTION steep_repl._take_change(oid, jsonb) IS 'Keeps a change that came with a copy of its table.';

CREATE OR REPLACE FUNCTION steep_repl._adopt_base(root regclass, key jsonb, micros bigint, node text) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  id uuid := steep_repl._key_id(root, key);
  here text;
BEGIN
  IF NOT (SELECT steep_repl._folds(t) FROM steep_repl.tables t WHERE t.relation = root) THEN
    RETURN;
  END IF;
  EXECUTE format('SELECT steep_repl._columns_json(t.*) FROM %s t WHERE %s', steep_repl._source_of(root), steep_repl._key_is(root, key)) INTO here;
  DELETE FROM steep_repl.row_changes c WHERE c.relation = root AND c.key_id = id;
  INSERT INTO steep_repl.row_changes (relation, key_id, kind, ordinal, row_before, row_after, version_time, version_node)
  VALUES (root, id, 'B', 9223372036854775807, here, here, steep_repl._at(micros), node);
  -- Apply workers have the others in mind.
  PERFORM steep_repl._describe_anew(root);
END $$;
COMMENT ON FUNCTION steep_repl._adopt_base(regclass, jsonb, bigint, text) IS 'What was adopted from a peer is the base of what comes: it holds all that was before.';
