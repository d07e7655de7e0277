-- Repairs: what the worker writes for a proof, for a change that was set aside or a row that was displaced, under an origin of
-- its own.

CREATE OR REPLACE FUNCTION steep_repl._repairs_due() RETURNS SETOF text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT 'adopt' WHERE EXISTS (SELECT 1 FROM steep_repl.pulls p WHERE p.target IS NOT NULL)
  UNION ALL SELECT 'displace' WHERE EXISTS (SELECT 1 FROM steep_repl.displaced_early e)
  UNION ALL SELECT 'retry' WHERE EXISTS (SELECT 1 FROM steep_repl.retries r);
END;
COMMENT ON FUNCTION steep_repl._repairs_due() IS 'Kinds of repair that wait: they are written under an origin of their own, so that peers do not get them.';

CREATE OR REPLACE FUNCTION steep_repl._repair_origin() RETURNS text
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  name text := 'steep_repl_repair_' || (SELECT d.oid FROM pg_database d WHERE d.datname = current_database());
  number oid := (SELECT o.roident FROM pg_replication_origin o WHERE o.roname = name);
BEGIN
  IF number IS NULL THEN
    number := pg_replication_origin_create(name);
  END IF;
  IF NOT EXISTS (SELECT 1 FROM steep_repl.origins o WHERE o.origin_number = number AND o.kind = 'copy' AND o.xid_to IS NULL) THEN
    PERFORM steep_repl._origin_means(number, 'copy', NULL);
  END IF;
  RETURN name;
END $$;
COMMENT ON FUNCTION steep_repl._repair_origin() IS 'The replication origin under which repairs are written, made when it is missing.';

CREATE OR REPLACE FUNCTION steep_repl._repair(kind text) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET lock_timeout = '100ms' AS $$
BEGIN
  PERFORM set_config('session_replication_role', 'replica', true);
  IF kind = 'adopt' THEN
    PERFORM steep_repl._adopt_all();
  ELSIF kind = 'retry' THEN
    PERFORM steep_repl._retry_all();
  ELSE
    PERFORM steep_repl._settle_early();
  END IF;
END $$;
COMMENT ON FUNCTION steep_repl._repair(text) IS 'Carries out the repairs of one kind; the caller has set up the origin.';

CREATE OR REPLACE FUNCTION steep_repl._adopt_all() RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  pull steep_repl.pulls;
  message text;
BEGIN
  FOR pull IN SELECT * FROM steep_repl.pulls p WHERE p.target IS NOT NULL LIMIT 100 LOOP
    BEGIN
      PERFORM steep_repl._adopt(pull);
    EXCEPTION WHEN serialization_failure OR deadlock_detected THEN
      NULL;  -- Somebody is writing the key: it is compared again.
    WHEN lock_not_available THEN
      PERFORM steep_repl._wait_no_more();
    WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS message = MESSAGE_TEXT;
      -- The message may quote values: it stands where only those see it who may read the table.
      UPDATE steep_repl.conflict_log c SET not_converged_reason = 'cannot adopt the row of a peer', error = coalesce(c.error, message)
       WHERE c.converged_at IS NULL AND c.table_schema = pull.table_schema AND c.table_name = pull.table_name AND c.key = pull.key;
    END;
    DELETE FROM steep_repl.pulls p WHERE p.table_schema = pull.table_schema AND p.table_name = pull.table_name AND p.key = pull.key;
  END LOOP;
END $$;
COMMENT ON FUNCTION steep_repl._adopt_all() IS 'Adopts what peers hold under the keys that wait for it.';

CREATE OR REPLACE FUNCTION steep_repl._adopt(pull steep_repl.pulls) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
  root regclass := (SELECT t.relation FROM steep_repl.tables t WHERE t.table_schema = (pull).table_schema AND t.table_name = (pull).table_name);
  id uuid := steep_repl._key_id(root, (pull).key);
  micros bigint := ((pull).target->>'micros')::bigint;
  node text := (pull).target->>'node';
  condition text := steep_repl._key_is(root, (pull).key);
  state jsonb;
  stones bigint;
  columns text;
  expressions text;
  whole jsonb;
  writer xid;
BEGIN
  EXECUTE format('SELECT 1 FROM %s t WHERE %s FOR UPDATE', steep_repl._source_of(root), condition);
  stones := steep_repl._stones(root, (pull).key);
  state := steep_repl._key_state(root, (pull).key);
  -- Only if nothing has been written here since the comparison. Beside the version, because a fold is as late as before when
  -- something early has come.
  IF (state->'micros', state->'node', steep_repl._row_hash(state)) IS DISTINCT FROM ((pull).mine->'micros', (pull).mine->'node', (pull).mine->>'hash') THEN
    RETURN;
  END IF;
  PERFORM steep_repl._log_adoption(root, pull, state);
  IF (pull).target->>'hash' IS NULL THEN
    IF state->>'place' IS NOT NULL THEN
      PERFORM steep_repl._remove_quietly((state->>'leaf')::bigint::oid, state->>'place');
    END IF;
    PERFORM steep_repl._put_tombstone(root, (pull).key, coalesce((pull).target->>'row_gone', state->>'row'), micros, node, coalesce(((pull).target->>'displaced')::boolean, false));
    PERFORM steep_repl._refuse_newcomer(root, (pull).key);
    PERFORM steep_repl._adopt_base(root, (pull).key, micros, node);
    RETURN;
  END IF;
  -- A column that the peer does not have yet stays as it is here, or gets its default.
  whole := coalesce(nullif(state->'row', 'null'), '{}') || ((pull).target->'row');
  SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum),
         string_agg(CASE format_type(a.atttypid, NULL) WHEN 'jsonb' THEN format('nullif(%L::jsonb->%L, ''null'')', whole, a.attname)
                         ELSE format('CAST(%L AS %s)', whole->>a.attname, format_type(a.atttypid, a.atttypmod)) END, ', ' ORDER BY a.attnum)
    INTO columns, expressions
    FROM pg_attribute a WHERE a.attrelid = root AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' AND whole ? a.attname;
  IF state->>'place' IS NOT NULL THEN
    PERFORM steep_repl._remove_quietly((state->>'leaf')::bigint::oid, state->>'place');
  END IF;
  IF NOT steep_repl._make_room(root, pull) THEN
    RETURN;
  END IF;
  PERFORM steep_repl._as_owner(root, format('INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE VALUES (%s)', root, columns, expressions));
  PERFORM steep_repl._refuse_deletion(root, (pull).key, stones);
  DELETE FROM steep_repl.row_versions v WHERE v.relation = root AND v.key_id = id;
  -- Not the id of this transaction: it was written in a part of it that has one of its own.
  EXECUTE format('SELECT t.xmin FROM %s t WHERE %s', steep_repl._source_of(root), condition) INTO STRICT writer;
  INSERT INTO steep_repl.row_versions (relation, key_id, row_xid, version_time, version_node, adopted)
  VALUES (root, id, writer, steep_repl._at(micros), node, true);
  PERFORM steep_repl._adopt_base(root, (pull).key, micros, node);
  PERFORM steep_repl._suspect_adopted(root, (pull).target->'row');
END $$;
COMMENT ON FUNCTION steep_repl._adopt(steep_repl.pulls) IS 'Makes this node hold what a peer holds under a key, with that version.';

CREATE OR REPLACE FUNCTION steep_repl._log_adoption(root regclass, pull steep_repl.pulls, state jsonb) RETURNS void
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  -- What is overwritten here is a write that lost: whole in the log, like any other. Where this node had decided between the
  -- same two writes, by time because it wrote neither, that entry says from now on what the strategy made of them.
  WITH adoption AS (
    SELECT steep_repl._conflict_key((pull).table_schema, (pull).table_name, (pull).key::text,
             format('%s %s', state->>'micros', state->>'node'), format('%s %s', (pull).target->>'micros', (pull).target->>'node')) AS identity,
           -- Of a transaction that wrote the row more than once there is an entry already, about another of its writes.
           steep_repl._conflict_key((pull).table_schema, (pull).table_name, (pull).key::text,
             format('%s %s', state->>'micros', state->>'node'), format('%s %s adopted', (pull).target->>'micros', (pull).target->>'node')) AS another
  ), decided_again AS (
    UPDATE steep_repl.conflict_log c
       SET (winner, resolution) = (SELECT w.winner, CASE w.winner WHEN 'local' THEN 'KEPT_LOCAL' ELSE 'APPLIED_REMOTE' END
              FROM (SELECT CASE WHEN c.local_origin = (pull).target->>'node' AND steep_repl._micros(c.local_xact_ts) = ((pull).target->>'micros')::bigint
                                THEN 'local' ELSE 'remote' END) w(winner)),
           result = nullif((pull).target->'row', 'null'), resolved_at = clock_timestamp(), resolved_by = 'proof',
           reason = 'the nodes differed after a conflict: this one adopted the row that stays', not_converged_reason = 'not compared yet'
      FROM adoption a WHERE c.conflict_key = a.identity AND c.resolution IN ('KEPT_LOCAL', 'APPLIED_REMOTE')
       -- Only if what is overwritten stands in it.
       AND (nullif(state->'row', 'null') IS NOT DISTINCT FROM c.local_tuple OR nullif(state->'row', 'null') IS NOT DISTINCT FROM c.remote_tuple)
    RETURNING c.id
  ), overturned AS (
    -- Other entries in which the row had lost that stays after all: there the other side has lost.
    UPDATE steep_repl.conflict_log c
       SET winner = CASE c.winner WHEN 'local' THEN 'remote' ELSE 'local' END,
           resolution = CASE c.winner WHEN 'local' THEN 'APPLIED_REMOTE' ELSE 'KEPT_LOCAL' END,
           result = nullif((pull).target->'row', 'null'), resolved_at = clock_timestamp(), resolved_by = 'proof',
           reason = 'the nodes differed after a conflict: the row that had lost here stays'
      FROM adoption a
     WHERE c.conflict_key <> a.identity AND c.converged_at IS NULL AND c.resolution IN ('KEPT_LOCAL', 'APPLIED_REMOTE')
       AND c.key_id = steep_repl._key_id(root, (pull).key) AND c.table_schema = (pull).table_schema AND c.table_name = (pull).table_name
       AND (CASE c.winner WHEN 'local' THEN (c.remote_origin, steep_repl._micros(c.remote_xact_ts)) ELSE (c.local_origin, steep_repl._micros(c.local_xact_ts)) END)
           IS NOT DISTINCT FROM ((pull).target->>'node', ((pull).target->>'micros')::bigint)
       AND (CASE c.winner WHEN 'local' THEN c.remote_tuple ELSE c.local_tuple END) IS NOT DISTINCT FROM nullif((pull).target->'row', 'null')
       AND EXISTS (SELECT 1 FROM steep_repl.tables t WHERE t.relation = root AND steep_repl._earlier_may_stay(t))
  )
  INSERT INTO steep_repl.conflict_log (relation, subscription, table_schema, table_name, conflict_type, local_tuple, remote_tuple, local_origin, remote_origin,
    local_xact_ts, remote_xact_ts, resolution, resolved_at, resolved_by, conflict_key, key, key_id, result, strategy, winner, possible, reason, not_converged_reason)
  SELECT root, '', (pull).table_schema, (pull).table_name,
         CASE WHEN (pull).target->>'hash' IS NULL OR state->>'row' IS NULL THEN 'UPDATE-DELETE' ELSE 'UPDATE-UPDATE' END,
         nullif(state->'row', 'null'), nullif((pull).target->'row', 'null'), state->>'node', (pull).target->>'node',
         steep_repl._at((state->>'micros')::bigint), steep_repl._at(((pull).target->>'micros')::bigint), 'APPLIED_REMOTE', clock_timestamp(), 'proof',
         CASE WHEN EXISTS (SELECT 1 FROM steep_repl.conflict_log c WHERE c.conflict_key = a.identity) THEN a.another ELSE a.identity END,
         (pull).key, steep_repl._key_id(root, (pull).key), nullif((pull).target->'row', 'null'),
         (SELECT t.strategy FROM steep_repl.tables t WHERE t.relation = root), 'remote', true,
         'the nodes differed after a conflict: this one adopted the row that stays', 'not compared yet'
    FROM adoption a
   WHERE (state->>'row' IS NOT NULL OR state->>'micros' IS NOT NULL) AND state->'row' IS DISTINCT FROM (pull).target->'row'
     AND NOT EXISTS (SELECT 1 FROM decided_again) AND NOT steep_repl._lacks_only_columns((pull).target->'row', state->'row')
     -- What was set aside had seen the row that is here.
     AND NOT EXISTS (SELECT 1 FROM steep_repl.conflict_log c WHERE c.conflict_type = 'APPLY-ERROR' AND c.resolution = 'PENDING'
                        AND c.table_schema = (pull).table_schema AND c.table_name = (pull).table_name AND c.key = (pull).key);
END;
COMMENT ON FUNCTION steep_repl._log_adoption(regclass, steep_repl.pulls, jsonb) IS 'Logs the row that an adoption overwrites.';
