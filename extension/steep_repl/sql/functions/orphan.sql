-- FK-ORPHAN: rows whose parent is gone. Apply workers do not enforce foreign keys, so the worker looks after them: at the
-- foreign keys that src/conflict/orphan.rs noted, once their transactions have committed.

CREATE OR REPLACE FUNCTION steep_repl._root_of(relation oid) RETURNS oid
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN coalesce(pg_partition_root(relation)::oid, relation);
COMMENT ON FUNCTION steep_repl._root_of(oid) IS 'The table that a table or partition belongs to.';

CREATE OR REPLACE FUNCTION steep_repl._as_operand(expression text, given oid, wanted oid) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  -- With -1: without it bpchar is written as character, which is one of length 1.
  RETURN (SELECT CASE WHEN t.oid = given OR t.typtype = 'p' THEN expression ELSE format('CAST(%s AS %s)', expression, format_type(t.oid, -1)) END
            FROM pg_type t WHERE t.oid = wanted);
COMMENT ON FUNCTION steep_repl._as_operand(text, oid, oid) IS 'An expression of a type as the operand that an operator takes.';

CREATE OR REPLACE FUNCTION steep_repl._value_in(document text, name name, type oid) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  -- Casts from text to a type of a user may be that user's functions. The other way is slower.
  RETURN CASE WHEN steep_repl._plain_type(type, -1)::regtype::oid < 16384 THEN format('CAST(%s->>%L AS %s)', document, name, steep_repl._plain_type(type, -1))
              ELSE format('(SELECT r.v FROM jsonb_to_record(jsonb_build_object(''v'', %s->%L)) r(v %s))', document, name, steep_repl._plain_type(type, -1)) END;
COMMENT ON FUNCTION steep_repl._value_in(text, name, oid) IS 'The expression for a value in a JSON object, in SQL text, as a type without its domain.';

CREATE OR REPLACE FUNCTION steep_repl._key_in_log(relation oid) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN coalesce((
    SELECT string_agg(format('c.%I OPERATOR(%I.%s) %s', a.attname, n.nspname, o.oprname, steep_repl._value_in('l.key', a.attname, a.atttypid)), ' AND ')
      FROM pg_index i
      CROSS JOIN LATERAL unnest(i.indkey::int2[], i.indclass::oid[]) k(attnum, opclass)
      JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
      JOIN pg_opclass c ON c.oid = k.opclass
      JOIN pg_amop m ON m.amopfamily = c.opcfamily AND m.amoplefttype = c.opcintype AND m.amoprighttype = c.opcintype AND m.amopstrategy = 3
      JOIN pg_operator o ON o.oid = m.amopopr JOIN pg_namespace n ON n.oid = o.oprnamespace
     WHERE i.indrelid = relation AND i.indisprimary), 'steep_repl._key_json(c)::jsonb = l.key');
COMMENT ON FUNCTION steep_repl._key_in_log(oid) IS 'The condition that a row c has the key of an entry l of the conflict log.';

CREATE OR REPLACE FUNCTION steep_repl._foreign_keys(constraint_id oid)
  RETURNS TABLE (conname name, child oid, parent oid, to_key boolean, refers text, gone text, claimed text, missing text, child_columns jsonb, of_key text, parent_query text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT k.conname, k.conrelid, k.confrelid, i.indisprimary,
         string_agg(format('%s OPERATOR(%I.%s) %s', pk.named, pn.nspname, po.oprname, fk.operand), ' AND ' ORDER BY u.place),
         string_agg(format('%s OPERATOR(%I.%s) %s', pk.given, pn.nspname, po.oprname, fk.operand), ' AND ' ORDER BY u.place),
         string_agg(format('%s OPERATOR(%I.%s) %s', fk.same, fn.nspname, fo.oprname, fk.given), ' AND ' ORDER BY u.place),
         string_agg(format('%L, w.whole->%L', p.attname, c.attname), ', ' ORDER BY u.place),
         jsonb_agg(c.attname ORDER BY u.place),
         steep_repl._key_in_log(k.conrelid),
         format('SELECT 1 FROM %s p WHERE %s', steep_repl._source_of(k.confrelid),
           string_agg(format('%s OPERATOR(%I.%s) %s', pk.named, pn.nspname, po.oprname, fk.parameter), ' AND ' ORDER BY u.place))
    FROM pg_constraint k JOIN pg_index i ON i.indexrelid = k.conindid
    CROSS JOIN LATERAL unnest(k.conkey, k.confkey, k.conpfeqop, k.conffeqop) WITH ORDINALITY u(child_number, parent_number, pf, ff, place)
    JOIN pg_attribute c ON c.attrelid = k.conrelid AND c.attnum = u.child_number
    JOIN pg_attribute p ON p.attrelid = k.confrelid AND p.attnum = u.parent_number
    JOIN pg_operator po ON po.oid = u.pf JOIN pg_namespace pn ON pn.oid = po.oprnamespace
    JOIN pg_operator fo ON fo.oid = u.ff JOIN pg_namespace fn ON fn.oid = fo.oprnamespace
    -- The parent's collation counts (ri_GenerateQualCollation in src/backend/utils/adt/ri_triggers.c).
    LEFT JOIN pg_collation l ON l.oid = p.attcollation AND p.attcollation <> c.attcollation LEFT JOIN pg_namespace ln ON ln.oid = l.collnamespace
    CROSS JOIN LATERAL (SELECT CASE WHEN l.oid IS NULL THEN '' ELSE format(' COLLATE %I.%I', ln.nspname, l.collname) END AS clause) collated
    CROSS JOIN LATERAL (SELECT steep_repl._as_operand(format('p.%I', p.attname), p.atttypid, po.oprleft) || collated.clause AS named,
           steep_repl._as_operand(steep_repl._value_in('s.key_values', p.attname, p.atttypid), p.atttypid, po.oprleft) || collated.clause AS given) pk
    CROSS JOIN LATERAL (SELECT steep_repl._as_operand(format('c.%I', c.attname), c.atttypid, po.oprright) AS operand,
           steep_repl._as_operand(format('$%s', u.place), c.atttypid, po.oprright) AS parameter,
           steep_repl._as_operand(format('c.%I', c.attname), c.atttypid, fo.oprleft) AS same,
           steep_repl._as_operand(steep_repl._value_in('s.key_values', c.attname, c.atttypid), c.atttypid, fo.oprright) AS given) fk
   WHERE k.oid = constraint_id AND k.contype = 'f' AND k.conenforced AND NOT k.conperiod
   GROUP BY k.oid, k.conname, k.conrelid, k.confrelid, i.indisprimary;
END;
COMMENT ON FUNCTION steep_repl._foreign_keys(oid) IS
  'A foreign key as conditions in SQL: a parent p of a child c; a child of the parent, or with the values, that s names. No row when it is gone, not enforced, or about periods.';

CREATE OR REPLACE FUNCTION steep_repl._foreign_keys_of(leaf oid)
  RETURNS TABLE (index_id oid, constraint_id oid, columns jsonb, parent oid, to_key boolean, parent_query text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  -- Not the copies of a constraint that partitions have.
  WITH own AS (SELECT leaf AS oid UNION SELECT a.relid::oid FROM pg_partition_ancestors(leaf) a)
  SELECT DISTINCT k.conindid, NULL::oid,
         (SELECT jsonb_agg(a.attname ORDER BY a.attnum) FROM pg_attribute a WHERE a.attrelid = k.confrelid AND a.attnum = ANY (k.confkey)),
         NULL::oid, NULL::boolean, NULL
    FROM own o JOIN pg_constraint k ON k.confrelid = o.oid JOIN steep_repl.tables t ON t.relation = steep_repl._root_of(k.conrelid)
   WHERE k.contype = 'f' AND k.conparentid = 0 AND k.conenforced AND NOT k.conperiod
  UNION ALL
  SELECT NULL, k.oid, f.child_columns, t.relation, f.to_key, f.parent_query
    FROM own o JOIN pg_constraint k ON k.conrelid = o.oid AND k.contype = 'f' AND k.conparentid = 0
    JOIN steep_repl.tables t ON t.relation = steep_repl._root_of(k.confrelid)
    CROSS JOIN LATERAL steep_repl._foreign_keys(k.oid) f;
END;
COMMENT ON FUNCTION steep_repl._foreign_keys_of(oid) IS
  'What foreign keys a table or leaf has with replicated tables: unique indexes that they refer to, and its own.';

CREATE OR REPLACE FUNCTION steep_repl._suspect_adopted(root oid, whole jsonb) RETURNS void
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  INSERT INTO steep_repl.orphan_checks (constraint_id, key_values)
  SELECT f.constraint_id, v.key_values FROM steep_repl._foreign_keys_of(root) f
   CROSS JOIN LATERAL (SELECT jsonb_object_agg(c, whole->>c)::text AS key_values, bool_and(whole->>c IS NOT NULL) AS refers
                         FROM jsonb_array_elements_text(f.columns) c) v
   WHERE f.constraint_id IS NOT NULL AND v.refers;
END;
COMMENT ON FUNCTION steep_repl._suspect_adopted(oid, jsonb) IS 'Has the worker look for the parents of a row that was adopted from a peer.';

CREATE OR REPLACE FUNCTION steep_repl._take_orphan_checks() RETURNS boolean
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  taken bigint;
BEGIN
  WITH checks AS (
    DELETE FROM steep_repl.orphan_checks o WHERE o.ctid = ANY (ARRAY(SELECT x.ctid FROM steep_repl.orphan_checks x LIMIT 10000))
    RETURNING o.*
  ), suspects AS (
    INSERT INTO steep_repl.orphan_suspects AS s (constraint_id, by_parent, key_id, key_values)
    SELECT DISTINCT k.oid, c.constraint_id IS NULL, md5(c.key_values::jsonb::text)::uuid, c.key_values::jsonb
      FROM checks c JOIN pg_constraint k ON k.oid = c.constraint_id OR k.conindid = c.index_id AND k.contype = 'f' AND k.conparentid = 0
      JOIN steep_repl.tables t ON t.relation = steep_repl._root_of(k.conrelid)
     WHERE c.constraint_id IS NULL OR EXISTS (SELECT 1 FROM steep_repl.tables p WHERE p.relation = steep_repl._root_of(k.confrelid))
    ON CONFLICT (constraint_id, by_parent, key_id) DO UPDATE
      SET seen_at = excluded.seen_at, seen_before = excluded.seen_before, next_look = excluded.next_look
  )
  SELECT count(*) INTO taken FROM checks;
  RETURN taken = 10000;
END $$;
COMMENT ON FUNCTION steep_repl._take_orphan_checks() IS 'Takes up what was noted, each foreign key and value once; true when there is more.';

CREATE OR REPLACE FUNCTION steep_repl._orphan_round() RETURNS boolean
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET lock_timeout = '100ms' AS $$
DECLARE
  more boolean := steep_repl._take_orphan_checks();
  wanted oid;
BEGIN
  FOR wanted IN SELECT o.constraint_id FROM steep_repl.orphans o WHERE o.next_look <= clock_timestamp()
                UNION SELECT s.constraint_id FROM steep_repl.orphan_suspects s WHERE s.next_look <= clock_timestamp() LOOP
    BEGIN
      PERFORM steep_repl._close_orphans(wanted);
      more := steep_repl._look_for_orphans(wanted, true) OR more;
      more := steep_repl._look_for_orphans(wanted, false) OR more;
    EXCEPTION WHEN OTHERS THEN
      -- One table that is locked or broken does not hold up the others.
      RAISE LOG 'steep_repl: cannot check foreign key %: %', wanted, SQLERRM;
      UPDATE steep_repl.orphan_suspects s SET next_look = clock_timestamp() + interval '30 seconds' WHERE s.constraint_id = wanted;
      UPDATE steep_repl.orphans o SET next_look = clock_timestamp() + interval '30 seconds' WHERE o.constraint_id = wanted;
    END;
  END LOOP;
  RETURN more;
END $$;
COMMENT ON FUNCTION steep_repl._orphan_round() IS 'Looks for rows whose parent is gone, logs them, and closes the entries of those that are none any more; true when there is more to look at.';

CREATE OR REPLACE FUNCTION steep_repl._look_for_orphans(wanted oid, from_parent boolean) RETURNS boolean
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
  fk record;
  -- Whoever may not have seen the other's write has ended; the time covers a transaction that looked before it had an id.
  due uuid[] := ARRAY(SELECT s.key_id FROM steep_repl.orphan_suspects s
                       WHERE s.constraint_id = wanted AND s.by_parent = from_parent AND s.next_look <= clock_timestamp()
                         AND s.seen_at < clock_timestamp() - interval '0.5 seconds' AND s.seen_before <= pg_snapshot_xmin(pg_current_snapshot())
                       ORDER BY s.next_look LIMIT 1000);
  -- What the others had sent until then has arrived.
  drained timestamptz := coalesce((SELECT min(coalesce(o.caught_up_at, '-infinity')) FROM steep_repl.links l
                                     LEFT JOIN steep_repl.link_observations o ON o.peer = l.peer WHERE l.wanted <> 'remove'), 'infinity');
  orphans text;
  orphan record;
BEGIN
  SELECT * INTO fk FROM steep_repl._foreign_keys(wanted);
  IF NOT FOUND THEN
    DELETE FROM steep_repl.orphan_suspects s WHERE s.constraint_id = wanted AND s.by_parent = from_parent;
    RETURN false;
  END IF;
  -- Neither condition holds where a column is null: nothing is referred to then.
  orphans := format('FROM %s c WHERE %s AND NOT EXISTS (SELECT 1 FROM %s p WHERE %s)', steep_repl._source_of(fk.child),
                    CASE WHEN from_parent THEN fk.gone ELSE fk.claimed END,
                    steep_repl._source_of(fk.parent), fk.refers);
  EXECUTE format('DELETE FROM steep_repl.orphan_suspects s WHERE s.constraint_id = $1 AND s.by_parent = $2 AND s.key_id = ANY ($3) AND NOT EXISTS (SELECT 1 %s)', orphans)
    USING wanted, from_parent, due;
  FOR orphan IN EXECUTE format(
      'SELECT w.whole, w.key, w.writer, jsonb_build_object(%s) AS missing FROM steep_repl.orphan_suspects s
        CROSS JOIN LATERAL (SELECT steep_repl._row_json(c)::jsonb AS whole, steep_repl._key_json(c)::jsonb AS key, c.xmin AS writer %s) w
        WHERE s.constraint_id = $1 AND s.by_parent = $2 AND s.key_id = ANY ($3) AND s.seen_at < $4', fk.missing, orphans)
    USING wanted, from_parent, due, drained
  LOOP
    PERFORM steep_repl._log_orphan(wanted, orphan.whole, orphan.key, orphan.writer, orphan.missing);
  END LOOP;
  DELETE FROM steep_repl.orphan_suspects s WHERE s.constraint_id = wanted AND s.by_parent = from_parent AND s.key_id = ANY (due) AND s.seen_at < drained;
  -- Soon at first, then ever more seldom: a peer may be away for days.
  UPDATE steep_repl.orphan_suspects s
     SET next_look = clock_timestamp() + least(greatest((clock_timestamp() - s.seen_at) / 4, interval '0.5 seconds'), interval '30 seconds')
   WHERE s.constraint_id = wanted AND s.by_parent = from_parent AND s.next_look <= clock_timestamp();
  RETURN cardinality(due) = 1000;
END $$;
COMMENT ON FUNCTION steep_repl._look_for_orphans(oid, boolean) IS
  'Looks at what is suspected of a foreign key, because parents are gone or because children came without one. What is an orphan once all streams have drained is logged; true when there is more.';

CREATE OR REPLACE FUNCTION steep_repl._gone_parent(parent oid, to_key boolean, parent_key jsonb, OUT whole jsonb, OUT node text, OUT micros bigint)
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  root regclass := steep_repl._root_of(parent)::regclass;
  state jsonb;
BEGIN
  IF to_key THEN
    state := steep_repl._key_state(root, parent_key);
    whole := (state->>'row_gone')::jsonb;
    node := state->>'node';
    micros := (state->>'micros')::bigint;
  ELSE
    SELECT s.row_gone::jsonb INTO whole FROM steep_repl.tombstones s
     WHERE s.relation = root AND s.row_gone::jsonb @> parent_key ORDER BY age(s.xmin) LIMIT 1;
  END IF;
EXCEPTION WHEN data_exception THEN
  -- A value that the parent's column cannot have.
  NULL;
END $$;
COMMENT ON FUNCTION steep_repl._gone_parent(oid, boolean, jsonb) IS 'A deleted row by the values that foreign keys refer to, with the version of its deletion, as far as known.';

CREATE OR REPLACE FUNCTION steep_repl._log_orphan(wanted oid, whole jsonb, key jsonb, writer xid, missing jsonb) RETURNS void
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  WITH entry AS (
    INSERT INTO steep_repl.conflict_log (relation, subscription, table_schema, table_name, conflict_type, local_tuple, local_origin, local_xact_ts, remote_origin,
      remote_xact_ts, resolution, conflict_key, key, key_id, base_tuple, result, strategy, reason, not_converged_reason)
    SELECT t.relation, '', t.table_schema, t.table_name, 'FK-ORPHAN', _log_orphan.whole, v.node, steep_repl._at(v.micros), g.node, steep_repl._at(g.micros), 'PENDING',
           i.conflict_key, _log_orphan.key, steep_repl._key_id(t.relation, _log_orphan.key), g.whole, _log_orphan.whole, t.strategy,
           format('the foreign key %s refers to a row of %s that is gone: %s. Either delete this row, or bring that one back: %s',
                  quote_ident(f.conname), steep_repl._root_of(f.parent)::regclass, _log_orphan.missing,
                  CASE WHEN g.whole IS NULL THEN 'insert it anew' ELSE 'it was base_tuple' END),
           'not compared yet'
      FROM steep_repl._foreign_keys(wanted) f
      JOIN steep_repl.tables t ON t.relation = steep_repl._root_of(f.child)
     CROSS JOIN LATERAL steep_repl._gone_parent(f.parent, f.to_key, _log_orphan.missing) g
     CROSS JOIN LATERAL steep_repl._row_version(t.relation, steep_repl._key_id(t.relation, _log_orphan.key), writer) v
     CROSS JOIN LATERAL (SELECT steep_repl._conflict_key(t.table_schema, t.table_name, _log_orphan.key::text, f.conname, _log_orphan.missing::text) AS conflict_key) i
     WHERE NOT EXISTS (SELECT 1 FROM steep_repl.conflict_log l WHERE l.conflict_key = i.conflict_key AND l.resolution = 'PENDING')
    RETURNING id)
  INSERT INTO steep_repl.orphans (conflict_id, constraint_id, parent_key) SELECT e.id, wanted, _log_orphan.missing FROM entry e;
END;
COMMENT ON FUNCTION steep_repl._log_orphan(oid, jsonb, jsonb, xid, jsonb) IS 'Leaves a row without a parent to a person, unless it is already.';

CREATE OR REPLACE FUNCTION steep_repl._close_orphans(wanted oid) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
  fk record;
  still text := 'false';
BEGIN
  SELECT * INTO fk FROM steep_repl._foreign_keys(wanted);
  IF FOUND THEN
    still := format('EXISTS (SELECT 1 FROM %s c CROSS JOIN LATERAL (SELECT steep_repl._row_json(c)::jsonb AS whole) w
                              WHERE %s AND jsonb_build_object(%s) = o.parent_key AND NOT EXISTS (SELECT 1 FROM %s p WHERE %s))',
                    steep_repl._source_of(fk.child), fk.of_key, fk.missing, steep_repl._source_of(fk.parent), fk.refers);
  END IF;
  EXECUTE format(
    'WITH gone AS (DELETE FROM steep_repl.orphans o USING steep_repl.conflict_log l
                    WHERE l.id = o.conflict_id AND o.constraint_id = $1 AND o.next_look <= clock_timestamp() AND (l.resolution <> ''PENDING'' OR NOT %s)
                    RETURNING o.conflict_id)
     UPDATE steep_repl.conflict_log l SET resolution = ''APPLIED_REMOTE'', resolved_at = clock_timestamp(), resolved_by = ''proof''
       FROM gone g WHERE l.id = g.conflict_id AND l.resolution = ''PENDING''', still) USING wanted;
  UPDATE steep_repl.orphans o SET next_look = clock_timestamp() + interval '2 seconds' WHERE o.constraint_id = wanted AND o.next_look <= clock_timestamp();
END $$;
COMMENT ON FUNCTION steep_repl._close_orphans(oid) IS 'Closes the entries of a foreign key whose row is gone, refers elsewhere, or has a parent again.';
