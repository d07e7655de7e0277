-- Ranges: which blocks of ids are whose. A share comes into being by halving a share, at the one who has it, so that two
-- nodes never have one block (docs/internals/range.md).

CREATE OR REPLACE FUNCTION steep_repl._sequence_end(sequence oid, relation oid, column_name name) RETURNS bigint
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT CASE WHEN s.seqincrement > 0
              THEN least(s.seqmax, CASE a.atttypid WHEN 'int2'::regtype THEN 32767 WHEN 'int4'::regtype THEN 2147483647 ELSE 9223372036854775807 END)
              ELSE greatest(s.seqmin, CASE a.atttypid WHEN 'int2'::regtype THEN -32768 WHEN 'int4'::regtype THEN -2147483648 ELSE -9223372036854775808 END) END
    FROM pg_sequence s, pg_attribute a WHERE s.seqrelid = sequence AND a.attrelid = relation AND a.attname = column_name;
END;
COMMENT ON FUNCTION steep_repl._sequence_end(oid, oid, name) IS 'The last id that a sequence and the type of its column allow.';

CREATE OR REPLACE FUNCTION steep_repl._ids_end(sequence oid) RETURNS bigint
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT CASE WHEN bool_or(q.seqincrement < 0) THEN max(e.last) ELSE min(e.last) END
    FROM steep_repl.range_tables t JOIN pg_sequence q ON q.seqrelid = t.sequence
    CROSS JOIN LATERAL (SELECT steep_repl._sequence_end(t.sequence, t.relation, t.column_name) AS last) e
   WHERE t.sequence = _ids_end.sequence;
END;
COMMENT ON FUNCTION steep_repl._ids_end(oid) IS 'The last id that a sequence and the types of all its columns allow.';

CREATE OR REPLACE FUNCTION steep_repl._farthest_id(relation regclass) RETURNS bigint
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  drawn record;
  s pg_sequence;
  stands bigint;
  called boolean;
  held bigint;
BEGIN
  SELECT * INTO drawn FROM steep_repl._range_column(relation);
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  SELECT * INTO s FROM pg_sequence q WHERE q.seqrelid = drawn.sequence;
  SELECT d.last_value, d.is_called INTO stands, called FROM pg_get_sequence_data(drawn.sequence::regclass) d;
  -- Where it counts in larger steps, applications use the ids between two of its values.
  stands := CASE WHEN called THEN greatest(least(stands::numeric + s.seqincrement - sign(s.seqincrement), s.seqmax), s.seqmin)::bigint END;
  EXECUTE format('SELECT %s(%I) FROM %s', CASE WHEN s.seqincrement > 0 THEN 'max' ELSE 'min' END, drawn.column_name, steep_repl._source_of(relation)) INTO held;
  RETURN CASE WHEN s.seqincrement > 0 THEN greatest(stands, held) ELSE least(stands, held) END;
END $$;
COMMENT ON FUNCTION steep_repl._farthest_id(regclass) IS 'The last id that has been handed out or is in a table here, in the direction of its sequence; NULL when none has.';

CREATE OR REPLACE FUNCTION steep_repl._make_counter(sequence oid) RETURNS oid
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
DECLARE
  name text := 'range_' || sequence;
BEGIN
  -- A member of the extension: it is not dumped, and goes with it.
  EXECUTE format('CREATE SEQUENCE steep_repl.%I MINVALUE 0 START 0', name);
  EXECUTE format('ALTER EXTENSION steep_repl ADD SEQUENCE steep_repl.%I', name);
  RETURN to_regclass('steep_repl.' || quote_ident(name));
END $$;
COMMENT ON FUNCTION steep_repl._make_counter(oid) IS 'The sequence of ours that remembers in which range another one is.';

CREATE OR REPLACE FUNCTION steep_repl._drop_counter(counter oid) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
DECLARE
  name text := (SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = counter);
BEGIN
  IF name IS NOT NULL THEN
    EXECUTE format('ALTER EXTENSION steep_repl DROP SEQUENCE %s', name);
    EXECUTE format('DROP SEQUENCE %s', name);
  END IF;
END $$;
COMMENT ON FUNCTION steep_repl._drop_counter(oid) IS 'Takes the counter of a sequence away.';

CREATE OR REPLACE FUNCTION steep_repl._put_range_table(relation oid, sequence oid, column_name name) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
BEGIN
  -- Ranges of a sequence that the column had before are numbered otherwise. They stay this node's.
  UPDATE steep_repl.identity_ranges r SET number = NULL, status = CASE WHEN r.status = 'active' THEN 'exhausted' ELSE r.status END, announced = false
    FROM steep_repl.range_tables t WHERE t.relation = _put_range_table.relation AND t.sequence <> _put_range_table.sequence AND r.relation = t.relation;
  INSERT INTO steep_repl.range_tables (relation, sequence, column_name) VALUES (relation, sequence, column_name)
  ON CONFLICT ON CONSTRAINT range_tables_pkey DO UPDATE SET active = true, sequence = excluded.sequence, column_name = excluded.column_name;
  -- Tables that are called otherwise now keep their ranges; those that are gone do not.
  UPDATE steep_repl.identity_ranges r SET table_schema = n.nspname, table_name = c.relname, announced = false
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = r.relation AND (r.table_schema, r.table_name) <> (n.nspname, c.relname);
  DELETE FROM steep_repl.identity_ranges r USING pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE c.oid = _put_range_table.relation AND r.relation IS DISTINCT FROM c.oid AND r.node_id = steep_repl.node_id()
     AND (r.table_schema, r.table_name) = (n.nspname, c.relname);
  -- What a further table of the sequence shares with the first one.
  INSERT INTO steep_repl.identity_ranges (table_schema, table_name, node_id, range_start, range_end, allocated_at, status, relation, number, timeline, announced)
  SELECT n.nspname, c.relname, r.node_id, r.range_start, r.range_end, r.allocated_at, r.status, c.oid, r.number, r.timeline, false
    FROM (SELECT min(t.relation::bigint)::oid AS oid FROM steep_repl.range_tables t WHERE t.sequence = _put_range_table.sequence AND t.relation <> _put_range_table.relation) other
    JOIN steep_repl.identity_ranges r ON r.relation = other.oid
    JOIN pg_class c ON c.oid = _put_range_table.relation JOIN pg_namespace n ON n.oid = c.relnamespace
  ON CONFLICT DO NOTHING;
  PERFORM steep_repl._guard_ids(relation::regclass, column_name);
  PERFORM steep_repl._ranges_changed();
END $$;
COMMENT ON FUNCTION steep_repl._put_range_table(oid, oid, name) IS 'Has the ids of a table go in the ranges of a sequence.';

CREATE OR REPLACE FUNCTION steep_repl._begin_ranges(relation regclass, farthest bigint, range_size bigint, threshold integer, apart boolean DEFAULT false) RETURNS boolean
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  drawn record;
  s steep_repl.range_sequences;
  q pg_sequence;
  here bigint := steep_repl._farthest_id(relation);
  room numeric;
BEGIN
  SELECT * INTO drawn FROM steep_repl._range_column(relation);
  IF NOT FOUND OR NOT drawn.led THEN
    RETURN false;
  END IF;
  SELECT * INTO s FROM steep_repl.range_sequences x WHERE x.sequence = drawn.sequence;
  IF NOT FOUND THEN
    SELECT * INTO q FROM pg_sequence x WHERE x.seqrelid = drawn.sequence;
    s.sequence := drawn.sequence;
    s.line := gen_random_uuid();
    s.descending := q.seqincrement < 0;
    s.last_id := steep_repl._sequence_end(drawn.sequence, relation, drawn.column_name);
    farthest := CASE WHEN s.descending THEN least(farthest, here) ELSE greatest(farthest, here) END;
    -- Behind all that any node has handed out or holds.
    IF farthest = s.last_id THEN
      RAISE EXCEPTION USING ERRCODE = 'SR083', MESSAGE = format('no ids are left for column %I of %s', drawn.column_name, relation),
        DETAIL = format('%s has been handed out, and is the last one of its type or of its sequence.', farthest),
        HINT = 'ALTER TABLE … ALTER COLUMN … TYPE bigint, on all nodes, and raise the sequence''s MAXVALUE.';
    END IF;
    s.base := CASE WHEN s.descending THEN least(farthest - 1, q.seqstart) ELSE greatest(farthest + 1, q.seqstart) END;
    room := abs(s.last_id::numeric - s.base) + 1;
    -- Large enough for several ranges, small enough that many nodes get many of them.
    s.block := greatest(1, least(100::numeric * range_size, 1000000, trunc(room / 256)))::bigint;
    IF apart AND room > s.block THEN
      s.base := s.base + CASE WHEN s.descending THEN -s.block ELSE s.block END;
    END IF;
    s.range_size := greatest(1, least(range_size, s.block));
    INSERT INTO steep_repl.range_sequences (sequence, line, base, block, last_id, descending, range_size, threshold, step, share_offset, first_block, timeline, counter)
    VALUES (s.sequence, s.line, s.base, s.block, s.last_id, s.descending, s.range_size, threshold, 1, 0, 0, steep_repl._timeline(), steep_repl._make_counter(s.sequence))
    RETURNING * INTO s;
    PERFORM steep_repl._put_range_table(relation, s.sequence, drawn.column_name);
    IF farthest IS NOT NULL AND NOT EXISTS (SELECT 1 FROM steep_repl.identity_ranges r WHERE r.relation = _begin_ranges.relation) THEN
      -- What was handed out here before stays this node's. After another sequence its ranges say so.
      PERFORM steep_repl._write_range(s.sequence, 0, CASE WHEN s.descending THEN farthest ELSE least(q.seqmin, farthest) END,
                                      CASE WHEN s.descending THEN greatest(q.seqmax, farthest) ELSE farthest END, 'exhausted');
    END IF;
  ELSE
    PERFORM steep_repl._put_range_table(relation, s.sequence, drawn.column_name);
    -- Ids may have been taken anywhere while nobody looked.
    farthest := CASE WHEN s.descending THEN least(farthest, here) ELSE greatest(farthest, here) END;
    IF farthest IS NOT NULL AND apart THEN
      PERFORM steep_repl._skip_blocks(s.sequence, steep_repl._block_after(s.base, s.block, s.last_id, s.descending, farthest));
    END IF;
  END IF;
  PERFORM steep_repl._settle_in(s.sequence);
  RETURN true;
END $$;
COMMENT ON FUNCTION steep_repl._begin_ranges(regclass, bigint, bigint, integer, boolean) IS
  'Has the ids of a table go in ranges, all of which are this node''s until it gives shares away; false when none of its keys comes from a sequence. farthest: the last id that the other nodes know. apart: they go on handing out ids until they hear of it. Errors: SR083.';

CREATE OR REPLACE FUNCTION steep_repl._settle_in(sequence oid) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  s steep_repl.range_sequences;
  stands bigint;
BEGIN
  PERFORM steep_repl._hold_range(sequence);
  SELECT * INTO s FROM steep_repl.range_sequences x WHERE x.sequence = _settle_in.sequence;
  stands := steep_repl._position(sequence);
  PERFORM steep_repl._fill_ranges(s, stands);
  IF s.timeline = steep_repl._timeline() AND NOT EXISTS (
       SELECT 1 FROM steep_repl._range_numbered(s.sequence, steep_repl._opened(s.counter)) r
        WHERE r.status <> 'released' AND steep_repl._opened(s.counter) > 0 AND stands BETWEEN r.range_start AND r.range_end) THEN
    PERFORM steep_repl._move_on(s);
  END IF;
END $$;
COMMENT ON FUNCTION steep_repl._settle_in(oid) IS 'Moves a sequence that is in none of this node''s ranges into one.';

CREATE OR REPLACE FUNCTION steep_repl._skip_blocks(sequence oid, first bigint) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  s steep_repl.range_sequences;
  last record;
  rest bigint[];
BEGIN
  PERFORM steep_repl._hold_range(sequence);
  UPDATE steep_repl.range_sequences x SET first_block = greatest(x.first_block, first) WHERE x.sequence = _skip_blocks.sequence AND x.step IS NOT NULL
  RETURNING * INTO s;
  IF s.sequence IS NULL OR s.timeline IS DISTINCT FROM steep_repl._timeline() THEN
    RETURN;
  END IF;
  PERFORM steep_repl._fill_ranges(s, steep_repl._position(sequence));
  -- What is left of the block of the last range is cut, so that the next one is of a block behind.
  SELECT * INTO last FROM steep_repl._last_range(sequence);
  rest := steep_repl._range_after(s, last.range_start, last.range_end, s.block);
  IF last.number > 0 AND steep_repl._block_after(s.base, s.block, s.last_id, s.descending, rest[1]) <= first THEN
    PERFORM steep_repl._write_range(sequence, last.number + 1, rest[1], rest[2], 'active');
  END IF;
  UPDATE steep_repl.identity_ranges r SET status = CASE WHEN r.number > steep_repl._opened(s.counter) THEN 'released' ELSE 'exhausted' END, announced = false
    FROM steep_repl.range_tables t
   WHERE t.relation = r.relation AND t.sequence = _skip_blocks.sequence AND r.timeline = s.timeline AND r.status = 'active'
     AND steep_repl._block_after(s.base, s.block, s.last_id, s.descending, CASE WHEN s.descending THEN r.range_start ELSE r.range_end END) <= first;
  IF FOUND THEN
    PERFORM steep_repl._move_on(s);
  END IF;
  PERFORM steep_repl._ranges_changed();
END $$;
COMMENT ON FUNCTION steep_repl._skip_blocks(oid, bigint) IS 'Has a sequence go on in this block or behind it, because nobody knows which ids before it were taken.';

CREATE OR REPLACE FUNCTION steep_repl._range_facts(table_schema text, table_name text, dormant boolean DEFAULT false) RETURNS jsonb
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT jsonb_build_object('line', s.line, 'column', t.column_name, 'base', s.base, 'block', s.block, 'last_id', s.last_id, 'descending', s.descending,
                            'range_size', s.range_size, 'threshold', s.threshold, 'first_block', s.first_block, 'step', CASE WHEN s.timeline = steep_repl._timeline() THEN s.step END)
    FROM steep_repl.range_tables t JOIN steep_repl.range_sequences s USING (sequence)
    JOIN pg_class c ON c.oid = t.relation JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE (t.active OR dormant) AND n.nspname = _range_facts.table_schema AND c.relname = _range_facts.table_name;
END;
COMMENT ON FUNCTION steep_repl._range_facts(text, text, boolean) IS 'What a peer must know of the ranges of a table before it takes part; NULL when it has none here. dormant: also when the table does not replicate now. Definer: reads the ranges.';

CREATE OR REPLACE FUNCTION steep_repl._grant_share(table_schema text, table_name text, request uuid, grantee text) RETURNS jsonb
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  s steep_repl.range_sequences;
  free bigint;
  halves bigint[];
BEGIN
  SELECT x.* INTO s FROM steep_repl.range_tables t JOIN steep_repl.range_sequences x USING (sequence)
    JOIN pg_class c ON c.oid = t.relation JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE n.nspname = table_schema AND c.relname = table_name;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  -- Sessions that open a range wait until this has committed, and read the share anew.
  PERFORM steep_repl._hold_range(s.sequence);
  SELECT * INTO s FROM steep_repl.range_sequences x WHERE x.sequence = s.sequence FOR UPDATE;
  IF NOT EXISTS (SELECT 1 FROM steep_repl.range_grants g WHERE g.request = _grant_share.request) THEN
    IF s.step IS NULL OR s.timeline IS DISTINCT FROM steep_repl._timeline() THEN
      RETURN NULL;
    END IF;
    PERFORM steep_repl._fill_ranges(s, steep_repl._position(s.sequence));
    SELECT greatest(s.first_block, max(steep_repl._block_after(s.base, s.block, s.last_id, s.descending, CASE WHEN s.descending THEN r.range_start ELSE r.range_end END)))
      INTO free FROM steep_repl.identity_ranges r JOIN steep_repl.range_tables t ON t.relation = r.relation
     WHERE t.sequence = s.sequence AND r.timeline = s.timeline;
    halves := steep_repl._halve_share(s.step, s.share_offset, s.first_block, free);
    IF halves IS NULL THEN
      RETURN NULL;
    END IF;
    UPDATE steep_repl.range_sequences x SET step = halves[1], first_block = halves[2], share_offset = halves[3] WHERE x.sequence = s.sequence;
    INSERT INTO steep_repl.range_grants (request, line, node_id, step, share_offset, first_block)
    VALUES (request, s.line, grantee, halves[1], halves[4], halves[2]);
    PERFORM steep_repl._audit('range.grant', 'table', format('%I.%I', table_schema, table_name), NULL,
      jsonb_build_object('to', grantee, 'step', halves[1], 'offset', halves[4], 'first_block', halves[2], 'block', s.block));
    PERFORM steep_repl._ranges_changed();
  END IF;
  RETURN (SELECT steep_repl._range_facts(table_schema, table_name, true)
                   || jsonb_build_object('step', g.step, 'share_offset', g.share_offset, 'first_block', g.first_block)
            FROM steep_repl.range_grants g WHERE g.request = _grant_share.request AND g.line = s.line);
END $$;
COMMENT ON FUNCTION steep_repl._grant_share(text, text, uuid, text) IS
  'Gives half of this node''s share of the ids of a table to another node; NULL when it has none to give. The same request gets the same share. Definer: writes the ranges.';

CREATE OR REPLACE FUNCTION steep_repl._take_share(sequence oid, share jsonb) RETURNS void
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  -- The sequence first and its row then, as whoever gives a share takes them: else the two wait for each other.
  SELECT steep_repl._hold_range(_take_share.sequence);
  UPDATE steep_repl.range_sequences s SET step = (share->>'step')::bigint, share_offset = (share->>'share_offset')::bigint,
         first_block = (share->>'first_block')::bigint, timeline = steep_repl._timeline(), request = NULL, requested_at = NULL, error = NULL
   WHERE s.sequence = _take_share.sequence AND s.line = (share->>'line')::uuid;
  -- Numbers of timelines come again after pg_upgrade; what was cut under an earlier share never does.
  UPDATE steep_repl.identity_ranges r SET status = 'released', announced = false FROM steep_repl.range_tables t
   WHERE t.relation = r.relation AND t.sequence = _take_share.sequence AND r.status <> 'released';
  SELECT steep_repl._ranges_changed();
  SELECT steep_repl._settle_in(_take_share.sequence);
END;
COMMENT ON FUNCTION steep_repl._take_share(oid, jsonb) IS 'Makes a share that a peer has given this node''s own.';

CREATE OR REPLACE FUNCTION steep_repl._join_ranges(relation regclass, peer text, conninfo text, request uuid, request_timeline integer, dormant boolean DEFAULT false,
    skipping boolean DEFAULT false) RETURNS boolean
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  schema_name text;
  name text;
  facts jsonb;
  drawn record;
  known steep_repl.range_sequences;
  share jsonb;
BEGIN
  SELECT n.nspname, c.relname INTO schema_name, name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = relation;
  facts := steep_repl._peer_value(conninfo, format('SELECT steep_repl._range_facts(%L, %L, %L)::text', schema_name, name, dormant))::jsonb;
  SELECT * INTO drawn FROM steep_repl._range_column(relation);
  IF facts IS NULL OR drawn.sequence IS NULL OR NOT drawn.led THEN
    RETURN false;
  END IF;
  SELECT * INTO known FROM steep_repl.range_sequences x WHERE x.sequence = drawn.sequence;
  IF known.sequence IS NULL THEN
    IF (SELECT q.seqincrement < 0 FROM pg_sequence q WHERE q.seqrelid = drawn.sequence) <> (facts->>'descending')::boolean THEN
      RAISE EXCEPTION USING ERRCODE = 'SR084', MESSAGE = format('the sequence of %s counts the other way round than on %s', relation, peer),
        HINT = 'Give both the same sign of INCREMENT, or add the table without ranges: identity_ranges => false.';
    END IF;
    INSERT INTO steep_repl.range_sequences (sequence, line, base, block, last_id, descending, range_size, threshold, counter)
    VALUES (drawn.sequence, (facts->>'line')::uuid, (facts->>'base')::bigint, (facts->>'block')::bigint, (facts->>'last_id')::bigint,
            (facts->>'descending')::boolean, (facts->>'range_size')::bigint, (facts->>'threshold')::integer, steep_repl._make_counter(drawn.sequence))
    RETURNING * INTO known;
  ELSIF known.line <> (facts->>'line')::uuid THEN
    RAISE EXCEPTION USING ERRCODE = 'SR084', MESSAGE = format('the ids of %s go in ranges here already, begun apart from those of %s', relation, peer),
      DETAIL = 'Both hand out the same ids, or the sequence serves two tables here and not there.',
      HINT = format('SELECT steep_repl.drop_ranges(%L) on the node whose rows are to give way, or add the table without ranges: identity_ranges => false.', relation::text);
  END IF;
  PERFORM steep_repl._put_range_table(relation, known.sequence, drawn.column_name);
  IF skipping THEN
    PERFORM steep_repl._skip_blocks(known.sequence, (facts->>'first_block')::bigint);
  END IF;
  -- Restored since: the answer may have been taken, and used, before. The worker asks under a request of its own.
  IF (known.step IS NULL OR known.timeline IS DISTINCT FROM steep_repl._timeline()) AND request_timeline = steep_repl._timeline() THEN
    share := steep_repl._peer_value(conninfo, format('SELECT steep_repl._grant_share(%L, %L, %L, %L)::text', schema_name, name, request, steep_repl.node_id()))::jsonb;
    IF share IS NOT NULL THEN
      PERFORM steep_repl._take_share(known.sequence, share);
    END IF;
  END IF;
  RETURN true;
END $$;
COMMENT ON FUNCTION steep_repl._join_ranges(regclass, text, text, uuid, integer, boolean, boolean) IS
  'Takes part in the ranges of a table as a peer has them: asks it for a share, under a request that was committed before. Without one now the worker asks on. skipping: it had its share before, and ids were taken by anybody meanwhile. Errors: SR084.';

CREATE OR REPLACE FUNCTION steep_repl._set_up_ranges(relation regclass, farthest bigint) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  link steep_repl.links;
BEGIN
  IF NOT EXISTS (SELECT 1 FROM steep_repl.range_tables t WHERE t.relation = _set_up_ranges.relation) THEN
    -- Peers that have replicated the table before know which ids are whose.
    FOR link IN SELECT * FROM steep_repl.links l WHERE l.wanted <> 'remove' LOOP
      IF steep_repl._join_ranges(relation, link.peer, link.conninfo, gen_random_uuid(), steep_repl._timeline(), true) THEN
        RETURN;
      END IF;
    END LOOP;
  END IF;
  PERFORM steep_repl._begin_ranges(relation, farthest, current_setting('steep_repl.default_range_size')::bigint, current_setting('steep_repl.range_threshold')::integer);
END $$;
COMMENT ON FUNCTION steep_repl._set_up_ranges(regclass, bigint) IS 'Gives a table that is being added its ranges. Errors: SR083, SR084.';
