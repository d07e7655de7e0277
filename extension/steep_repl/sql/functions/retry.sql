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

CREATE OR REPLACE FUNCTION steep_repl._retry(c steep_repl.conflict_log, asked_by text) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
  root regclass := (SELECT t.relation FROM steep_repl.tables t WHERE t.table_schema = c.table_schema AND t.table_name = c.table_name);
  key jsonb := steep_repl._key_of(root, coalesce(c.remote_tuple, c.base_tuple));
  old_key jsonb := steep_repl._key_of(root, c.base_tuple);
  micros bigint := steep_repl._micros(c.remote_xact_ts);
  one jsonb;
  state jsonb;
  present jsonb;
  given record;
  writer xid;
BEGIN
  IF root IS NULL OR key IS NULL OR NOT EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = root AND i.indisprimary) THEN
    RAISE EXCEPTION 'the table is not replicated here, or has no primary key';
  END IF;
  key := steep_repl._canonical_key(root, key);
  old_key := steep_repl._canonical_key(root, old_key);
  IF (SELECT steep_repl._folds(t) FROM steep_repl.tables t WHERE t.relation = root) THEN
    PERFORM steep_repl._retry_fold(c, root, key, old_key, asked_by);
    RETURN;
  END IF;
  FOR one IN SELECT DISTINCT k FROM unnest(ARRAY[key, old_key]) k WHERE k IS NOT NULL LOOP
    EXECUTE format('SELECT 1 FROM %s t WHERE %s FOR UPDATE', steep_repl._source_of(root), steep_repl._key_is(root, one));
    state := steep_repl._key_state(root, one);
    IF state->>'micros' IS NOT NULL AND ((state->>'micros')::bigint, state->>'node' COLLATE "C") > (micros, c.remote_origin COLLATE "C") THEN
      UPDATE steep_repl.conflict_log l SET resolution = 'KEPT_LOCAL', winner = 'local', resolved_at = clock_timestamp(), resolved_by = asked_by,
             reason = concat_ws('; ', l.reason, 'a later write stands here'), converged_at = NULL, next_proof = clock_timestamp() WHERE l.id = c.id;
      RETURN;
    END IF;
    present := coalesce(nullif(state->'row', 'null'), present);
    IF state->>'place' IS NOT NULL THEN
      PERFORM steep_repl._remove_quietly((state->>'leaf')::bigint::oid, state->>'place');
    END IF;
    IF one <> key OR c.remote_tuple IS NULL THEN
      PERFORM steep_repl._put_tombstone(root, one, state->>'row', micros, c.remote_origin, false);
    END IF;
  END LOOP;
  IF c.remote_tuple IS NOT NULL THEN
    SELECT * INTO given FROM steep_repl._retried_values(root, c.remote_tuple, present);
    PERFORM steep_repl._as_owner(root, format('INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE VALUES (%s)', root, given.columns, given.expressions));
    DELETE FROM steep_repl.row_versions v WHERE v.relation = root AND v.key_id = steep_repl._key_id(root, key);
    -- Not the id of this transaction: it was written in a part of it that has one of its own.
    EXECUTE format('SELECT t.xmin FROM %s t WHERE %s', steep_repl._source_of(root), steep_repl._key_is(root, key)) INTO STRICT writer;
    INSERT INTO steep_repl.row_versions (relation, key_id, row_xid, version_time, version_node, adopted)
    VALUES (root, steep_repl._key_id(root, key), writer, c.remote_xact_ts, c.remote_origin, true);
  END IF;
  state := steep_repl._key_state(root, key);
  PERFORM steep_repl._suspect_adopted(root, state->'row') WHERE c.remote_tuple IS NOT NULL;
  UPDATE steep_repl.conflict_log l SET resolution = 'APPLIED_REMOTE', winner = 'remote', resolved_at = clock_timestamp(), resolved_by = asked_by,
         result = nullif(state->'row', 'null'), converged_at = NULL, not_converged_reason = 'not compared yet', next_proof = clock_timestamp(), proofs = 0
   WHERE l.id = c.id;
END $$;
COMMENT ON FUNCTION steep_repl._retry(steep_repl.conflict_log, text) IS 'Applies a change that was set aside, unless a later write stands here.';

CREATE OR REPLACE FUNCTION steep_repl._retry_all() RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  wish steep_repl.retries;
  entry steep_repl.conflict_log;
  message text;
  code text;
BEGIN
  FOR wish IN SELECT * FROM steep_repl.retries r ORDER BY r.conflict_id LIMIT 100 LOOP
    SELECT * INTO entry FROM steep_repl.conflict_log c WHERE c.id = wish.conflict_id AND c.resolution = 'PENDING' FOR UPDATE;
    IF FOUND THEN
      BEGIN
        PERFORM steep_repl._retry(entry, wish.asked_by);
      EXCEPTION WHEN serialization_failure OR deadlock_detected THEN
        CONTINUE;  -- Somebody is writing the key: in the next round.
      WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, code = RETURNED_SQLSTATE;
        IF NOT steep_repl._hopeless(code) THEN
          RAISE;
        END IF;
        UPDATE steep_repl.conflict_log c SET sqlstate = code,
               error = CASE wish.asked_by WHEN 'proof' THEN message ELSE format('%s (tried again by %s at %s)', message, wish.asked_by, clock_timestamp()) END
         WHERE c.id = wish.conflict_id;
      END;
    END IF;
    DELETE FROM steep_repl.retries r WHERE r.conflict_id = wish.conflict_id;
  END LOOP;
END $$;
COMMENT ON FUNCTION steep_repl._retry_all() IS 'Applies what somebody has asked to apply after all; an error is noted in the entry, which stays PENDING.';
