-- Tables that replicate: joining and leaving.
--
-- One node, the source, joins the table under a lock that keeps writers out for a moment: from then on its changes are in
-- its stream. It says so in table_events, which travels in the same stream. Each peer that reads it takes the table over
-- (initialise.sql), from one point of every stream on.

CREATE OR REPLACE FUNCTION steep_repl.add_table(
  "table" regclass, strategy text DEFAULT NULL, before_images boolean DEFAULT true, existing text DEFAULT 'refuse',
  identity_ranges boolean DEFAULT NULL
) RETURNS text
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  me text := steep_repl._this_node();
  class record;
  here jsonb;
  there jsonb;
  link steep_repl.links;
  problems text[] := '{}';
  holders text[] := '{}';
  locked integer := 0;
  elsewhere steep_repl.links;
  farthest bigint;
  message text;
BEGIN
  SELECT c.relname, n.nspname, c.relowner INTO class FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = "table";
  IF NOT pg_has_role(session_user, class.relowner, 'MEMBER') THEN
    RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege', MESSAGE = format('must be owner of table %s', "table"),
      HINT = 'Adding a table changes its replica identity, as ALTER TABLE does.';
  END IF;
  IF existing NOT IN ('refuse', 'identical') OR existing IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'SR040', MESSAGE = format('existing must be refuse or identical, not %L', existing),
      HINT = 'refuse: only one node may hold rows. identical: the rows that several hold must be equal.';
  END IF;
  IF strategy IS NOT NULL THEN
    PERFORM steep_repl._refuse_strategy("table", strategy, NULL, before_images AND steep_repl._before_images_possible("table"));
  END IF;
  IF EXISTS (SELECT 1 FROM steep_repl.tables t WHERE t.relation = "table") THEN
    RETURN (SELECT r.state FROM steep_repl.replicated_tables() r WHERE r.table_schema = class.nspname AND r.table_name = class.relname);
  END IF;
  here := steep_repl._describe_table(class.nspname, class.relname, before_images);
  problems := ARRAY(SELECT format('%s: %s', me, p) FROM jsonb_array_elements_text(here->'problems') p);
  locked := (here ? 'locked_by')::integer;
  IF (here->>'holds_rows')::boolean THEN
    holders := ARRAY[me];
  END IF;
  FOR link IN SELECT * FROM steep_repl.links l WHERE l.wanted <> 'remove' LOOP
    there := steep_repl._peer_value(link.conninfo, format('SELECT steep_repl._describe_table(%L, %L, %L)::text',
                                                          class.nspname, class.relname, before_images))::jsonb;
    IF NOT (there->>'exists')::boolean THEN
      problems := problems || format('%s: the table does not exist. Create it there too', link.peer);
      CONTINUE;
    END IF;
    problems := problems || ARRAY(SELECT format('%s: %s', link.peer, p) FROM jsonb_array_elements_text(there->'problems') p);
    locked := locked + (there ? 'locked_by')::integer;
    IF there->'columns' <> here->'columns' THEN
      problems := problems || format('%s: other columns. %s', link.peer, steep_repl._column_problem(here->'columns', there->'columns', me, link.peer));
    END IF;
    IF (there->>'holds_rows')::boolean THEN
      holders := holders || link.peer;
      elsewhere := link;
    END IF;
  END LOOP;
  IF cardinality(holders) > 1 AND existing = 'refuse' THEN
    problems := problems || format('rows on %s. Empty all but one, or prove them equal with existing => ''identical''', array_to_string(holders, ', '));
  END IF;
  IF problems <> '{}' THEN
    RAISE EXCEPTION USING ERRCODE = CASE WHEN cardinality(problems) = locked THEN 'lock_not_available' ELSE 'SR042' END,
      MESSAGE = format('cannot replicate table %s', "table"), DETAIL = array_to_string(problems, E'\n'),
      HINT = 'All problems are listed; nothing has been changed.';
  END IF;
  IF holders[1] <> me THEN
    -- The rows are on one peer: it is the source.
    RETURN steep_repl._peer_value(elsewhere.conninfo, format('SELECT steep_repl.add_table(%L::regclass, %L, %L, %L, %L)',
             format('%I.%I', class.nspname, class.relname), strategy, before_images, existing, identity_ranges));
  END IF;
  PERFORM steep_repl._warn_of_strategy("table", strategy);
  PERFORM steep_repl._reserve_everywhere(class.nspname, class.relname);
  identity_ranges := coalesce(identity_ranges, current_setting('steep_repl.identity_ranges')::boolean);
  IF identity_ranges THEN
    farthest := steep_repl._farthest_elsewhere("table");
  END IF;
  PERFORM steep_repl._join_table("table", coalesce(strategy, 'last_write_wins'), before_images);
  IF identity_ranges THEN
    PERFORM steep_repl._set_up_ranges("table", farthest);
  END IF;
  FOR link IN SELECT * FROM steep_repl.links l WHERE l.subscription IS NOT NULL LOOP
    PERFORM steep_repl._set_subscription_table(link.subscription, "table", 'r', 0);
  END LOOP;
  PERFORM steep_repl._say(class.nspname, class.relname, 'join', jsonb_build_object(
    'strategy', coalesce(strategy, 'last_write_wins'), 'before_images', before_images, 'existing', existing));
  UPDATE steep_repl.tables t SET announced = true WHERE t.relation = "table";
  PERFORM steep_repl._audit('table.add', 'table', format('%I.%I', class.nspname, class.relname), NULL,
                            jsonb_build_object('strategy', strategy, 'before_images', before_images, 'existing', existing, 'identity_ranges', identity_ranges));
  PERFORM steep_repl._wake_worker();
  RETURN CASE WHEN EXISTS (SELECT 1 FROM steep_repl.links l WHERE l.wanted <> 'remove') THEN 'joining' ELSE 'ready' END;
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS message = MESSAGE_TEXT;
  PERFORM steep_repl._audit_failure('table.add', 'table', "table"::text, message);
  RAISE;
END $$;
COMMENT ON FUNCTION steep_repl.add_table(regclass, text, boolean, text, boolean) IS
  'Replicates a table between this node and all that it is linked with, both ways; rows that only one node holds are copied. identity_ranges: ids of a key that come from a sequence go in ranges of each node (default: steep_repl.identity_ranges). Returns ready, or joining while peers take it over (replicated_tables()). Takes SHARE ROW EXCLUSIVE for a moment, ACCESS EXCLUSIVE when the replica identity changes or ids go in ranges, within steep_repl.lock_timeout. Definer: changes the publication. Errors: SR001, SR040, SR041, SR042, SR053, SR054.';

CREATE OR REPLACE FUNCTION steep_repl._join_table(relation regclass, strategy text, before_images boolean) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  identities jsonb := steep_repl._identities(relation);
BEGIN
  before_images := before_images AND steep_repl._before_images_possible(relation);
  PERFORM steep_repl._lock_table(relation, before_images);
  PERFORM steep_repl._identify(i, before_images) FROM steep_repl._identified(relation) i;
  PERFORM steep_repl._watch_rows(relation);
  PERFORM steep_repl._admit_writes(relation);
  EXECUTE format('ALTER PUBLICATION steep_repl ADD TABLE %s', steep_repl._source_of(relation));
  INSERT INTO steep_repl.tables (relation, table_schema, table_name, strategy, before_images, identities_before)
  SELECT relation, n.nspname, c.relname, strategy, before_images, identities
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = relation;
  DELETE FROM steep_repl.table_reservations r USING steep_repl.tables t
   WHERE t.relation = _join_table.relation AND (r.table_schema, r.table_name) = (t.table_schema, t.table_name);
  -- What was said of it while it was being copied.
  PERFORM steep_repl._take_strategy(t.table_schema, t.table_name) FROM steep_repl.tables t WHERE t.relation = _join_table.relation;
  PERFORM steep_repl._keep_changes(relation);
END $$;
COMMENT ON FUNCTION steep_repl._join_table(regclass, text, boolean) IS 'Sends the changes of a table from this point of the stream on. The lock keeps writers out until the transaction ends: changes of a transaction that had already written the table would be sent only from here on.';

CREATE OR REPLACE FUNCTION steep_repl._leaves(relation regclass) RETURNS SETOF regclass
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT relation WHERE NOT EXISTS (SELECT 1 FROM pg_class c WHERE c.oid = relation AND c.relkind = 'p')
  UNION ALL
  SELECT t.relid FROM pg_partition_tree(relation) t JOIN pg_class c ON c.oid = t.relid WHERE t.isleaf AND c.relkind = 'r';
END;
COMMENT ON FUNCTION steep_repl._leaves(regclass) IS 'The table itself, or the leaf partitions of a partitioned one.';

CREATE OR REPLACE FUNCTION steep_repl._lock_table(relation regclass, before_images boolean) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  before text := current_setting('lock_timeout');
  changes boolean := EXISTS (SELECT 1 FROM steep_repl._identified(relation) l JOIN pg_class c ON c.oid = l
                              WHERE NOT steep_repl._identity_fits(c.relreplident, before_images))
                     -- For the constraint of its ranges; not later, because two that hold a lock and want a higher one block each other.
                     OR EXISTS (SELECT 1 FROM steep_repl._range_column(relation))
                     -- The trigger that refuses writes is dropped.
                     OR EXISTS (SELECT 1 FROM pg_trigger g WHERE g.tgrelid = relation AND g.tgname = '!steep_repl_reinit');
BEGIN
  PERFORM set_config('lock_timeout', current_setting('steep_repl.lock_timeout'), true);
  EXECUTE format('LOCK TABLE %s IN %s MODE', steep_repl._source_of(relation),
                 CASE WHEN changes THEN 'ACCESS EXCLUSIVE' ELSE 'SHARE ROW EXCLUSIVE' END);
  PERFORM set_config('lock_timeout', before, true);
EXCEPTION WHEN lock_not_available THEN
  RAISE EXCEPTION USING ERRCODE = 'lock_not_available', MESSAGE = format('table %s is being used', relation),
    DETAIL = format('Held by: %s', steep_repl._lock_holders(relation, false)),
    HINT = 'Try again when those transactions have ended, or raise steep_repl.lock_timeout.';
END $$;
COMMENT ON FUNCTION steep_repl._lock_table(regclass, boolean) IS 'Keeps writers out of a table until the end of the transaction.';

CREATE OR REPLACE FUNCTION steep_repl._before_images_possible(relation regclass) RETURNS boolean
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  -- "Replica identity must not contain unpublished generated columns" (CheckCmdReplicaIdentity in execReplication.c), and
  -- a published one cannot be received where the column is generated too.
  SELECT NOT EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = relation AND a.attgenerated <> '' AND NOT a.attisdropped);
END;
COMMENT ON FUNCTION steep_repl._before_images_possible(regclass) IS 'Whether the whole row can be the replica identity: not with generated columns.';

CREATE OR REPLACE FUNCTION steep_repl.add_tables(schema text) RETURNS TABLE (table_name text, state text, reason text)
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  candidate record;
  detail text;
BEGIN
  PERFORM steep_repl._this_node();
  IF NOT EXISTS (SELECT 1 FROM pg_namespace n WHERE n.nspname = add_tables.schema) THEN
    RAISE EXCEPTION USING ERRCODE = 'invalid_schema_name', MESSAGE = format('schema %I does not exist', add_tables.schema);
  END IF;
  FOR candidate IN SELECT c.oid::regclass AS relation, c.relname::text AS name FROM pg_class c
                    WHERE c.relnamespace = (SELECT n.oid FROM pg_namespace n WHERE n.nspname = add_tables.schema)
                      AND c.relkind IN ('r', 'p', 'f') AND NOT c.relispartition ORDER BY c.relname
  LOOP
    table_name := candidate.name;
    reason := NULL;
    BEGIN
      state := steep_repl.add_table(candidate.relation);
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS reason = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
      reason := coalesce(nullif(detail, ''), reason);
      state := 'refused';
    END;
    RETURN NEXT;
  END LOOP;
END $$;
COMMENT ON FUNCTION steep_repl.add_tables(text) IS 'add_table for each table of a schema; a row for each, refused ones with the reason.';

CREATE OR REPLACE FUNCTION steep_repl.remove_table("table" regclass) RETURNS void
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  known steep_repl.tables;
BEGIN
  PERFORM steep_repl._this_node();
  SELECT * INTO known FROM steep_repl.tables t WHERE t.relation = "table";
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = 'SR043', MESSAGE = format('table %s is not replicated', "table"),
      HINT = 'SELECT * FROM steep_repl.replicated_tables() lists those that are.';
  END IF;
  IF NOT pg_has_role(session_user, (SELECT c.relowner FROM pg_class c WHERE c.oid = "table"), 'MEMBER') THEN
    RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege', MESSAGE = format('must be owner of table %s', "table");
  END IF;
  PERFORM steep_repl._say(known.table_schema, known.table_name, 'leave', '{}');
  PERFORM steep_repl._leave_table(known);
  PERFORM steep_repl._audit('table.remove', 'table', format('%I.%I', known.table_schema, known.table_name), to_jsonb(known), NULL);
END $$;
COMMENT ON FUNCTION steep_repl.remove_table(regclass) IS
  'Ends the replication of a table on all nodes, each at that point of the stream; rows stay where they are. Definer: changes the publication. Errors: SR043.';

CREATE OR REPLACE FUNCTION steep_repl._leave_table(known steep_repl.tables) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  link steep_repl.links;
BEGIN
  -- First: the event trigger would set the identities of a replicated table again.
  DELETE FROM steep_repl.tables t WHERE t.relation = (known).relation;
  FOR link IN SELECT * FROM steep_repl.links l WHERE l.subscription IS NOT NULL LOOP
    PERFORM steep_repl._remove_subscription_table(link.subscription, (known).relation);
  END LOOP;
  IF EXISTS (SELECT 1 FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid
              WHERE p.pubname = 'steep_repl' AND r.prrelid = (known).relation) THEN
    EXECUTE format('ALTER PUBLICATION steep_repl DROP TABLE %s', steep_repl._source_of((known).relation::regclass));
  END IF;
  IF EXISTS (SELECT 1 FROM pg_class c WHERE c.oid = (known).relation) THEN
    PERFORM steep_repl._unwatch_rows((known).relation::regclass);
    PERFORM steep_repl._unguard_ids((known).relation::regclass);
    PERFORM steep_repl._restore_identity(l, (known).identities_before->(l::oid::text)) FROM steep_repl._identified((known).relation::regclass) l;
  END IF;
  DELETE FROM steep_repl.tombstones s WHERE s.relation = (known).relation;
  DELETE FROM steep_repl.row_versions v WHERE v.relation = (known).relation;
  DELETE FROM steep_repl.row_changes c WHERE c.relation = (known).relation;
END $$;
COMMENT ON FUNCTION steep_repl._leave_table(steep_repl.tables) IS 'Takes a table out of the publication and all subscriptions of this node.';

CREATE OR REPLACE FUNCTION steep_repl.replicated_tables() RETURNS TABLE (
  table_schema text, table_name text, strategy text, before_images boolean, state text, reason text, rows_not_taken bigint, priority text[],
  delta_columns text[], resolver text)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  WITH latest AS (
    SELECT DISTINCT ON (e.node_id, e.table_schema, e.table_name) e.* FROM steep_repl.table_events e WHERE e.action IN ('join', 'ready', 'fail', 'leave')
     ORDER BY e.node_id, e.table_schema, e.table_name, e.seq DESC
  ), peers AS (
    SELECT l.peer FROM steep_repl.links l WHERE l.wanted <> 'remove'
  )
  SELECT t.table_schema::text, t.table_name::text, t.strategy, t.before_images,
         CASE WHEN bool_or(e.action = 'fail') THEN 'failed' WHEN bool_or(p.peer IS NOT NULL AND coalesce(e.action, '') NOT IN ('join', 'ready')) THEN 'joining' ELSE 'ready' END,
         string_agg(CASE WHEN e.action = 'fail' THEN format('%s: %s', p.peer, e.detail->>'reason')
                         WHEN p.peer IS NOT NULL AND coalesce(e.action, '') NOT IN ('join', 'ready') THEN format('%s has not taken it over yet', p.peer) END, '; '), 0, t.priority, t.delta_columns, t.resolver
    FROM steep_repl.tables t LEFT JOIN peers p ON true
    LEFT JOIN latest e ON e.node_id = p.peer AND e.table_schema = t.table_schema AND e.table_name = t.table_name
   GROUP BY t.relation, t.table_schema, t.table_name, t.strategy, t.before_images, t.priority, t.delta_columns, t.resolver
  UNION ALL
  SELECT i.table_schema::text, i.table_name::text, i.strategy, i.before_images,
         CASE i.state WHEN 'failed' THEN 'failed' ELSE 'copying' END, i.reason, i.rows_expected - i.rows_copied, NULL, NULL, NULL
    FROM (SELECT DISTINCT ON (x.table_schema, x.table_name) x.* FROM steep_repl.initialisation_tables x
           ORDER BY x.table_schema, x.table_name, x.id DESC) i
   WHERE i.state <> 'complete' AND NOT EXISTS (SELECT 1 FROM steep_repl.tables t WHERE t.table_schema = i.table_schema AND t.table_name = i.table_name)
   ORDER BY 1, 2;
END;
COMMENT ON FUNCTION steep_repl.replicated_tables() IS
  'The tables that this node replicates or is taking over. state: ready, joining (peers are taking it over), copying, failed; rows_not_taken: rows of the source still to be copied. Definer: reads the extension''s tables.';
