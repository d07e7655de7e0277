-- Ranges: the constraint and the trigger on a table.

CREATE OR REPLACE FUNCTION steep_repl._guard_ids(relation regclass, column_name name) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
#variable_conflict use_variable
DECLARE
  leaf regclass;
BEGIN
  -- A trigger costs each row, and COPY most of what makes it fast. Where blocks are large their ends are left unused instead, and
  -- where the id decides in which partition a row lies no trigger may change it.
  IF steep_repl._replaces_ids(relation) THEN
    EXECUTE format('CREATE OR REPLACE TRIGGER "!steep_repl_range" BEFORE INSERT ON %s FOR EACH ROW EXECUTE FUNCTION steep_repl._range()', relation);
  END IF;
  FOR leaf IN SELECT l FROM steep_repl._leaves(relation) l LOOP
    PERFORM steep_repl._guard_leaf(relation, leaf, column_name);
  END LOOP;
END $$;
COMMENT ON FUNCTION steep_repl._guard_ids(regclass, name) IS 'Puts the constraint on a table, and where it needs one the trigger that replaces ids behind the end of a range.';

CREATE OR REPLACE FUNCTION steep_repl._guard_leaf(relation regclass, leaf regclass, column_name name) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
BEGIN
  IF NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conrelid = leaf AND c.conname = steep_repl._range_constraint(relation)) THEN
    -- NOT VALID: no row is looked at under the lock, and a dump adds it after the rows. On leaves and without
    -- inheritance: a partition can be attached, and a child of the old kind has ids of its own. By tableoid: a copy
    -- (LIKE … INCLUDING ALL) asks for itself.
    EXECUTE format('ALTER TABLE ONLY %s ADD CONSTRAINT %I CHECK (steep_repl.check_id_range(tableoid, %I)) NO INHERIT NOT VALID',
                   leaf, steep_repl._range_constraint(relation), column_name);
  END IF;
END $$;
COMMENT ON FUNCTION steep_repl._guard_leaf(regclass, regclass, name) IS 'Puts the constraint on a table or a partition.';

CREATE OR REPLACE FUNCTION steep_repl._unguard_ids(relation regclass) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
DECLARE
  guarded record;
BEGIN
  EXECUTE format('DROP TRIGGER IF EXISTS "!steep_repl_range" ON %s', relation);
  FOR guarded IN SELECT c.conrelid::regclass AS leaf, c.conname FROM steep_repl._leaves(relation) l JOIN pg_constraint c ON c.conrelid = l
                  WHERE c.contype = 'c' AND c.conname LIKE 'steep\_range\_%' AND pg_get_constraintdef(c.oid) LIKE '%steep_repl.check_id_range(%' LOOP
    EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', guarded.leaf, guarded.conname);
  END LOOP;
  UPDATE steep_repl.range_tables t SET active = false WHERE t.relation = _unguard_ids.relation;
  PERFORM steep_repl._ranges_changed();
END $$;
COMMENT ON FUNCTION steep_repl._unguard_ids(regclass) IS 'Takes trigger and constraint off a table. Which ids are whose stays known: the table may come back.';

CREATE OR REPLACE FUNCTION steep_repl._partitions_by(relation regclass, column_name name) RETURNS boolean
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  -- An expression may look at any column.
  SELECT EXISTS (SELECT 1 FROM pg_partition_tree(relation) t JOIN pg_partitioned_table p ON p.partrelid = t.relid
                   LEFT JOIN pg_attribute a ON a.attrelid = p.partrelid AND a.attname = _partitions_by.column_name
                  WHERE a.attnum = ANY (p.partattrs::int2[]) OR 0 = ANY (p.partattrs::int2[]));
END;
COMMENT ON FUNCTION steep_repl._partitions_by(regclass, name) IS 'Whether a column takes part in deciding in which partition a row lies.';

CREATE OR REPLACE FUNCTION steep_repl._replaces_ids(relation regclass) RETURNS boolean
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT coalesce((SELECT NOT steep_repl._leaves_early(s.block, steep_repl._range_slack(q.seqcache, q.seqincrement)) AND NOT steep_repl._partitions_by(_replaces_ids.relation, t.column_name)
                     FROM steep_repl.range_tables t JOIN steep_repl.range_sequences s USING (sequence)
                      JOIN pg_sequence q ON q.seqrelid = s.sequence WHERE t.relation = _replaces_ids.relation), false);
END;
COMMENT ON FUNCTION steep_repl._replaces_ids(regclass) IS 'Whether a trigger replaces ids of a table behind the end of a range: where blocks are small.';
