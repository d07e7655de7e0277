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

CREATE OR REPLACE FUNCTION steep_repl._queue_lost_move(relation oid, key text, moved_by bigint) RETURNS void
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  INSERT INTO steep_repl.lost_moves (relation, key, moved_by) VALUES (_queue_lost_move.relation, _queue_lost_move.key::jsonb, _queue_lost_move.moved_by::text::xid);
  SELECT steep_repl._wake_worker();
END;
COMMENT ON FUNCTION steep_repl._queue_lost_move(oid, text, bigint) IS 'Has the worker remove the row under the new key of a lost move.';

CREATE OR REPLACE FUNCTION steep_repl._settle_lost_moves() RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  move steep_repl.lost_moves;
  removed bigint;
BEGIN
  FOR move IN SELECT m.* FROM steep_repl.lost_moves m JOIN steep_repl.tables t ON t.relation = m.relation ORDER BY m.id LOOP
    removed := steep_repl._as_owner(move.relation, format('DELETE FROM %s WHERE %s AND xmin = %L::xid', steep_repl._source_of(move.relation::regclass),
                                                          steep_repl._key_is(move.relation, move.key), move.moved_by));
    IF removed = 0 THEN
      PERFORM steep_repl._log_row_under_two_keys(move);
    END IF;
    DELETE FROM steep_repl.lost_moves m WHERE m.id = move.id;
  END LOOP;
END $$;
COMMENT ON FUNCTION steep_repl._settle_lost_moves() IS 'Removes rows under the new key of a lost move, by ordinary writes that all nodes get; those that have changed since are left to a person.';

CREATE OR REPLACE FUNCTION steep_repl._log_row_under_two_keys(move steep_repl.lost_moves) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  row_now jsonb;
BEGIN
  EXECUTE format('SELECT to_jsonb(t) FROM %s t WHERE %s', steep_repl._source_of((move).relation::regclass), steep_repl._key_is((move).relation, (move).key))
    INTO row_now;
  IF row_now IS NULL THEN
    RETURN;
  END IF;
  INSERT INTO steep_repl.conflict_log (subscription, table_schema, table_name, conflict_type, local_tuple, local_origin, resolution, conflict_key,
                                       key, result, strategy, reason, not_converged_reason, relation)
  SELECT '', t.table_schema, t.table_name, 'KEY-UPDATE', row_now, steep_repl.node_id(), 'PENDING',
         steep_repl._conflict_key(t.table_schema, t.table_name, (move).key::text, (move).moved_by::text, steep_repl.node_id()),
         (move).key, row_now, 'last_write_wins',
         'the move that made this key lost against a later change of the old key, but the row has changed since: it stands under both keys', 'pending', t.relation
    FROM steep_repl.tables t WHERE t.relation = (move).relation;
END $$;
COMMENT ON FUNCTION steep_repl._log_row_under_two_keys(steep_repl.lost_moves) IS 'Leaves a row that stands under two keys to a person.';
