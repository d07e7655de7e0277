-- Loading a snapshot into tables of this database. All that speaks against it is found before anything is loaded.

CREATE OR REPLACE FUNCTION steep_repl._apply_tables(manifest jsonb) RETURNS TABLE (number integer, relation oid, name text, columns jsonb, definition jsonb)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT n::int - 1, to_regclass(format('%I.%I', t->>'schema', t->>'table'))::oid, format('%I.%I', t->>'schema', t->>'table'), t->'columns', t->'definition'
    FROM jsonb_array_elements(manifest->'tables') WITH ORDINALITY e(t, n);
END;
COMMENT ON FUNCTION steep_repl._apply_tables(jsonb) IS 'The tables of a manifest, numbered from 0, and those of that name here.';

CREATE OR REPLACE FUNCTION steep_repl._apply_pieces(manifest jsonb) RETURNS TABLE (piece integer, number integer, relation oid)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT row_number() OVER (ORDER BY t.n, p.n)::int - 1, t.n::int - 1, to_regclass(format('%I.%I', t.t->>'schema', t.t->>'table'))::oid
    FROM jsonb_array_elements(manifest->'tables') WITH ORDINALITY t(t, n) CROSS JOIN LATERAL jsonb_array_elements(t.t->'pieces') WITH ORDINALITY p(p, n);
END;
COMMENT ON FUNCTION steep_repl._apply_pieces(jsonb) IS 'The pieces of a manifest and the numbers of their tables, both from 0, and the tables of that name here.';

CREATE OR REPLACE FUNCTION steep_repl._column_differences(relation oid, columns jsonb) RETURNS SETOF text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT CASE WHEN there.name IS NULL THEN format('column %I is not in the snapshot', here.name)
              WHEN here.name IS NULL THEN format('column %I is missing here', there.name)
              ELSE format('column %I is %s here and %s in the snapshot', here.name, here.type, there.type) END
    FROM (SELECT a.attname::text AS name, format_type(a.atttypid, a.atttypmod) AS type FROM pg_attribute a
           WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '') here
    FULL JOIN (SELECT c->>'name' AS name, c->>'type' AS type FROM jsonb_array_elements(columns) c) there ON there.name = here.name
   WHERE here.type IS DISTINCT FROM there.type;
END;
COMMENT ON FUNCTION steep_repl._column_differences(oid, jsonb) IS 'How the columns of a table differ from those in a manifest.';

CREATE OR REPLACE FUNCTION steep_repl._shape_differences(here jsonb, there jsonb) RETURNS SETOF text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT steep_repl._difference(d.object, d.property, d.local, d.remote, 'this node', 'the snapshot') FROM steep_repl._definition_differences(here, there) d WHERE here IS DISTINCT FROM there;
END;
COMMENT ON FUNCTION steep_repl._shape_differences(jsonb, jsonb) IS 'How a table differs from the one in a snapshot, in sentences.';

CREATE OR REPLACE FUNCTION steep_repl._apply_rivals(manifest jsonb, work_id bigint) RETURNS SETOF text
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  -- By their names, since such work may not have looked at its tables yet. Before it begins each looks at those that have begun: one of two
  -- that do so at the same moment goes first (_apply_begin()).
  SELECT format('work %s, which is %s, loads into %s', q.id, q.state, string_agg(a.name, ', ' ORDER BY a.number))
    FROM steep_repl.work_queue q CROSS JOIN LATERAL jsonb_array_elements_text(q.parameters->'into') i(name) JOIN steep_repl._apply_tables(manifest) a ON a.name = i.name
   WHERE q.kind = 'apply' AND q.id IS DISTINCT FROM work_id
     AND (work_id IS NULL AND q.state = 'pending' OR q.state = 'running' AND (work_id IS NULL OR (q.parameters->>'begun')::int = q.attempts))
   GROUP BY q.id
  UNION ALL
  SELECT format('work %1$s, which failed, has loaded into %2$s: retry_work(%1$s) goes on, cancel_work(%1$s) takes that back', q.id, string_agg(a.name, ', ' ORDER BY a.number))
    FROM steep_repl.work_queue q JOIN steep_repl._apply_tables(manifest) a ON a.relation IN (SELECT p.relation FROM steep_repl.loaded_pieces p WHERE p.work_id = q.id)
   WHERE q.kind = 'apply' AND q.id IS DISTINCT FROM work_id AND q.state = 'failed'
   GROUP BY q.id;
END;
COMMENT ON FUNCTION steep_repl._apply_rivals(jsonb, bigint) IS 'Other work that loads into these tables, or has, a line each; for work that begins, of what runs only such as has begun.';

CREATE OR REPLACE FUNCTION steep_repl._apply_problems(manifest jsonb, role oid, work_id bigint, strict boolean) RETURNS SETOF text
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  t record;
  relations oid[] := ARRAY(SELECT a.relation FROM steep_repl._apply_tables(manifest) a WHERE a.relation IS NOT NULL);
BEGIN
  RETURN QUERY SELECT format('%s is not a member of pg_read_server_files', role::regrole) WHERE NOT pg_has_role(role, 'pg_read_server_files', 'USAGE');
  FOR t IN SELECT a.*, c.relkind, d.definition AS here FROM steep_repl._apply_tables(manifest) a LEFT JOIN pg_class c ON c.oid = a.relation
           LEFT JOIN steep_repl._definitions(relations) d ON d.relation = a.relation LOOP
    IF t.relation IS NULL THEN
      RETURN NEXT format('%s does not exist here', t.name);
      CONTINUE;
    ELSIF t.relkind <> 'r' THEN
      RETURN NEXT format('%s is no plain table here', t.name);
      CONTINUE;
    END IF;
    RETURN QUERY SELECT format('%s: %s', t.name, d) FROM steep_repl._column_differences(t.relation, t.columns) d;
    RETURN QUERY SELECT format('%s: %s', t.name, d) FROM steep_repl._shape_differences(t.here, t.definition) d
      WHERE strict AND NOT EXISTS (SELECT 1 FROM steep_repl._column_differences(t.relation, t.columns));
    RETURN QUERY SELECT format('%s: foreign key %I is not on the table of the snapshot: nothing would check its rows', t.name, f.conname) FROM pg_constraint f
      WHERE f.conrelid = t.relation AND f.contype = 'f' AND f.convalidated AND NOT strict
        AND NOT coalesce(t.definition->'foreign_keys' @> (t.here->'foreign_keys'), false);
    RETURN QUERY SELECT format('%s may not insert into %s', role::regrole, t.name)
      WHERE NOT has_table_privilege(role, t.relation, 'INSERT') OR NOT has_schema_privilege(role, (SELECT c.relnamespace FROM pg_class c WHERE c.oid = t.relation), 'USAGE');
    RETURN QUERY SELECT format('row level security of %s applies to %s', t.name, role::regrole) WHERE steep_repl._hides_rows(t.relation, role);
    RETURN QUERY SELECT format('%s is replicated: its rows come from the other nodes', t.name)
      WHERE EXISTS (SELECT 1 FROM steep_repl.tables k WHERE t.relation IN (SELECT l FROM steep_repl._leaves(k.relation) l));
    RETURN QUERY SELECT format('%s holds rows', t.name)
      WHERE NOT EXISTS (SELECT 1 FROM steep_repl.loaded_pieces p WHERE p.work_id = _apply_problems.work_id AND p.relation = t.relation) AND steep_repl._holds_rows(t.relation);
    RETURN QUERY SELECT format('%s refers to %s, which is not in the snapshot (%I): nothing would check its rows', t.name, f.confrelid::regclass, f.conname)
       FROM pg_constraint f WHERE f.conrelid = t.relation AND f.contype = 'f'
        AND EXISTS (SELECT 1 FROM steep_repl._leaves(f.confrelid)) AND NOT EXISTS (SELECT 1 FROM steep_repl._leaves(f.confrelid) l WHERE l = ANY (relations));
  END LOOP;
  RETURN QUERY SELECT r FROM steep_repl._apply_rivals(manifest, work_id) r;
  RETURN QUERY SELECT format('%s may not set %I.%I', role::regrole, s->>'schema', s->>'sequence') FROM jsonb_array_elements(manifest->'sequences') s
    WHERE to_regclass(format('%I.%I', s->>'schema', s->>'sequence')) IS NOT NULL
      AND NOT has_sequence_privilege(role, to_regclass(format('%I.%I', s->>'schema', s->>'sequence')), 'UPDATE');
  RETURN QUERY SELECT format('sequence %I.%I does not exist here', s->>'schema', s->>'sequence') FROM jsonb_array_elements(manifest->'sequences') s
    WHERE to_regclass(format('%I.%I', s->>'schema', s->>'sequence')) IS NULL;
END $$;
COMMENT ON FUNCTION steep_repl._apply_problems(jsonb, oid, bigint, boolean) IS 'Why a role cannot load that snapshot here, a line each. What this work has loaded already does not count.';

CREATE OR REPLACE FUNCTION steep_repl.start_apply(path text, parallel integer DEFAULT 4, verify boolean DEFAULT true, strict boolean DEFAULT true)
RETURNS TABLE (id bigint, state text, folder text, table_count bigint)
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  place text;
  manifest jsonb;
BEGIN
  PERFORM steep_repl._refuse('SR110', 'the snapshot cannot be loaded',
    ARRAY(SELECT steep_repl._snapshot_options_problems(start_apply.path, 'none', start_apply.parallel)), 'For example: SELECT * FROM steep_repl.start_apply(''/backup/monday'', 4)');
  PERFORM steep_repl._may_use_files('start_apply', 'pg_read_server_files');
  place := steep_repl._snapshot_path(start_apply.path);
  manifest := steep_repl._snapshot_manifest(place);
  -- The second of two that ask at the same moment sees the first.
  PERFORM pg_advisory_xact_lock(hashtextextended('steep_repl start_apply', 0));
  PERFORM steep_repl._refuse('SR110', format('the snapshot in %s cannot be loaded', place),
    ARRAY(SELECT steep_repl._apply_problems(manifest, steep_repl._outer_role(), NULL, coalesce(start_apply.strict, true))),
    'Nothing has been changed. Load it into empty tables of the same shape; strict => false asks for the same columns only.');
  RETURN QUERY SELECT steep_repl._enqueue('apply', jsonb_build_object('path', place, 'parallel', start_apply.parallel, 'verify', coalesce(start_apply.verify, true), 'strict', coalesce(start_apply.strict, true),
      'snapshot_uid', manifest->>'snapshot_uid', 'into', (SELECT jsonb_agg(a.name) FROM steep_repl._apply_tables(manifest) a))), 'pending', place, jsonb_array_length(manifest->'tables')::bigint;
END $$;
COMMENT ON FUNCTION steep_repl.start_apply(text, integer, boolean, boolean) IS
  'Loads a snapshot from a folder on this server into empty tables of the same shape, in the background: snapshot_progress(). verify compares all files with their checksums first; strict refuses tables that are not defined as those of the snapshot, and without it columns and foreign keys must fit. When it fails half way, retry_work(id) goes on after what is loaded. For members of pg_read_server_files who may insert into the tables. Definer: writes the queue. Errors: SR100, SR110 with all problems, XX001 a damaged manifest, 0A000 of a newer version, 58P01 none there.';

CREATE OR REPLACE FUNCTION steep_repl._apply_begin(id bigint, manifest jsonb, role oid, strict boolean, numbers integer[]) RETURNS jsonb
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  -- Not that of start_apply(), which a session may hold for long.
  PERFORM pg_advisory_xact_lock(hashtextextended('steep_repl _apply_begin', 0));
  -- What now has the name of a table that was dropped or renamed holds nothing of it.
  DELETE FROM steep_repl.loaded_pieces p USING steep_repl._apply_pieces(manifest) m
   WHERE p.work_id = _apply_begin.id AND m.piece = p.piece AND p.relation IS DISTINCT FROM m.relation AND (numbers IS NULL OR m.number = ANY (numbers));
  manifest := steep_repl._manifest_part(manifest, numbers);
  PERFORM steep_repl._refuse('SR110', 'the snapshot cannot be loaded', ARRAY(SELECT steep_repl._apply_problems(manifest, role, _apply_begin.id, strict)), 'Nothing more has been changed.');
  UPDATE steep_repl.work_queue q SET parameters = q.parameters || jsonb_build_object('begun', q.attempts, 'into', (SELECT coalesce(jsonb_agg(a.name), '[]') FROM steep_repl._apply_tables(manifest) a))
   WHERE q.id = _apply_begin.id;
  RETURN (SELECT jsonb_build_object('relations', (SELECT jsonb_agg(a.relation::bigint ORDER BY a.number) FROM steep_repl._apply_tables(manifest) a),
                                    'begun', (SELECT coalesce(jsonb_agg(DISTINCT p.relation::bigint), '[]') FROM steep_repl.loaded_pieces p JOIN steep_repl._apply_tables(manifest) a ON a.relation = p.relation
                                               WHERE p.work_id = _apply_begin.id)));
END $$;
COMMENT ON FUNCTION steep_repl._apply_begin(bigint, jsonb, oid, boolean, integer[]) IS 'Looks once more whether the snapshot, or these tables of it, can be loaded; which tables it goes into, and in which of them pieces are loaded already.';

CREATE OR REPLACE FUNCTION steep_repl._apply_loaded(id bigint) RETURNS jsonb
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT coalesce(jsonb_agg(p.piece), '[]') FROM steep_repl.loaded_pieces p WHERE p.work_id = _apply_loaded.id;
END;
COMMENT ON FUNCTION steep_repl._apply_loaded(bigint) IS 'Which pieces are loaded already.';

CREATE OR REPLACE FUNCTION steep_repl._apply_piece_begin(id bigint, relation oid, name text, columns jsonb, role oid) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
BEGIN
  PERFORM steep_repl._refuse('SR110', format('%s was dropped while the snapshot was loaded', name), ARRAY(SELECT 'its rows went with it' WHERE NOT EXISTS (SELECT 1 FROM pg_class c WHERE c.oid = relation)),
    format('Make it again, empty and as it was, then retry_work(%1$s); or cancel_work(%1$s).', id));
  PERFORM steep_repl._refuse('SR110', format('%s was changed while the snapshot was loaded', relation::regclass), ARRAY(SELECT d FROM steep_repl._column_differences(relation, columns) d),
    format('Make its columns as they were, then retry_work(%1$s); or cancel_work(%1$s).', id));
  IF NOT has_table_privilege(role, relation, 'INSERT') THEN
    RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege', MESSAGE = format('%s has no right any more to insert into %s', role::regrole, relation::regclass), HINT = format('GRANT INSERT, then retry_work(%s).', id);
  END IF;
END $$;
COMMENT ON FUNCTION steep_repl._apply_piece_begin(bigint, oid, text, jsonb, oid) IS 'Looks, under the lock of a writer, whether a table is still one that the next piece can go into. Errors: SR110 it was dropped or changed, 42501.';

CREATE OR REPLACE FUNCTION steep_repl._apply_piece_done(id bigint, piece integer, relation oid, rows bigint) RETURNS void
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  INSERT INTO steep_repl.loaded_pieces (work_id, piece, relation, rows) VALUES (_apply_piece_done.id, _apply_piece_done.piece, _apply_piece_done.relation, _apply_piece_done.rows);
END;
COMMENT ON FUNCTION steep_repl._apply_piece_done(bigint, integer, oid, bigint) IS 'Notes a piece in the transaction that loads it.';
