-- Changes that were set aside of rows that are folds: they take their place among the changes of their key, and the row is folded
-- anew. To adopt a peer's row instead would lose what has been written here since.

CREATE OR REPLACE FUNCTION steep_repl._fold_late(relation oid, place text, here_micros bigint, here_node text, row_gone text,
  deed text, number bigint, before text, after text, micros bigint, node text) RETURNS jsonb
  LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'fold_late_wrapper';
COMMENT ON FUNCTION steep_repl._fold_late(oid, text, bigint, text, text, text, bigint, text, text, bigint, text) IS
  'Keeps a change that was set aside and folds all changes of its key: the row, its version, and whose it is; or the trouble that it still makes. NULL when the rows of the table are no folds.';

CREATE OR REPLACE FUNCTION steep_repl._retry_in_fold(c steep_repl.conflict_log, root regclass, key jsonb, deed text) RETURNS jsonb
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
#variable_conflict use_variable
DECLARE
  id uuid := steep_repl._key_id(root, key);
  state jsonb;
  stones bigint;
  folded jsonb;
  micros bigint;
  displaced boolean;
  given record;
  writer xid;
BEGIN
  EXECUTE format('SELECT 1 FROM %s t WHERE %s FOR UPDATE', steep_repl._source_of(root), steep_repl._key_is(root, key));
  stones := steep_repl._stones(root, key);
  state := steep_repl._key_state(root, key);
  folded := steep_repl._fold_late(coalesce((state->>'leaf')::bigint::oid, root::oid), state->>'place', (state->>'micros')::bigint, state->>'node', state->>'row_gone',
    deed, coalesce(c.change, 0), c.base_tuple::text, c.remote_tuple::text, steep_repl._micros(c.remote_xact_ts), c.remote_origin);
  IF folded ? 'trouble' THEN
    RAISE EXCEPTION USING ERRCODE = folded->>'sqlstate', MESSAGE = folded->>'trouble';
  END IF;
  micros := (folded->>'micros')::bigint;
  -- What was displaced stays so until somebody writes the key later.
  displaced := coalesce((state->>'displaced')::boolean, false) AND ((state->>'micros')::bigint, state->>'node') = (micros, folded->>'node');
  IF displaced OR (folded->>'unchanged')::boolean THEN
    RETURN folded;
  END IF;
  IF state->>'place' IS NOT NULL THEN
    PERFORM steep_repl._remove_quietly((state->>'leaf')::bigint::oid, state->>'place');
  END IF;
  IF folded->>'row' IS NOT NULL AND NOT steep_repl._make_room(root, steep_repl._as_pull(c.table_schema, c.table_name, key,
                                          steep_repl._canonical_row(root, folded->'row'), micros, folded->>'node')) THEN
    RETURN folded || jsonb_build_object('row', NULL, 'gives_way', true);
  ELSIF folded->>'row' IS NULL THEN
    PERFORM steep_repl._put_tombstone(root, key, coalesce(state->>'row', state->>'row_gone'), micros, folded->>'node', false);
    PERFORM steep_repl._refuse_newcomer(root, key);
    RETURN folded;
  END IF;
  SELECT * INTO given FROM steep_repl._retried_values(root, folded->'row', NULL);
  PERFORM steep_repl._as_owner(root, format('INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE VALUES (%s)', root, given.columns, given.expressions));
  PERFORM steep_repl._refuse_deletion(root, key, stones);
  DELETE FROM steep_repl.row_versions v WHERE v.relation = root AND v.key_id = id;
  -- Not the id of this transaction: it was written in a part of it that has one of its own.
  EXECUTE format('SELECT t.xmin FROM %s t WHERE %s', steep_repl._source_of(root), steep_repl._key_is(root, key)) INTO STRICT writer;
  INSERT INTO steep_repl.row_versions (relation, key_id, row_xid, version_time, version_node)
  VALUES (root, id, writer, steep_repl._at(micros), folded->>'node');
  PERFORM steep_repl._suspect_adopted(root, steep_repl._key_state(root, key)->'row');
  RETURN folded;
END $$;
COMMENT ON FUNCTION steep_repl._retry_in_fold(steep_repl.conflict_log, regclass, jsonb, text) IS
  'Folds a change that was set aside into the row with a key, and writes that. deed: I, U, or D; what _fold_late() gave.';

CREATE OR REPLACE FUNCTION steep_repl._retry_fold(c steep_repl.conflict_log, root regclass, key jsonb, old_key jsonb, asked_by text) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  folded jsonb;
  side text;
BEGIN
  IF c.remote_tuple IS NOT NULL AND old_key <> key THEN
    -- A change of the key: a deletion and an insertion. Where a later write of this node stands under the old key, be it a
    -- deletion, the move has lost, and nobody else can tell.
    folded := steep_repl._retry_in_fold(c, root, old_key, 'D');
    IF folded->>'node' = steep_repl.node_id() THEN
      PERFORM steep_repl._displace_move(root, c, key);
      side := 'local';
    ELSE
      folded := steep_repl._retry_in_fold(c, root, key, 'I');
      side := folded->>'winner';
    END IF;
  ELSE
    folded := steep_repl._retry_in_fold(c, root, key, CASE WHEN c.remote_tuple IS NULL THEN 'D' WHEN c.base_tuple IS NULL THEN 'I' ELSE 'U' END);
    side := folded->>'winner';
  END IF;
  UPDATE steep_repl.conflict_log l
     SET resolution = CASE side WHEN 'local' THEN 'KEPT_LOCAL' WHEN 'remote' THEN 'APPLIED_REMOTE' ELSE 'MERGED' END, winner = side,
         reason = concat_ws('; ', l.reason, CASE WHEN folded ? 'gives_way' THEN 'a later row holds one of its unique values' END,
                            CASE side WHEN 'local' THEN 'folded in since, it leaves the row as it is' ELSE 'folded in since' END),
         resolved_at = clock_timestamp(), resolved_by = asked_by, result = nullif(steep_repl._key_state(root, key)->'row', 'null'),
         converged_at = NULL, not_converged_reason = 'not compared yet', next_proof = clock_timestamp(), proofs = 0
   WHERE l.id = c.id;
END $$;
COMMENT ON FUNCTION steep_repl._retry_fold(steep_repl.conflict_log, regclass, jsonb, jsonb, text) IS
  'Applies a change that was set aside to a table whose rows are folds. Errors: that which it still fails with.';
