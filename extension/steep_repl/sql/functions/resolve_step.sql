-- What a resolution writes, as statements of the caller. Built from what the caller may see: the view conflicts.

CREATE OR REPLACE FUNCTION steep_repl._key_of(root regclass, tuple jsonb) RETURNS jsonb
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN (SELECT jsonb_object_agg(k.name, tuple->k.name) FROM steep_repl._key_columns(root) k(name) WHERE tuple->>k.name IS NOT NULL);
COMMENT ON FUNCTION steep_repl._key_of(regclass, jsonb) IS 'The primary key of a logged row.';

CREATE OR REPLACE FUNCTION steep_repl._resolution_targets(
  kind text, key jsonb, local_tuple jsonb, remote_tuple jsonb, base_tuple jsonb, root regclass, parent regclass, choice text, given jsonb
) RETURNS TABLE (place integer, relation regclass, target_key jsonb, tuple jsonb, expected jsonb, keep boolean, whole boolean)
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  chosen jsonb := CASE choice WHEN 'LOCAL' THEN local_tuple WHEN 'REMOTE' THEN remote_tuple ELSE given END;
  merged boolean := choice = 'MERGED';
  wanted jsonb := key;
BEGIN
  -- The first is the row of the entry. keep: stays as it is; expected: what must stand there to be taken away.
  IF kind = 'FK-ORPHAN' AND choice = 'LOCAL' THEN
    RETURN QUERY VALUES (1, root, key, local_tuple, NULL::jsonb, true, false),
                        (0, parent, steep_repl._key_of(parent, base_tuple), base_tuple, NULL::jsonb, false, false);
  ELSIF kind = 'UNIQUE' AND NOT merged AND steep_repl._key_of(root, chosen) <> key THEN
    -- The winner stands under its own key; the loser stays away.
    RETURN QUERY VALUES (1, root, key, NULL::jsonb, NULL::jsonb, false, false);
  ELSIF kind = 'KEY-UPDATE' AND chosen IS NOT NULL THEN
    SELECT k INTO wanted FROM unnest(ARRAY[key, steep_repl._key_of(root, local_tuple), steep_repl._key_of(root, remote_tuple)]) k
     WHERE k = steep_repl._key_of(root, chosen) LIMIT 1;
    wanted := coalesce(wanted, key);
    RETURN QUERY SELECT CASE WHEN o.key = wanted THEN 1 ELSE 0 END, root, o.key, CASE WHEN o.key = wanted THEN chosen END,
                        CASE WHEN o.key <> wanted THEN o.tuple END, false, merged
      FROM (SELECT DISTINCT ON (k.key) k.key, k.tuple FROM (VALUES (key, NULL::jsonb), (steep_repl._key_of(root, local_tuple), local_tuple),
              (steep_repl._key_of(root, remote_tuple), remote_tuple)) k(key, tuple) WHERE k.key IS NOT NULL ORDER BY k.key, k.tuple NULLS LAST) o
     WHERE o.key = wanted OR o.key = key OR o.tuple IS NOT NULL;
  ELSE
    RETURN QUERY VALUES (1, root, key, chosen, NULL::jsonb, false, merged);
    -- Of a change of the key that was set aside: the row under the old key goes, as it did where the change was made.
    RETURN QUERY SELECT 0, root, o.key, NULL::jsonb, steep_repl._canonical_row(root, base_tuple), false, false
      FROM (SELECT steep_repl._canonical_key(root, steep_repl._key_of(root, base_tuple)) AS key) o
     WHERE kind = 'APPLY-ERROR' AND remote_tuple IS NOT NULL AND o.key <> _resolution_targets.key;
  END IF;
END $$;
COMMENT ON FUNCTION steep_repl._resolution_targets(text, jsonb, jsonb, jsonb, jsonb, regclass, regclass, text, jsonb) IS
  'Which rows a resolution makes stand where, the row of the entry under place 1.';

CREATE OR REPLACE FUNCTION steep_repl._resolution_statements(conflict_id bigint, choice text, given jsonb, parent regclass) RETURNS SETOF text
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  entry steep_repl.conflicts;
  root regclass;
  target record;
  present jsonb;
  missing text;
BEGIN
  SELECT * INTO entry FROM steep_repl.conflicts c WHERE c.id = conflict_id;
  root := to_regclass(format('%I.%I', entry.table_schema, entry.table_name));
  FOR target IN
    SELECT * FROM steep_repl._resolution_targets(entry.conflict_type, entry.key, entry.local_tuple, entry.remote_tuple, entry.base_tuple, root, parent, choice, given) t
     WHERE NOT t.keep ORDER BY t.place
  LOOP
    EXECUTE format('SELECT steep_repl._row_json(t.*)::jsonb FROM %s t WHERE %s', steep_repl._source_of(target.relation),
                   steep_repl._key_is(target.relation, target.target_key)) INTO present;
    IF target.relation = parent AND present IS NOT NULL THEN
      CONTINUE;  -- It has come back by itself.
    END IF;
    IF target.tuple IS NOT NULL THEN
      IF NOT target.whole THEN
        SELECT string_agg(quote_ident(c.name), ', ') INTO missing FROM steep_repl._tuple_columns(target.relation, target.tuple, NULL, false) c
         WHERE NOT c.given AND c.large AND present IS NULL;
        IF missing IS NOT NULL THEN
          RAISE EXCEPTION USING ERRCODE = 'SR063', MESSAGE = format('the logged row lacks columns of %s: %s', target.relation, missing),
            DETAIL = 'They were not sent, or are newer than the entry.', HINT = 'Resolve it as MERGED, with the whole row.';
        END IF;
        -- Columns that are gone since.
        target.tuple := (SELECT coalesce(jsonb_object_agg(c.name, target.tuple->c.name), '{}')
                           FROM steep_repl._tuple_columns(target.relation, target.tuple, NULL, false) c WHERE c.given);
      END IF;
      PERFORM steep_repl._check_tuple(target.relation, target.tuple, target.target_key, NOT target.whole);
    END IF;
    RETURN QUERY SELECT s FROM steep_repl._write_statement(target.relation, target.target_key, target.tuple, present, target.whole) s WHERE s IS NOT NULL;
  END LOOP;
END $$;
COMMENT ON FUNCTION steep_repl._resolution_statements(bigint, text, jsonb, regclass) IS
  'The statements that carry a resolution out, in their order. Errors: SR063 to SR067.';

CREATE OR REPLACE VIEW steep_repl.resolved AS
  SELECT r.node_id, r.seq, r.at, r.resolved_by, r.table_schema, r.table_name, r.resolution, CASE WHEN m.visible THEN r.reason END AS reason,
         CASE WHEN m.visible THEN r.conflict_key END AS conflict_key, CASE WHEN m.visible THEN r.key END AS key,
         CASE WHEN m.visible THEN r.replaced END AS replaced, CASE WHEN m.visible THEN r.result END AS result,
         CASE WHEN m.visible THEN r.new_key END AS new_key, m.visible AS tuples_visible
    FROM steep_repl.resolutions r
    LEFT JOIN LATERAL (SELECT l.relation FROM steep_repl.conflict_log l WHERE l.conflict_key = r.conflict_key ORDER BY l.id LIMIT 1) e ON true,
         LATERAL (SELECT steep_repl._may_read(coalesce(e.relation, 0::oid), r.table_schema, r.table_name) AS visible) m;
COMMENT ON VIEW steep_repl.resolved IS 'Who resolved which conflict, on any node: what stood there before, and what was written; rows only for those who may read the table.';
