-- TRUNCATE: travels as one row and removes on each node what was written before it.

CREATE OR REPLACE FUNCTION steep_repl._truncation_number() RETURNS bigint
  LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'truncation_number_wrapper';
COMMENT ON FUNCTION steep_repl._truncation_number() IS 'A number that only the TRUNCATE has which this session is carrying out.';

CREATE OR REPLACE FUNCTION steep_repl._statement_restarts() RETURNS boolean
  LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'statement_restarts_wrapper';
COMMENT ON FUNCTION steep_repl._statement_restarts() IS 'Whether the statement that this session is carrying out sets a sequence back: RESTART IDENTITY, ALTER SEQUENCE … RESTART.';

CREATE OR REPLACE FUNCTION steep_repl._watch_truncate(relation regclass) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  one regclass;
BEGIN
  FOR one IN SELECT relation UNION SELECT t.relid FROM pg_partition_tree(relation) t JOIN pg_class c ON c.oid = t.relid WHERE c.relkind IN ('r', 'p') LOOP
    EXECUTE format('CREATE OR REPLACE TRIGGER "!steep_repl_truncate" BEFORE TRUNCATE ON %s EXECUTE FUNCTION steep_repl._before_truncate()', one);
    EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER "!steep_repl_truncate"', one);
  END LOOP;
  EXECUTE format('CREATE OR REPLACE TRIGGER "!steep_repl_restart" AFTER TRUNCATE ON %s EXECUTE FUNCTION steep_repl._after_truncate()', relation);
  EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER "!steep_repl_restart"', relation);
END $$;
COMMENT ON FUNCTION steep_repl._watch_truncate(regclass) IS 'Puts our TRUNCATE triggers on a table and its partitions: statement triggers are not inherited.';

CREATE OR REPLACE FUNCTION steep_repl._unwatch_truncate(relation regclass) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
DECLARE
  one regclass;
BEGIN
  FOR one IN SELECT relation UNION SELECT t.relid FROM pg_partition_tree(relation) t JOIN pg_class c ON c.oid = t.relid WHERE c.relkind IN ('r', 'p') LOOP
    EXECUTE format('DROP TRIGGER IF EXISTS "!steep_repl_truncate" ON %s', one);
  END LOOP;
  EXECUTE format('DROP TRIGGER IF EXISTS "!steep_repl_restart" ON %s', relation);
END $$;
COMMENT ON FUNCTION steep_repl._unwatch_truncate(regclass) IS 'Takes our TRUNCATE triggers off a table and its partitions.';

CREATE OR REPLACE FUNCTION steep_repl._before_truncate() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  root regclass := coalesce(pg_partition_root(TG_RELID), TG_RELID);
  known steep_repl.tables;
  this text := format('%s %s', root::oid, steep_repl._truncation_number());
BEGIN
  SELECT * INTO known FROM steep_repl.tables t WHERE t.relation = root;
  IF NOT FOUND THEN
    RETURN NULL;
  ELSIF TG_RELID <> root THEN
    IF current_setting('steep_repl.truncating', true) IS DISTINCT FROM this THEN
      RAISE EXCEPTION USING ERRCODE = 'SR049', MESSAGE = format('cannot truncate partition %s alone: %s is replicated as a whole', TG_RELID::regclass, root),
        HINT = format('DELETE FROM %s; or truncate %s.', TG_RELID::regclass, root);
    END IF;
    RETURN NULL;
  END IF;
  IF steep_repl._statement_restarts() THEN
    PERFORM steep_repl._note_positions(root);
  END IF;
  -- Its partitions' triggers follow within this statement.
  PERFORM set_config('steep_repl.truncating', this, true);
  DELETE FROM steep_repl.tombstones s WHERE s.relation = root;
  DELETE FROM steep_repl.row_changes c WHERE c.relation = root;
  INSERT INTO steep_repl.tombstones (relation, key_id) VALUES (root, steep_repl._all_keys());
  INSERT INTO steep_repl.truncations (node_id, seq, table_schema, table_name, received)
  SELECT steep_repl.node_id(), nextval('steep_repl.truncation_seq'), known.table_schema, known.table_name,
         (SELECT coalesce(jsonb_object_agg(l.peer, jsonb_build_object('lsn', pg_replication_origin_progress('pg_' || l.subscription, false),
                                                                     'micros', steep_repl._applied_until(l.subscription))), '{}')
            FROM steep_repl.links l WHERE l.subscription IS NOT NULL)
   WHERE steep_repl.node_id() IS NOT NULL;
  RETURN NULL;
END $$;
COMMENT ON FUNCTION steep_repl._before_truncate() IS 'Tells all nodes that a replicated table is truncated. Definer: whoever truncates a table may not write ours. Errors: SR049 one partition alone.';

CREATE OR REPLACE FUNCTION steep_repl._after_truncate() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF steep_repl._statement_restarts() THEN
    PERFORM steep_repl._restore_positions(TG_RELID);
  END IF;
  RETURN NULL;
END $$;
COMMENT ON FUNCTION steep_repl._after_truncate() IS 'Has the ids of a table go on after TRUNCATE … RESTART IDENTITY. Definer: whoever truncates a table may not write the ranges.';

CREATE OR REPLACE FUNCTION steep_repl._take_truncation() RETURNS trigger
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  root regclass := (SELECT t.relation FROM steep_repl.tables t WHERE t.table_schema = NEW.table_schema AND t.table_name = NEW.table_name);
  keyed boolean := EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = root AND i.indisprimary);
  truncated bigint := steep_repl._applied_commit_time();
  me text := steep_repl.node_id();
  -- What this node wrote until then had been received where the table was truncated; at the latest beat before it, when
  -- the other side did not know more.
  seen timestamptz := coalesce(steep_repl._at((NEW.received->me->>'micros')::bigint),
                               (SELECT max(h.at) FROM steep_repl.beat_history h WHERE h.lsn <= (NEW.received->me->>'lsn')::pg_lsn), '-infinity');
  stored record;
  written bigint;
  writer text;
BEGIN
  IF root IS NULL THEN
    RETURN NEW;
  END IF;
  -- Another apply worker must not insert an older row that neither of the two sees.
  EXECUTE format('LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE', root);
  -- What its own transaction wrote before it is gone with it.
  DELETE FROM steep_repl.row_changes c WHERE c.relation = root AND c.xmin = pg_current_xact_id()::xid;
  INSERT INTO steep_repl.tombstones (relation, key_id) VALUES (root, steep_repl._all_keys());
  FOR stored IN EXECUTE format('SELECT t.tableoid AS leaf, t.ctid::text AS place, t.xmin AS writer, pg_xact_commit_timestamp(t.xmin) AS at,
      CASE WHEN $1 AND pg_xact_commit_timestamp(t.xmin) > $2 THEN steep_repl._key_json(t.*)::jsonb END AS key,
      CASE WHEN $1 AND pg_xact_commit_timestamp(t.xmin) > $2 THEN steep_repl._row_json(t.*)::jsonb END AS whole
      FROM %s t FOR UPDATE', steep_repl._source_of(root)) USING keyed, least(seen, steep_repl._at(truncated))
  LOOP
    written := NULL;
    IF stored.key IS NOT NULL THEN
      SELECT v.micros, v.node INTO written, writer FROM steep_repl._row_version(root, steep_repl._key_id(root, stored.key), stored.writer) v;
      IF writer = me THEN
        PERFORM steep_repl._log_truncated(root, NEW.node_id, truncated, stored.key, stored.whole, written);
      END IF;
    END IF;
    IF coalesce((written, writer COLLATE "C") <= (truncated, NEW.node_id COLLATE "C"), true) THEN
      PERFORM steep_repl._remove_quietly(stored.leaf, stored.place);
    END IF;
  END LOOP;
  RETURN NEW;
END $$;
COMMENT ON FUNCTION steep_repl._take_truncation() IS 'Fires in the apply worker: removes what was written before a peer''s TRUNCATE, and logs what that had not seen.';

CREATE OR REPLACE FUNCTION steep_repl._log_truncated(root regclass, peer text, truncated bigint, key jsonb, whole jsonb, micros bigint) RETURNS void
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  -- The same transaction may have changed the row before it truncated: as in _log_conflict().
  UPDATE steep_repl.conflict_log c SET conflict_key = md5(format('%s before %s', c.conflict_key, c.id))::uuid
    FROM steep_repl.tables t
   WHERE t.relation = root AND c.remote_origin = _log_truncated.peer
     AND c.conflict_key = steep_repl._conflict_key(t.table_schema, t.table_name, _log_truncated.key::text, format('%s %s', micros, steep_repl.node_id()), format('%s %s', truncated, _log_truncated.peer));
  INSERT INTO steep_repl.conflict_log (relation, subscription, peer, table_schema, table_name, conflict_type, local_tuple, local_origin, remote_origin,
    local_xact_ts, remote_xact_ts, resolution, resolved_at, resolved_by, conflict_key, key, key_id, result, strategy, winner, possible, not_converged_reason)
  SELECT root, coalesce(l.subscription_name, ''), _log_truncated.peer, t.table_schema, t.table_name, 'TRUNCATE-WRITE', whole, steep_repl.node_id(), _log_truncated.peer,
         steep_repl._at(micros), steep_repl._at(truncated), CASE WHEN micros > truncated THEN 'KEPT_LOCAL' ELSE 'APPLIED_REMOTE' END, clock_timestamp(), 'last_write_wins',
         steep_repl._conflict_key(t.table_schema, t.table_name, key::text, format('%s %s', micros, steep_repl.node_id()), format('%s %s', truncated, _log_truncated.peer)),
         key, steep_repl._key_id(root, key), CASE WHEN micros > truncated THEN whole END, t.strategy,
         -- How far the truncating node had received is known to the nearest beat.
         CASE WHEN micros > truncated THEN 'local' ELSE 'remote' END, true, 'not compared yet'
    FROM steep_repl.tables t LEFT JOIN steep_repl.links l ON l.peer = _log_truncated.peer WHERE t.relation = root;
END;
COMMENT ON FUNCTION steep_repl._log_truncated(regclass, text, bigint, jsonb, jsonb, bigint) IS 'Logs a row of this node that a peer''s TRUNCATE had not seen: removed when older, kept when later.';

CREATE OR REPLACE TRIGGER truncation_arrived BEFORE INSERT ON steep_repl.truncations
  FOR EACH ROW EXECUTE FUNCTION steep_repl._take_truncation();
ALTER TABLE steep_repl.truncations ENABLE REPLICA TRIGGER truncation_arrived;
