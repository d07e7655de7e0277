-- The time machine: what another strategy would have made of the conflicts that are in the log.

CREATE OR REPLACE FUNCTION steep_repl._replayed(entry steep_repl.conflicts, strategy text, priority text[]) RETURNS jsonb
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT CASE
      -- Always by time.
      WHEN (entry).conflict_type IN ('DELETE-INSERT', 'TRUNCATE-WRITE', 'UNIQUE') THEN v.later
      WHEN strategy = 'last_write_wins' THEN v.later
      WHEN strategy = 'first_write_wins' THEN v.earlier
      -- Delta columns belong to a table's setting, not to the strategy.
      WHEN strategy = 'column_merge' THEN coalesce((SELECT jsonb_object_agg(l.key, CASE WHEN l.value = (entry).base_tuple->l.key THEN v.earlier->l.key ELSE l.value END)
                                                      FROM jsonb_each(v.later) l WHERE (entry).base_tuple IS NOT NULL AND v.earlier IS NOT NULL), v.later)
      WHEN strategy = 'keep_local' THEN (entry).local_tuple
      WHEN strategy = 'apply_remote' THEN (entry).remote_tuple
      WHEN strategy = 'node_priority' THEN CASE sign(coalesce(array_position(priority, (entry).local_origin), 2147483647) - coalesce(array_position(priority, (entry).remote_origin), 2147483647)::bigint)
                                             WHEN -1 THEN (entry).local_tuple WHEN 1 THEN (entry).remote_tuple ELSE v.later END
    END
    FROM (SELECT CASE WHEN o.local_later THEN (entry).local_tuple ELSE (entry).remote_tuple END AS later,
                 CASE WHEN o.local_later THEN (entry).remote_tuple ELSE (entry).local_tuple END AS earlier
            FROM (SELECT ((entry).local_xact_ts, (entry).local_origin COLLATE "C") > ((entry).remote_xact_ts, (entry).remote_origin COLLATE "C") AS local_later) o) v;
END;
COMMENT ON FUNCTION steep_repl._replayed(steep_repl.conflicts, text, text[]) IS 'The row that a strategy leaves on this node after a logged conflict; NULL for none.';

CREATE OR REPLACE FUNCTION steep_repl.conflict_replay(
  p_strategy text, p_table text DEFAULT NULL, p_from timestamptz DEFAULT NULL, p_to timestamptz DEFAULT NULL, p_priority text[] DEFAULT NULL
) RETURNS TABLE (table_schema text, table_name text, conflict_type text, conflicts bigint, would_differ bigint, would_wait bigint, not_readable bigint, examples jsonb)
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  name text[] := steep_repl._table_name(p_table);
BEGIN
  IF p_strategy IS NULL OR p_strategy NOT IN (SELECT s.name FROM steep_repl.conflict_strategies() s) THEN
    RAISE EXCEPTION USING ERRCODE = 'SR041', MESSAGE = format('unknown strategy %s', coalesce('"' || p_strategy || '"', 'NULL')),
      HINT = 'Known: ' || (SELECT string_agg(s.name, ', ') FROM steep_repl.conflict_strategies() s);
  ELSIF p_strategy = 'function' THEN
    RAISE EXCEPTION USING ERRCODE = 'SR056', MESSAGE = 'function cannot be replayed', HINT = 'Call the function with the tuples of the entries that conflict_list() shows.';
  ELSIF p_strategy = 'node_priority' AND coalesce(cardinality(p_priority), 0) = 0 THEN
    RAISE EXCEPTION USING ERRCODE = 'SR053', MESSAGE = 'node_priority needs a list of nodes', HINT = 'For instance: p_priority => ''{a,b}''';
  END IF;
  RETURN QUERY
  SELECT e.table_schema, e.table_name, e.conflict_type, count(*), count(*) FILTER (WHERE e.differs AND NOT e.waits), count(*) FILTER (WHERE e.waits),
         count(*) FILTER (WHERE NOT e.tuples_visible),
         coalesce(jsonb_agg(jsonb_build_object('id', e.id, 'key', e.key, 'decided', e.decided, 'would_be', e.would_be) ORDER BY e.id DESC)
                  FILTER (WHERE e.differs AND NOT e.waits AND e.nth <= 3), '[]')
    FROM (
      SELECT c.*, r.would_be, d.decided, w.waits, c.tuples_visible AND NOT w.waits AND r.would_be IS DISTINCT FROM d.decided AS differs,
             row_number() OVER (PARTITION BY c.table_schema, c.table_name, c.conflict_type, r.would_be IS DISTINCT FROM d.decided ORDER BY c.id DESC) AS nth
        FROM steep_repl.conflicts c,
             LATERAL (SELECT steep_repl._replayed(c, p_strategy, p_priority) AS would_be) r,
             -- What stayed when it was decided; what a person made of it later is no matter of the strategy.
             LATERAL (SELECT CASE c.winner WHEN 'local' THEN c.local_tuple WHEN 'remote' THEN c.remote_tuple ELSE c.result END AS decided) d,
             LATERAL (SELECT p_strategy = 'manual' AND c.conflict_type NOT IN ('DELETE-INSERT', 'TRUNCATE-WRITE', 'UNIQUE') AS waits) w
       WHERE c.conflict_type NOT IN ('APPLY-ERROR', 'FK-ORPHAN') AND NOT c.possible AND c.local_origin IS NOT NULL AND c.remote_origin IS NOT NULL
         AND (name IS NULL OR c.table_name = name[cardinality(name)] AND (cardinality(name) = 1 OR c.table_schema = name[1]))
         AND (p_from IS NULL OR c.detected_at >= p_from) AND (p_to IS NULL OR c.detected_at < p_to)) e
   GROUP BY e.table_schema, e.table_name, e.conflict_type ORDER BY 1, 2, 3;
END $$;
COMMENT ON FUNCTION steep_repl.conflict_replay(text, text, timestamptz, timestamptz, text[]) IS
  'What another strategy would have decided about the conflicts that this node logged between two moments; changes nothing. would_differ: rows that would have ended otherwise, with up to three examples; would_wait: conflicts that would wait for a person; not_readable: of tables that the caller may not read. p_table: t or schema.t. Each conflict is replayed by itself, as if the ones before it had ended as they did. Not of conflicts between two other nodes, which are only possible ones here. Errors: SR041, SR052, SR053, SR056.';
