-- Loading a snapshot into tables of this database. All that speaks against it is found before anything is loaded.

CREATE OR REPLACE FUNCTION steep_repl._apply_tables(manifest jsonb) RETURNS TABLE (number integer, relation oid, name text, columns jsonb, definition jsonb)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT n::int - 1, to_regclass(format('%I.%I', t->>'schema', t->>'table'))::oid, format('%I.%I', t->>'schema', t->>'table'), t->'columns', t->'definition'
    FROM jsonb_array_elements(manifest->'tables') WITH ORDINALITY e(t, n);
END;
COMMENT ON FUNCTION steep_repl._apply_tables(jsonb) IS 'The tables of a manifest, numbered from 0, and those of that name here.';

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

CREATE OR REPLACE FUNCTION steep_repl._apply_problems(manifest jsonb, role oid, work_id bigint, strict boolean) RETURNS SETOF text
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
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
  PERFORM steep_repl._refuse('SR110', format('the snapshot in %s cannot be loaded', place),
    ARRAY(SELECT steep_repl._apply_problems(manifest, steep_repl._outer_role(), NULL, coalesce(start_apply.strict, true))),
    'Nothing has been changed. Load it into empty tables of the same shape; strict => false asks for the same columns only.');
  RETURN QUERY SELECT steep_repl._enqueue('apply', jsonb_build_object('path', place, 'parallel', start_apply.parallel, 'verify', coalesce(start_apply.verify, true), 'strict', coalesce(start_apply.strict, true),
      'snapshot_uid', manifest->>'snapshot_uid')), 'pending', place, jsonb_array_length(manifest->'tables')::bigint;
END $$;
COMMENT ON FUNCTION steep_repl.start_apply(text, integer, boolean, boolean) IS
  'Loads a snapshot from a folder on this server into empty tables of the same shape, in the background: snapshot_progress(). verify compares all files with their checksums first; strict refuses tables that are not defined as those of the snapshot, and without it columns and foreign keys must fit. When it fails half way, retry_work(id) goes on after what is loaded. For members of pg_read_server_files who may insert into the tables. Definer: writes the queue. Errors: SR100, SR110 with all problems, XX001 a damaged manifest, 0A000 of a newer version, 58P01 none there.';

CREATE OR REPLACE FUNCTION steep_repl._apply_begin(id bigint, manifest jsonb, role oid, strict boolean, numbers integer[]) RETURNS jsonb
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  manifest := steep_repl._manifest_part(manifest, numbers);
  PERFORM steep_repl._refuse('SR110', 'the snapshot cannot be loaded', ARRAY(SELECT steep_repl._apply_problems(manifest, role, _apply_begin.id, strict)), 'Nothing more has been changed.');
  RETURN (SELECT jsonb_build_object('relations', (SELECT jsonb_agg(a.relation::bigint ORDER BY a.number) FROM steep_repl._apply_tables(manifest) a),
                                    'loaded', (SELECT coalesce(jsonb_agg(p.piece), '[]') FROM steep_repl.loaded_pieces p WHERE p.work_id = _apply_begin.id)));
END $$;
COMMENT ON FUNCTION steep_repl._apply_begin(bigint, jsonb, oid, boolean, integer[]) IS 'Looks once more whether the snapshot, or these tables of it, can be loaded; which tables it goes into, and which pieces are loaded already.';

CREATE OR REPLACE FUNCTION steep_repl._apply_piece_done(id bigint, piece integer, relation oid, rows bigint) RETURNS void
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  INSERT INTO steep_repl.loaded_pieces (work_id, piece, relation, rows) VALUES (_apply_piece_done.id, _apply_piece_done.piece, _apply_piece_done.relation, _apply_piece_done.rows);
END;
COMMENT ON FUNCTION steep_repl._apply_piece_done(bigint, integer, oid, bigint) IS 'Notes a piece in the transaction that loads it.';

CREATE OR REPLACE FUNCTION steep_repl._apply_undo(id bigint) RETURNS TABLE (owner oid, statement text)
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  -- Others may have written into them meanwhile: theirs stays.
  SELECT c.relowner, format('DELETE FROM ONLY %I.%I WHERE xmin = ANY (%L::pg_catalog.xid[])', n.nspname, c.relname, array_agg(p.row_xid))
    FROM steep_repl.loaded_pieces p JOIN pg_class c ON c.oid = p.relation JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE p.work_id = _apply_undo.id GROUP BY c.relowner, n.nspname, c.relname;
END;
COMMENT ON FUNCTION steep_repl._apply_undo(bigint) IS 'What takes away the rows that a load has brought, and nothing else, and as whom to run it: whoever loads need not have the right to delete.';

CREATE OR REPLACE FUNCTION steep_repl._apply_undone(id bigint) RETURNS void
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  DELETE FROM steep_repl.loaded_pieces p WHERE p.work_id = _apply_undone.id;
END;
COMMENT ON FUNCTION steep_repl._apply_undone(bigint) IS 'Forgets what was loaded.';
