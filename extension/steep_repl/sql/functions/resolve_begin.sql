-- What a resolution by hand does with the extension's rights: it looks whether it may be, and tells all nodes, ahead of the
-- write. Whoever calls this without the write that belongs to it cannot commit (resolving_ended).

CREATE OR REPLACE FUNCTION steep_repl._refuse_stranger(table_schema text, table_name text) RETURNS void
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  root oid := to_regclass(format('%I.%I', table_schema, table_name));
  role oid := steep_repl._outer_role();
BEGIN
  IF root IS NOT NULL AND NOT (steep_repl._reads_all(root, role)
      AND (has_table_privilege(role, root, 'INSERT, UPDATE, DELETE') OR has_any_column_privilege(role, root, 'INSERT, UPDATE'))) THEN
    RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege', MESSAGE = format('permission denied for table %I.%I', table_schema, table_name),
      HINT = 'Who resolves a conflict must be allowed to read and to write the rows of its table, all of them and with all columns.';
  END IF;
END $$;
COMMENT ON FUNCTION steep_repl._refuse_stranger(text, text) IS
  'Error 42501 when the session acts as a role that may not read and write a table: for functions that run as their owner, and that anybody who may resolve conflicts may call by themselves.';

CREATE OR REPLACE FUNCTION steep_repl._last_resolution(c steep_repl.conflict_log) RETURNS steep_repl.resolutions
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN (SELECT r FROM steep_repl.resolutions r WHERE (c).conflict_key IN (r.conflict_key, r.new_key) ORDER BY r.at DESC, r.node_id DESC LIMIT 1);
COMMENT ON FUNCTION steep_repl._last_resolution(steep_repl.conflict_log) IS 'The latest resolution by hand that an entry shows.';

CREATE OR REPLACE FUNCTION steep_repl._choice_of(c steep_repl.conflict_log, wish text, merged jsonb, OUT choice text, OUT given jsonb)
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  last steep_repl.resolutions := steep_repl._last_resolution(c);
BEGIN
  choice := upper(wish);
  given := merged;
  IF choice NOT IN ('LOCAL', 'REMOTE', 'MERGED', 'REVERT') OR choice IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'SR060', MESSAGE = format('unknown resolution %s', wish), HINT = 'Known: LOCAL, REMOTE, MERGED.';
  ELSIF (choice = 'MERGED') <> (merged IS NOT NULL) OR jsonb_typeof(merged) <> 'object' THEN
    RAISE EXCEPTION USING ERRCODE = 'SR060', MESSAGE = CASE WHEN choice = 'MERGED' THEN 'MERGED needs a row, as a JSON object' ELSE format('%s takes no row', choice) END,
      HINT = 'resolve_conflict(42, ''MERGED'', ''{"id": 1, "status": "paid"}''); LOCAL and REMOTE take the row from the entry.';
  ELSIF choice <> 'REVERT' THEN
    IF last.seq IS NOT NULL OR c.resolution = 'REVERTED' OR c.conflict_type = 'APPLY-ERROR' AND c.resolution <> 'PENDING' THEN
      RAISE EXCEPTION USING ERRCODE = 'SR062', MESSAGE = format('conflict %s has been resolved already', c.id),
        DETAIL = format('%s by %s at %s', c.resolution, c.resolved_by, c.resolved_at),
        HINT = CASE WHEN c.conflict_type = 'APPLY-ERROR' THEN 'Write the row as you want it.'
                    WHEN c.resolution = 'REVERTED' THEN format('revert_resolution takes the revert back: its entry is %s.', (SELECT o.id FROM steep_repl.conflict_log o WHERE o.conflict_key = last.new_key LIMIT 1))
                    ELSE 'revert_resolution takes a resolution back.' END;
    END IF;
    RETURN;
  END IF;
  IF c.resolution = 'PENDING' OR c.resolution IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'SR070', MESSAGE = format('conflict %s is not resolved, so there is nothing to revert', c.id), HINT = 'Use resolve_conflict.';
  ELSIF c.resolution = 'REVERTED' THEN
    RAISE EXCEPTION USING ERRCODE = 'SR062', MESSAGE = format('conflict %s has been reverted already', c.id),
      DETAIL = format('by %s at %s; the entry of that is %s', c.resolved_by, c.resolved_at, (SELECT o.id FROM steep_repl.conflict_log o WHERE o.conflict_key = last.new_key LIMIT 1)),
      HINT = 'Revert that entry to take the revert back.';
  ELSIF c.conflict_type IN ('APPLY-ERROR', 'FK-ORPHAN') AND (last.resolution IS DISTINCT FROM 'MERGED' AND c.resolution <> 'APPLIED_REMOTE' OR c.conflict_type = 'APPLY-ERROR' AND last.seq IS NULL) THEN
    RAISE EXCEPTION USING ERRCODE = 'SR070', MESSAGE = format('conflict %s did not replace a row, so there is nothing to revert', c.id),
      HINT = 'Write the row as you want it.';
  ELSIF c.resolution = 'MERGED' THEN
    choice := CASE WHEN last.seq IS NULL THEN 'LOCAL' ELSE 'BEFORE' END;
    given := last.replaced;
  ELSE
    choice := CASE c.resolution WHEN 'KEPT_LOCAL' THEN 'REMOTE' ELSE 'LOCAL' END;
    -- The child of a deleted parent: its own row, not the parent, comes back.
    IF c.conflict_type = 'FK-ORPHAN' THEN
      choice := 'BEFORE';
      given := c.local_tuple;
    END IF;
  END IF;
END $$;
COMMENT ON FUNCTION steep_repl._choice_of(steep_repl.conflict_log, text, jsonb) IS
  'Which side a wish means; BEFORE: the given row, that stood there before. Errors: SR060, SR062, SR070.';

CREATE OR REPLACE FUNCTION steep_repl._refuse_changed(c steep_repl.conflict_log, target_key jsonb, state jsonb) RETURNS void
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  last steep_repl.resolutions := steep_repl._last_resolution(c);
  here jsonb := CASE WHEN state->>'micros' IS NOT NULL THEN jsonb_build_array((state->>'micros')::bigint, state->>'node') END;
  expected jsonb := CASE WHEN c.resolution = 'PENDING' THEN c.local_tuple ELSE c.result END;
  version jsonb;
  moved boolean;
BEGIN
  IF last.seq IS NOT NULL THEN
    -- The write has the version of the transaction that wrote the resolution.
    SELECT CASE WHEN v.micros IS NOT NULL THEN jsonb_build_array(v.micros, v.node) END INTO version
      FROM steep_repl.resolutions r CROSS JOIN LATERAL steep_repl._row_version(c.relation, c.key_id, r.xmin) v WHERE r.node_id = last.node_id AND r.seq = last.seq;
  ELSIF c.resolution = 'PENDING' OR c.resolution = 'KEPT_LOCAL' THEN
    version := steep_repl._version(c.local_xact_ts, c.local_origin);
  ELSIF c.resolution = 'APPLIED_REMOTE' THEN
    version := steep_repl._version(c.remote_xact_ts, c.remote_origin);
  END IF;
  moved := expected IS NOT NULL AND steep_repl._key_of(c.relation, expected) <> target_key;
  IF moved OR expected IS NULL THEN
    -- Under this key no row is to be, whatever made it go away.
    IF state->>'row' IS NULL THEN
      RETURN;
    END IF;
  ELSIF state->>'row' IS NOT NULL AND (CASE WHEN here IS NOT NULL AND version IS NOT NULL THEN here = version ELSE state->'row' = expected END) THEN
    RETURN;
  END IF;
  RAISE EXCEPTION USING ERRCODE = 'SR061', MESSAGE = format('the row has changed since conflict %s', c.id),
    DETAIL = format('%s here%s.', CASE WHEN state->>'row' IS NULL THEN 'There is no row' ELSE 'Another row is' END,
                    CASE WHEN here IS NOT NULL THEN format(', written on %s at %s', here->>1, steep_repl._at((here->>0)::bigint)) END),
    HINT = 'Look at the row and at conflict_show(). p_force => true writes all the same.';
END $$;
COMMENT ON FUNCTION steep_repl._refuse_changed(steep_repl.conflict_log, jsonb, jsonb) IS 'Error SR061 when what is here under a key is not what the entry says.';

CREATE OR REPLACE FUNCTION steep_repl._wait_past(replaces jsonb) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  latest bigint := (SELECT max((r->>0)::bigint) FROM jsonb_array_elements(replaces) r);
  patience interval := coalesce(current_setting('steep_repl.clock_wait', true), '10s')::interval;
BEGIN
  IF steep_repl._at(latest) > clock_timestamp() + patience THEN
    RAISE EXCEPTION USING ERRCODE = 'SR069', MESSAGE = 'the row was written by a clock that is ahead of this node''s, so this write would lose to it',
      DETAIL = format('Written at %s; here it is %s.', steep_repl._at(latest), clock_timestamp()),
      HINT = 'Set the clocks by NTP, or resolve it on the node that wrote the row. steep_repl.clock_wait is how long this waits.';
  END IF;
  WHILE steep_repl._at(latest) >= clock_timestamp() LOOP
    PERFORM pg_sleep(0.01);
  END LOOP;
END $$;
COMMENT ON FUNCTION steep_repl._wait_past(jsonb) IS 'Waits until this node''s clock has passed all of these versions, at most steep_repl.clock_wait. Errors: SR069.';

CREATE OR REPLACE FUNCTION steep_repl._stay_away(root regclass, key jsonb, state jsonb) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  -- The others delete their row by this, without a statement of the caller's.
  IF NOT has_table_privilege(steep_repl._outer_role(), root, 'DELETE') THEN
    RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege', MESSAGE = format('permission denied for table %s', root),
      HINT = 'That the row stays away deletes it where it stands: that takes DELETE on the table.';
  END IF;
  -- As late as the resolution: what it replaces does not come back over it.
  INSERT INTO steep_repl.tombstones (relation, key_id, row_gone) VALUES (root, steep_repl._key_id(root, key), state->>'row_gone');
END $$;
COMMENT ON FUNCTION steep_repl._stay_away(regclass, jsonb, jsonb) IS
  'Remembers that somebody decided for no row under a key that has none here. Errors: 42501 for whoever may not delete rows of the table.';

CREATE OR REPLACE FUNCTION steep_repl._begin_resolution(conflict_id bigint, wish text, merged jsonb, force boolean, reason text, OUT choice text, OUT parent regclass)
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
#variable_conflict use_variable
DECLARE
  c steep_repl.conflict_log;
  root regclass;
  given jsonb;
  target record;
  state jsonb;
  told steep_repl.resolutions;
BEGIN
  SELECT * INTO c FROM steep_repl.conflict_log l WHERE l.id = conflict_id FOR UPDATE;
  IF c.id IS NOT NULL THEN
    PERFORM steep_repl._refuse_stranger(c.table_schema, c.table_name);
  END IF;
  SELECT t.relation INTO root FROM steep_repl.tables t WHERE t.table_schema = c.table_schema AND t.table_name = c.table_name AND t.relation = coalesce(c.relation, t.relation);
  IF c.id IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'SR050', MESSAGE = format('this node has no conflict with the id %s', conflict_id),
      HINT = 'SELECT * FROM steep_repl.conflict_list() lists them; ids differ from node to node, and old entries are pruned.';
  ELSIF root IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'SR043', MESSAGE = format('table %I.%I of conflict %s is not replicated any more', c.table_schema, c.table_name, conflict_id);
  END IF;
  c.relation := root;
  SELECT f.choice, f.given INTO choice, given FROM steep_repl._choice_of(c, wish, merged) f;
  IF c.conflict_type = 'APPLY-ERROR' AND choice IN ('LOCAL', 'REMOTE') THEN
    RETURN;
  ELSIF NOT EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = root AND i.indisprimary) OR steep_repl._key_of(root, c.key) IS DISTINCT FROM c.key THEN
    RAISE EXCEPTION USING ERRCODE = 'SR063', MESSAGE = format('conflict %s names no row: the table has no primary key, or has another one now', conflict_id),
      HINT = 'Write the row as you want it.';
  ELSIF c.conflict_type = 'KEY-UPDATE' AND c.local_tuple IS NULL AND choice <> 'LOCAL' AND NOT force THEN
    RAISE EXCEPTION USING ERRCODE = 'SR063', MESSAGE = format('the row of conflict %s has yet another key here', conflict_id),
      HINT = 'UPDATE its key where it stands. p_force => true writes the chosen row beside it.';
  END IF;
  IF c.conflict_type = 'FK-ORPHAN' THEN
    SELECT k.confrelid::regclass INTO parent FROM steep_repl.orphans o JOIN pg_constraint k ON k.oid = o.constraint_id WHERE o.conflict_id = c.id;
    parent := steep_repl._root_of(parent);
    IF choice = 'LOCAL' AND (c.base_tuple IS NULL OR parent IS NULL) THEN
      RAISE EXCEPTION USING ERRCODE = 'SR063', MESSAGE = format('the row that conflict %s misses is not known any more', conflict_id),
        HINT = 'Insert it: the entry is closed by itself then. Or resolve it as REMOTE, which deletes the row that refers to it.';
    END IF;
  END IF;
  FOR target IN SELECT * FROM steep_repl._resolution_targets(c.conflict_type, c.key, c.local_tuple, c.remote_tuple, c.base_tuple, root, parent, choice, given) t ORDER BY t.place DESC LOOP
    EXECUTE format('SELECT 1 FROM %s t WHERE %s FOR UPDATE', steep_repl._source_of(target.relation), steep_repl._key_is(target.relation, target.target_key));
    state := steep_repl._key_state(target.relation, target.target_key);
    IF NOT force AND target.place = 1 AND c.conflict_type <> 'APPLY-ERROR' THEN
      PERFORM steep_repl._refuse_changed(c, target.target_key, state);
    ELSIF NOT force AND target.expected IS NOT NULL AND state->>'row' IS NOT NULL AND state->'row' <> target.expected THEN
      RAISE EXCEPTION USING ERRCODE = 'SR061', MESSAGE = format('the row that conflict %s left under another key has changed since', c.id), HINT = 'p_force => true takes it away all the same.';
    END IF;
    told := NULL;
    SELECT n.nspname, r.relname INTO told.table_schema, told.table_name FROM pg_class r JOIN pg_namespace n ON n.oid = r.relnamespace WHERE r.oid = target.relation;
    told.node_id := steep_repl._this_node();
    told.seq := nextval('steep_repl.resolution_seq');
    told.at := clock_timestamp();
    told.resolved_by := steep_repl._actor();
    told.conflict_key := CASE target.place WHEN 1 THEN c.conflict_key ELSE md5(format('%s %s', c.conflict_key, target.target_key))::uuid END;
    told.key := target.target_key;
    told.replaces := (
      SELECT coalesce(jsonb_agg(DISTINCT v), '[]') FROM (
        SELECT steep_repl._version(steep_repl._at((state->>'micros')::bigint), state->>'node')
        UNION SELECT unnest(ARRAY[steep_repl._version(o.local_xact_ts, o.local_origin), steep_repl._version(o.remote_xact_ts, o.remote_origin)])
          FROM steep_repl.conflict_log o WHERE o.id = c.id OR o.key_id = steep_repl._key_id(target.relation, target.target_key)
           AND o.table_schema = told.table_schema AND o.table_name = told.table_name AND o.resolution = 'PENDING') known(v) WHERE v IS NOT NULL);
    told.chosen := CASE choice WHEN 'LOCAL' THEN steep_repl._version(c.local_xact_ts, c.local_origin)
                               WHEN 'REMOTE' THEN steep_repl._version(c.remote_xact_ts, c.remote_origin) END;
    told.resolution := CASE WHEN target.place <> 1 THEN 'MERGED' WHEN upper(wish) = 'REVERT' THEN 'REVERTED'
                            WHEN choice = 'LOCAL' THEN 'KEPT_LOCAL' WHEN choice = 'REMOTE' THEN 'APPLIED_REMOTE' ELSE 'MERGED' END;
    told.result := CASE WHEN target.place = 1 AND choice = 'LOCAL' THEN c.local_tuple WHEN target.place = 1 AND choice = 'REMOTE' THEN c.remote_tuple ELSE target.tuple END;
    told.reason := nullif(reason, '');
    told.replaced := nullif(state->'row', 'null');
    told.replaced_version := steep_repl._version(steep_repl._at((state->>'micros')::bigint), state->>'node');
    told.new_key := CASE WHEN told.resolution = 'REVERTED' THEN md5(format('%s reverted %s %s', c.conflict_key, told.node_id, told.seq))::uuid END;
    told.absent := target.tuple IS NULL AND state->>'row' IS NULL AND NOT target.keep AND c.conflict_type NOT IN ('UNIQUE', 'FK-ORPHAN')
                   AND NOT (SELECT steep_repl._folds(t) FROM steep_repl.tables t WHERE t.relation = root);
    PERFORM steep_repl._wait_past(told.replaces);
    PERFORM steep_repl._stay_away(target.relation, target.target_key, state) WHERE told.absent;
    INSERT INTO steep_repl.resolutions SELECT told.*;
    SET CONSTRAINTS steep_repl.resolving_ended DEFERRED;
    INSERT INTO steep_repl.resolving VALUES (told.seq, c.id, target.relation, state, NOT target.keep AND (target.relation IS DISTINCT FROM parent OR state->>'row' IS NULL)
      AND steep_repl._write_statement(target.relation, target.target_key, target.tuple, nullif(state->'row', 'null'), target.whole) IS NOT NULL);
  END LOOP;
END $$;
COMMENT ON FUNCTION steep_repl._begin_resolution(bigint, text, jsonb, boolean, text) IS
  'Checks that a conflict can be resolved so and tells all nodes, ahead of the write that the caller makes. Definer: writes tables of the extension; returns nothing of a row. Errors: SR043, SR050, SR060 to SR063, SR069, SR070.';
