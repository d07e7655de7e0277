-- Ranges: cutting them from this node's share, moving sequences into them.

CREATE OR REPLACE FUNCTION steep_repl._write_range(sequence oid, number bigint, range_start bigint, range_end bigint, status text) RETURNS void
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  -- A row for each table of the sequence: they share its ids.
  INSERT INTO steep_repl.identity_ranges (table_schema, table_name, node_id, range_start, range_end, status, relation, number, timeline, announced)
  SELECT n.nspname, c.relname, steep_repl._this_node(), _write_range.range_start, _write_range.range_end, _write_range.status,
         t.relation, _write_range.number, steep_repl._timeline(), false
    FROM steep_repl.range_tables t JOIN pg_class c ON c.oid = t.relation JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE t.sequence = _write_range.sequence;
END;
COMMENT ON FUNCTION steep_repl._write_range(oid, bigint, bigint, bigint, text) IS 'Writes a range of this node down.';

CREATE OR REPLACE FUNCTION steep_repl._last_range(sequence oid) RETURNS TABLE (number bigint, range_start bigint, range_end bigint)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT r.number, r.range_start, r.range_end FROM steep_repl.identity_ranges r JOIN steep_repl.range_tables t ON t.relation = r.relation
   WHERE t.sequence = _last_range.sequence AND r.timeline = steep_repl._timeline() AND r.number IS NOT NULL ORDER BY r.number DESC LIMIT 1;
END;
COMMENT ON FUNCTION steep_repl._last_range(oid) IS 'The range of a sequence that was cut last, on this timeline.';

CREATE OR REPLACE FUNCTION steep_repl._range_after(s steep_repl.range_sequences, last_start bigint, last_end bigint, size bigint) RETURNS bigint[]
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN CASE WHEN (s).step IS NOT NULL AND (s).timeline = steep_repl._timeline()
              THEN steep_repl._next_range((s).base, (s).block, (s).last_id, (s).descending, (s).step, (s).share_offset, (s).first_block, last_start, last_end, size) END;
COMMENT ON FUNCTION steep_repl._range_after(steep_repl.range_sequences, bigint, bigint, bigint) IS 'The range that this node cuts after another one; NULL without a share, or without ids.';

CREATE OR REPLACE FUNCTION steep_repl._fill_ranges(s steep_repl.range_sequences, stands bigint) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  opened bigint := steep_repl._opened((s).counter);
  last record;
  here record;
  later record;
  next bigint[];
BEGIN
  -- Sessions that were faster than the worker have opened ranges that nobody has written down: these, and no others.
  LOOP
    SELECT * INTO last FROM steep_repl._last_range((s).sequence);
    EXIT WHEN last.number IS NULL;
    IF last.number < opened THEN
      next := steep_repl._range_after(s, last.range_start, last.range_end, (s).range_size);
      EXIT WHEN next IS NULL;
      PERFORM steep_repl._write_range((s).sequence, last.number + 1, next[1], next[2], 'active');
      CONTINUE;
    END IF;
    -- And a sequence runs on through its block where no trigger looks at it.
    SELECT * INTO here FROM steep_repl._range_numbered((s).sequence, opened);
    EXIT WHEN here.block IS NULL OR here.status = 'released' OR stands IS NULL OR stands BETWEEN here.range_start AND here.range_end
           OR NOT stands BETWEEN here.block[1] AND here.block[2] OR (stands < here.range_start) <> (s).descending;
    IF last.number = opened THEN
      next := steep_repl._range_after(s, last.range_start, last.range_end, (s).range_size);
      EXIT WHEN next IS NULL OR NOT next[1] BETWEEN here.block[1] AND here.block[2];
      PERFORM steep_repl._write_range((s).sequence, opened + 1, next[1], next[2], 'active');
    END IF;
    SELECT * INTO later FROM steep_repl._range_numbered((s).sequence, opened + 1);
    EXIT WHEN later.range_start IS NULL OR later.status = 'released' OR later.block <> here.block;
    opened := opened + 1;
    PERFORM setval((s).counter::regclass, opened, false);
  END LOOP;
END $$;
COMMENT ON FUNCTION steep_repl._fill_ranges(steep_repl.range_sequences, bigint) IS
  'Writes down the ranges that sessions have opened, and those through which the sequence has run to where it stands. The caller holds the sequence.';

CREATE OR REPLACE FUNCTION steep_repl._range_numbered(sequence oid, number bigint) RETURNS TABLE (range_start bigint, range_end bigint, status text, block bigint[])
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT r.range_start, r.range_end, r.status,
         steep_repl._block_around(s.base, s.block, s.last_id, s.descending, CASE WHEN s.descending THEN r.range_start ELSE r.range_end END)
    FROM steep_repl.range_sequences s JOIN steep_repl.range_tables t USING (sequence)
    JOIN steep_repl.identity_ranges r ON r.relation = t.relation AND r.timeline = steep_repl._timeline()
   WHERE s.sequence = _range_numbered.sequence AND r.number = _range_numbered.number LIMIT 1;
END;
COMMENT ON FUNCTION steep_repl._range_numbered(oid, bigint) IS 'The range with a number of a sequence, on this timeline, and the block in which it ends.';

CREATE OR REPLACE FUNCTION steep_repl._runs_freely(sequence oid) RETURNS boolean
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT EXISTS (SELECT 1 FROM steep_repl.range_tables t WHERE t.sequence = _runs_freely.sequence AND t.active
                    AND NOT EXISTS (SELECT 1 FROM pg_trigger g WHERE g.tgrelid = t.relation AND g.tgname = '!steep_repl_range'));
END;
COMMENT ON FUNCTION steep_repl._runs_freely(oid) IS 'Whether no trigger looks at the ids of a sequence, so that it runs through a block without telling.';

CREATE OR REPLACE FUNCTION steep_repl._farthest_within(sequence oid, descending boolean, range_start bigint, range_end bigint) RETURNS bigint
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  t steep_repl.range_tables;
  one bigint;
  farthest bigint;
BEGIN
  FOR t IN SELECT * FROM steep_repl.range_tables x WHERE x.sequence = _farthest_within.sequence LOOP
    EXECUTE format('SELECT %s(%I) FROM %s WHERE %2$I BETWEEN $1 AND $2', CASE WHEN descending THEN 'min' ELSE 'max' END, t.column_name,
                   steep_repl._source_of(t.relation)) INTO one USING range_start, range_end;
    farthest := CASE WHEN descending THEN least(farthest, one) ELSE greatest(farthest, one) END;
  END LOOP;
  RETURN farthest;
END $$;
COMMENT ON FUNCTION steep_repl._farthest_within(oid, boolean, bigint, bigint) IS 'The last id of a range that is taken already, by a row that was loaded with its id.';

CREATE OR REPLACE FUNCTION steep_repl._allocate(s steep_repl.range_sequences, size bigint) RETURNS TABLE (range_start bigint, range_end bigint)
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  last record;
  next bigint[];
  number bigint;
  taken bigint;
  wanted bigint := size;
BEGIN
  PERFORM steep_repl._fill_ranges(s, steep_repl._position((s).sequence));
  WHILE wanted > 0 LOOP
    SELECT * INTO last FROM steep_repl._last_range((s).sequence);
    next := steep_repl._range_after(s, last.range_start, last.range_end, wanted);
    EXIT WHEN next IS NULL;
    number := greatest(last.number, steep_repl._opened((s).counter),
                       (SELECT max(r.number) FROM steep_repl.identity_ranges r JOIN steep_repl.range_tables t ON t.relation = r.relation
                         WHERE t.sequence = (s).sequence)) + 1;
    taken := steep_repl._farthest_within((s).sequence, (s).descending, next[1], next[2]);
    -- Looked at after the rows: where the sequence has got there they may be its own.
    IF taken IS NULL OR steep_repl._position((s).sequence) BETWEEN next[1] AND next[2] THEN
      PERFORM steep_repl._write_range((s).sequence, number, next[1], next[2], 'active');
      range_start := next[1];
      range_end := next[2];
      wanted := wanted - (next[2] - next[1] + 1);
      RETURN NEXT;
      -- What sessions would cut themselves is no news to them.
      CONTINUE WHEN size = (s).range_size;
    ELSIF (s).descending THEN
      -- What has been loaded with its ids before is passed over.
      PERFORM steep_repl._write_range((s).sequence, number, taken, next[2], 'released');
    ELSE
      PERFORM steep_repl._write_range((s).sequence, number, next[1], taken, 'released');
    END IF;
    PERFORM steep_repl._ranges_changed();
  END LOOP;
END $$;
COMMENT ON FUNCTION steep_repl._allocate(steep_repl.range_sequences, bigint) IS
  'Cuts the next ids of this node''s share: one range, or several where blocks end; fewer when there are no more. The caller holds the sequence.';

CREATE OR REPLACE FUNCTION steep_repl._later_range(s steep_repl.range_sequences) RETURNS TABLE (number bigint, range_start bigint, range_end bigint)
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT r.number, r.range_start, r.range_end FROM steep_repl.identity_ranges r JOIN steep_repl.range_tables t ON t.relation = r.relation
   WHERE t.sequence = (s).sequence AND r.timeline = steep_repl._timeline() AND r.status <> 'released'
     AND r.number > steep_repl._opened((s).counter) ORDER BY r.number LIMIT 1;
END;
COMMENT ON FUNCTION steep_repl._later_range(steep_repl.range_sequences) IS 'The first range behind the one in which a sequence is.';

CREATE OR REPLACE FUNCTION steep_repl._move_on(s steep_repl.range_sequences, set_back boolean DEFAULT false) RETURNS boolean
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  q pg_sequence;
  freely boolean := steep_repl._runs_freely((s).sequence);
  left_one record;
  next record;
  entry record;
BEGIN
  SELECT * INTO q FROM pg_sequence x WHERE x.seqrelid = (s).sequence;
  SELECT * INTO left_one FROM steep_repl._range_numbered((s).sequence, steep_repl._opened((s).counter));
  LOOP
    SELECT * INTO next FROM steep_repl._later_range(s);
    IF NOT FOUND THEN
      PERFORM steep_repl._allocate(s, (s).range_size);
      SELECT * INTO next FROM steep_repl._later_range(s);
      IF NOT FOUND THEN
        RETURN false;
      END IF;
    END IF;
    IF freely AND next.range_start BETWEEN left_one.block[1] AND left_one.block[2] THEN
      -- Nobody knows what has been handed out of the block.
      PERFORM setval((s).counter::regclass, next.number, false);
      CONTINUE;
    END IF;
    SELECT * INTO entry FROM steep_repl._enter_range((s).base, (s).block, (s).last_id, (s).descending,
      CASE WHEN freely THEN left_one.block[1] ELSE left_one.range_start END, CASE WHEN freely THEN left_one.block[2] ELSE left_one.range_end END, next.range_start, next.range_end, CASE WHEN NOT set_back THEN steep_repl._position((s).sequence) END, steep_repl._range_slack(q.seqcache, q.seqincrement), abs(q.seqincrement));
    -- In this order, as src/range/draw.rs says.
    PERFORM setval((s).counter::regclass, next.number, false);
    IF entry.at IS NOT NULL THEN
      PERFORM setval((s).sequence::regclass, entry.at, false);
    END IF;
    EXIT WHEN NOT entry.passed;
  END LOOP;
  PERFORM steep_repl._ranges_changed();
  RETURN true;
END $$;
COMMENT ON FUNCTION steep_repl._move_on(steep_repl.range_sequences, boolean) IS
  'Moves a sequence into the next range, cut for it if need be; false when there is none. set_back: where it stands says nothing of what was drawn. The caller holds the sequence.';
