-- Changes that cannot be applied: tried a few times, then set aside so that they do not hold up the stream.

CREATE OR REPLACE FUNCTION steep_repl._hopeless(sqlstate text) RETURNS boolean
  LANGUAGE c IMMUTABLE STRICT AS 'MODULE_PATHNAME', 'hopeless_wrapper';
COMMENT ON FUNCTION steep_repl._hopeless(text) IS 'Whether trying again cannot help against an error.';

CREATE OR REPLACE FUNCTION steep_repl._note_apply_failures() RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  failed record;
BEGIN
  FOR failed IN
    SELECT l.peer, e.error->>'sqlstate' AS sqlstate, concat_ws(': ', e.error->>'message', e.error->>'detail') AS message,
           (e.error->>'finished_at')::pg_lsn AS finished_at, (e.error->>'change')::bigint AS change, (e.error->>'at')::timestamptz AS at
      FROM steep_repl.links l CROSS JOIN LATERAL (SELECT steep_repl._apply_error(l.subscription) AS error) e
     WHERE l.subscription IS NOT NULL AND (e.error->>'change')::bigint > 0
  LOOP
    CONTINUE WHEN NOT steep_repl._hopeless(failed.sqlstate);
    INSERT INTO steep_repl.apply_failures AS f (peer, finished_at, change, sqlstate, message, last_try)
    VALUES (failed.peer, failed.finished_at, failed.change, failed.sqlstate, failed.message, failed.at)
    ON CONFLICT ON CONSTRAINT apply_failures_pkey DO UPDATE SET
      tries = CASE WHEN f.sqlstate = excluded.sqlstate THEN f.tries + 1 ELSE 1 END,
      message = excluded.message, sqlstate = excluded.sqlstate, last_try = excluded.last_try,
      -- By its kind: the text may quote a time, or a value that is another one at each attempt.
      set_aside = f.set_aside OR f.sqlstate = excluded.sqlstate AND f.tries + 1 >= 3
      WHERE f.last_try < excluded.last_try;
  END LOOP;
  -- What has been passed since then needs no memory.
  DELETE FROM steep_repl.apply_failures f USING steep_repl.links l
   WHERE l.peer = f.peer AND l.subscription IS NOT NULL AND f.last_try < clock_timestamp() - interval '1 minute'
     AND f.finished_at < pg_replication_origin_progress('pg_' || l.subscription, false);
END $$;
COMMENT ON FUNCTION steep_repl._note_apply_failures() IS 'Counts what apply workers failed at; the third time a change is set aside.';

CREATE OR REPLACE FUNCTION steep_repl._set_aside(peer text) RETURNS TABLE (finished_at text, change text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT (f.finished_at - '0/0'::pg_lsn)::text, f.change::text FROM steep_repl.apply_failures f WHERE f.set_aside AND f.peer = _set_aside.peer;
END;
COMMENT ON FUNCTION steep_repl._set_aside(text) IS 'The changes of a peer''s stream that are not to be applied.';

CREATE OR REPLACE FUNCTION steep_repl._log_apply_error(subscription text, peer text, table_schema text, table_name text, remote_tuple text,
  base_tuple text, micros bigint, origin_xid bigint, final_lsn bigint, change bigint, sqlstate text, message text) RETURNS SETOF uuid
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
#variable_conflict use_variable
DECLARE
  root regclass := (SELECT t.relation FROM steep_repl.tables t WHERE t.table_schema = _log_apply_error.table_schema AND t.table_name = _log_apply_error.table_name);
  key jsonb;
  old_key jsonb;
  failure steep_repl.apply_failures;
BEGIN
  SELECT * INTO failure FROM steep_repl.apply_failures f
   WHERE f.peer = _log_apply_error.peer AND f.finished_at = '0/0'::pg_lsn + final_lsn AND f.change = _log_apply_error.change;
  BEGIN
    -- In the form that other entries have; one that cannot be read here is left out.
    SELECT jsonb_object_agg(c.name, coalesce(remote_tuple, base_tuple)::jsonb->c.name) INTO key FROM steep_repl._key_columns(root) c(name);
    key := steep_repl._canonical_key(root, key);
    IF remote_tuple IS NOT NULL THEN
      old_key := nullif(steep_repl._canonical_key(root, steep_repl._key_of(root, base_tuple::jsonb)), key);
    END IF;
  EXCEPTION WHEN OTHERS THEN
    key := NULL;
    old_key := NULL;
  END;
  INSERT INTO steep_repl.conflict_log (subscription, peer, table_schema, table_name, conflict_type, remote_tuple, base_tuple, remote_origin,
    remote_xact_ts, origin_xid, remote_lsn, resolution, conflict_key, key, key_id, sqlstate, error, reason, not_converged_reason, change, moved_from)
  VALUES (subscription, peer, table_schema, table_name, 'APPLY-ERROR', remote_tuple::jsonb, base_tuple::jsonb, peer,
    steep_repl._at(micros), origin_xid, '0/0'::pg_lsn + final_lsn, 'PENDING',
    steep_repl._conflict_key(table_schema, table_name, coalesce(key::text, ''), format('%s %s', micros, peer), format('error %s', change)),
    key, CASE WHEN key IS NOT NULL THEN steep_repl._key_id(root, key) END, coalesce(sqlstate, failure.sqlstate), coalesce(message, failure.message),
    'the change could not be applied here and was set aside; the rest of its transaction was applied', 'set aside', change, old_key);
  RETURN QUERY SELECT steep_repl._key_id(root, k) FROM unnest(ARRAY[key, old_key]) k WHERE k IS NOT NULL;
END $$;
COMMENT ON FUNCTION steep_repl._log_apply_error(text, text, text, text, text, text, bigint, bigint, bigint, bigint, text, text) IS
  'Logs a change that was set aside, for a person to decide; the ids of its keys.';

CREATE OR REPLACE FUNCTION steep_repl._overtake(peer text, final_lsn bigint, change bigint, table_schema text, table_name text, keys jsonb[]) RETURNS void
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  UPDATE steep_repl.conflict_log c SET overtaken = c.overtaken || ARRAY(SELECT k FROM unnest(keys) k WHERE k IN (c.key, c.moved_from))
   WHERE c.resolution = 'PENDING' AND c.conflict_type = 'APPLY-ERROR' AND c.peer = _overtake.peer AND c.remote_lsn = '0/0'::pg_lsn + final_lsn
     AND c.change < _overtake.change AND c.table_schema = _overtake.table_schema AND c.table_name = _overtake.table_name
     AND (c.key = ANY (keys) OR c.moved_from = ANY (keys));
END;
COMMENT ON FUNCTION steep_repl._overtake(text, bigint, bigint, text, text, jsonb[]) IS
  'Notes that a later change of a transaction has been applied to keys of changes that were set aside: what these had to say of them is over.';
