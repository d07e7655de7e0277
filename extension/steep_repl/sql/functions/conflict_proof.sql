-- Proof: after a conflict the keys that it touched are compared on all nodes, rows and versions. A node whose row differs
-- once the streams have drained adopts the latest.

CREATE OR REPLACE FUNCTION steep_repl._proof_round() RETURNS boolean
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET lock_timeout = '100ms' AS $$
DECLARE
  keys jsonb;
  asked_at timestamptz;
  answer jsonb;
  answers jsonb := '{}';
  keys_beside jsonb;
  answers_beside jsonb := '{}';
  caught_up jsonb := '{}';
  away text[] := '{}';
  link steep_repl.links;
  place integer := 0;
  item jsonb;
  peer text;
  wishes jsonb := '{}';
  locked text[] := '{}';
BEGIN
  -- Of what can never agree, or is not replicated any more, peers ask no more.
  DELETE FROM steep_repl.proof_requests r WHERE r.asked_at < clock_timestamp() - interval '7 days'
     OR NOT EXISTS (SELECT 1 FROM steep_repl.tables t WHERE t.table_schema = r.table_schema AND t.table_name = r.table_name);
  SELECT jsonb_agg(k.key) INTO keys FROM (
    SELECT jsonb_build_object('schema', c.table_schema, 'table', c.table_name, 'key', c.key) AS key
      FROM (SELECT l.table_schema, l.table_name, l.key, l.next_proof FROM steep_repl.conflict_log l
             WHERE l.converged_at IS NULL AND l.next_proof <= clock_timestamp() AND l.key IS NOT NULL
            UNION ALL SELECT r.table_schema, r.table_name, r.key, r.next_proof FROM steep_repl.proof_requests r WHERE r.next_proof <= clock_timestamp()) c
      JOIN steep_repl.tables t ON t.table_schema = c.table_schema AND t.table_name = c.table_name
     WHERE EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = t.relation AND i.indisprimary)
     -- What is long overdue comes in any order: it may be locked, and must not keep others out.
     GROUP BY 1 ORDER BY greatest(min(c.next_proof), clock_timestamp() - interval '5 seconds'), random() LIMIT 200) k;
  IF keys IS NULL THEN
    RETURN false;
  END IF;
  keys_beside := steep_repl._keys_beside(keys);
  FOR link IN SELECT * FROM steep_repl.links l WHERE l.wanted <> 'remove' LOOP
    BEGIN
      asked_at := clock_timestamp();
      -- How far it is first: what it holds after that is no older.
      answer := steep_repl._peer_value(link.conninfo, format(
        'SELECT pg_catalog.jsonb_build_object(''caught_up_for'', steep_repl._caught_up_for(), ''states'', steep_repl._key_states(%L)::pg_catalog.jsonb, ''beside'', steep_repl._key_states(%L)::pg_catalog.jsonb)::text', keys, keys_beside), 5)::jsonb;
      answers := answers || jsonb_build_object(link.peer, answer->'states');
      answers_beside := answers_beside || jsonb_build_object(link.peer, answer->'beside');
      caught_up := caught_up || jsonb_build_object(link.peer, asked_at - (answer->>'caught_up_for')::double precision * interval '1 second');
    EXCEPTION WHEN OTHERS THEN
      away := away || link.peer;
    END;
  END LOOP;
  FOR item IN SELECT * FROM jsonb_array_elements(keys) LOOP
    BEGIN
      IF steep_repl._written_name(item) = ANY (locked) THEN
        RAISE lock_not_available;
      END IF;
      FOR peer IN SELECT steep_repl._prove_key(item, (SELECT coalesce(jsonb_object_agg(a.key, a.value->place), '{}') FROM jsonb_each(answers) a),
                    steep_repl._differs_beside(item, keys_beside, answers_beside), away, caught_up) LOOP
        wishes := wishes || jsonb_build_object(peer, coalesce(wishes->peer, '[]') || item);
      END LOOP;
    EXCEPTION WHEN lock_not_available THEN
      -- Nobody knows for how long: its other keys are not even asked for.
      locked := locked || steep_repl._written_name(item);
      PERFORM steep_repl._prove_later(item, 'its table is locked here');
    WHEN OTHERS THEN
      -- One key must not hold up the others.
      PERFORM steep_repl._prove_later(item, format('its comparison failed: %s', SQLSTATE));
    END;
    place := place + 1;
  END LOOP;
  FOR link IN SELECT * FROM steep_repl.links l WHERE l.wanted <> 'remove' AND wishes ? l.peer LOOP
    BEGIN
      PERFORM steep_repl._peer_value(link.conninfo, format('SELECT steep_repl._request_proofs(%L)::text', wishes->link.peer), 5);
    EXCEPTION WHEN OTHERS THEN
      NULL;  -- It is away: the next comparison asks again.
    END;
  END LOOP;
  -- Not at once where some could not be noted because they are locked.
  RETURN jsonb_array_length(keys) = 200 AND NOT EXISTS (
    SELECT 1 FROM jsonb_array_elements(keys) k JOIN steep_repl.conflict_log c ON c.table_schema = k->>'schema' AND c.table_name = k->>'table' AND c.key = k->'key'
     WHERE c.converged_at IS NULL AND c.next_proof <= clock_timestamp());
END $$;
COMMENT ON FUNCTION steep_repl._proof_round() IS 'Compares the keys whose proof is due with all peers; true when more are due.';

CREATE OR REPLACE FUNCTION steep_repl._settled_by_proof(entry steep_repl.conflict_log) RETURNS boolean
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  -- What was set aside has been adopted, or something later has; a manual conflict between two others was none.
  RETURN (entry).resolution = 'PENDING' AND ((entry).conflict_type = 'APPLY-ERROR' OR (entry).strategy = 'manual' AND (entry).possible);
COMMENT ON FUNCTION steep_repl._settled_by_proof(steep_repl.conflict_log) IS 'Whether nothing is left to decide about an entry once all nodes agree.';

CREATE OR REPLACE FUNCTION steep_repl._written_over(entry steep_repl.conflict_log, state jsonb) RETURNS boolean
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  -- A session of this node has not seen the change. What came from others may hold it.
  RETURN (entry).conflict_type = 'APPLY-ERROR' AND coalesce(state->>'node' = steep_repl.node_id() AND NOT coalesce((state->>'adopted')::boolean, false), false);
COMMENT ON FUNCTION steep_repl._written_over(steep_repl.conflict_log, jsonb) IS 'Whether what stands under the key of a change that was set aside was written by a session of this node.';

CREATE OR REPLACE FUNCTION steep_repl._provable(item jsonb) RETURNS SETOF bigint
  LANGUAGE sql VOLATILE ROWS 5 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  -- Those that somebody is resolving are due again. Whoever resolves many would be the victim of a deadlock.
  SELECT c.id FROM steep_repl.conflict_log c
   WHERE c.converged_at IS NULL AND c.table_schema = item->>'schema' AND c.table_name = item->>'table' AND c.key = item->'key'
     FOR UPDATE SKIP LOCKED;
END;
COMMENT ON FUNCTION steep_repl._provable(jsonb) IS 'The entries of a key that are not proven, locked; without those that others have locked.';

CREATE OR REPLACE FUNCTION steep_repl._prove_later(item jsonb, verdict text) RETURNS void
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  UPDATE steep_repl.conflict_log c SET proofs = c.proofs + 1, not_converged_reason = verdict,
         -- At once at first, then ever more seldom: a peer may be away for days.
         next_proof = clock_timestamp() + least(power(1.5, least(c.proofs, 20)), 60) * interval '0.5 seconds'
   WHERE c.id IN (SELECT steep_repl._provable(item));
  UPDATE steep_repl.proof_requests r SET next_proof = clock_timestamp() + least((clock_timestamp() - r.asked_at) / 2 + interval '0.5 seconds', interval '30 seconds')
   WHERE r.table_schema = item->>'schema' AND r.table_name = item->>'table' AND r.key = item->'key';
END;
COMMENT ON FUNCTION steep_repl._prove_later(jsonb, text) IS 'Notes why a key is not proven, and when to compare it again.';

CREATE OR REPLACE FUNCTION steep_repl._prove_key(item jsonb, states jsonb, beside text, away text[], caught_up jsonb) RETURNS SETOF text
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  mine jsonb := steep_repl._key_states(jsonb_build_array(item))::jsonb->0;
  differing text[] := ARRAY(SELECT s.key FROM jsonb_each(states) s WHERE NOT steep_repl._same_state(s.value, mine));
  noted_at timestamptz := (SELECT max(n.at) FROM (
    SELECT c.detected_at AS at FROM steep_repl.conflict_log c
     WHERE c.converged_at IS NULL AND c.table_schema = item->>'schema' AND c.table_name = item->>'table' AND c.key = item->'key'
    UNION ALL SELECT r.asked_at FROM steep_repl.proof_requests r
     WHERE r.table_schema = item->>'schema' AND r.table_name = item->>'table' AND r.key = item->'key') n);
  verdict text;
  behind text;
  ask text[];
BEGIN
  IF NOT steep_repl._complete_row(item, mine, states) THEN
    RETURN;
  END IF;
  IF differing = '{}' AND away = '{}' AND (
       EXISTS (SELECT 1 FROM steep_repl.tables t WHERE t.table_schema = item->>'schema' AND t.table_name = item->>'table' AND steep_repl._earlier_may_stay(t))
       OR EXISTS (SELECT 1 FROM steep_repl.conflict_log c
                   WHERE c.converged_at IS NULL AND c.table_schema = item->>'schema' AND c.table_name = item->>'table' AND c.key = item->'key'
                     AND c.strategy NOT IN ('last_write_wins', 'column_merge', 'function'))) THEN
    -- Nodes may agree for a moment and then not, when the write that lost here is still on its way to where the other has been
    -- changed since: by time that could not be. So too for what was decided before somebody set another strategy: the others may
    -- go by that, and know of no conflict.
    behind := steep_repl._behind(noted_at, caught_up);
    IF behind IS NOT NULL THEN
      PERFORM steep_repl._prove_later(item, format('the nodes agree, but a change may be on its way to %s', behind));
      RETURN;
    END IF;
  END IF;
  IF differing = '{}' AND away = '{}' THEN
    UPDATE steep_repl.conflict_log c SET converged_at = clock_timestamp(), not_converged_reason = NULL, proofs = c.proofs + 1,
           resolution = CASE WHEN steep_repl._settled_by_proof(c)
                             THEN CASE WHEN c.winner = 'local' OR steep_repl._written_over(c, mine) THEN 'KEPT_LOCAL' ELSE 'APPLIED_REMOTE' END ELSE c.resolution END,
           winner = CASE WHEN steep_repl._settled_by_proof(c) AND steep_repl._written_over(c, mine) THEN 'local' ELSE c.winner END,
           reason = CASE WHEN steep_repl._settled_by_proof(c) AND steep_repl._written_over(c, mine) THEN concat_ws('; ', c.reason, 'what was written here stands on all nodes') ELSE c.reason END,
           resolved_at = CASE WHEN steep_repl._settled_by_proof(c) THEN clock_timestamp() ELSE c.resolved_at END,
           resolved_by = CASE WHEN steep_repl._settled_by_proof(c) THEN 'proof' ELSE c.resolved_by END,
           error = CASE WHEN c.sqlstate IS NOT NULL THEN c.error END
     WHERE c.id IN (SELECT steep_repl._provable(item)) AND (beside IS NULL OR c.conflict_type <> 'KEY-UPDATE');
    PERFORM steep_repl._prove_later(item, beside) WHERE beside IS NOT NULL;
    DELETE FROM steep_repl.proof_requests r WHERE r.table_schema = item->>'schema' AND r.table_name = item->>'table' AND r.key = item->'key';
    RETURN;
  END IF;
  IF differing = '{}' THEN
    verdict := format('no answer from %s', array_to_string(away, ', '));
  ELSIF away = '{}' THEN
    -- Only when all have answered: one of those away may know of a deletion that the others have forgotten.
    SELECT p.verdict, p.ask INTO verdict, ask FROM steep_repl._pull_key(item, mine, states, caught_up, noted_at) p;
  END IF;
  PERFORM steep_repl._prove_later(item, coalesce(verdict, format('%s differs, or a change is on its way', array_to_string(differing, ', '))));
  RETURN QUERY SELECT s.key FROM jsonb_each(states) s WHERE s.key = ANY (ask);
END $$;
COMMENT ON FUNCTION steep_repl._prove_key(jsonb, jsonb, text, text[], jsonb) IS 'Notes that all nodes agree on a key, or why not yet; the peers that should compare it too. beside: how they differ under another key of its entries.';

CREATE OR REPLACE FUNCTION steep_repl._pull_key(item jsonb, mine jsonb, states jsonb, caught_up jsonb, noted_at timestamptz, OUT verdict text, OUT ask text[])
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  latest jsonb;
  source text;
  seen_at timestamptz;
  rule text;
  behind text;
BEGIN
  verdict := steep_repl._differs_by_strategy(item->>'schema', item->>'table', item->'key');
  IF verdict IS NOT NULL THEN
    RETURN;
  END IF;
  rule := steep_repl._proof_rule(item, mine, states);
  SELECT t.source, t.state INTO source, latest FROM steep_repl._proof_target(item, mine, states, rule) t;
  -- Those that hold something else and know of no conflict do not compare it by themselves. By time they need not, unless
  -- something was decided otherwise while the strategy changed.
  -- Of several that hold the target each asks.
  IF rule <> 'last_write_wins'
     OR (source IS NULL OR ((latest->>'micros')::bigint, latest->>'node') IS NOT DISTINCT FROM ((mine->>'micros')::bigint, mine->>'node'))
        AND steep_repl._behind(noted_at, caught_up) IS NULL THEN
    ask := ARRAY(SELECT s.key FROM jsonb_each(states) s WHERE s.value->>'dispute' IS NULL AND NOT steep_repl._same_state(s.value, mine));
  END IF;
  IF source IS NULL THEN
    RETURN;  -- The others have to follow this node.
  END IF;
  IF ((latest->>'micros')::bigint, latest->>'node') IS NOT DISTINCT FROM ((mine->>'micros')::bigint, mine->>'node')
     AND NOT (coalesce((latest->>'displaced')::boolean, false) AND mine->>'hash' IS NOT NULL)
     -- One write, and yet two rows: a large value was not sent, and another one stood here. Once: somebody's trigger may make
     -- rows that differ for ever.
     AND NOT (source = latest->>'node' AND mine->>'hash' <> latest->>'hash' AND NOT coalesce((mine->>'adopted')::boolean, false)) THEN
    RETURN;
  END IF;
  -- Not what is only on its way: seen before, and what its writer has sent since then has all arrived.
  INSERT INTO steep_repl.pulls AS p (table_schema, table_name, key, micros, node, mine)
  VALUES (item->>'schema', item->>'table', item->'key', (latest->>'micros')::bigint, latest->>'node', mine)
  ON CONFLICT (table_schema, table_name, key) DO UPDATE SET micros = excluded.micros, node = excluded.node, mine = excluded.mine,
    seen_at = CASE WHEN (p.micros, p.node) = (excluded.micros, excluded.node) AND (rule = 'last_write_wins' OR steep_repl._same_state(p.mine, excluded.mine))
                   THEN p.seen_at ELSE clock_timestamp() END
  RETURNING p.seen_at INTO seen_at;
  IF EXISTS (SELECT 1 FROM steep_repl.links l LEFT JOIN steep_repl.link_observations o ON o.peer = l.peer
              WHERE l.wanted <> 'remove' AND l.peer IN (source, latest->>'node') AND coalesce(o.caught_up_at <= seen_at, true)) THEN
    verdict := format('a change of %s may be on its way', latest->>'node');
    RETURN;
  END IF;
  IF rule <> 'last_write_wins' THEN
    -- What this node holds is the later write: it may only be on its way to the others, and have seen what they hold.
    behind := steep_repl._behind(seen_at, caught_up);
    IF behind IS NOT NULL THEN
      verdict := format('a change may be on its way to %s', behind);
      RETURN;
    END IF;
  END IF;
  IF (latest->>'micros')::bigint >= steep_repl._micros(clock_timestamp()) THEN
    verdict := format('the clock of %s is ahead of this node''s', latest->>'node');  -- who sees it here must write after it
    RETURN;
  END IF;
  IF latest->>'hash' IS NOT NULL AND latest->'row' IS NULL THEN
    verdict := format('the link role may not read %I.%I on %s', item->>'schema', item->>'table', source);
    RETURN;
  END IF;
  UPDATE steep_repl.pulls p SET target = latest, mine = _pull_key.mine
   WHERE p.table_schema = item->>'schema' AND p.table_name = item->>'table' AND p.key = item->'key';
  verdict := format('adopting the row of %s', source);
END $$;
COMMENT ON FUNCTION steep_repl._pull_key(jsonb, jsonb, jsonb, jsonb, timestamptz) IS 'Whether this node has to adopt what a peer holds under a key: queues it when all that was on its way has arrived. verdict: what it waits for; ask: the peers that should compare the key too.';
