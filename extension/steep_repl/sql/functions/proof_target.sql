-- To what nodes that differ in a row after a conflict are brought, and what has to be waited for before.

CREATE OR REPLACE FUNCTION steep_repl._same_state(one jsonb, other jsonb) RETURNS boolean
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  -- Of keys without a row a node may have forgotten the deletion; of equal rows, who wrote them.
  RETURN one->'hash' IS NOT DISTINCT FROM other->'hash' AND coalesce((one->>'unknown')::boolean, false) = coalesce((other->>'unknown')::boolean, false)
     AND (one->>'hash' IS NULL OR one->>'micros' IS NULL OR other->>'micros' IS NULL
          OR (one->'micros', one->'node') IS NOT DISTINCT FROM (other->'micros', other->'node'));
COMMENT ON FUNCTION steep_repl._same_state(jsonb, jsonb) IS 'Whether two nodes hold the same under a key.';

CREATE OR REPLACE FUNCTION steep_repl._proof_rule(item jsonb, mine jsonb, states jsonb) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  -- What cannot be applied, or lost a unique value, is brought to the latest under every strategy. All nodes must come to the
  -- same rule, also those that have logged nothing: so what each has logged is part of its state.
  WITH every AS (SELECT mine AS state UNION ALL SELECT s.value FROM jsonb_each(states) s)
  SELECT coalesce((SELECT t.strategy FROM steep_repl.tables t
    WHERE t.table_schema = item->>'schema' AND t.table_name = item->>'table' AND steep_repl._earlier_may_stay(t)
      AND EXISTS (SELECT 1 FROM every e WHERE e.state->>'dispute' = 'strategy')
      AND NOT EXISTS (SELECT 1 FROM every e WHERE e.state->>'dispute' = 'error' OR (e.state->>'displaced')::boolean)),
    -- Rows that are as late may differ while changes are on their way.
    (SELECT 'fold' FROM steep_repl.tables t WHERE t.table_schema = item->>'schema' AND t.table_name = item->>'table' AND steep_repl._folds(t)),
    'last_write_wins');
END;
COMMENT ON FUNCTION steep_repl._proof_rule(jsonb, jsonb, jsonb) IS 'The rule by which nodes that differ in a row come together.';

CREATE OR REPLACE FUNCTION steep_repl._proof_target(item jsonb, mine jsonb, states jsonb, rule text) RETURNS TABLE (source text, state jsonb)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  WITH candidates AS (
    SELECT s.key AS source, s.value AS state, (s.value->>'micros')::bigint AS micros, s.value->>'node' COLLATE "C" AS node FROM jsonb_each(states) s
    UNION ALL SELECT NULL, mine, (mine->>'micros')::bigint, mine->>'node' COLLATE "C"
  ), best AS (
    SELECT c.source, c.state FROM candidates c WHERE c.micros IS NOT NULL
     ORDER BY CASE rule WHEN 'node_priority' THEN coalesce(array_position((SELECT t.priority FROM steep_repl.tables t WHERE t.table_schema = item->>'schema' AND t.table_name = item->>'table'), c.node), 2147483647) END,
              CASE rule WHEN 'first_write_wins' THEN -c.micros ELSE c.micros END DESC,
              CASE rule WHEN 'first_write_wins' THEN c.node END, c.node DESC,
              (c.state->>'displaced')::boolean DESC NULLS LAST, c.source IS NULL, c.source = c.node DESC LIMIT 1
  )
  SELECT b.source, b.state FROM best b WHERE b.source IS NOT NULL;
END;
COMMENT ON FUNCTION steep_repl._proof_target(jsonb, jsonb, jsonb, text) IS 'The peer whose state under a key all nodes have to take, and that state; no row when it is this node''s.';

CREATE OR REPLACE FUNCTION steep_repl._caught_up_at() RETURNS timestamptz
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT min(coalesce(o.caught_up_at, '-infinity'))
    FROM steep_repl.links l LEFT JOIN steep_repl.link_observations o ON o.peer = l.peer WHERE l.wanted <> 'remove';
END;
COMMENT ON FUNCTION steep_repl._caught_up_at() IS 'When this node was last seen to have received all that its peers had.';

CREATE OR REPLACE FUNCTION steep_repl._caught_up_for() RETURNS double precision
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
  RETURN extract(epoch FROM clock_timestamp() - steep_repl._caught_up_at());
COMMENT ON FUNCTION steep_repl._caught_up_for() IS 'How many seconds ago that was: what a peer asks, whose clock may be another.';

CREATE OR REPLACE FUNCTION steep_repl._behind(since timestamptz, caught_up jsonb) RETURNS text
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT n.node FROM (SELECT steep_repl.node_id() AS node, steep_repl._caught_up_at() AS at
                      UNION ALL SELECT l.peer, (caught_up->>l.peer)::timestamptz FROM steep_repl.links l WHERE l.wanted <> 'remove') n
   WHERE coalesce(n.at <= since, true) LIMIT 1;
END;
COMMENT ON FUNCTION steep_repl._behind(timestamptz, jsonb) IS 'A node of which it is not sure that it has received all that there was at that time; NULL when all have. caught_up: when each peer last had, by this node''s clock.';

CREATE OR REPLACE FUNCTION steep_repl._keys_beside(keys jsonb) RETURNS jsonb
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT coalesce(jsonb_agg(DISTINCT k.item || jsonb_build_object('key', o.key, 'of', k.item->'key')), '[]')
    FROM jsonb_array_elements(keys) k(item)
    JOIN steep_repl.tables t ON t.table_schema = k.item->>'schema' AND t.table_name = k.item->>'table'
    JOIN steep_repl.conflict_log c ON c.table_schema = t.table_schema AND c.table_name = t.table_name AND c.key = k.item->'key'
   CROSS JOIN LATERAL (SELECT jsonb_object_agg(n.name, s.tuple->n.name) AS key FROM (VALUES (c.local_tuple), (c.remote_tuple)) s(tuple)
                        CROSS JOIN steep_repl._key_columns(t.relation) n(name) WHERE s.tuple->>n.name IS NOT NULL GROUP BY s.tuple) o
   WHERE c.converged_at IS NULL AND c.conflict_type = 'KEY-UPDATE' AND o.key <> c.key;
END;
COMMENT ON FUNCTION steep_repl._keys_beside(jsonb) IS
  'The other keys of conflicts about changes of the key, each with that (of) under which its entry stands: a row may be equal under the old key and not under the new.';

CREATE OR REPLACE FUNCTION steep_repl._differs_beside(item jsonb, beside jsonb, answers jsonb) RETURNS text
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  other jsonb;
  verdict text;
BEGIN
  FOR other IN
    SELECT b.other FROM jsonb_array_elements(beside) WITH ORDINALITY b(other, place)
     CROSS JOIN LATERAL (SELECT steep_repl._key_states(jsonb_build_array(b.other))::jsonb->0 AS mine) m
     WHERE b.other->'of' = item->'key' AND b.other->'schema' = item->'schema' AND b.other->'table' = item->'table'
       AND EXISTS (SELECT 1 FROM jsonb_each(answers) a WHERE NOT steep_repl._same_state(a.value->(b.place::integer - 1), m.mine))
  LOOP
    verdict := coalesce(steep_repl._differs_by_strategy(other->>'schema', other->>'table', other->'key'), verdict, 'the nodes agree under the key of the entry, and not under another key of it');
    -- Then that key is looked after like any other, unless a person is to say what stands under both.
    PERFORM steep_repl._request_proofs(jsonb_build_array(other - 'of'))
      WHERE NOT EXISTS (SELECT 1 FROM steep_repl.conflict_log c WHERE c.table_schema = item->>'schema' AND c.table_name = item->>'table' AND c.key = item->'key'
                           AND c.conflict_type = 'KEY-UPDATE' AND c.resolution = 'PENDING');
  END LOOP;
  RETURN verdict;
END $$;
COMMENT ON FUNCTION steep_repl._differs_beside(jsonb, jsonb, jsonb) IS
  'How peers differ from this node under another key of the conflicts about a key, which is compared by itself from then on; NULL when none does.';
