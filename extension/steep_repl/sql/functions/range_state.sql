-- Ranges: which column, which ranges, and what the library knows of them (src/range).

CREATE OR REPLACE FUNCTION steep_repl._range() RETURNS trigger
  LANGUAGE c AS 'MODULE_PATHNAME', 'steep_repl_range';
COMMENT ON FUNCTION steep_repl._range() IS 'Gives a row an id of the next range when its sequence has left the one before.';

CREATE OR REPLACE FUNCTION steep_repl.check_id_range(relation oid, id bigint) RETURNS boolean
  LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'steep_repl_check_id';
COMMENT ON FUNCTION steep_repl.check_id_range(oid, bigint) IS
  'What the constraint steep_range_… of a table calls with its tableoid: true for an id in this node''s ranges, in apply workers, while a bypass is on, for a row that is there already, and where the table has no ranges. Moves the sequence on before its ids end. Errors: 23514, with the ranges and what to do; 40001, 2200H.';

CREATE OR REPLACE FUNCTION steep_repl.check_id_range(relation oid, id integer) RETURNS boolean
  LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'steep_repl_check_id_4';
COMMENT ON FUNCTION steep_repl.check_id_range(oid, integer) IS 'The same for integer columns: without a cast the constraint is made ready sooner.';

CREATE OR REPLACE FUNCTION steep_repl.check_id_range(relation oid, id smallint) RETURNS boolean
  LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'steep_repl_check_id_2';
COMMENT ON FUNCTION steep_repl.check_id_range(oid, smallint) IS 'The same for smallint columns.';

CREATE OR REPLACE FUNCTION steep_repl._next_range(base bigint, block bigint, last_id bigint, descending boolean, step bigint,
    share_offset bigint, first_block bigint, last_start bigint, last_end bigint, size bigint) RETURNS bigint[]
  LANGUAGE c IMMUTABLE AS 'MODULE_PATHNAME', 'next_range_wrapper';
COMMENT ON FUNCTION steep_repl._next_range(bigint, bigint, bigint, boolean, bigint, bigint, bigint, bigint, bigint, bigint) IS
  'The range that follows another one, else the first, of a share of blocks: start and end; NULL when there is none.';

CREATE OR REPLACE FUNCTION steep_repl._ids_left(base bigint, block bigint, last_id bigint, descending boolean, step bigint,
    share_offset bigint, first_block bigint, last_start bigint, last_end bigint) RETURNS bigint
  LANGUAGE c IMMUTABLE AS 'MODULE_PATHNAME', 'ids_left_wrapper';
COMMENT ON FUNCTION steep_repl._ids_left(bigint, bigint, bigint, boolean, bigint, bigint, bigint, bigint, bigint) IS 'How many ids of a share are left after a range.';

CREATE OR REPLACE FUNCTION steep_repl._block_after(base bigint, block bigint, last_id bigint, descending boolean, id bigint) RETURNS bigint
  LANGUAGE c IMMUTABLE STRICT AS 'MODULE_PATHNAME', 'block_after_wrapper';
COMMENT ON FUNCTION steep_repl._block_after(bigint, bigint, bigint, boolean, bigint) IS 'The first block after that of an id; 0 for an id before the base.';

CREATE OR REPLACE FUNCTION steep_repl._block_around(base bigint, block bigint, last_id bigint, descending boolean, id bigint) RETURNS bigint[]
  LANGUAGE c IMMUTABLE STRICT AS 'MODULE_PATHNAME', 'block_around_wrapper';
COMMENT ON FUNCTION steep_repl._block_around(bigint, bigint, bigint, boolean, bigint) IS 'The block of an id: start and end; NULL for an id before the base.';

CREATE OR REPLACE FUNCTION steep_repl._halve_share(step bigint, share_offset bigint, first_block bigint, free bigint) RETURNS bigint[]
  LANGUAGE c IMMUTABLE STRICT AS 'MODULE_PATHNAME', 'halve_share_wrapper';
COMMENT ON FUNCTION steep_repl._halve_share(bigint, bigint, bigint, bigint) IS
  'Halves a share: the step of both, their first block, the offset that stays, the one that is given away; NULL when it cannot be halved.';

CREATE OR REPLACE FUNCTION steep_repl._enter_range(base bigint, block bigint, last_id bigint, descending boolean, from_start bigint, from_end bigint,
    to_start bigint, to_end bigint, "position" bigint, slack bigint, step bigint) RETURNS TABLE (at bigint, passed boolean)
  LANGUAGE c IMMUTABLE AS 'MODULE_PATHNAME', 'enter_range_wrapper';
COMMENT ON FUNCTION steep_repl._enter_range(bigint, bigint, bigint, boolean, bigint, bigint, bigint, bigint, bigint, bigint, bigint) IS
  'How a sequence gets from one range into another: the id to set it to, NULL to leave it where it stands; passed: that range must be passed over.';

CREATE OR REPLACE FUNCTION steep_repl._leaves_early(block bigint, slack bigint) RETURNS boolean
  LANGUAGE c IMMUTABLE STRICT AS 'MODULE_PATHNAME', 'leaves_early_wrapper';
COMMENT ON FUNCTION steep_repl._leaves_early(bigint, bigint) IS 'Whether the end of a block is left unused, so that no row needs a trigger that replaces its id.';

CREATE OR REPLACE FUNCTION steep_repl._range_slack(cache bigint, increment bigint) RETURNS bigint
  LANGUAGE c IMMUTABLE STRICT AS 'MODULE_PATHNAME', 'range_slack_wrapper';
COMMENT ON FUNCTION steep_repl._range_slack(bigint, bigint) IS 'How far sessions may draw from a sequence before one of them moves it.';

CREATE OR REPLACE FUNCTION steep_repl._timeline() RETURNS integer
  LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'timeline_wrapper';
COMMENT ON FUNCTION steep_repl._timeline() IS 'The timeline on which this server writes.';
ALTER TABLE steep_repl.table_inbox ALTER COLUMN range_timeline SET DEFAULT steep_repl._timeline();
ALTER TABLE steep_repl.initialisation_tables ALTER COLUMN range_timeline SET DEFAULT steep_repl._timeline();

CREATE OR REPLACE FUNCTION steep_repl._share_missing(s steep_repl.range_sequences) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN CASE WHEN (s).step IS NULL OR (s).timeline IS DISTINCT FROM steep_repl._timeline()
              THEN concat_ws(': ', CASE WHEN (s).step IS NULL THEN 'waiting for a share of the ids' ELSE 'restored, or failed over to: waiting for a new share of the ids' END,
                             (s).error) END;
COMMENT ON FUNCTION steep_repl._share_missing(steep_repl.range_sequences) IS 'Why this node has no share of the ids of a sequence; NULL when it has one.';

CREATE OR REPLACE FUNCTION steep_repl._hold_range(sequence oid) RETURNS void
  LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'hold_range_wrapper';
COMMENT ON FUNCTION steep_repl._hold_range(oid) IS 'Nobody moves a sequence into its next range until this transaction ends. Short transactions only: sessions that insert wait.';

CREATE OR REPLACE FUNCTION steep_repl._current_value(sequence oid) RETURNS bigint
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN currval(sequence::regclass);
EXCEPTION WHEN object_not_in_prerequisite_state THEN
  RETURN NULL;
END $$;
COMMENT ON FUNCTION steep_repl._current_value(oid) IS 'The last value that this session has had of a sequence, NULL without one.';

CREATE OR REPLACE FUNCTION steep_repl._range_column(relation regclass) RETURNS TABLE (column_name name, sequence oid, led boolean)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  -- An integer of a key whose default is a sequence: owned by it (serial, identity), or named in the default.
  WITH drawn AS (
    SELECT a.attname, a.attnum, d.objid AS sequence FROM pg_attribute a
      JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = a.attrelid
       AND d.refobjsubid = a.attnum AND d.deptype IN ('a', 'i')
      JOIN pg_sequence s ON s.seqrelid = d.objid
     WHERE a.attrelid = relation AND (d.deptype = 'i' OR EXISTS (SELECT 1 FROM pg_attrdef f JOIN pg_depend x
             ON x.classid = 'pg_attrdef'::regclass AND x.objid = f.oid AND x.refclassid = 'pg_class'::regclass AND x.refobjid = d.objid
           WHERE f.adrelid = a.attrelid AND f.adnum = a.attnum))
    UNION
    SELECT a.attname, a.attnum, x.refobjid FROM pg_attribute a
      JOIN pg_attrdef f ON f.adrelid = a.attrelid AND f.adnum = a.attnum
      JOIN pg_depend x ON x.classid = 'pg_attrdef'::regclass AND x.objid = f.oid AND x.refclassid = 'pg_class'::regclass
      JOIN pg_sequence s ON s.seqrelid = x.refobjid
     WHERE a.attrelid = relation AND a.attgenerated = ''
  )
  SELECT d.attname, d.sequence,
         EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = relation AND i.indkey[0] = d.attnum AND i.indpred IS NULL AND i.indisvalid)
    FROM drawn d JOIN pg_attribute a ON a.attrelid = relation AND a.attnum = d.attnum
    JOIN LATERAL (SELECT min(CASE WHEN i.indisprimary THEN 0 ELSE 1 END) AS rank FROM pg_index i
                   WHERE i.indrelid = relation AND i.indisunique AND d.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1])) k ON k.rank IS NOT NULL
   WHERE a.atttypid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype) AND NOT a.attisdropped
   ORDER BY k.rank, 3 DESC, d.attnum LIMIT 1;
END;
COMMENT ON FUNCTION steep_repl._range_column(regclass) IS 'The column of a key of a table whose ids come from a sequence, and whether an index begins with it; no row when there is none.';

CREATE OR REPLACE FUNCTION steep_repl._draws_elsewhere(relation oid, column_name name, sequence oid) RETURNS boolean
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  -- Sequences of the column's default, or of its identity. Without any an application draws the values.
  SELECT coalesce(bool_and(x.drawn <> _draws_elsewhere.sequence), false) FROM (
    SELECT d.refobjid AS drawn FROM pg_attribute a JOIN pg_attrdef f ON f.adrelid = a.attrelid AND f.adnum = a.attnum
      JOIN pg_depend d ON d.classid = 'pg_attrdef'::regclass AND d.objid = f.oid AND d.refclassid = 'pg_class'::regclass
      JOIN pg_sequence s ON s.seqrelid = d.refobjid
     WHERE a.attrelid = relation AND a.attname = _draws_elsewhere.column_name AND a.attgenerated = ''
    UNION ALL
    SELECT d.objid FROM pg_attribute a JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
       AND d.refobjid = a.attrelid AND d.refobjsubid = a.attnum AND d.deptype = 'i' JOIN pg_sequence s ON s.seqrelid = d.objid
     WHERE a.attrelid = relation AND a.attname = _draws_elsewhere.column_name) x;
END;
COMMENT ON FUNCTION steep_repl._draws_elsewhere(oid, name, oid) IS 'Whether a column takes its values from other sequences than this one.';

CREATE OR REPLACE FUNCTION steep_repl._opened(counter oid) RETURNS bigint
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
  RETURN (SELECT d.last_value FROM pg_get_sequence_data(counter::regclass) d);
COMMENT ON FUNCTION steep_repl._opened(oid) IS 'The number of the range in which a sequence is.';

CREATE OR REPLACE FUNCTION steep_repl._position(sequence oid) RETURNS bigint
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
  RETURN (SELECT d.last_value + CASE WHEN d.is_called THEN s.seqincrement ELSE 0 END
            FROM pg_get_sequence_data(_position.sequence::regclass) d JOIN pg_sequence s ON s.seqrelid = _position.sequence
           WHERE d.last_value::numeric + s.seqincrement BETWEEN -9223372036854775808 AND 9223372036854775807 OR NOT d.is_called);
COMMENT ON FUNCTION steep_repl._position(oid) IS 'The value that a sequence gives next; NULL past the last one that there is.';

CREATE OR REPLACE FUNCTION steep_repl._bypass_until(relation oid) RETURNS timestamptz
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN (SELECT b.until FROM steep_repl.range_bypasses b WHERE b.relation = _bypass_until.relation AND b.ended_at IS NULL);
COMMENT ON FUNCTION steep_repl._bypass_until(oid) IS 'Until when a table takes any id, NULL when it does not.';

CREATE OR REPLACE FUNCTION steep_repl._own_ranges(relation oid) RETURNS TABLE (
  table_name text, column_name text, sequence text, counter text, base bigint, block bigint, last_id bigint, descending boolean,
  step bigint, share_offset bigint, first_block bigint, range_size bigint, opened bigint, bypass_until bigint,
  slack bigint, increment bigint, early boolean, number bigint, range_start bigint, range_end bigint, usable boolean, missing text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  -- STABLE: so it reads in the snapshot of its caller, the latest one, and takes none of its own, which may be an old one. Without
  -- calls of other functions in SQL where it can be: insertions wait for it, once a range and more.
  SELECT t.relation::regclass::text, t.column_name::text, s.sequence::text, s.counter::text, s.base, s.block, s.last_id, s.descending,
         CASE WHEN s.timeline = n.timeline THEN s.step END, s.share_offset, s.first_block, s.range_size, o.opened,
         (SELECT steep_repl._micros(b.until) FROM steep_repl.range_bypasses b WHERE b.relation = t.relation AND b.ended_at IS NULL),
         steep_repl._range_slack(q.seqcache, q.seqincrement), abs(q.seqincrement),
         EXISTS (SELECT 1 FROM steep_repl.range_tables a WHERE a.sequence = s.sequence AND a.active
                    AND NOT EXISTS (SELECT 1 FROM pg_trigger g WHERE g.tgrelid = a.relation AND g.tgname = '!steep_repl_range')),
         r.number, r.range_start, r.range_end, r.status <> 'released',
         CASE WHEN s.step IS NULL OR s.timeline IS DISTINCT FROM n.timeline THEN steep_repl._share_missing(s) END
    FROM steep_repl.range_tables t JOIN steep_repl.range_sequences s USING (sequence) JOIN pg_sequence q ON q.seqrelid = s.sequence
    CROSS JOIN LATERAL (SELECT d.last_value AS opened FROM pg_get_sequence_data(s.counter::regclass) d OFFSET 0) o
    CROSS JOIN (SELECT steep_repl._timeline() AS timeline OFFSET 0) n
    LEFT JOIN LATERAL (SELECT x.number AS last FROM steep_repl.identity_ranges x WHERE x.relation = t.relation AND x.timeline = n.timeline
                        AND x.number IS NOT NULL ORDER BY x.number DESC LIMIT 1) l ON true
    LEFT JOIN steep_repl.identity_ranges r ON r.relation = t.relation AND r.timeline = n.timeline AND r.number >= least(o.opened - 1, l.last)
   WHERE t.relation = _own_ranges.relation AND t.active AND steep_repl.node_id() IS NOT NULL
   ORDER BY r.number;
END;
COMMENT ON FUNCTION steep_repl._own_ranges(oid) IS 'The range in which the sequence of a table is, the later ones of this node, and what is needed to cut more. None when its ids go in no ranges.';

CREATE OR REPLACE FUNCTION steep_repl._id_index(relation oid, column_name name) RETURNS oid
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT i.indexrelid FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
    JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am m ON m.oid = c.relam
   WHERE i.indrelid = relation AND a.attname = _id_index.column_name AND i.indpred IS NULL AND i.indisvalid AND m.amname = 'btree' AND c.relkind = 'i'
   ORDER BY i.indnatts, i.indexrelid LIMIT 1;
END;
COMMENT ON FUNCTION steep_repl._id_index(oid, name) IS 'A B-tree of a table or partition that begins with a column; NULL when there is none.';

CREATE OR REPLACE FUNCTION steep_repl._had_range(relation oid, id bigint) RETURNS boolean
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT coalesce((SELECT r.range_end >= _had_range.id AND r.status <> 'released' AND r.timeline = steep_repl._timeline() FROM steep_repl.identity_ranges r
                    WHERE r.relation = _had_range.relation AND r.range_start <= _had_range.id ORDER BY r.range_start DESC LIMIT 1), false);
END;
COMMENT ON FUNCTION steep_repl._had_range(oid, bigint) IS 'Whether an id is in any range of this node, early ones too.';

CREATE OR REPLACE FUNCTION steep_repl._ranges_changed() RETURNS void
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
  RETURN steep_repl._describe_anew('steep_repl.range_changes'::regclass);
COMMENT ON FUNCTION steep_repl._ranges_changed() IS 'Has all sessions look up again which ranges there are.';

CREATE OR REPLACE FUNCTION steep_repl._cut(name text, bytes integer) RETURNS text
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN (SELECT max(left(name, n)) FROM generate_series(1, length(name)) n WHERE octet_length(left(name, n)) <= bytes);
COMMENT ON FUNCTION steep_repl._cut(text, integer) IS 'The beginning of a name that fits into so many bytes, whole characters only.';

CREATE OR REPLACE FUNCTION steep_repl._range_constraint(relation oid) RETURNS name
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  -- Names of constraints are unique in a table: a long name keeps its beginning and gets some of its hash.
  SELECT (CASE WHEN octet_length(c.relname) <= 51 THEN 'steep_range_' || c.relname
               ELSE steep_repl._cut('steep_range_' || c.relname, 54) || '_' || left(md5(c.relname), 8) END)::name
    FROM pg_class c WHERE c.oid = relation;
END;
COMMENT ON FUNCTION steep_repl._range_constraint(oid) IS 'How the constraint of a table is called: steep_range_… in at most 63 bytes.';
