-- What speaks against replicating a table.

CREATE OR REPLACE FUNCTION steep_repl._columns(relation oid) RETURNS jsonb
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  -- By name: the order may differ between nodes, and dropped columns leave holes.
  SELECT coalesce(jsonb_object_agg(a.attname, format_type(a.atttypid, a.atttypmod)
           || CASE a.attgenerated WHEN '' THEN '' ELSE ' generated' END), '{}')
    FROM pg_attribute a WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped;
END;
COMMENT ON FUNCTION steep_repl._columns(oid) IS 'The columns of a table with their types, as a JSON object.';

CREATE OR REPLACE FUNCTION steep_repl._column_problem(mine jsonb, theirs jsonb, me text, peer text) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT string_agg(steep_repl._difference(d.object, d.property, d.local, d.remote, me, peer), '; ')
    FROM steep_repl._definition_differences(
           jsonb_build_object('columns', (SELECT jsonb_agg(jsonb_build_object('name', c.key, 'type', c.value) ORDER BY c.key) FROM jsonb_each_text(mine) c)),
           jsonb_build_object('columns', (SELECT jsonb_agg(jsonb_build_object('name', c.key, 'type', c.value) ORDER BY c.key) FROM jsonb_each_text(theirs) c))) d;
END;
COMMENT ON FUNCTION steep_repl._column_problem(jsonb, jsonb, text, text) IS
  'Where the columns of two tables differ, as schema_diff() says it, of what _columns() has of them: what else differs does not keep a table from replicating.';

CREATE OR REPLACE FUNCTION steep_repl._table_problems(relation oid, before_images boolean) RETURNS TABLE (problem text, remedy text)
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  class pg_class;
  keyed boolean;
BEGIN
  SELECT * INTO class FROM pg_class c WHERE c.oid = relation;
  IF NOT FOUND THEN
    RETURN QUERY SELECT 'the table does not exist', 'Create it first, on all nodes.';
    RETURN;
  END IF;
  SELECT EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = relation AND i.indisprimary) INTO keyed;
  RETURN QUERY
  SELECT 'it is a ' || CASE class.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'f' THEN 'foreign table'
                            WHEN 'S' THEN 'sequence' WHEN 'c' THEN 'composite type' ELSE 'relation of kind ' || class.relkind::text END,
         'Only tables replicate.'
   WHERE class.relkind NOT IN ('r', 'p')
  UNION ALL SELECT 'it is unlogged, its changes are not in the WAL', 'ALTER TABLE … SET LOGGED' WHERE class.relpersistence = 'u'
  UNION ALL SELECT 'it is temporary', 'Only permanent tables replicate.' WHERE class.relpersistence = 't'
  UNION ALL SELECT 'it belongs to the system or to steep_repl', 'Only tables of your own replicate.'
   WHERE class.relnamespace IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace, 'steep_repl'::regnamespace)
  UNION ALL SELECT 'it is a partition', format('Add its root: SELECT steep_repl.add_table(%L)', pg_partition_root(relation)::regclass)
   WHERE class.relispartition
  UNION ALL SELECT 'FORCE ROW LEVEL SECURITY would stop the apply worker, which writes as the table''s owner',
                   'ALTER TABLE … NO FORCE ROW LEVEL SECURITY' WHERE class.relforcerowsecurity
  UNION ALL SELECT format('trigger %I is deferrable and fires in the apply worker, which cannot fire it', t.tgname),
                   format('ALTER TABLE … ENABLE TRIGGER %I (not REPLICA or ALWAYS), or make it not deferrable', t.tgname)
              FROM pg_trigger t WHERE t.tgrelid = relation AND t.tgdeferrable AND t.tgenabled IN ('R', 'A') AND NOT t.tgisinternal
  UNION ALL SELECT 'it has neither a primary key nor before-images, so its rows cannot be told apart',
                   'Add a primary key, or leave before_images on.' WHERE NOT keyed AND NOT before_images
  UNION ALL SELECT format('column %I of type %s has no equality and there is no primary key, so its rows cannot be found again', a.attname, format_type(a.atttypid, NULL)),
                   'Add a primary key.'
              FROM pg_attribute a WHERE NOT keyed AND a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped
               AND a.attgenerated = '' AND NOT steep_repl._has_equality(a.atttypid)
  UNION ALL SELECT format('it has the generated column %I and no primary key: its rows cannot be told apart', a.attname), 'Add a primary key.'
              FROM pg_attribute a WHERE NOT keyed AND a.attrelid = relation AND a.attgenerated <> '' AND NOT a.attisdropped
  UNION ALL SELECT format('constraint %I is an exclusion, which the apply worker cannot decide', c.conname), 'Drop it on all nodes, or express it as a unique index.'
              FROM pg_constraint c WHERE c.conrelid IN (SELECT relation UNION SELECT t.relid FROM pg_partition_tree(relation) t)
               AND (c.contype = 'x' OR c.conperiod AND c.contype IN ('p', 'u'))
  UNION ALL SELECT format('column %I, by which rows are found, is of type %s, which has a domain inside', a.attname, format_type(a.atttypid, NULL)),
                   'Use the type below the domain inside. A column whose type itself is a domain is fine.'
              FROM pg_attribute a WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped
               AND steep_repl._holds_domain(steep_repl._plain_type(a.atttypid, a.atttypmod)::regtype)
               AND (EXISTS (SELECT FROM pg_index i WHERE i.indrelid = relation AND i.indisprimary AND a.attnum = ANY (i.indkey::int2[]))
                    OR EXISTS (SELECT FROM pg_constraint c WHERE c.contype = 'f' AND (c.conrelid = relation AND a.attnum = ANY (c.conkey) OR c.confrelid = relation AND a.attnum = ANY (c.confkey))))
  UNION ALL SELECT 'its primary key is deferrable, by which the apply worker cannot find rows', 'Make the primary key NOT DEFERRABLE.'
              FROM pg_index i WHERE i.indrelid = relation AND i.indisprimary AND NOT i.indimmediate
  UNION ALL SELECT format('it is stored by access method %s', m.amname), 'ALTER TABLE … SET ACCESS METHOD heap'
              FROM pg_am m WHERE m.oid = class.relam AND m.amname <> 'heap'
  UNION ALL SELECT 'it is a partitioned table with a foreign table as partition', 'Detach the foreign partition.'
   WHERE class.relkind = 'p' AND EXISTS (SELECT 1 FROM pg_partition_tree(relation) t JOIN pg_class c ON c.oid = t.relid WHERE c.relkind = 'f')
  UNION ALL SELECT 'it is a partitioned table with an unlogged partition', 'ALTER TABLE … SET LOGGED on the partition.'
   WHERE class.relkind = 'p' AND EXISTS (SELECT 1 FROM pg_partition_tree(relation) t JOIN pg_class c ON c.oid = t.relid WHERE c.relpersistence = 'u');
END $$;
COMMENT ON FUNCTION steep_repl._table_problems(oid, boolean) IS 'All that speaks against replicating a table.';

CREATE OR REPLACE FUNCTION steep_repl._refuse_problems(relation regclass, before_images boolean) RETURNS void
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  problems text := (SELECT string_agg(p.problem || '. ' || p.remedy, '; ')
                      FROM steep_repl._table_problems(_refuse_problems.relation, _refuse_problems.before_images) p);
BEGIN
  IF problems IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'SR042', MESSAGE = format('table %s: %s', relation, problems);
  END IF;
END $$;
COMMENT ON FUNCTION steep_repl._refuse_problems(regclass, boolean) IS 'Error SR042 with all that speaks against replicating a table.';

CREATE OR REPLACE FUNCTION steep_repl._has_equality(type oid) RETURNS boolean
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  -- A default btree or hash operator class for the type, what it is a domain over or an array of, or a polymorphic kind.
  SELECT CASE
    WHEN t.typtype = 'd' THEN steep_repl._has_equality(t.typbasetype)
    WHEN t.typcategory = 'A' AND t.typelem <> 0 THEN steep_repl._has_equality(t.typelem)
    WHEN t.typtype IN ('e', 'r', 'm') THEN true
    WHEN t.typtype = 'c' THEN NOT EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = t.typrelid AND a.attnum > 0
                                           AND NOT a.attisdropped AND NOT steep_repl._has_equality(a.atttypid))
    ELSE EXISTS (SELECT 1 FROM pg_opclass o JOIN pg_am m ON m.oid = o.opcmethod
                  WHERE o.opcdefault AND m.amname IN ('btree', 'hash')
                    AND (o.opcintype = t.oid OR EXISTS (SELECT 1 FROM pg_cast c WHERE c.castsource = t.oid
                                                          AND c.casttarget = o.opcintype AND c.castmethod = 'b'
                                                          AND c.castcontext = 'i')))
  END FROM pg_type t WHERE t.oid = type;
$$;
COMMENT ON FUNCTION steep_repl._has_equality(oid) IS 'Whether values of a type can be compared for equality (typcache.c).';

CREATE OR REPLACE FUNCTION steep_repl._holds_rows(relation regclass) RETURNS boolean
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  found_one boolean;
BEGIN
  EXECUTE format('SELECT EXISTS (SELECT 1 FROM %s)', steep_repl._source_of(relation)) INTO found_one;
  RETURN found_one;
END $$;
COMMENT ON FUNCTION steep_repl._holds_rows(regclass) IS 'Whether a table holds a row.';

CREATE OR REPLACE FUNCTION steep_repl._source_of(relation regclass) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  -- Tables that inherit from it in the old way replicate by themselves; partitions belong to their root.
  RETURN (SELECT CASE c.relkind WHEN 'p' THEN '' ELSE 'ONLY ' END || relation::text FROM pg_class c WHERE c.oid = relation);
COMMENT ON FUNCTION steep_repl._source_of(regclass) IS 'A table as it stands in FROM, LOCK and publications.';

CREATE OR REPLACE FUNCTION steep_repl._content_hash(relation regclass) RETURNS text
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET datestyle = 'ISO, YMD' SET timezone = 'UTC'
  SET extra_float_digits = 3 SET bytea_output = 'hex' SET intervalstyle = 'postgres' AS $$
DECLARE
  columns text;
  hash text;
BEGIN
  -- No views, whose functions would run as the owner of this one; and no way to read what one may not read.
  IF NOT EXISTS (SELECT 1 FROM pg_class c WHERE c.oid = relation AND c.relkind IN ('r', 'p'))
     OR NOT (EXISTS (SELECT 1 FROM steep_repl.tables t WHERE t.relation = _content_hash.relation)
             OR has_table_privilege(session_user, relation, 'SELECT')) THEN
    RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege', MESSAGE = format('no right to hash the rows of %s', relation);
  END IF;
  SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attname COLLATE "C") INTO columns
    FROM pg_attribute a WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '';
  -- A sum over the rows, so that their order does not matter; 128 bits in two halves.
  EXECUTE format($q$SELECT count(*) || '/' || coalesce(sum(('x' || left(h, 16))::bit(64)::bigint), 0) || '/'
                        || coalesce(sum(('x' || right(h, 16))::bit(64)::bigint), 0)
                   FROM (SELECT md5(ROW(%s)::text) AS h FROM %s) rows$q$, columns, steep_repl._source_of(relation)) INTO hash;
  RETURN hash;
END $$;
COMMENT ON FUNCTION steep_repl._content_hash(regclass) IS 'Row count and a hash of all rows of a table, the same on every node that holds the same rows. Definer: reads the table.';

CREATE OR REPLACE FUNCTION steep_repl._lock_holders(relation oid, against_readers boolean) RETURNS text
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  -- Not pg_partition_tree(), which waits for the lock itself.
  WITH RECURSIVE tree AS (
    SELECT relation AS oid
    UNION ALL
    SELECT i.inhrelid FROM tree JOIN pg_inherits i ON i.inhparent = tree.oid
  )
  SELECT coalesce(string_agg(DISTINCT coalesce(format('pid %s (%s)', l.pid, concat_ws(', ', a.usename, nullif(a.application_name, ''))), 'a prepared transaction'), ', '), 'nobody any more')
    FROM pg_locks l LEFT JOIN pg_stat_activity a USING (pid)
   WHERE l.locktype = 'relation' AND l.relation IN (SELECT tree.oid FROM tree) AND l.granted AND l.pid IS DISTINCT FROM pg_backend_pid()
     AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
     AND (l.mode = 'AccessExclusiveLock' OR NOT against_readers);
END;
COMMENT ON FUNCTION steep_repl._lock_holders(oid, boolean) IS 'Who holds a table or its partitions, against readers or at all.';

CREATE OR REPLACE FUNCTION steep_repl._describe_table(schema_name text, table_name text, before_images boolean) RETURNS jsonb
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  relation_oid oid;
  kind "char";
  answer jsonb;
  holders text;
  before text := current_setting('lock_timeout');
BEGIN
  SELECT c.oid, c.relkind INTO relation_oid, kind FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE n.nspname = schema_name AND c.relname = table_name;
  IF relation_oid IS NULL THEN
    RETURN jsonb_build_object('exists', false);
  END IF;
  answer := jsonb_build_object('exists', true, 'relation', relation_oid, 'columns', steep_repl._columns(relation_oid),
    'joined', EXISTS (SELECT 1 FROM steep_repl.tables t WHERE t.relation = relation_oid));
  BEGIN
    -- Before the peer that asks runs out of patience (_peer_value).
    PERFORM set_config('lock_timeout', (extract(epoch FROM least(current_setting('steep_repl.lock_timeout')::interval, interval '10 seconds')) * 1000)::integer::text, true);
    answer := answer || jsonb_build_object(
      'problems', (SELECT coalesce(jsonb_agg(p.problem || '. ' || p.remedy), '[]') FROM steep_repl._table_problems(relation_oid, before_images) p),
      'holds_rows', CASE WHEN kind IN ('r', 'p') THEN steep_repl._holds_rows(relation_oid::regclass) ELSE false END);
    PERFORM set_config('lock_timeout', before, true);
    RETURN answer;
  EXCEPTION WHEN lock_not_available THEN
    holders := steep_repl._lock_holders(relation_oid, true);
    RETURN answer || jsonb_build_object('locked_by', holders, 'holds_rows', false, 'problems',
      jsonb_build_array(format('%I.%I is locked by %s. Try again when that transaction has ended', schema_name, table_name, holders)));
  END;
END $$;
COMMENT ON FUNCTION steep_repl._describe_table(text, text, boolean) IS
  'What a peer must know of a table here before it joins; locked_by when somebody keeps even readers out. Definer: looks into the table.';
