-- What conflicts leave to the worker, in transactions of its own.

CREATE OR REPLACE FUNCTION steep_repl._key_is(root oid, key jsonb) RETURNS text
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  condition text := steep_repl._key_condition(root);
  column_name text;
  type_name text;
  place int;
BEGIN
  -- From the last on, so that $1 does not match in $10.
  FOR column_name, type_name, place IN
    SELECT a.attname, format_type(a.atttypid, a.atttypmod), k.place
      FROM pg_index i CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY k(attnum, place)
      JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
     WHERE i.indrelid = root AND i.indisprimary AND k.place <= i.indnkeyatts ORDER BY k.place DESC
  LOOP
    condition := replace(condition, '$' || place, format('%L::%s', key->>column_name, type_name));
  END LOOP;
  RETURN condition;
END $$;
COMMENT ON FUNCTION steep_repl._key_is(oid, jsonb) IS 'The condition by which the row with a key is found, as SQL text.';

CREATE OR REPLACE FUNCTION steep_repl._queue_lost_move(relation oid, key text, micros bigint, node text) RETURNS void
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  INSERT INTO steep_repl.lost_moves (relation, key, micros, node)
  VALUES (_queue_lost_move.relation, _queue_lost_move.key::jsonb, _queue_lost_move.micros, _queue_lost_move.node);
  SELECT steep_repl._wake_worker();
END;
COMMENT ON FUNCTION steep_repl._queue_lost_move(oid, text, bigint, text) IS 'Has the worker remove the row under the new key of a lost move.';

CREATE OR REPLACE FUNCTION steep_repl._settle_lost_moves() RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  move steep_repl.lost_moves;
  state jsonb;
BEGIN
  FOR move IN SELECT m.* FROM steep_repl.lost_moves m JOIN steep_repl.tables t ON t.relation = m.relation ORDER BY m.id LOOP
    EXECUTE format('SELECT 1 FROM %s t WHERE %s FOR UPDATE', steep_repl._source_of(move.relation::regclass), steep_repl._key_is(move.relation, move.key));
    state := steep_repl._key_state(move.relation::regclass, move.key);
    IF state->>'row' IS NOT NULL AND ((state->>'micros')::bigint, state->>'node') = (move.micros, move.node) THEN
      PERFORM steep_repl._as_owner(move.relation, format('DELETE FROM %s WHERE %s', steep_repl._source_of(move.relation::regclass),
                                                         steep_repl._key_is(move.relation, move.key)));
    ELSIF state->>'row' IS NOT NULL AND (state->>'micros')::bigint > move.micros THEN
      PERFORM steep_repl._log_row_under_two_keys(move, state);
    END IF;
    DELETE FROM steep_repl.lost_moves m WHERE m.id = move.id;
  END LOOP;
END $$;
COMMENT ON FUNCTION steep_repl._settle_lost_moves() IS 'Removes rows under the new key of a lost move, by ordinary writes that all nodes get; those that have changed since are left to a person.';

CREATE OR REPLACE FUNCTION steep_repl._log_row_under_two_keys(move steep_repl.lost_moves, state jsonb) RETURNS void
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  INSERT INTO steep_repl.conflict_log (relation, subscription, table_schema, table_name, conflict_type, local_tuple, local_origin, local_xact_ts, resolution,
                                       conflict_key, key, key_id, result, strategy, reason, not_converged_reason)
  SELECT t.relation, '', t.table_schema, t.table_name, 'KEY-UPDATE', state->'row', state->>'node', steep_repl._at((state->>'micros')::bigint), 'PENDING',
         steep_repl._conflict_key(t.table_schema, t.table_name, (move).key::text, format('%s %s', (move).micros, (move).node), 'two keys'),
         (move).key, steep_repl._key_id(t.relation, (move).key), state->'row', t.strategy,
         'the move that made this key lost against a later change of the old key, but the row has changed since: it stands under both keys', 'pending'
    FROM steep_repl.tables t WHERE t.relation = (move).relation;
END;
COMMENT ON FUNCTION steep_repl._log_row_under_two_keys(steep_repl.lost_moves, jsonb) IS 'Leaves a row that stands under two keys to a person.';
