-- The rows that a load has brought: whether they are all there, and how they are taken back. They are known by the transactions
-- that wrote them (loaded_pieces.row_xid): others may have emptied, dropped or filled the tables since.

CREATE OR REPLACE FUNCTION steep_repl._lock_plain_table(relation oid, mode text, patience text) RETURNS text
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET lock_timeout = 0 AS $$
DECLARE
  name text := (SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = relation);
BEGIN
  IF name IS NULL THEN
    RETURN NULL;
  END IF;
  PERFORM set_config('lock_timeout', patience, true);
  EXECUTE format('LOCK TABLE ONLY %s IN %s MODE', name, mode);
  -- What has that name now: the query of a view would run with more rights than its owner's.
  RETURN (SELECT name FROM pg_class c WHERE c.oid = to_regclass(name) AND c.oid = relation AND c.relkind IN ('r', 'p'));
EXCEPTION WHEN undefined_table THEN
  RETURN NULL;
END $$;
COMMENT ON FUNCTION steep_repl._lock_plain_table(oid, text, text) IS 'Locks a table until the end of the transaction; its name, NULL when it is gone or no table. patience: how long it may wait, as lock_timeout. Errors: 55P03.';

CREATE OR REPLACE FUNCTION steep_repl._loaded_state(work_id bigint, relation oid, OUT name text, OUT loaded bigint, OUT missing bigint, OUT others bigint, OUT torn integer[])
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  name := steep_repl._lock_plain_table(_loaded_state.relation, 'ACCESS SHARE', '0');
  EXECUTE format('SELECT coalesce(sum(l.rows), 0), coalesce(sum(greatest(l.rows - coalesce(h.n, 0), 0)), 0), coalesce(sum(greatest(h.n - coalesce(l.rows, 0), 0)), 0),
      coalesce(array_agg(l.piece) FILTER (WHERE l.rows > coalesce(h.n, 0)), ''{}'')
    FROM (SELECT p.piece, p.rows, p.row_xid FROM steep_repl.loaded_pieces p WHERE p.work_id = $1 AND p.relation = $2) l FULL JOIN (%s) h ON h.xmin = l.row_xid',
    CASE WHEN name IS NULL THEN 'SELECT ''0''::xid AS xmin, 0::bigint AS n WHERE false' ELSE format('SELECT xmin, count(*) AS n FROM ONLY %s GROUP BY xmin', name) END)
    INTO loaded, missing, others, torn USING work_id, _loaded_state.relation;
END $$;
COMMENT ON FUNCTION steep_repl._loaded_state(bigint, oid) IS
  'Counts the rows of a table, all of which are read: how many a load has brought, how many of these are gone or changed, which pieces that tears, and how many rows are of others. name is NULL when the table is gone.';

CREATE OR REPLACE FUNCTION steep_repl._loaded_mend(work_id bigint, relation oid, joins boolean) RETURNS TABLE (owner oid, statement text)
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  here record := steep_repl._loaded_state(_loaded_mend.work_id, _loaded_mend.relation);
BEGIN
  -- A table of a node that joins is looked at once more then, by itself.
  IF here.others > 0 AND NOT joins THEN
    RAISE EXCEPTION USING ERRCODE = 'SR110', MESSAGE = 'the snapshot cannot be loaded', DETAIL = format('%s holds rows: %s that this work has not loaded', here.name, here.others),
      HINT = format('Remove them, then retry_work(%1$s). cancel_work(%1$s) takes back what was loaded, and leaves them.', work_id);
  ELSIF here.others > 0 THEN
    RETURN;
  END IF;
  RETURN QUERY WITH forgotten AS (DELETE FROM steep_repl.loaded_pieces p WHERE p.work_id = _loaded_mend.work_id AND p.relation = _loaded_mend.relation AND p.piece = ANY (here.torn) RETURNING p.row_xid)
  SELECT c.relowner, format('DELETE FROM ONLY %s WHERE xmin = ANY (%L::pg_catalog.xid[])', here.name, (SELECT array_agg(f.row_xid) FROM forgotten f)) FROM pg_class c
   WHERE c.oid = _loaded_mend.relation AND EXISTS (SELECT 1 FROM forgotten);
END $$;
COMMENT ON FUNCTION steep_repl._loaded_mend(bigint, oid, boolean) IS
  'Forgets the pieces of a table whose rows are not all there any more, so that they are loaded again, and says what takes away the rest of them, and as whom to run it. Errors: SR110 rows of others are in the table.';

CREATE OR REPLACE FUNCTION steep_repl._loaded_problem(work_id bigint, relation oid, name text, expected bigint) RETURNS text
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  here record := steep_repl._loaded_state(work_id, relation);
BEGIN
  IF here.name IS NULL THEN
    RETURN format('%s was dropped', name);
  ELSIF here.loaded <> expected THEN
    RETURN format('%s: %s of %s rows are noted as loaded', here.name, here.loaded, expected);
  END IF;
  RETURN nullif(concat_ws(', ', CASE WHEN here.missing > 0 THEN format('%s: of %s rows that were loaded %s were deleted or changed', here.name, here.loaded, here.missing) END,
                                CASE WHEN here.others > 0 THEN format('%s holds %s rows that this work has not loaded', here.name, here.others) END), '');
END $$;
COMMENT ON FUNCTION steep_repl._loaded_problem(bigint, oid, text, bigint) IS 'Why a table does not hold the rows that a load has brought, all of them and no others; NULL when it does.';

CREATE OR REPLACE FUNCTION steep_repl._loaded_refuse(work_id bigint, problems text[]) RETURNS void
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
  RETURN steep_repl._refuse('SR122', 'the tables were written to while they were loaded', problems,
    format('Remove the rows of others, then retry_work(%1$s) loads what is missing. cancel_work(%1$s) takes back what was loaded, and leaves them.', work_id));
COMMENT ON FUNCTION steep_repl._loaded_refuse(bigint, text[]) IS 'Error SR122 with these problems, if there are any.';

-- Taking back.

CREATE OR REPLACE FUNCTION steep_repl._truncated_together(relation oid) RETURNS oid[]
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  WITH RECURSIVE members(oid) AS (
    SELECT relation
    UNION SELECT n.oid FROM members m CROSS JOIN LATERAL (
      SELECT f.conrelid FROM pg_constraint f WHERE f.contype = 'f' AND f.confrelid = m.oid
      UNION ALL SELECT i.inhrelid FROM pg_inherits i JOIN pg_class c ON c.oid = m.oid AND c.relkind = 'p' WHERE i.inhparent = m.oid) n(oid))
  SELECT array_agg(m.oid ORDER BY m.oid) FROM members m;
END;
COMMENT ON FUNCTION steep_repl._truncated_together(oid) IS 'The tables without which a table cannot be truncated: those whose foreign keys refer to it, and so on.';

CREATE OR REPLACE FUNCTION steep_repl._loaded_truncation(work_id bigint, relation oid) RETURNS TABLE (owner oid, statement text)
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  members oid[] := steep_repl._truncated_together(_loaded_truncation.relation);
  member record;
  holds_others boolean;
BEGIN
  -- Whoever subscribes to one of them would lose rows that are not this work's, or keep those that are.
  IF (SELECT count(DISTINCT c.relowner) <> 1 OR NOT bool_and(c.relkind IN ('r', 'p')) FROM pg_class c WHERE c.oid = ANY (members))
     OR EXISTS (SELECT 1 FROM pg_publication p CROSS JOIN LATERAL pg_get_publication_tables(p.pubname) g
                 WHERE (p.pubtruncate OR p.pubdelete) AND g.relid IN (SELECT m FROM unnest(members) m UNION ALL SELECT a FROM unnest(members) m CROSS JOIN LATERAL pg_partition_ancestors(m) a)) THEN
    RETURN;
  END IF;
  PERFORM steep_repl._lock_plain_table(m, 'ACCESS EXCLUSIVE', '3s') FROM unnest(members) m;
  -- From here on nobody writes to them or refers to them anew.
  FOR member IN SELECT c.oid, steep_repl._lock_plain_table(c.oid, 'ACCESS EXCLUSIVE', '3s') AS name FROM pg_class c WHERE c.oid = ANY (members) AND c.relkind = 'r' LOOP
    IF member.name IS NULL THEN
      RETURN;
    END IF;
    EXECUTE format('SELECT EXISTS (SELECT 1 FROM ONLY %s WHERE xmin <> ALL ($1))', member.name) INTO holds_others
      USING ARRAY(SELECT p.row_xid FROM steep_repl.loaded_pieces p WHERE p.work_id = _loaded_truncation.work_id AND p.relation = member.oid);
    IF holds_others THEN
      RETURN;
    END IF;
  END LOOP;
  IF steep_repl._truncated_together(_loaded_truncation.relation) <> members THEN
    RETURN;
  END IF;
  DELETE FROM steep_repl.loaded_pieces p WHERE p.work_id = _loaded_truncation.work_id AND p.relation = ANY (members);
  RETURN QUERY SELECT c.relowner, 'TRUNCATE ' || string_agg(format('%s%I.%I', CASE c.relkind WHEN 'r' THEN 'ONLY ' END, n.nspname, c.relname), ', ')
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = ANY (members) GROUP BY c.relowner;
END $$;
COMMENT ON FUNCTION steep_repl._loaded_truncation(bigint, oid) IS
  'What empties a table at once, with those that refer to it, and as whom to run it: when all their rows are those that a load has brought. It is locked until the end of the transaction, and its pieces are forgotten. No row: its rows have to be deleted. Errors: 55P03 somebody uses it.';

CREATE OR REPLACE FUNCTION steep_repl._loaded_deletions(work_id bigint) RETURNS TABLE (owner oid, statement text)
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  -- Others may have written into them meanwhile: theirs stays.
  SELECT c.relowner, format('DELETE FROM ONLY %I.%I WHERE xmin = ANY (%L::pg_catalog.xid[])', n.nspname, c.relname, array_agg(p.row_xid))
    FROM steep_repl.loaded_pieces p JOIN pg_class c ON c.oid = p.relation JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE p.work_id = _loaded_deletions.work_id GROUP BY c.relowner, n.nspname, c.relname;
END;
COMMENT ON FUNCTION steep_repl._loaded_deletions(bigint) IS 'What takes away the rows that a load has brought, and nothing else, and as whom to run it: whoever loads need not have the right to delete.';

CREATE OR REPLACE FUNCTION steep_repl._loaded_references(work_id bigint) RETURNS TABLE (owner oid, statement text, problem text)
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT c.relowner, format('SELECT 1 FROM %s%s c WHERE %s AND NOT EXISTS (SELECT 1 FROM %s%s p WHERE %s) LIMIT 1', CASE c.relkind WHEN 'r' THEN 'ONLY ' END, f.conrelid::regclass, k.there,
           CASE t.relkind WHEN 'r' THEN 'ONLY ' END, f.confrelid::regclass, k.equal),
         format('rows of %s, which this work has not loaded, refer by %I to rows that it has loaded into %s', f.conrelid::regclass, f.conname, f.confrelid::regclass)
    FROM pg_constraint f JOIN pg_class c ON c.oid = f.conrelid JOIN pg_class t ON t.oid = f.confrelid
   CROSS JOIN LATERAL (SELECT string_agg(format('c.%I IS NOT NULL', a.attname), ' AND ') AS there, string_agg(format('p.%I OPERATOR(%I.%s) c.%I', b.attname, n.nspname, o.oprname, a.attname), ' AND ') AS equal
                         FROM unnest(f.conkey, f.confkey, f.conpfeqop) u(mine, theirs, operator) JOIN pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = u.mine
                         JOIN pg_attribute b ON b.attrelid = f.confrelid AND b.attnum = u.theirs JOIN pg_operator o ON o.oid = u.operator JOIN pg_namespace n ON n.oid = o.oprnamespace) k
   WHERE f.contype = 'f' AND f.conparentid = 0 AND f.convalidated AND NOT f.conperiod
     -- Where a node joins, tables that refer to it may replicate already; its rows come again.
     AND NOT EXISTS (SELECT 1 FROM steep_repl.work_queue q WHERE q.id = _loaded_references.work_id AND q.parameters ? 'joins')
     AND f.confrelid IN (SELECT p.relation FROM steep_repl.loaded_pieces p WHERE p.work_id = _loaded_references.work_id
                         UNION SELECT a FROM steep_repl.loaded_pieces p CROSS JOIN LATERAL pg_partition_ancestors(p.relation) a WHERE p.work_id = _loaded_references.work_id);
END;
COMMENT ON FUNCTION steep_repl._loaded_references(bigint) IS 'What finds a row whose foreign key refers to a row that has been taken back, for each foreign key, and as whom to run it.';

CREATE OR REPLACE FUNCTION steep_repl._loaded_forget(work_id bigint) RETURNS void
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  DELETE FROM steep_repl.loaded_pieces p WHERE p.work_id = _loaded_forget.work_id;
END;
COMMENT ON FUNCTION steep_repl._loaded_forget(bigint) IS 'Forgets what was loaded.';
