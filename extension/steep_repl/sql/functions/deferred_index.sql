-- Indexes that are built when a snapshot has been loaded (src/snapshot/deferred.rs). Meanwhile they are what CREATE INDEX
-- CONCURRENTLY leaves behind when it fails: kept up to by nobody, used by no query.

CREATE OR REPLACE FUNCTION steep_repl._fires_triggers(relation oid) RETURNS boolean
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT EXISTS (SELECT 1 FROM pg_trigger t WHERE t.tgrelid = relation AND t.tgenabled IN ('A', 'R'));
END;
COMMENT ON FUNCTION steep_repl._fires_triggers(oid) IS 'Whether triggers fire when replication, or a snapshot that is loaded, writes to a table.';

-- Members of a lock group do not wait for each other's locks on pages and transactions. GIN would be cleaned up by two at once, who
-- each take themselves for the only one (ginInsertCleanup in src/backend/access/gin/ginfast.c); and of two whose triggers wait for each
-- other's rows both would wait for ever (XactLockTableWait in src/backend/storage/lmgr/lmgr.c).
CREATE OR REPLACE FUNCTION steep_repl._streams_meet(relation oid) RETURNS boolean
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT steep_repl._fires_triggers(relation)
      OR EXISTS (SELECT 1 FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am m ON m.oid = c.relam WHERE i.indrelid = relation AND m.amname = 'gin');
END;
COMMENT ON FUNCTION steep_repl._streams_meet(oid) IS 'Whether several processes of one lock group must not write at once to a table and to others of its kind.';

CREATE OR REPLACE FUNCTION steep_repl._indexes_defer(work_id bigint, relation oid) RETURNS bigint
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  deferred bigint;
BEGIN
  -- Against writers, who would find nothing that keeps values unique; and only when nobody else has written before.
  IF NOT EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = _indexes_defer.relation) OR steep_repl._fires_triggers(_indexes_defer.relation)
     OR steep_repl._lock_plain_table(_indexes_defer.relation, 'SHARE ROW EXCLUSIVE', '3s') IS NULL
     OR steep_repl._holds_rows(_indexes_defer.relation)
        AND NOT EXISTS (SELECT 1 FROM steep_repl.loaded_pieces p WHERE p.work_id = _indexes_defer.work_id AND p.relation = _indexes_defer.relation) THEN
    RETURN 0;
  END IF;
  WITH changed AS (
    UPDATE pg_index i SET indisvalid = false, indisready = false
     WHERE i.indrelid = _indexes_defer.relation AND i.indisvalid AND i.indisready AND i.indislive RETURNING i.indexrelid
  ), noted AS (INSERT INTO steep_repl.deferred_indexes (index, work_id) SELECT c.indexrelid, _indexes_defer.work_id FROM changed c RETURNING 1)
  SELECT count(*) INTO deferred FROM noted;
  -- What processes know of a table says which index is its key; a change of the index alone does not tell them.
  PERFORM steep_repl._describe_anew(_indexes_defer.relation);
  RETURN deferred;
END $$;
COMMENT ON FUNCTION steep_repl._indexes_defer(bigint, oid) IS
  'Has the indexes of a table not used and not kept up to date until they are built, and keeps others from writing to it until the end of the transaction; how many. 0 when it holds rows of others, or triggers fire while it is loaded. Errors: 55P03 somebody writes to it.';

CREATE OR REPLACE FUNCTION steep_repl._indexes_deferred(work_id bigint) RETURNS TABLE (index oid, bytes bigint)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT d.index, coalesce(pg_relation_size(i.indrelid::regclass), 0) FROM steep_repl.deferred_indexes d LEFT JOIN pg_index i ON i.indexrelid = d.index
   WHERE d.work_id = _indexes_deferred.work_id ORDER BY 2 DESC, 1;
END;
COMMENT ON FUNCTION steep_repl._indexes_deferred(bigint) IS 'The indexes that are still to be built for a load, also such as are gone, and the size of their tables.';

CREATE OR REPLACE FUNCTION steep_repl._index_name(index oid) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT format('%I.%I', n.nspname, c.relname) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE i.indexrelid = _index_name.index AND NOT (i.indisvalid AND i.indisready);
END;
COMMENT ON FUNCTION steep_repl._index_name(oid) IS 'The name of an index that is to be built; NULL when it is gone, or has been built by somebody else.';

CREATE OR REPLACE FUNCTION steep_repl._index_built(index oid) RETURNS void
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  DELETE FROM steep_repl.deferred_indexes d WHERE d.index = _index_built.index;
END;
COMMENT ON FUNCTION steep_repl._index_built(oid) IS 'Notes that an index need not be built any more.';

CREATE OR REPLACE FUNCTION steep_repl._indexes_missing() RETURNS TABLE (work_id bigint, indexes text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT d.work_id, string_agg(steep_repl._index_name(d.index), ', ' ORDER BY d.index) FROM steep_repl.deferred_indexes d
   WHERE NOT EXISTS (SELECT 1 FROM steep_repl.work_queue q WHERE q.id = d.work_id AND q.state = 'running') AND steep_repl._index_name(d.index) IS NOT NULL GROUP BY d.work_id;
END;
COMMENT ON FUNCTION steep_repl._indexes_missing() IS 'Indexes that are not used, and that nobody is building.';

CREATE OR REPLACE FUNCTION steep_repl._indexes_unbuilt(relation oid) RETURNS TABLE (name text, indexes text, work text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  -- Rows can come by way of what the table is a partition of, or inherits from.
  WITH RECURSIVE below(oid) AS (SELECT relation UNION SELECT i.inhrelid FROM below b JOIN pg_inherits i ON i.inhparent = b.oid)
  SELECT i.indrelid::regclass::text, string_agg(d.index::regclass::text, ', ' ORDER BY d.index), format('Work %s, which has loaded a snapshot into it, is %s.', d.work_id, coalesce(q.state, 'unknown'))
    FROM steep_repl.deferred_indexes d JOIN pg_index i ON i.indexrelid = d.index JOIN below b ON b.oid = i.indrelid LEFT JOIN steep_repl.work_queue q ON q.id = d.work_id
   WHERE (i.indisunique OR i.indisexclusion) AND NOT (i.indisvalid AND i.indisready) GROUP BY i.indrelid, d.work_id, q.state LIMIT 1;
END;
COMMENT ON FUNCTION steep_repl._indexes_unbuilt(oid) IS 'A table that takes no rows, that one or one of which it consists: a load has deferred indexes that keep its values unique, and nobody has built them yet.';
