-- Resolution by hand. The public functions run as their caller, and have no search_path of their own: they write rows of
-- users' tables, whose triggers expect the session's.

CREATE OR REPLACE FUNCTION steep_repl._end_apply_error(conflict_id bigint, wish text) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF upper(wish) = 'REMOTE' THEN
    INSERT INTO steep_repl.retries (conflict_id, asked_by)
    SELECT c.id, steep_repl._actor() FROM steep_repl.conflict_log c WHERE c.id = _end_apply_error.conflict_id AND c.conflict_type = 'APPLY-ERROR' AND c.resolution = 'PENDING'
    -- What a person asks for may be refused to the proof.
    ON CONFLICT ON CONSTRAINT retries_pkey DO UPDATE SET asked_by = excluded.asked_by, asked_at = clock_timestamp();
  ELSE
    -- Local by its own meaning: not compared with the peers any more, until something else happens to the row.
    UPDATE steep_repl.conflict_log c SET resolution = 'KEPT_LOCAL', winner = 'local', resolved_at = clock_timestamp(), resolved_by = steep_repl._actor(),
           not_converged_reason = 'left out by hand: other nodes may hold another row', next_proof = 'infinity'
     WHERE c.id = _end_apply_error.conflict_id AND c.conflict_type = 'APPLY-ERROR' AND c.resolution = 'PENDING' AND upper(wish) = 'LOCAL';
  END IF;
END $$;
COMMENT ON FUNCTION steep_repl._end_apply_error(bigint, text) IS 'A change that was set aside: LOCAL leaves it out for good, REMOTE has the worker apply it once more.';

CREATE OR REPLACE FUNCTION steep_repl._end_resolution(conflict_id bigint, wish text) RETURNS bigint
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
#variable_conflict use_variable
DECLARE
  begun record;
  told steep_repl.resolutions;
  state jsonb;
  id bigint := conflict_id;
BEGIN
  PERFORM steep_repl._refuse_stranger(c.table_schema, c.table_name) FROM steep_repl.conflict_log c WHERE c.id = conflict_id;
  FOR begun IN SELECT * FROM steep_repl.resolving r WHERE r.conflict_id = _end_resolution.conflict_id ORDER BY r.seq LOOP
    SELECT * INTO told FROM steep_repl.resolutions r WHERE r.node_id = steep_repl.node_id() AND r.seq = begun.seq;
    state := steep_repl._key_state(begun.relation, told.key);
    -- The row was locked: only this transaction can have changed it.
    IF begun.must_write AND (state->'place', state->'leaf', state->'row') IS NOT DISTINCT FROM (begun.row_before->'place', begun.row_before->'leaf', begun.row_before->'row') THEN
      RAISE EXCEPTION USING ERRCODE = 'SR068', MESSAGE = format('the row of conflict %s was not written', conflict_id),
        DETAIL = 'The statement changed no row: row level security hides it, or a trigger of the table keeps it.';
    END IF;
    -- A table's triggers may have made another row of it.
    IF begun.must_write AND state->'row' IS DISTINCT FROM coalesce(told.result, 'null'::jsonb) THEN
      UPDATE steep_repl.resolutions r SET result = nullif(state->'row', 'null') WHERE r.node_id = told.node_id AND r.seq = told.seq RETURNING * INTO told;
    END IF;
    PERFORM steep_repl._end_entries(told, CASE WHEN told.conflict_key = (SELECT c.conflict_key FROM steep_repl.conflict_log c WHERE c.id = conflict_id) THEN conflict_id END);
    IF told.new_key IS NOT NULL THEN
      SELECT c.id INTO id FROM steep_repl.conflict_log c WHERE c.conflict_key = told.new_key;
    END IF;
    DELETE FROM steep_repl.resolving r WHERE r.seq = begun.seq;
  END LOOP;
  IF NOT FOUND THEN
    PERFORM steep_repl._end_apply_error(conflict_id, wish);
  END IF;
  PERFORM steep_repl._audit(CASE WHEN upper(wish) = 'REVERT' THEN 'conflict.revert' ELSE 'conflict.resolve' END, 'conflict', conflict_id::text, NULL,
    (SELECT jsonb_build_object('table', format('%I.%I', c.table_schema, c.table_name), 'resolution', c.resolution, 'entry', id) FROM steep_repl.conflict_log c WHERE c.id = conflict_id));
  PERFORM steep_repl._wake_worker();
  RETURN id;
END $$;
COMMENT ON FUNCTION steep_repl._end_resolution(bigint, text) IS
  'Ends the entries of a resolution whose write has been made; the id of the entry, or of that of the revert. Definer: writes tables of the extension. Errors: SR068.';

CREATE OR REPLACE FUNCTION steep_repl._refuse_unended() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM steep_repl.resolving r WHERE r.seq = NEW.seq) THEN
    RAISE EXCEPTION USING ERRCODE = 'SR068', MESSAGE = format('the row of conflict %s was not written', NEW.conflict_id), HINT = 'Call resolve_conflict.';
  END IF;
  RETURN NULL;
END $$;
COMMENT ON FUNCTION steep_repl._refuse_unended() IS 'Keeps a resolution without its write from being committed. Definer: reads a table of the extension.';

DROP TRIGGER IF EXISTS resolving_ended ON steep_repl.resolving;
CREATE CONSTRAINT TRIGGER resolving_ended AFTER INSERT ON steep_repl.resolving DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION steep_repl._refuse_unended();

CREATE OR REPLACE FUNCTION steep_repl._resolve_failed(action text, target text, code text, message text, constraint_name text, detail text) RETURNS void
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF action NOT IN ('conflict.resolve', 'conflict.revert', 'conflict.resolve_bulk', 'table.apply_tuple') THEN
    RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = format('unknown action %s', action);
  END IF;
  -- Not the words of others: they may quote the row.
  PERFORM steep_repl._audit_failure(action, CASE action WHEN 'table.apply_tuple' THEN 'table' ELSE 'conflict' END, target,
                                    CASE WHEN code LIKE 'SR%' THEN message ELSE 'SQLSTATE ' || code END);
  IF code = '23505' THEN
    RAISE EXCEPTION USING ERRCODE = 'SR068', MESSAGE = format('another row has that value already: %I', constraint_name), DETAIL = coalesce(detail, ''),
      HINT = 'Resolve it as MERGED with another value, or change the other row first.';
  END IF;
END $$;
COMMENT ON FUNCTION steep_repl._resolve_failed(text, text, text, text, text, text) IS
  'Has the audit log say that a resolution failed; SR068 where another row has a unique value. Definer: any caller may fail.';

CREATE OR REPLACE FUNCTION steep_repl._resolve(conflict_id bigint, wish text, merged jsonb, force boolean, reason text) RETURNS bigint
  LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  statement text;
BEGIN
  FOR statement IN SELECT * FROM steep_repl._prepare_resolution(conflict_id, wish, merged, force, reason) LOOP
    EXECUTE statement;
  END LOOP;
  RETURN steep_repl._end_resolution(conflict_id, wish);
END $$;
COMMENT ON FUNCTION steep_repl._resolve(bigint, text, jsonb, boolean, text) IS 'Resolves or reverts a conflict as the caller; the id of the entry, or of that of the revert.';

CREATE OR REPLACE FUNCTION steep_repl._prepare_resolution(conflict_id bigint, wish text, merged jsonb, force boolean, reason text) RETURNS SETOF text
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  begun record;
  given jsonb := merged;
BEGIN
  SELECT * INTO begun FROM steep_repl._begin_resolution(conflict_id, wish, merged, coalesce(force, false), reason);
  IF begun.choice IN ('LOCAL', 'REMOTE') AND (SELECT c.conflict_type = 'APPLY-ERROR' FROM steep_repl.conflicts c WHERE c.id = conflict_id) THEN
    RETURN;
  ELSIF begun.choice = 'BEFORE' THEN
    given := steep_repl._row_before(conflict_id);
  END IF;
  RETURN QUERY SELECT * FROM steep_repl._resolution_statements(conflict_id, begun.choice, given, begun.parent);
END $$;
COMMENT ON FUNCTION steep_repl._prepare_resolution(bigint, text, jsonb, boolean, text) IS 'Checks and announces a resolution; the statements that carry it out.';

CREATE OR REPLACE FUNCTION steep_repl._row_before(conflict_id bigint) RETURNS jsonb
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  -- Not the revert itself, which has been announced just now.
  SELECT CASE WHEN c.conflict_type = 'FK-ORPHAN' AND c.resolution = 'APPLIED_REMOTE' THEN c.local_tuple ELSE
           (SELECT r.replaced FROM steep_repl.resolved r WHERE c.conflict_key IN (r.conflict_key, r.new_key) AND r.at = c.resolved_at LIMIT 1) END
    FROM steep_repl.conflicts c WHERE c.id = conflict_id;
END;
COMMENT ON FUNCTION steep_repl._row_before(bigint) IS 'The row that stood there before a conflict was resolved by hand.';

CREATE OR REPLACE FUNCTION steep_repl.resolve_conflict(
  p_conflict_id bigint, p_resolution text, p_merged_tuple jsonb DEFAULT NULL, p_force boolean DEFAULT false, p_reason text DEFAULT NULL
) RETURNS boolean
  LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  code text;
  message text;
  details text;
  broken text;
BEGIN
  PERFORM steep_repl._resolve(p_conflict_id, CASE WHEN p_resolution OPERATOR(pg_catalog.~~*) 'revert' THEN NULL ELSE p_resolution END, p_merged_tuple, p_force, p_reason);
  RETURN true;
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT, details = PG_EXCEPTION_DETAIL, broken = CONSTRAINT_NAME;
  PERFORM steep_repl._resolve_failed('conflict.resolve', p_conflict_id::pg_catalog.text, code, message, broken, details);
  RAISE;
END $$;
COMMENT ON FUNCTION steep_repl.resolve_conflict(bigint, text, jsonb, boolean, text) IS
  'Resolves a conflict by hand: LOCAL and REMOTE write the row of that side, as this node logged it (no row: deleted), MERGED writes p_merged_tuple, a whole row. All nodes get it, as a write of the caller with the caller''s own rights; its entries end together on all nodes. Also takes an automatic decision back. APPLY-ERROR: REMOTE tries the change once more, LOCAL leaves it out. FK-ORPHAN: REMOTE deletes the row, LOCAL brings its parent back. UNIQUE: the row that lost comes back, if no other row has its value. Refuses when the row has changed since, unless p_force. Errors: SR043, SR050, SR060 to SR069.';

CREATE OR REPLACE FUNCTION steep_repl.revert_resolution(p_conflict_id bigint, p_reason text DEFAULT 'Manual revert', p_force boolean DEFAULT false) RETURNS bigint
  LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  code text;
  message text;
  details text;
  broken text;
BEGIN
  RETURN steep_repl._resolve(p_conflict_id, 'REVERT', NULL, p_force, p_reason);
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT, details = PG_EXCEPTION_DETAIL, broken = CONSTRAINT_NAME;
  PERFORM steep_repl._resolve_failed('conflict.revert', p_conflict_id::pg_catalog.text, code, message, broken, details);
  RAISE;
END $$;
COMMENT ON FUNCTION steep_repl.revert_resolution(bigint, text, boolean) IS
  'Takes a decision back, automatic or by hand: writes the row that lost, or that stood there before a merge, as a write of the caller that all nodes get; the entry is REVERTED everywhere. Returns the id of the entry of the revert, which can be reverted, too. Errors: SR043, SR050, SR061 to SR070.';
