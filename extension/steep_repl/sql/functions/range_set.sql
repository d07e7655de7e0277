-- Ranges: setting them up, and their settings.

CREATE OR REPLACE FUNCTION steep_repl.set_ranges("table" regclass, enabled boolean DEFAULT NULL, range_size bigint DEFAULT NULL, threshold integer DEFAULT NULL)
  RETURNS void
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  known steep_repl.tables;
  has_them boolean;
  s steep_repl.range_sequences;
  message text;
BEGIN
  PERFORM steep_repl._this_node();
  SELECT * INTO known FROM steep_repl.tables t WHERE t.relation = "table";
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = 'SR043', MESSAGE = format('table %s is not replicated', "table"),
      HINT = 'SELECT * FROM steep_repl.replicated_tables() lists those that are.';
  ELSIF NOT pg_has_role(session_user, (SELECT c.relowner FROM pg_class c WHERE c.oid = "table"), 'MEMBER') THEN
    RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege', MESSAGE = format('must be owner of table %s', "table");
  ELSIF range_size < 1 OR threshold NOT BETWEEN 1 AND 100 THEN
    RAISE EXCEPTION USING ERRCODE = 'SR082', MESSAGE = 'a range has at least one id, and a threshold is between 1 and 100 percent';
  END IF;
  has_them := EXISTS (SELECT 1 FROM steep_repl.range_tables t WHERE t.relation = "table" AND t.active);
  IF enabled AND NOT has_them THEN
    PERFORM steep_repl._need_range_column("table");
    PERFORM steep_repl._reserve_ranges(known.table_schema, known.table_name);
    PERFORM steep_repl._lock_table("table", true);
    PERFORM steep_repl._begin_ranges("table", steep_repl._farthest_elsewhere("table"), coalesce(range_size, current_setting('steep_repl.default_range_size')::bigint),
                                     coalesce(threshold, current_setting('steep_repl.range_threshold')::integer),
                                     EXISTS (SELECT 1 FROM steep_repl.links));
    PERFORM steep_repl._say(known.table_schema, known.table_name, 'ranges', '{"enabled": true}');
  ELSIF NOT enabled AND has_them THEN
    PERFORM steep_repl._unguard_ids("table");
    PERFORM steep_repl._say(known.table_schema, known.table_name, 'ranges', '{"enabled": false}');
  END IF;
  IF coalesce(enabled, has_them) THEN
    SELECT x.* INTO s FROM steep_repl.range_tables t JOIN steep_repl.range_sequences x USING (sequence) WHERE t.relation = "table";
    IF range_size > s.block THEN
      RAISE EXCEPTION USING ERRCODE = 'SR082', MESSAGE = format('a range of %s has at most %s ids, not %s', "table", s.block, range_size),
        DETAIL = 'That many ids lie together in a block, which is cut when the table gets its ranges.', HINT = 'allocate_range() gives any number of ids, in several ranges.';
    END IF;
    UPDATE steep_repl.range_tables t SET wanted_size = coalesce(set_ranges.range_size, t.wanted_size), wanted_threshold = coalesce(set_ranges.threshold, t.wanted_threshold)
     WHERE t.relation = "table" AND coalesce(range_size, threshold) IS NOT NULL;
  ELSIF enabled IS NULL THEN
    PERFORM steep_repl._range_table("table");
  END IF;
  PERFORM steep_repl._audit('range.set', 'table', "table"::text, jsonb_build_object('enabled', has_them),
                            jsonb_build_object('enabled', coalesce(enabled, has_them), 'range_size', range_size, 'threshold', threshold));
  PERFORM steep_repl._wake_worker();
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS message = MESSAGE_TEXT;
  PERFORM steep_repl._audit_failure('range.set', 'table', "table"::text, message);
  RAISE;
END $$;
COMMENT ON FUNCTION steep_repl.set_ranges(regclass, boolean, bigint, integer) IS
  'Has the ids of a replicated table go in ranges, or no more, on all nodes; and on this node sets how large the ranges are that are cut from now on, and at which percent the next one is; the worker makes it so. Enabling asks all linked nodes for their highest id, and leaves out as many ids behind it as a block has: peers hand them out until they hear of it. Owners only. Definer: changes the table. Errors: SR001, SR043, SR048, SR080, SR082, SR083, 42501, 55P03.';

CREATE OR REPLACE FUNCTION steep_repl._need_range_column(relation regclass) RETURNS void
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  drawn record;
BEGIN
  SELECT * INTO drawn FROM steep_repl._range_column(relation);
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = 'SR080', MESSAGE = format('the ids of table %s cannot go in ranges', relation),
      DETAIL = 'No integer column of its keys takes its values from a sequence.', HINT = 'UUIDs and natural keys need none.';
  ELSIF NOT drawn.led THEN
    RAISE EXCEPTION USING ERRCODE = 'SR080', MESSAGE = format('the ids of table %s cannot go in ranges', relation),
      DETAIL = format('No index begins with column %I, by which rows that are there already are found.', drawn.column_name),
      HINT = format('CREATE INDEX ON %s (%I), on all nodes.', relation, drawn.column_name);
  END IF;
END $$;
COMMENT ON FUNCTION steep_repl._need_range_column(regclass) IS 'Errors: SR080 when a table cannot have ranges.';

CREATE OR REPLACE FUNCTION steep_repl._reserve_ranges(table_schema name, table_name name) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM steep_repl._peer_value(l.conninfo, format('SELECT steep_repl._reserve_range(%L, %L, %L)', table_schema, table_name, steep_repl.node_id()))
     FROM steep_repl.links l WHERE l.wanted <> 'remove';
  PERFORM steep_repl._give_way(table_schema, table_name, 'the ranges of %I.%I are being set up on %s at the same time');
END $$;
COMMENT ON FUNCTION steep_repl._reserve_ranges(name, name) IS 'Error SR048 when another node sets up the ranges of a table, or has.';

CREATE OR REPLACE FUNCTION steep_repl._reserve_range(table_schema name, table_name name, holder text) RETURNS text
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
BEGIN
  IF steep_repl._range_facts(table_schema, table_name) IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'SR048', MESSAGE = format('%I.%I has its ranges on %s already', table_schema, table_name, steep_repl.node_id()),
      HINT = 'They are on their way to the others. If they do not come, set_ranges(…, enabled => false) there, and begin again.';
  END IF;
  PERFORM steep_repl._put_reservation(table_schema, table_name, holder);
  RETURN 'ok';
END $$;
COMMENT ON FUNCTION steep_repl._reserve_range(name, name, text) IS 'Notes that a peer sets up the ranges of a table. Definer: writes the reservations. Errors: SR048.';

CREATE OR REPLACE FUNCTION steep_repl._farthest_elsewhere(relation regclass) RETURNS bigint
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT CASE WHEN bool_or(q.seqincrement < 0) THEN min(f.id) ELSE max(f.id) END
    FROM steep_repl.links l
    CROSS JOIN LATERAL (SELECT steep_repl._peer_value(l.conninfo, format('SELECT steep_repl._farthest_known(%L, %L)::text', n.nspname, c.relname), 60)::bigint AS id
                          FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = relation) f
    LEFT JOIN LATERAL steep_repl._range_column(relation) d ON true LEFT JOIN pg_sequence q ON q.seqrelid = d.sequence
   WHERE l.wanted <> 'remove';
END;
COMMENT ON FUNCTION steep_repl._farthest_elsewhere(regclass) IS 'The last id that any linked node holds or has handed out.';

CREATE OR REPLACE FUNCTION steep_repl._farthest_known(table_schema text, table_name text) RETURNS bigint
  LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
  RETURN (SELECT steep_repl._farthest_id(c.oid::regclass) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
           WHERE n.nspname = _farthest_known.table_schema AND c.relname = _farthest_known.table_name AND c.relkind IN ('r', 'p'));
COMMENT ON FUNCTION steep_repl._farthest_known(text, text) IS 'The last id of a table that this node holds or has handed out. Definer: reads table and sequence.';

CREATE OR REPLACE FUNCTION steep_repl.drop_ranges("table" regclass) RETURNS void
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  known steep_repl.range_tables;
BEGIN
  SELECT * INTO known FROM steep_repl.range_tables t WHERE t.relation = "table";
  IF NOT FOUND THEN
    RETURN;
  ELSIF NOT pg_has_role(session_user, (SELECT c.relowner FROM pg_class c WHERE c.oid = "table"), 'MEMBER') THEN
    RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege', MESSAGE = format('must be owner of table %s', "table");
  ELSIF EXISTS (SELECT 1 FROM steep_repl.tables t WHERE t.relation = "table") AND EXISTS (SELECT 1 FROM steep_repl.links) THEN
    RAISE EXCEPTION USING ERRCODE = 'SR085', MESSAGE = format('table %s replicates: which ids are whose must stay known', "table"),
      HINT = 'SELECT steep_repl.set_ranges(table, enabled => false) takes the constraint off on all nodes.';
  END IF;
  PERFORM steep_repl._unguard_ids("table");
  DELETE FROM steep_repl.identity_ranges r WHERE r.relation = "table";
  DELETE FROM steep_repl.range_tables t WHERE t.relation = "table";
  PERFORM steep_repl._drop_counter(s.counter) FROM steep_repl.range_sequences s
    WHERE s.sequence = known.sequence AND NOT EXISTS (SELECT 1 FROM steep_repl.range_tables t WHERE t.sequence = s.sequence);
  DELETE FROM steep_repl.range_sequences s WHERE s.sequence = known.sequence AND NOT EXISTS (SELECT 1 FROM steep_repl.range_tables t WHERE t.sequence = s.sequence);
  PERFORM steep_repl._audit('range.drop', 'table', "table"::text);
END $$;
COMMENT ON FUNCTION steep_repl.drop_ranges(regclass) IS
  'Forgets the ranges of a table that does not replicate with other nodes, so that it takes part in those of a node with which it is linked. Owners only. Definer: writes the ranges. Errors: SR085, 42501.';
