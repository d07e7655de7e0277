-- The log of conflicts, to read.
--
-- What a conflict was about is for those who may see the rows of the table it happened in; that it happened, and how it
-- ended, is for every viewer. No row of the log is hidden, only cells, and by the expression of the cell itself: the view
-- needs no security_barrier, which would make "the newest 50" read the whole log. Functions in a view run as its caller,
-- so has_table_privilege() asks for the role that reads, whatever SET ROLE or SECURITY DEFINER made it.

CREATE OR REPLACE FUNCTION steep_repl._reads_all(relation oid, role oid) RETURNS boolean
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET plan_cache_mode = auto AS $$
BEGIN
  RETURN coalesce((
    SELECT has_schema_privilege(role, c.relnamespace, 'USAGE') AND (NOT c.relrowsecurity OR NOT steep_repl._hides_rows(c.oid, role))
           AND (has_table_privilege(role, c.oid, 'SELECT')
                -- All columns, one by one. The log also has values of columns that were dropped.
                OR (SELECT bool_and(coalesce(has_column_privilege(role, c.oid, a.attnum, 'SELECT'), false))
                      FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0))
      FROM pg_class c WHERE c.oid = relation), false);
END $$;
COMMENT ON FUNCTION steep_repl._reads_all(oid, oid) IS
  'Whether a role may see all rows and columns of a table: SELECT on it or on every column, and no row level security for it. False when there is no such table.';

CREATE OR REPLACE FUNCTION steep_repl._may_read(relation oid, schema_name text, table_name text) RETURNS boolean
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET plan_cache_mode = auto AS $$
-- Called for every cell: so a language that keeps its plans, and a mode that does, also below conflict_list.
#variable_conflict use_variable
DECLARE
  id oid := relation;
BEGIN
  IF pg_has_role((SELECT c.relowner FROM pg_class c WHERE c.oid = 'steep_repl.conflict_log'::regclass), 'USAGE') THEN
    RETURN true;
  END IF;
  IF id IS NULL THEN
    SELECT c.oid INTO id FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = schema_name AND c.relname = table_name;
  END IF;
  RETURN steep_repl._reads_all(id, quote_ident(current_user)::regrole);
END $$;
COMMENT ON FUNCTION steep_repl._may_read(oid, text, text) IS
  'Whether its caller may see all rows and columns of a table: SELECT on it or on every column, and no row level security for him.';

-- Whoever has SELECT on the table itself, as members of pg_read_all_data have, sees there what the view would show him and no
-- more: that role reads every table, but not past row level security.
DROP POLICY IF EXISTS who_may_read ON steep_repl.conflict_log;
CREATE POLICY who_may_read ON steep_repl.conflict_log FOR SELECT USING (steep_repl._may_read(relation, table_schema, table_name));
ALTER TABLE steep_repl.conflict_log ENABLE ROW LEVEL SECURITY;

CREATE OR REPLACE VIEW steep_repl.conflicts AS
  SELECT l.id, l.detected_at, l.subscription, l.table_schema, l.table_name, l.conflict_type,
         CASE WHEN m.visible THEN l.local_tuple END AS local_tuple, CASE WHEN m.visible THEN l.remote_tuple END AS remote_tuple,
         l.local_origin, l.remote_origin, l.local_xact_ts, l.remote_xact_ts, l.origin_xid, l.resolution, l.resolved_at, l.resolved_by,
         l.peer, CASE WHEN m.visible THEN l.conflict_key END AS conflict_key, CASE WHEN m.visible THEN l.key END AS key,
         CASE WHEN m.visible THEN l.key_id END AS key_id, CASE WHEN m.visible THEN l.base_tuple END AS base_tuple,
         CASE WHEN m.visible THEN l.result END AS result, l.strategy, l.winner, l.possible, l.remote_lsn, l.sqlstate,
         CASE WHEN m.visible THEN l.error END AS error, CASE WHEN m.visible THEN l.reason END AS reason,
         l.converged_at, l.not_converged_reason, l.proofs, l.next_proof, m.visible AS tuples_visible
    FROM steep_repl.conflict_log l,
         LATERAL (SELECT steep_repl._may_read(l.relation, l.table_schema, l.table_name) AS visible) m;
COMMENT ON VIEW steep_repl.conflicts IS 'The entries of conflict_log; tuples, keys, errors and reasons only for those who may read the table, see tuples_visible.';

CREATE OR REPLACE FUNCTION steep_repl._table_name(given text) RETURNS text[]
  LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  name text[] := parse_ident(given);
BEGIN
  IF cardinality(name) > 2 THEN
    RAISE EXCEPTION USING ERRCODE = 'SR052', MESSAGE = format('%s is not the name of a table', given), HINT = 'Write it as t or schema.t.';
  END IF;
  RETURN name;
END $$;
COMMENT ON FUNCTION steep_repl._table_name(text) IS 'The parts of the name of a table, t or schema.t, for a filter; NULL for none. Errors: SR052.';

CREATE OR REPLACE FUNCTION steep_repl.conflict_list(
  p_table text DEFAULT NULL, p_kind text DEFAULT NULL, p_peer text DEFAULT NULL, p_resolution text DEFAULT NULL,
  p_unproven boolean DEFAULT false, p_since timestamptz DEFAULT NULL, p_limit integer DEFAULT 100
) RETURNS SETOF steep_repl.conflicts
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan AS $$
-- Planned for the filters that are given.
DECLARE
  kinds text[] := '{INSERT-INSERT,UPDATE-UPDATE,UPDATE-DELETE,DELETE-INSERT,KEY-UPDATE,UNIQUE,TRUNCATE-WRITE,APPLY-ERROR,FK-ORPHAN}';
  resolutions text[] := '{PENDING,APPLIED_REMOTE,KEPT_LOCAL,MERGED,REVERTED}';
  name text[] := steep_repl._table_name(p_table);
BEGIN
  IF upper(p_kind) <> ALL (kinds) THEN
    RAISE EXCEPTION USING ERRCODE = 'SR052', MESSAGE = format('unknown kind of conflict %s', p_kind),
      HINT = 'Known: ' || array_to_string(kinds, ', ');
  ELSIF upper(p_resolution) <> ALL (resolutions) THEN
    RAISE EXCEPTION USING ERRCODE = 'SR052', MESSAGE = format('unknown resolution %s', p_resolution),
      HINT = 'Known: ' || array_to_string(resolutions, ', ');
  END IF;
  RETURN QUERY
  SELECT c.* FROM steep_repl.conflicts c
   WHERE (name IS NULL OR c.table_name = name[cardinality(name)] AND (cardinality(name) = 1 OR c.table_schema = name[1]))
     AND (p_kind IS NULL OR c.conflict_type = upper(p_kind))
     AND (p_peer IS NULL OR c.peer = p_peer)
     AND (p_resolution IS NULL OR c.resolution = upper(p_resolution))
     AND (p_unproven IS NOT TRUE OR c.converged_at IS NULL)
     AND (p_since IS NULL OR c.detected_at >= p_since)
   ORDER BY c.id DESC LIMIT greatest(p_limit, 0);
END $$;
COMMENT ON FUNCTION steep_repl.conflict_list(text, text, text, text, boolean, timestamptz, integer) IS
  'Conflicts that this node logged and that fit all filters given, newest first. p_table: t or schema.t; p_unproven: only those of which it is not yet known that all nodes agree. Tuples, keys, errors and reasons only for those who may read the table. Errors: SR052.';

CREATE OR REPLACE FUNCTION steep_repl._conflicts_of_key(conflict_id bigint, newest integer) RETURNS SETOF bigint
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT o.id FROM steep_repl.conflict_log e
    JOIN steep_repl.conflict_log o ON o.key_id = e.key_id AND o.table_schema = e.table_schema AND o.table_name = e.table_name
   WHERE e.id = conflict_id ORDER BY o.id DESC LIMIT newest;
END;
COMMENT ON FUNCTION steep_repl._conflicts_of_key(bigint, integer) IS
  'The newest entries with the table and key of an entry. Definer: by the index on key_id, which the view conflicts may hide; that entries share a key is not what the key is.';

CREATE OR REPLACE FUNCTION steep_repl.conflict_show(p_conflict_id bigint, p_history integer DEFAULT 1000) RETURNS SETOF steep_repl.conflicts
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN QUERY
  SELECT c.* FROM steep_repl.conflicts c
   WHERE c.id = ANY (ARRAY(SELECT steep_repl._conflicts_of_key(p_conflict_id, p_history)) || p_conflict_id)
   ORDER BY c.id;
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = 'SR050', MESSAGE = format('this node has no conflict with the id %s', p_conflict_id),
      HINT = 'SELECT * FROM steep_repl.conflict_list() lists them; ids differ from node to node, and old entries are pruned.';
  END IF;
END $$;
COMMENT ON FUNCTION steep_repl.conflict_show(bigint, integer) IS
  'A conflict with the history of its key: the entry itself and the newest entries of the same table and key, oldest first. The twins of an entry on other nodes have the same conflict_key. Tuples, keys, errors and reasons only for those who may read the table. Errors: SR050.';

CREATE OR REPLACE FUNCTION steep_repl.conflict_stats() RETURNS TABLE (
  conflict_type text, table_schema text, table_name text, peer text, total bigint, last_hour bigint, last_day bigint,
  per_minute double precision, pending bigint, unproven bigint, possible bigint, last_at timestamptz,
  native_insert_exists bigint, native_update_exists bigint, native_update_origin_differs bigint, native_update_missing bigint,
  native_delete_origin_differs bigint, native_delete_missing bigint, native_multiple_unique bigint, native_apply_errors bigint)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  WITH counts AS (
    SELECT l.conflict_type, l.table_schema, l.table_name, l.peer, count(*) AS total,
           count(*) FILTER (WHERE l.detected_at > now() - interval '1 hour') AS last_hour,
           count(*) FILTER (WHERE l.detected_at > now() - interval '1 day') AS last_day,
           count(*) FILTER (WHERE l.detected_at > now() - interval '5 minutes') / 5.0::double precision AS per_minute,
           count(*) FILTER (WHERE l.resolution = 'PENDING') AS pending, count(*) FILTER (WHERE l.converged_at IS NULL) AS unproven,
           count(*) FILTER (WHERE l.possible) AS possible, max(l.detected_at) AS last_at
      FROM steep_repl.conflict_log l GROUP BY l.conflict_type, l.table_schema, l.table_name, l.peer
  )
  SELECT c.*, s.confl_insert_exists, s.confl_update_exists, s.confl_update_origin_differs, s.confl_update_missing,
         s.confl_delete_origin_differs, s.confl_delete_missing, s.confl_multiple_unique_conflicts, s.apply_error_count
    FROM counts c LEFT JOIN steep_repl.links k ON k.peer = c.peer LEFT JOIN pg_stat_subscription_stats s ON s.subid = k.subscription
   ORDER BY c.table_schema, c.table_name, c.conflict_type, c.peer;
END;
COMMENT ON FUNCTION steep_repl.conflict_stats() IS
  'Conflicts that this node logged, counted by kind, table and peer. per_minute is that of the last five minutes. native_…: what PostgreSQL counted on the whole stream of that peer (pg_stat_subscription_stats); update_origin_differs also counts updates that are no conflict. Definer: reads the log and the links; shows no rows.';
