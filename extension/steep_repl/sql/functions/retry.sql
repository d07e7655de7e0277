-- Changes that were set aside and that somebody has asked to apply after all: as they were, under their original version,
-- so that no other node gets them again.

CREATE OR REPLACE FUNCTION steep_repl._retried_values(root regclass, tuple jsonb, present jsonb, OUT columns text, OUT expressions text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  -- What was set aside is text, as it was sent. Large values that were not sent are those of the row here.
  SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum),
         string_agg(CASE WHEN tuple ? a.attname THEN format('CAST(%L AS %s)', tuple->>a.attname, format_type(a.atttypid, a.atttypmod))
                         WHEN format_type(a.atttypid, NULL) = 'jsonb' THEN format('nullif(%L::jsonb->%L, ''null'')', present, a.attname)
                         ELSE format('CAST(%L AS %s)', present->>a.attname, format_type(a.atttypid, a.atttypmod)) END, ', ' ORDER BY a.attnum)
    FROM pg_attribute a WHERE a.attrelid = root AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
     AND (tuple ? a.attname OR present ? a.attname);
END;
COMMENT ON FUNCTION steep_repl._retried_values(regclass, jsonb, jsonb) IS 'The columns and values of a change that was set aside, for INSERT.';

CREATE OR REPLACE FUNCTION steep_repl._canonical_text(root oid, tuple text) RETURNS text
  LANGUAGE c STABLE STRICT AS 'MODULE_PATHNAME', 'canonical_text_wrapper';
COMMENT ON FUNCTION steep_repl._canonical_text(oid, text) IS 'The same as text: documents may be nested deeper than the library''s own values.';

CREATE OR REPLACE FUNCTION steep_repl._canonical_row(root regclass, tuple jsonb) RETURNS jsonb
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN steep_repl._canonical_text(root, tuple::text)::jsonb;
COMMENT ON FUNCTION steep_repl._canonical_row(regclass, jsonb) IS 'A row as it was sent, every value as text, in the one form that the conflict log uses; NULL for none.';

CREATE OR REPLACE FUNCTION steep_repl._locked_state(root regclass, key jsonb) RETURNS jsonb
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  EXECUTE format('SELECT 1 FROM %s t WHERE %s FOR UPDATE', steep_repl._source_of(root), steep_repl._key_is(root, key));
  RETURN steep_repl._key_state(root, key);
END $$;
COMMENT ON FUNCTION steep_repl._locked_state(regclass, jsonb) IS 'What is here under a key; its row stays as it is until the end of the transaction.';

CREATE OR REPLACE FUNCTION steep_repl._kind_beside(c steep_repl.conflict_log, root regclass, id uuid, state jsonb) RETURNS text
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  -- By the names of crates/conflict/src/finding.rs, so that both nodes call it the same. None for what goes by time whatever the
  -- strategy, and where nothing is lost.
  WITH stones AS (
    SELECT s.moved_to, s.key_id = steep_repl._all_keys() AS all_keys, v.micros, v.node
      FROM steep_repl.tombstones s CROSS JOIN LATERAL (SELECT * FROM steep_repl._row_version(root, id, s.xmin) WHERE s.version_node IS NULL) v
     WHERE s.relation = root AND s.key_id IN (id, steep_repl._all_keys()))
  SELECT CASE
    WHEN EXISTS (SELECT 1 FROM stones s WHERE s.all_keys AND s.micros > steep_repl._micros((c).remote_xact_ts)) OR (state->>'displaced')::boolean THEN NULL
    WHEN (c).moved_from IS NOT NULL THEN 'KEY-UPDATE'
    WHEN state->>'row' IS NULL THEN CASE
      WHEN (c).base_tuple IS NULL THEN NULL
      WHEN EXISTS (SELECT 1 FROM stones s WHERE s.moved_to IS NOT NULL) THEN 'KEY-UPDATE'
      WHEN (c).remote_tuple IS NOT NULL THEN 'UPDATE-DELETE' END
    WHEN (c).base_tuple IS NULL THEN 'INSERT-INSERT'
    WHEN (c).remote_tuple IS NOT NULL THEN 'UPDATE-UPDATE'
    WHEN NOT EXISTS (SELECT 1 FROM stones s WHERE s.node = steep_repl.node_id()) THEN 'UPDATE-DELETE' END;
END;
COMMENT ON FUNCTION steep_repl._kind_beside(steep_repl.conflict_log, regclass, uuid, jsonb) IS
  'The kind of conflict that a change which was set aside is with what a session of this node has written later; NULL when no strategy is asked about it.';

CREATE OR REPLACE FUNCTION steep_repl._strategy_beside(c steep_repl.conflict_log, root regclass, key jsonb, state jsonb) RETURNS text
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
#variable_conflict use_variable
DECLARE
  strategy text;
  priority text[];
  kind text;
BEGIN
  SELECT t.strategy, t.priority INTO strategy, priority FROM steep_repl.tables t WHERE t.relation = root;
  -- The other nodes have decided between a move and what stands under its old key by the strategy, also where the earlier may stay.
  IF c.moved_from = key AND (strategy = 'first_write_wins' OR strategy = 'node_priority'
       AND coalesce(array_position(priority, c.remote_origin), 2147483647) < coalesce(array_position(priority, state->>'node'), 2147483647)) THEN
    NULL;
  ELSIF strategy NOT IN ('keep_local', 'apply_remote', 'manual') THEN
    RETURN NULL;
  END IF;
  -- Only where what is here was written on this node, as for what arrives: of another's nobody knows here what it had seen.
  IF state->>'node' IS DISTINCT FROM steep_repl.node_id() OR coalesce((state->>'adopted')::boolean, false) THEN
    RETURN NULL;
  END IF;
  kind := steep_repl._kind_beside(c, root, steep_repl._key_id(root, key), state);
  IF kind IS NULL THEN
    RETURN NULL;
  END IF;
  UPDATE steep_repl.conflict_log l SET conflict_type = kind, local_tuple = nullif(state->'row', 'null'), remote_tuple = steep_repl._canonical_row(root, c.remote_tuple),
         base_tuple = steep_repl._canonical_row(root, c.base_tuple), local_origin = state->>'node', local_xact_ts = steep_repl._at((state->>'micros')::bigint),
         key = key, key_id = steep_repl._key_id(root, key), relation = root, strategy = strategy, result = nullif(state->'row', 'null'), winner = 'local',
         conflict_key = steep_repl._conflict_key(c.table_schema, c.table_name, key::text, format('%s %s', state->>'micros', state->>'node'),
                                                 format('%s %s', steep_repl._micros(c.remote_xact_ts), c.remote_origin)),
         reason = 'the change could not be applied here and was set aside; the row here has been written since', not_converged_reason = 'not compared yet',
         next_proof = clock_timestamp(), proofs = 0
   WHERE l.id = c.id;
  RETURN strategy;
END $$;
COMMENT ON FUNCTION steep_repl._strategy_beside(steep_repl.conflict_log, regclass, jsonb, jsonb) IS
  'Makes of a change that was set aside the conflict that it is by now, where a strategy that lets the nodes differ is to decide it, or one that lets an earlier move stay: that strategy, else NULL and nothing is changed.';

CREATE OR REPLACE FUNCTION steep_repl._retry_ended(c steep_repl.conflict_log, side text, asked_by text, why text) RETURNS void
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  UPDATE steep_repl.conflict_log l SET resolution = CASE side WHEN 'local' THEN 'KEPT_LOCAL' ELSE 'APPLIED_REMOTE' END, winner = side,
         resolved_at = clock_timestamp(), resolved_by = asked_by, reason = concat_ws('; ', l.reason, why),
         converged_at = NULL, not_converged_reason = 'not compared yet', next_proof = clock_timestamp(), proofs = 0
   WHERE l.id = (c).id;
END;
COMMENT ON FUNCTION steep_repl._retry_ended(steep_repl.conflict_log, text, text, text) IS 'Closes the entry of a change that was set aside.';

CREATE OR REPLACE FUNCTION steep_repl._unseen(c steep_repl.conflict_log, root regclass, state jsonb) RETURNS boolean
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  -- Without before-images nothing says what a change had seen.
  SELECT state->>'row' IS NOT NULL AND (SELECT t.before_images FROM steep_repl.tables t WHERE t.relation = root)
     AND ((c).base_tuple IS NULL
          OR EXISTS (SELECT FROM jsonb_each(steep_repl._canonical_row(root, (c).base_tuple)) b
                      WHERE (c).base_tuple ? b.key AND state->'row' ? b.key AND b.value IS DISTINCT FROM state->'row'->b.key))
     -- What it goes on from may have been set aside as well.
     AND NOT EXISTS (SELECT FROM steep_repl.conflict_log l
                      WHERE l.conflict_type = 'APPLY-ERROR' AND l.table_schema = (c).table_schema AND l.table_name = (c).table_name
                        AND l.remote_origin = (c).remote_origin AND l.key IN ((c).key, (c).moved_from) AND l.id < (c).id
                        AND steep_repl._micros(l.remote_xact_ts) > (state->>'micros')::bigint);
END;
COMMENT ON FUNCTION steep_repl._unseen(steep_repl.conflict_log, regclass, jsonb) IS
  'Whether a change that was set aside had for certain not seen the row that is here.';

CREATE OR REPLACE FUNCTION steep_repl._retry_lost(c steep_repl.conflict_log, root regclass, key jsonb, state jsonb, asked_by text) RETURNS boolean
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  strategy text;
  later boolean;
BEGIN
  -- That very version: what its transaction did before has lost, or another node has displaced what was set aside here.
  IF (state->>'displaced')::boolean AND ((state->>'micros')::bigint, state->>'node') = (steep_repl._micros(c.remote_xact_ts), c.remote_origin) THEN
    PERFORM steep_repl._retry_ended(c, 'local', asked_by, 'the row was displaced');
    RETURN true;
  END IF;
  IF state->>'micros' IS NULL THEN
    RETURN false;
  END IF;
  later := ((state->>'micros')::bigint, state->>'node' COLLATE "C") > (steep_repl._micros(c.remote_xact_ts), c.remote_origin COLLATE "C");
  -- Where the latest stays an earlier write gives way. A strategy that keeps what is here keeps that, too, if the change had not seen it.
  IF NOT later AND (SELECT t.strategy NOT IN ('keep_local', 'manual') FROM steep_repl.tables t WHERE t.relation = root) THEN
    RETURN false;
  END IF;
  -- Only now: what was set aside may not be readable here.
  IF NOT later AND NOT steep_repl._unseen(c, root, state) THEN
    RETURN false;
  END IF;
  strategy := steep_repl._strategy_beside(c, root, key, state);
  IF strategy IN ('apply_remote', 'first_write_wins', 'node_priority') OR NOT later AND strategy IS NULL THEN
    RETURN false;
  ELSIF strategy IS NULL THEN
    PERFORM steep_repl._retry_ended(c, 'local', asked_by, 'a later write stands here');
  ELSIF strategy <> 'manual' THEN
    PERFORM steep_repl._retry_ended(c, 'local', strategy, NULL);
  END IF;
  RETURN true;
END $$;
COMMENT ON FUNCTION steep_repl._retry_lost(steep_repl.conflict_log, regclass, jsonb, jsonb, text) IS
  'Whether what is here under a key stays beside a change that was set aside, because it is later and the strategy does not say otherwise, or because the strategy keeps it; closes its entry then, but for manual, where it waits as the conflict that it is.';

CREATE OR REPLACE FUNCTION steep_repl._overtaken(c steep_repl.conflict_log, key jsonb, state jsonb) RETURNS boolean
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  -- Not where that lost as well: then what is here is of another version, and judged by that.
  RETURN coalesce(key = ANY ((c).overtaken) AND ((state->>'micros')::bigint, state->>'node') = (steep_repl._micros((c).remote_xact_ts), (c).remote_origin), false);
COMMENT ON FUNCTION steep_repl._overtaken(steep_repl.conflict_log, jsonb, jsonb) IS
  'Whether what is here under a key of a change that was set aside is what its own transaction did afterwards.';

CREATE OR REPLACE FUNCTION steep_repl._refuse_lacking(c steep_repl.conflict_log, root regclass, asked_by text) RETURNS void
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  lacking text;
BEGIN
  SELECT v.key INTO lacking FROM jsonb_each(c.remote_tuple) v
   WHERE v.value <> 'null' AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = root AND a.attname = v.key AND a.attnum > 0 AND NOT a.attisdropped);
  -- Once it counts as applied nobody would ask again for what it had for that column. Who asks by hand knows that it is gone.
  IF lacking IS NOT NULL AND asked_by = 'proof' THEN
    RAISE EXCEPTION USING ERRCODE = 'undefined_column', MESSAGE = format('table %s has no column %I, for which the change has a value', root, lacking);
  END IF;
END $$;
COMMENT ON FUNCTION steep_repl._refuse_lacking(steep_repl.conflict_log, regclass, text) IS
  'Has a change that was set aside wait while a column is missing here for which it has a value, unless somebody asks for it by hand. Errors: 42703.';

CREATE OR REPLACE FUNCTION steep_repl._retry(c steep_repl.conflict_log, asked_by text) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
  root regclass := (SELECT t.relation FROM steep_repl.tables t WHERE t.table_schema = c.table_schema AND t.table_name = c.table_name);
  key jsonb := steep_repl._key_of(root, coalesce(c.remote_tuple, c.base_tuple));
  micros bigint := steep_repl._micros(c.remote_xact_ts);
  state jsonb;
  present jsonb;
  given record;
  writer xid;
  stones bigint;
BEGIN
  IF root IS NULL OR key IS NULL OR NOT EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = root AND i.indisprimary) THEN
    RAISE EXCEPTION 'the table is not replicated here, or has no primary key';
  END IF;
  key := steep_repl._canonical_key(root, key);
  IF (SELECT steep_repl._folds(t) FROM steep_repl.tables t WHERE t.relation = root) THEN
    PERFORM steep_repl._refuse_lacking(c, root, asked_by);
    PERFORM steep_repl._retry_fold(c, root, key, steep_repl._canonical_key(root, steep_repl._key_of(root, c.base_tuple)), asked_by);
    RETURN;
  END IF;
  IF c.moved_from IS NOT NULL THEN
    -- A change of the key is a deletion and an insertion, each decided by itself, as src/conflict/put.rs does with one that arrives.
    state := steep_repl._locked_state(root, c.moved_from);
    IF steep_repl._retry_lost(c, root, c.moved_from, state, asked_by) THEN
      IF (state->>'displaced')::boolean OR state->>'node' = steep_repl.node_id() AND NOT coalesce((state->>'adopted')::boolean, false) THEN
        PERFORM steep_repl._displace_move(root, c, key) FROM steep_repl.tables t WHERE t.relation = root AND t.strategy NOT IN ('keep_local', 'apply_remote', 'manual');
        RETURN;
      END IF;
      -- A third node wrote it, which tells by itself what its write had seen.
    ELSIF NOT steep_repl._overtaken(c, c.moved_from, state) THEN
      PERFORM steep_repl._refuse_lacking(c, root, asked_by);
      present := nullif(state->'row', 'null');
      IF state->>'place' IS NOT NULL THEN
        PERFORM steep_repl._remove_quietly((state->>'leaf')::bigint::oid, state->>'place');
      END IF;
      PERFORM steep_repl._put_tombstone(root, c.moved_from, state->>'row', micros, c.remote_origin, false);
      PERFORM steep_repl._refuse_newcomer(root, c.moved_from) WHERE state->>'place' IS NULL;
    END IF;
  END IF;
  stones := steep_repl._stones(root, key);
  state := steep_repl._locked_state(root, key);
  IF steep_repl._retry_lost(c, root, key, state, asked_by) THEN
    RETURN;
  ELSIF steep_repl._overtaken(c, key, state) THEN
    PERFORM steep_repl._retry_ended(c, 'remote', asked_by, 'what its transaction did to the row afterwards stands here');
    RETURN;
  END IF;
  PERFORM steep_repl._refuse_lacking(c, root, asked_by);
  present := coalesce(nullif(state->'row', 'null'), present);
  IF state->>'place' IS NOT NULL THEN
    PERFORM steep_repl._remove_quietly((state->>'leaf')::bigint::oid, state->>'place');
  END IF;
  IF c.remote_tuple IS NULL THEN
    PERFORM steep_repl._put_tombstone(root, key, state->>'row', micros, c.remote_origin, false);
    PERFORM steep_repl._refuse_newcomer(root, key) WHERE state->>'place' IS NULL;
  ELSIF steep_repl._make_room(root, steep_repl._as_pull(c.table_schema, c.table_name, key, steep_repl._canonical_row(root, c.remote_tuple), micros, c.remote_origin)) THEN
    SELECT * INTO given FROM steep_repl._retried_values(root, c.remote_tuple, present);
    PERFORM steep_repl._as_owner(root, format('INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE VALUES (%s)', root, given.columns, given.expressions));
    PERFORM steep_repl._refuse_deletion(root, key, stones);
    DELETE FROM steep_repl.row_versions v WHERE v.relation = root AND v.key_id = steep_repl._key_id(root, key);
    -- Not the id of this transaction: it was written in a part of it that has one of its own.
    EXECUTE format('SELECT t.xmin FROM %s t WHERE %s', steep_repl._source_of(root), steep_repl._key_is(root, key)) INTO STRICT writer;
    INSERT INTO steep_repl.row_versions (relation, key_id, row_xid, version_time, version_node, adopted)
    VALUES (root, steep_repl._key_id(root, key), writer, c.remote_xact_ts, c.remote_origin, true);
  END IF;
  PERFORM steep_repl._overtake(c.peer, (c.remote_lsn - '0/0'::pg_lsn)::bigint, c.change, c.table_schema, c.table_name, ARRAY[key, c.moved_from]);
  state := steep_repl._key_state(root, key);
  PERFORM steep_repl._suspect_adopted(root, state->'row') WHERE state->>'row' IS NOT NULL;
  UPDATE steep_repl.conflict_log l SET result = nullif(state->'row', 'null') WHERE l.id = c.id;
  PERFORM steep_repl._retry_ended(c, 'remote', asked_by, CASE WHEN (state->>'displaced')::boolean THEN 'a later row holds one of its unique values' END);
END $$;
COMMENT ON FUNCTION steep_repl._retry(steep_repl.conflict_log, text) IS 'Applies a change that was set aside, unless a later write stands here or the strategy keeps what was written here since.';

CREATE OR REPLACE FUNCTION steep_repl._as_pull(table_schema text, table_name text, key jsonb, "row" jsonb, micros bigint, node text) RETURNS steep_repl.pulls
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN jsonb_populate_record(NULL::steep_repl.pulls, jsonb_build_object('table_schema', table_schema, 'table_name', table_name, 'key', key,
    'micros', micros, 'node', node, 'target', jsonb_build_object('row', "row", 'micros', micros, 'node', node)));
COMMENT ON FUNCTION steep_repl._as_pull(text, text, jsonb, jsonb, bigint, text) IS 'A row that is to stand here, as an adoption describes it.';

CREATE OR REPLACE FUNCTION steep_repl._displace_move(root regclass, c steep_repl.conflict_log, key jsonb) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  micros bigint := steep_repl._micros(c.remote_xact_ts);
  -- Its transaction may have moved the row on.
  place jsonb := steep_repl._moved_on(root, key, c.remote_xact_ts);
BEGIN
  IF place = key AND steep_repl._key_state(root, key)->>'row' IS NULL THEN
    PERFORM steep_repl._put_tombstone(root, key, NULL, micros, c.remote_origin, true);
    PERFORM steep_repl._refuse_newcomer(root, key);
  ELSE
    PERFORM steep_repl._displace(root, place, micros, c.remote_origin);
    PERFORM steep_repl._queue_displaced(c.table_schema, c.table_name, place::text, micros, c.remote_origin, 'moved') WHERE place <> key;
  END IF;
  PERFORM steep_repl._queue_displaced(c.table_schema, c.table_name, key::text, micros, c.remote_origin, 'moved');
END $$;
COMMENT ON FUNCTION steep_repl._displace_move(regclass, steep_repl.conflict_log, jsonb) IS
  'Displaces, on all nodes, the new key of a move that was set aside and has lost to a write of this node, which nobody else can tell.';

CREATE OR REPLACE FUNCTION steep_repl._without_change(table_schema text, table_name text, key jsonb) RETURNS boolean
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT EXISTS (
    SELECT 1 FROM steep_repl.conflict_log c JOIN steep_repl.tables t ON t.table_schema = c.table_schema AND t.table_name = c.table_name
     WHERE c.resolution = 'PENDING' AND c.conflict_type = 'APPLY-ERROR'
       AND (steep_repl._folds(t) OR t.strategy IN ('keep_local', 'apply_remote', 'manual') OR c.moved_from IS NOT NULL)
       AND c.table_schema = _without_change.table_schema AND c.table_name = _without_change.table_name AND _without_change.key IN (c.key, c.moved_from));
END;
COMMENT ON FUNCTION steep_repl._without_change(text, text, jsonb) IS 'Whether the row here lacks a change that was set aside and has to be applied as it was: where rows are folds, where the nodes may differ, so that a peer''s row is none to adopt, and where its key changed, of which that would be one half.';

CREATE OR REPLACE FUNCTION steep_repl._complete_row(item jsonb, mine jsonb, states jsonb) RETURNS boolean
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  lacking text := (SELECT min(s.key) FROM jsonb_each(states) s WHERE (s.value->>'set_aside')::boolean);
BEGIN
  IF coalesce((mine->>'set_aside')::boolean, false) THEN
    INSERT INTO steep_repl.retries (conflict_id, asked_by)
    SELECT c.id, 'proof' FROM steep_repl.conflict_log c
     WHERE c.resolution = 'PENDING' AND c.conflict_type = 'APPLY-ERROR'
       AND c.table_schema = item->>'schema' AND c.table_name = item->>'table' AND item->'key' IN (c.key, c.moved_from)
    ON CONFLICT DO NOTHING;
    PERFORM steep_repl._prove_later(item, 'the row here lacks a change that was set aside');
  ELSIF lacking IS NOT NULL THEN
    PERFORM steep_repl._prove_later(item, format('the row of %s lacks a change that was set aside there', lacking));
  ELSE
    RETURN true;
  END IF;
  -- What was seen before says nothing of what will be complete.
  DELETE FROM steep_repl.pulls p WHERE p.table_schema = item->>'schema' AND p.table_name = item->>'table' AND p.key = item->'key';
  RETURN false;
END $$;
COMMENT ON FUNCTION steep_repl._complete_row(jsonb, jsonb, jsonb) IS
  'False while a node lacks a change of a row that has to be applied as it was: no row of it is adopted, and none is proven. Has the worker try again those that this node lacks.';

CREATE OR REPLACE FUNCTION steep_repl._retry_all() RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  wish steep_repl.retries;
  entry steep_repl.conflict_log;
  message text;
  code text;
BEGIN
  FOR wish IN SELECT * FROM steep_repl.retries r ORDER BY r.conflict_id LIMIT 100 LOOP
    BEGIN
      SELECT * INTO entry FROM steep_repl.conflict_log c WHERE c.id = wish.conflict_id AND c.resolution = 'PENDING' AND c.conflict_type = 'APPLY-ERROR' FOR UPDATE;
      IF FOUND THEN
        PERFORM steep_repl._retry(entry, wish.asked_by);
      END IF;
    EXCEPTION WHEN serialization_failure OR deadlock_detected THEN
      CONTINUE;  -- Somebody is writing the key: in the next round.
    WHEN lock_not_available THEN
      PERFORM steep_repl._wait_no_more();
      -- The next comparison asks again: those that are locked must not keep others out.
      DELETE FROM steep_repl.retries r WHERE r.conflict_id = wish.conflict_id AND r.asked_by = 'proof';
      CONTINUE;
    WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, code = RETURNED_SQLSTATE;
      IF NOT steep_repl._hopeless(code) THEN
        -- It passes, but nobody knows when: no other waits for it. For the proof the next comparison asks again, ever more seldom.
        UPDATE steep_repl.conflict_log c SET sqlstate = code, error = message WHERE c.id = wish.conflict_id AND (c.sqlstate, c.error) IS DISTINCT FROM (code, message);
        DELETE FROM steep_repl.retries r WHERE r.conflict_id = wish.conflict_id AND r.asked_by = 'proof';
        CONTINUE;
      END IF;
      UPDATE steep_repl.conflict_log c SET sqlstate = code,
             error = CASE wish.asked_by WHEN 'proof' THEN message ELSE format('%s (tried again by %s at %s)', message, wish.asked_by, clock_timestamp()) END
       WHERE c.id = wish.conflict_id;
    END;
    -- Not what somebody has asked for meanwhile.
    DELETE FROM steep_repl.retries r WHERE r.conflict_id = wish.conflict_id AND (r.asked_by, r.asked_at) = (wish.asked_by, wish.asked_at);
  END LOOP;
END $$;
COMMENT ON FUNCTION steep_repl._retry_all() IS 'Applies what somebody has asked to apply after all; an error is noted in the entry, which stays PENDING.';
