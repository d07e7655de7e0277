-- Snapshots: all rows of many tables as of one moment, in files on this server, and loading them elsewhere.
-- The format is that of crates/snapshot; who reads and writes them is src/snapshot/.

CREATE OR REPLACE FUNCTION steep_repl._snapshot_path(path text) RETURNS text
  LANGUAGE c STABLE STRICT AS 'MODULE_PATHNAME', 'snapshot_path_wrapper';
COMMENT ON FUNCTION steep_repl._snapshot_path(text) IS 'The path, with links and dots resolved. Errors: 22023 where it must not lie.';

CREATE OR REPLACE FUNCTION steep_repl._check_snapshot(path text) RETURNS TABLE (file text, bytes bigint, problem text)
  LANGUAGE c STABLE STRICT AS 'MODULE_PATHNAME', 'check_snapshot_wrapper';
COMMENT ON FUNCTION steep_repl._check_snapshot(text) IS 'Reads all files of a snapshot and compares them with their checksums.';

CREATE OR REPLACE FUNCTION steep_repl._snapshot_manifest(path text) RETURNS jsonb
  LANGUAGE c STABLE STRICT AS 'MODULE_PATHNAME', 'snapshot_manifest_wrapper';
COMMENT ON FUNCTION steep_repl._snapshot_manifest(text) IS 'The manifest of a snapshot. Errors: XX001 it is damaged, 0A000 of a newer version, 58P01 there is none.';

CREATE OR REPLACE FUNCTION steep_repl._remove_snapshot(path text, snapshot_uid uuid) RETURNS boolean
  LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'remove_snapshot_wrapper';
COMMENT ON FUNCTION steep_repl._remove_snapshot(text, uuid) IS 'Removes the files of that snapshot, and nothing else; false when they are gone already.';

CREATE OR REPLACE FUNCTION steep_repl._snapshot_state(path text, snapshot_uid uuid) RETURNS text
  LANGUAGE c STABLE STRICT AS 'MODULE_PATHNAME', 'snapshot_state_wrapper';
COMMENT ON FUNCTION steep_repl._snapshot_state(text, uuid) IS 'complete, damaged or missing, by its manifest; the rows are verify_snapshot()''s.';

CREATE OR REPLACE FUNCTION steep_repl._refuse(sqlstate text, message text, problems text[], hint text) RETURNS void
  LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF cardinality(problems) > 0 THEN
    RAISE EXCEPTION USING ERRCODE = sqlstate, MESSAGE = message, HINT = hint,
      DETAIL = array_to_string(problems[:20], E'\n') || CASE WHEN cardinality(problems) > 20 THEN format(E'\nand %s more', cardinality(problems) - 20) ELSE '' END;
  END IF;
END $$;
COMMENT ON FUNCTION steep_repl._refuse(text, text, text[], text) IS 'Raises an error that lists all problems, the first twenty with their words; nothing when there are none.';

CREATE OR REPLACE FUNCTION steep_repl._snapshot_options_problems(path text, compression text, parallel integer) RETURNS SETOF text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT 'path is missing' WHERE path IS NULL OR path = ''
  UNION ALL SELECT format('compression %s is not known: none, gzip, lz4 or zstd', quote_literal(compression)) WHERE compression NOT IN ('none', 'gzip', 'lz4', 'zstd') OR compression IS NULL
  UNION ALL SELECT format('parallel is %s: it goes from 1 to 16', coalesce(parallel::text, 'NULL')) WHERE coalesce(parallel, 0) NOT BETWEEN 1 AND 16;
END;
COMMENT ON FUNCTION steep_repl._snapshot_options_problems(text, text, integer) IS 'What is wrong with the options of a snapshot.';

CREATE OR REPLACE FUNCTION steep_repl._hides_rows(relation oid, role oid) RETURNS boolean
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT c.relrowsecurity AND NOT r.rolsuper AND NOT r.rolbypassrls AND (c.relforcerowsecurity OR NOT pg_has_role(role, c.relowner, 'USAGE'))
    FROM pg_class c, pg_roles r WHERE c.oid = relation AND r.oid = role;
END;
COMMENT ON FUNCTION steep_repl._hides_rows(oid, oid) IS 'Whether row level security may keep rows of a table from a role (commands/rls.c).';

CREATE OR REPLACE FUNCTION steep_repl._snapshot_tables(wanted text[]) RETURNS SETOF oid
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'steep_repl')
     AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
     AND (wanted IS NULL OR EXISTS (
       SELECT 1 FROM unnest(wanted) w WHERE w = quote_ident(n.nspname) || '.*'
          OR EXISTS (SELECT 1 FROM pg_class r JOIN pg_namespace s ON s.oid = r.relnamespace
                      WHERE r.relkind IN ('r', 'p') AND w IN (quote_ident(r.relname), quote_ident(s.nspname) || '.' || quote_ident(r.relname))
                        AND c.oid IN (SELECT l FROM steep_repl._leaves(r.oid) l))));
END;
COMMENT ON FUNCTION steep_repl._snapshot_tables(text[]) IS
  'The tables of a snapshot: those named, as table (in whatever schema), schema.table or schema.*, or all that are no system''s and no extension''s. Of partitioned ones the partitions.';

CREATE OR REPLACE FUNCTION steep_repl._snapshot_problems(tables text[], slot name, preparation uuid, role oid) RETURNS SETOF text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT format('%s is not a member of pg_write_server_files', role::regrole) WHERE NOT pg_has_role(role, 'pg_write_server_files', 'USAGE')
  UNION ALL SELECT format('%s has no attribute REPLICATION, which a slot needs', role::regrole)
    FROM pg_roles r WHERE r.oid = role AND (slot IS NOT NULL OR preparation IS NOT NULL) AND NOT r.rolreplication AND NOT r.rolsuper
  UNION ALL SELECT format('slot %s exists', slot) FROM pg_replication_slots s WHERE s.slot_name = slot
  UNION ALL SELECT format('%s is no table, and no schema.*', w) FROM unnest(tables) w
     WHERE NOT EXISTS (SELECT 1 FROM steep_repl._snapshot_tables(ARRAY[w]))
  UNION ALL SELECT format('%s may not read %s', role::regrole, t::regclass) FROM steep_repl._snapshot_tables(tables) t
     WHERE NOT has_table_privilege(role, t, 'SELECT') OR NOT has_schema_privilege(role, (SELECT c.relnamespace FROM pg_class c WHERE c.oid = t), 'USAGE')
  UNION ALL SELECT format('row level security may keep rows of %s from %s', t::regclass, role::regrole) FROM steep_repl._snapshot_tables(tables) t
     WHERE steep_repl._hides_rows(t, role)
  UNION ALL SELECT problem FROM steep_repl._preparation_problems(preparation) problem
  UNION ALL SELECT 'there is no table to take' WHERE tables IS NULL AND NOT EXISTS (SELECT 1 FROM steep_repl._snapshot_tables(NULL));
END;
COMMENT ON FUNCTION steep_repl._snapshot_problems(text[], name, uuid, oid) IS 'Why a role cannot take a snapshot of these tables, a line each.';

CREATE OR REPLACE FUNCTION steep_repl.start_snapshot(
  path text, compression text DEFAULT 'zstd', parallel integer DEFAULT 4, tables text[] DEFAULT NULL, slot name DEFAULT NULL,
  preparation uuid DEFAULT NULL
) RETURNS TABLE (id bigint, state text, folder text, table_count bigint)
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  place text;
  -- For a node to come: all that replicate.
  taken text[] := CASE WHEN preparation IS NULL THEN start_snapshot.tables ELSE ARRAY(SELECT format('%I.%I', t.table_schema, t.table_name) FROM steep_repl.tables t) END;
BEGIN
  PERFORM steep_repl._refuse('SR110', 'the snapshot cannot be taken',
    ARRAY(SELECT steep_repl._snapshot_options_problems(start_snapshot.path, start_snapshot.compression, start_snapshot.parallel)
          UNION ALL SELECT 'with a preparation the tables are those that replicate, and the slots are its own' WHERE preparation IS NOT NULL AND (start_snapshot.tables IS NOT NULL OR slot IS NOT NULL)
          UNION ALL SELECT steep_repl._snapshot_problems(taken, slot, preparation, steep_repl._outer_role())),
    'For example: SELECT * FROM steep_repl.start_snapshot(''/backup/monday'', ''zstd'', 4)');
  place := steep_repl._snapshot_path(start_snapshot.path);
  IF (pg_stat_file(place, true)).size IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'SR111', MESSAGE = format('%s exists', place), HINT = 'A snapshot makes its folder itself: name one that does not exist.';
  END IF;
  RETURN QUERY SELECT steep_repl._enqueue('snapshot', jsonb_build_object('path', place, 'compression', start_snapshot.compression,
      'parallel', start_snapshot.parallel, 'snapshot_uid', gen_random_uuid(), 'tables', to_jsonb(taken), 'slot', slot, 'preparation', preparation)), 'pending', place, (SELECT count(*) FROM steep_repl._snapshot_tables(taken));
END $$;
COMMENT ON FUNCTION steep_repl.start_snapshot(text, text, integer, text[], name, uuid) IS
  'Writes all rows of tables, as of one moment, into a new folder on this server, in the background: snapshot_progress(), cancel_snapshot(id). compression none, gzip, lz4 or zstd; parallel streams 1 to 16; tables as table, schema.table or schema.*, NULL for all; slot makes a replication slot that goes on from that moment; preparation (prepare_node()) takes all replicated tables, for nodes that start_node() fills from it. For members of pg_write_server_files who may read the tables. Definer: writes the queue. Errors: SR100, SR110 with all problems, SR111 the folder exists, 22023 where it must not lie.';

CREATE OR REPLACE FUNCTION steep_repl._snapshot_plan(wanted text[]) RETURNS jsonb
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT coalesce(jsonb_agg(jsonb_build_object('relation', c.oid::bigint, 'schema', n.nspname, 'table', c.relname, 'file_node', c.relfilenode::bigint,
           'pages', pg_relation_size(c.oid) / current_setting('block_size')::int, -- One that was never analysed: as many as short rows would be.
           'rows', CASE WHEN c.reltuples >= 0 THEN c.reltuples ELSE pg_relation_size(c.oid) / current_setting('block_size')::int * 60 END::bigint,
           'definition', d.definition, 'fingerprint', encode(sha256(convert_to(d.definition::text, 'UTF8')), 'hex'),
           'columns', (SELECT coalesce(jsonb_agg(jsonb_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod)) ORDER BY a.attnum), '[]')
                         FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''))
           ORDER BY n.nspname, c.relname), '[]')
    FROM steep_repl._definitions(ARRAY(SELECT steep_repl._snapshot_tables(wanted))) d JOIN pg_class c ON c.oid = d.relation JOIN pg_namespace n ON n.oid = c.relnamespace;
END;
COMMENT ON FUNCTION steep_repl._snapshot_plan(text[]) IS 'The tables of a snapshot as the running transaction sees them, with their columns, definition and size.';

CREATE OR REPLACE FUNCTION steep_repl._piece_query(relation oid, first_page bigint, end_page bigint, OUT query text, OUT name text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT format('SELECT %s FROM ONLY %I.%I', string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum), n.nspname, c.relname)
         || CASE WHEN first_page > 0 OR end_page IS NOT NULL THEN format(' WHERE ctid >= %L::pg_catalog.tid', format('(%s,0)', first_page)) ELSE '' END
         || CASE WHEN end_page IS NOT NULL THEN format(' AND ctid < %L::pg_catalog.tid', format('(%s,0)', end_page)) ELSE '' END,
         format('%s.%s', n.nspname, c.relname)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
   WHERE c.oid = relation GROUP BY c.oid, n.nspname, c.relname;
END;
COMMENT ON FUNCTION steep_repl._piece_query(oid, bigint, bigint) IS 'The query for the rows of a table that lie in some of its pages, and the table for people.';

CREATE OR REPLACE FUNCTION steep_repl._snapshot_facts() RETURNS jsonb
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN jsonb_build_object('created_at', to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), 'server_version', current_setting('server_version'),
    'extension_version', steep_repl.version(), 'database', current_database(), 'node_id', steep_repl.node_id(), 'node_uid', steep_repl._identity()->>'node_uid', 'encoding', getdatabaseencoding());
COMMENT ON FUNCTION steep_repl._snapshot_facts() IS 'Where a snapshot comes from.';

CREATE OR REPLACE FUNCTION steep_repl._snapshot_sequences(wanted text[]) RETURNS jsonb
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT coalesce(jsonb_agg(jsonb_build_object('schema', n.nspname, 'sequence', c.relname, 'last_value', v.last_value, 'is_called', v.is_called)
           ORDER BY n.nspname, c.relname), '[]')
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace CROSS JOIN LATERAL pg_get_sequence_data(c.oid) v
   WHERE c.relkind = 'S' AND c.relpersistence <> 't' AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'steep_repl')
     AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
     AND (wanted IS NULL OR EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
            AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
            AND EXISTS (SELECT 1 FROM steep_repl._snapshot_tables(wanted) t WHERE t IN (SELECT l FROM steep_repl._leaves(d.refobjid) l))));
END;
COMMENT ON FUNCTION steep_repl._snapshot_sequences(text[]) IS
  'Where the sequences stand now: of all tables, or those that columns of these own. Read after the rows'' moment, so that no row has an id beyond them.';

CREATE OR REPLACE FUNCTION steep_repl._snapshot_done(id bigint, snapshot_uid uuid, path text, lsn text, slot text, compression text, tables bigint, rows bigint, bytes bigint) RETURNS void
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  INSERT INTO steep_repl.snapshots (id, snapshot_uid, path, lsn, slot_name, compression, tables, rows, bytes)
  VALUES (_snapshot_done.id, _snapshot_done.snapshot_uid, _snapshot_done.path, _snapshot_done.lsn::pg_lsn, _snapshot_done.slot, _snapshot_done.compression,
          _snapshot_done.tables, _snapshot_done.rows, _snapshot_done.bytes);
END;
COMMENT ON FUNCTION steep_repl._snapshot_done(bigint, uuid, text, text, text, text, bigint, bigint, bigint) IS 'Notes a snapshot that is whole.';

CREATE OR REPLACE FUNCTION steep_repl._snapshot_slot_kept(slot name) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM pg_replication_slots s WHERE s.slot_name = slot AND NOT s.temporary AND s.invalidation_reason IS NULL) THEN
    RAISE EXCEPTION USING ERRCODE = 'SR114', MESSAGE = format('the slot %s did not last until the snapshot was written', slot),
      HINT = 'max_slot_wal_keep_size and idle_replication_slot_timeout must let it. Then retry_work().';
  END IF;
END $$;
COMMENT ON FUNCTION steep_repl._snapshot_slot_kept(name) IS 'Error SR114 unless the slot of a snapshot is there for good.';

CREATE OR REPLACE FUNCTION steep_repl._snapshot_slot_drop(slot name) RETURNS void
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT pg_drop_replication_slot(s.slot_name) FROM pg_replication_slots s
   WHERE s.slot_name = slot AND NOT s.active AND NOT EXISTS (SELECT 1 FROM steep_repl.snapshots n WHERE n.slot_name = slot);
END;
COMMENT ON FUNCTION steep_repl._snapshot_slot_drop(name) IS 'Drops the slot of a snapshot that has not become whole.';

CREATE OR REPLACE FUNCTION steep_repl.list_snapshots() RETURNS TABLE (
  id bigint, path text, state text, created_at timestamptz, lsn pg_lsn, slot_name name, compression text, tables bigint, rows bigint, bytes bigint)
  LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT s.id, s.path, steep_repl._snapshot_state(s.path, s.snapshot_uid),
         s.created_at, s.lsn, s.slot_name, s.compression, s.tables, s.rows, s.bytes
    FROM steep_repl.snapshots s WHERE s.deleted_at IS NULL ORDER BY s.id;
END;
COMMENT ON FUNCTION steep_repl.list_snapshots() IS
  'The snapshots that this database wrote and that were not deleted; missing ones are no longer where they were, damaged ones have a manifest that cannot be read (verify_snapshot() reads the rows, too). Definer: looks at the files.';

CREATE OR REPLACE FUNCTION steep_repl._may_use_files(action text, role name) RETURNS void
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT pg_has_role(steep_repl._outer_role(), role, 'USAGE') THEN
    RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege', MESSAGE = format('%s is not a member of %s', steep_repl._outer_role()::regrole, role),
      DETAIL = format('%s uses files of the server, as COPY with a file does.', action), HINT = format('GRANT %s TO %s', role, steep_repl._outer_role()::regrole);
  END IF;
END $$;
COMMENT ON FUNCTION steep_repl._may_use_files(text, name) IS 'Error 42501 unless the session''s role has what files of the server take.';

CREATE OR REPLACE FUNCTION steep_repl.verify_snapshot(path text) RETURNS TABLE (file text, bytes bigint, problem text)
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM steep_repl._may_use_files('verify_snapshot', 'pg_read_server_files');
  RETURN QUERY SELECT c.file, c.bytes, c.problem FROM steep_repl._check_snapshot(steep_repl._snapshot_path(verify_snapshot.path)) c;
END $$;
COMMENT ON FUNCTION steep_repl.verify_snapshot(text) IS
  'Compares every file of a snapshot with its checksum: a row each, problem is NULL where it is whole. For members of pg_read_server_files. Definer: asks as the session''s role. Errors: 42501, 22023.';

CREATE OR REPLACE FUNCTION steep_repl.delete_snapshot(id bigint) RETURNS text
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  snapshot steep_repl.snapshots;
  reader bigint;
BEGIN
  SELECT * INTO snapshot FROM steep_repl.snapshots s WHERE s.id = delete_snapshot.id AND s.deleted_at IS NULL FOR UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = 'SR112', MESSAGE = format('there is no snapshot %s', coalesce(id::text, 'NULL')), HINT = 'SELECT * FROM steep_repl.list_snapshots() lists them.';
  END IF;
  PERFORM steep_repl._may_use_files('delete_snapshot', 'pg_write_server_files');
  SELECT q.id INTO reader FROM steep_repl.work_queue q WHERE q.kind = 'apply' AND q.state IN ('pending', 'running') AND q.parameters->>'path' = snapshot.path LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION USING ERRCODE = 'SR113', MESSAGE = format('work %s is loading snapshot %s', reader, id), HINT = format('Wait for it, or SELECT steep_repl.cancel_work(%s).', reader);
  END IF;
  PERFORM steep_repl._remove_snapshot(snapshot.path, snapshot.snapshot_uid);
  UPDATE steep_repl.snapshots s SET deleted_at = clock_timestamp() WHERE s.id = snapshot.id;
  PERFORM steep_repl._audit('snapshot.delete', 'snapshot', snapshot.id::text, to_jsonb(snapshot.path));
  RETURN snapshot.path;
END $$;
COMMENT ON FUNCTION steep_repl.delete_snapshot(bigint) IS
  'Removes a snapshot''s files, also damaged ones as long as nothing else lies there, and returns where they were. Its replication slot stays. For members of pg_write_server_files. Definer: the list is not the caller''s. Errors: SR112, SR113 it is being loaded, 42501.';

CREATE OR REPLACE FUNCTION steep_repl.snapshot_progress(id bigint DEFAULT NULL) RETURNS TABLE (
  id bigint, kind text, state text, phase text, percent numeric, current_table text, tables_done bigint, tables_total bigint,
  rows_done bigint, rows_total bigint, bytes_done bigint, bytes_total bigint, bytes_per_second bigint, seconds_left bigint,
  started_at timestamptz, finished_at timestamptz, streams jsonb, error text)
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT * FROM steep_repl.work_progress(snapshot_progress.id) p WHERE p.kind IN ('snapshot', 'apply');
END;
COMMENT ON FUNCTION steep_repl.snapshot_progress(bigint) IS 'Where snapshots, and loads of them, stand: work_progress() of these kinds.';

CREATE OR REPLACE FUNCTION steep_repl.cancel_snapshot(id bigint) RETURNS text
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM steep_repl.snapshot_progress(cancel_snapshot.id)) THEN
    RAISE EXCEPTION USING ERRCODE = 'SR112', MESSAGE = format('there is no snapshot %s', coalesce(cancel_snapshot.id::text, 'NULL')),
      HINT = 'SELECT * FROM steep_repl.snapshot_progress() lists what runs.';
  END IF;
  RETURN steep_repl.cancel_work(cancel_snapshot.id);
END $$;
COMMENT ON FUNCTION steep_repl.cancel_snapshot(bigint) IS 'Ends the taking or loading of a snapshot: cancel_work() of these kinds. Errors: SR112, SR102 it has ended.';
