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
  SELECT steep_repl._ranges_changed();
END;
COMMENT ON FUNCTION steep_repl._write_range(oid, bigint, bigint, bigint, text) IS 'Writes a range of this node down.';

CREATE OR REPLACE FUNCTION steep_repl._last_range(sequence oid) RETURNS TABLE (number bigint, range_start bigint, range_end bigint)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT r.number, r.range_start, r.range_end FROM steep_repl.identity_ranges r JOIN steep_repl.range_tables t ON t.relation = r.relation
   WHERE t.sequence = _last_range.sequence AND r.timeline = steep_repl._timeline() ORDER BY r.number DESC LIMIT 1;
END;
COMMENT ON FUNCTION steep_repl._last_range(oid) IS 'The range of a sequence that was cut last, on this timeline.';

CREATE OR REPLACE FUNCTION steep_repl._range_after(s steep_repl.range_sequences, last_start bigint, last_end bigint, size bigint) RETURNS bigint[]
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN CASE WHEN (s).step IS NOT NULL AND (s).timeline = steep_repl._timeline()
              THEN steep_repl._next_range((s).base, (s).block, (s).last_id, (s).descending, (s).step, (s).share_offset, (s).first_block, last_start, last_end, size) END;
COMMENT ON FUNCTION steep_repl._range_after(steep_repl.range_sequences, bigint, bigint, bigint) IS 'The range that this node cuts after another one; NULL without a share, or without ids.';

CREATE OR REPLACE FUNCTION steep_repl._fill_ranges(s steep_repl.range_sequences) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  opened bigint := steep_repl._opened((s).counter);
  last record;
  next bigint[];
BEGIN
  -- Sessions that were faster than the worker have opened ranges that nobody has written down: these, and no others.
  LOOP
    SELECT * INTO last FROM steep_repl._last_range((s).sequence);
    EXIT WHEN last.number IS NULL OR last.number >= opened;
    next := steep_repl._range_after(s, last.range_start, last.range_end, (s).range_size);
    EXIT WHEN next IS NULL;
    PERFORM steep_repl._write_range((s).sequence, last.number + 1, next[1], next[2], 'active');
  END LOOP;
END $$;
COMMENT ON FUNCTION steep_repl._fill_ranges(steep_repl.range_sequences) IS 'Writes down the ranges that sessions have opened. The caller holds the sequence.';

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
  PERFORM steep_repl._fill_ranges(s);
  WHILE wanted > 0 LOOP
    SELECT * INTO last FROM steep_repl._last_range((s).sequence);
    next := steep_repl._range_after(s, last.range_start, last.range_end, wanted);
    EXIT WHEN next IS NULL;
    number := greatest(last.number, steep_repl._opened((s).counter),
                       (SELECT max(r.number) FROM steep_repl.identity_ranges r JOIN steep_repl.range_tables t ON t.relation = r.relation
                         WHERE t.sequence = (s).sequence)) + 1;
    taken := steep_repl._farthest_within((s).sequence, (s).descending, next[1], next[2]);
    IF taken IS NULL THEN
      PERFORM steep_repl._write_range((s).sequence, number, next[1], next[2], 'active');
      range_start := next[1];
      range_end := next[2];
      wanted := wanted - (next[2] - next[1] + 1);
      RETURN NEXT;
    ELSIF (s).descending THEN
      -- What has been loaded with its ids before is passed over.
      PERFORM steep_repl._write_range((s).sequence, number, taken, next[2], 'released');
    ELSE
      PERFORM steep_repl._write_range((s).sequence, number, next[1], taken, 'released');
    END IF;
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
  left_one record;
  next record;
  entry bigint[];
BEGIN
  SELECT * INTO q FROM pg_sequence x WHERE x.seqrelid = (s).sequence;
  SELECT r.range_start, r.range_end INTO left_one FROM steep_repl.identity_ranges r JOIN steep_repl.range_tables t ON t.relation = r.relation
   WHERE t.sequence = (s).sequence AND r.timeline = steep_repl._timeline() AND r.number = steep_repl._opened((s).counter) LIMIT 1;
  LOOP
    SELECT * INTO next FROM steep_repl._later_range(s);
    IF NOT FOUND THEN
      PERFORM steep_repl._allocate(s, (s).range_size);
      SELECT * INTO next FROM steep_repl._later_range(s);
      IF NOT FOUND THEN
        RETURN false;
      END IF;
    END IF;
    entry := steep_repl._enter_range((s).base, (s).block, (s).last_id, (s).descending, left_one.range_start, left_one.range_end,
      next.range_start, next.range_end, CASE WHEN NOT set_back THEN steep_repl._position((s).sequence) END, least(q.seqcache::numeric * abs(q.seqincrement::numeric) * 1000, 1000000000)::bigint);
    -- In this order, as src/range/draw.rs says.
    PERFORM setval((s).counter::regclass, next.number, false);
    IF entry[1] IS NOT NULL THEN
      PERFORM setval((s).sequence::regclass, entry[1], false);
    END IF;
    EXIT WHEN entry[2] = 0;
  END LOOP;
  PERFORM steep_repl._ranges_changed();
  RETURN true;
END $$;
COMMENT ON FUNCTION steep_repl._move_on(steep_repl.range_sequences, boolean) IS
  'Moves a sequence into the next range, cut for it if need be; false when there is none. set_back: where it stands says nothing of what was drawn. The caller holds the sequence.';
