-- What the apply worker's decisions need of SQL: the library calls these (src/conflict).

CREATE OR REPLACE FUNCTION steep_repl._decide() RETURNS trigger
  LANGUAGE c AS 'MODULE_PATHNAME', 'steep_repl_decide';
COMMENT ON FUNCTION steep_repl._decide() IS 'Decides rows that the stream brings; fires in apply workers only.';

CREATE OR REPLACE FUNCTION steep_repl._remember() RETURNS trigger
  LANGUAGE c AS 'MODULE_PATHNAME', 'steep_repl_remember';
COMMENT ON FUNCTION steep_repl._remember() IS 'Writes the tombstone of a row that was deleted or has another key now.';

CREATE OR REPLACE FUNCTION steep_repl._tombstone_written() RETURNS trigger
  LANGUAGE c AS 'MODULE_PATHNAME', 'steep_repl_tombstone_written';
COMMENT ON FUNCTION steep_repl._tombstone_written() IS 'Says to all processes that a table has tombstones: the library says so itself when it writes them.';
CREATE OR REPLACE TRIGGER tombstone_written BEFORE INSERT ON steep_repl.tombstones FOR EACH ROW EXECUTE FUNCTION steep_repl._tombstone_written();
ALTER TABLE steep_repl.tombstones ENABLE ALWAYS TRIGGER tombstone_written;

CREATE OR REPLACE FUNCTION steep_repl._key_id(relation oid, key jsonb) RETURNS uuid
  LANGUAGE c STABLE STRICT AS 'MODULE_PATHNAME', 'key_id_of_wrapper';
COMMENT ON FUNCTION steep_repl._key_id(oid, jsonb) IS 'The id under which tombstones and versions of a key are kept on this node.';

CREATE OR REPLACE FUNCTION steep_repl._all_keys() RETURNS uuid
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN '00000000-0000-0000-0000-000000000000'::uuid;
COMMENT ON FUNCTION steep_repl._all_keys() IS 'The id under which a truncation, a tombstone of all keys, is kept.';

CREATE OR REPLACE FUNCTION steep_repl._canonical_key(relation oid, key jsonb) RETURNS jsonb
  LANGUAGE c STABLE STRICT AS 'MODULE_PATHNAME', 'canonical_key_wrapper';
COMMENT ON FUNCTION steep_repl._canonical_key(oid, jsonb) IS 'A key in the one form that the conflict log uses.';

CREATE OR REPLACE FUNCTION steep_repl._row_json("row" anyelement) RETURNS text
  LANGUAGE c STABLE STRICT AS 'MODULE_PATHNAME', 'row_json_wrapper';
COMMENT ON FUNCTION steep_repl._row_json(anyelement) IS 'A row of a table, whole, the same on all nodes whatever their settings.';

CREATE OR REPLACE FUNCTION steep_repl._key_json("row" anyelement) RETURNS text
  LANGUAGE c STABLE STRICT AS 'MODULE_PATHNAME', 'key_json_wrapper';
COMMENT ON FUNCTION steep_repl._key_json(anyelement) IS 'The primary key of a row of a table.';

CREATE OR REPLACE FUNCTION steep_repl._as_owner(relation oid, statement text) RETURNS bigint
  LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'as_owner_wrapper';
COMMENT ON FUNCTION steep_repl._as_owner(oid, text) IS 'Runs a statement as the owner of a table, restricted; how many rows it processed.';

CREATE OR REPLACE FUNCTION steep_repl._applied_commit_time() RETURNS bigint
  LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'applied_commit_time_wrapper';
COMMENT ON FUNCTION steep_repl._applied_commit_time() IS 'The commit time, at its origin, of the transaction that this apply worker applies; NULL elsewhere.';

CREATE OR REPLACE FUNCTION steep_repl._applied_peer() RETURNS text
  LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'applied_peer_wrapper';
COMMENT ON FUNCTION steep_repl._applied_peer() IS 'The node whose stream this apply worker applies; NULL elsewhere.';

CREATE OR REPLACE FUNCTION steep_repl._describe_anew(relation oid) RETURNS void
  LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'describe_anew_wrapper';
COMMENT ON FUNCTION steep_repl._describe_anew(oid) IS 'Has all processes look up again what they remember of a table.';

CREATE OR REPLACE FUNCTION steep_repl._remove_quietly(leaf oid, place text) RETURNS void
  LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'remove_quietly_wrapper';
COMMENT ON FUNCTION steep_repl._remove_quietly(oid, text) IS 'Removes a locked row without any trigger.';

CREATE OR REPLACE FUNCTION steep_repl._put_tombstone(relation oid, key jsonb, row_gone text, micros bigint, node text, displaced boolean) RETURNS void
  LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'put_tombstone_wrapper';
COMMENT ON FUNCTION steep_repl._put_tombstone(oid, jsonb, text, bigint, text, boolean) IS 'Writes a tombstone under a version of its own.';

CREATE OR REPLACE FUNCTION steep_repl._refuse_newcomer(relation oid, key jsonb) RETURNS void
  LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'refuse_newcomer_wrapper';
COMMENT ON FUNCTION steep_repl._refuse_newcomer(oid, jsonb) IS 'To be called after a tombstone of a key without a row. Errors: 40001 when somebody has inserted one meanwhile.';

CREATE OR REPLACE FUNCTION steep_repl._await_tombstones(relation oid, key jsonb) RETURNS void
  LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'await_tombstones_wrapper';
COMMENT ON FUNCTION steep_repl._await_tombstones(oid, jsonb) IS 'Waits for the transactions that are writing tombstones of a key.';

CREATE OR REPLACE FUNCTION steep_repl._has_others(peer text) RETURNS boolean
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT EXISTS (SELECT 1 FROM steep_repl.links x WHERE x.peer <> _has_others.peer AND x.wanted <> 'remove')
      OR EXISTS (SELECT 1 FROM steep_repl.nodes n WHERE n.node_id NOT IN (_has_others.peer, steep_repl.node_id()));
END;
COMMENT ON FUNCTION steep_repl._has_others(text) IS 'Whether there are nodes besides this one and a peer: what one of them wrote may be seen by the peer and not be here yet.';

CREATE OR REPLACE FUNCTION steep_repl._others_changed() RETURNS trigger
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM steep_repl._describe_anew('steep_repl.links'::regclass);
  RETURN NULL;
END $$;
COMMENT ON FUNCTION steep_repl._others_changed() IS 'Has apply workers look again whether there are further nodes.';

CREATE OR REPLACE TRIGGER links_changed AFTER INSERT OR DELETE ON steep_repl.links FOR EACH STATEMENT EXECUTE FUNCTION steep_repl._others_changed();
ALTER TABLE steep_repl.links ENABLE ALWAYS TRIGGER links_changed;
CREATE OR REPLACE TRIGGER nodes_changed AFTER INSERT OR DELETE ON steep_repl.nodes FOR EACH STATEMENT EXECUTE FUNCTION steep_repl._others_changed();
ALTER TABLE steep_repl.nodes ENABLE ALWAYS TRIGGER nodes_changed;

CREATE OR REPLACE FUNCTION steep_repl._apply_session(slot text, origin integer)
  RETURNS TABLE (me text, peer text, subscription text, subscription_oid text, origin_since text, before text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT steep_repl.node_id(), l.peer, l.subscription_name::text, l.subscription::text, (o.xid_from::text::bigint % 4294967296)::text,
         -- Numbers of 32 bits are compared around a circle; commit times of what is older are forgotten.
         (SELECT coalesce(jsonb_agg(jsonb_build_array(f.xid_to::text::bigint % 4294967296, f.node_id) ORDER BY f.xid_to), '[]')::text FROM steep_repl.origins f
           WHERE f.origin_number = 0 AND pg_snapshot_xmax(pg_current_snapshot())::text::bigint - f.xid_to::text::bigint < 2000000000)
    FROM steep_repl.links l
    JOIN steep_repl.origins o ON o.origin_number = _apply_session.origin::oid AND o.xid_to IS NULL AND o.node_id = l.peer
   WHERE l.slot_name = _apply_session.slot;
END;
COMMENT ON FUNCTION steep_repl._apply_session(text, integer) IS 'What an apply worker must know of its link; no row when it is none of ours.';

CREATE OR REPLACE FUNCTION steep_repl._micros(at timestamptz) RETURNS bigint
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN (extract(epoch FROM at) * 1000000)::bigint - 946684800000000;
COMMENT ON FUNCTION steep_repl._micros(timestamptz) IS 'A time as the server keeps it: microseconds since 2000.';

CREATE OR REPLACE FUNCTION steep_repl._at(micros bigint) RETURNS timestamptz
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN timestamptz '2000-01-01 00:00:00+00' + micros / 1000000 * interval '1 second' + micros % 1000000 * interval '1 microsecond';
COMMENT ON FUNCTION steep_repl._at(bigint) IS 'The time that so many microseconds since 2000 are.';

CREATE OR REPLACE FUNCTION steep_repl._whole_xid(short bigint) RETURNS xid8
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  -- The latest transaction before the next one whose id ends like that.
  SELECT (n.next - ((n.next - short) % 4294967296 + 4294967296) % 4294967296)::text::xid8
    FROM (SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS next) n;
END;
COMMENT ON FUNCTION steep_repl._whole_xid(bigint) IS 'The whole transaction id of a recent one of 32 bits.';

CREATE OR REPLACE FUNCTION steep_repl._former_self(writer xid) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT o.node_id FROM steep_repl.origins o
   WHERE o.origin_number = 0 AND steep_repl._whole_xid(writer::text::bigint) <= o.xid_to ORDER BY o.xid_to LIMIT 1;
END;
COMMENT ON FUNCTION steep_repl._former_self(xid) IS
  'As which node this database wrote in a transaction of its own sessions, when it was completed from a copy since; else NULL.';

CREATE OR REPLACE FUNCTION steep_repl._written_by(micros bigint, origin integer, xid bigint, root bigint, key uuid)
  RETURNS TABLE (micros bigint, node text, adopted boolean)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  -- A row that is a fold of several changes may be later than the one that wrote it last.
  SELECT coalesce(steep_repl._micros(v.version_time), _written_by.micros), coalesce(v.version_node, o.node_id), coalesce(v.adopted, false)
    FROM steep_repl.origins o
    LEFT JOIN steep_repl.row_versions v ON v.relation = root::oid AND v.key_id = key AND v.row_xid = xid::text::xid
   WHERE o.origin_number = origin::oid AND o.xid_from <= steep_repl._whole_xid(xid)
     AND (o.xid_to IS NULL OR steep_repl._whole_xid(xid) <= o.xid_to)
     AND (o.kind = 'peer' OR v.version_node IS NOT NULL)
   ORDER BY o.xid_from DESC LIMIT 1;
END;
COMMENT ON FUNCTION steep_repl._written_by(bigint, integer, bigint, bigint, uuid) IS
  'The version of a row that was written under an origin number: by a peer, or copied, adopted or folded under a version of its own. No row when nobody knows it.';

CREATE OR REPLACE FUNCTION steep_repl._unique_indexes(leaf oid)
  RETURNS TABLE (name text, columns text, is_deferrable boolean, clash_query text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT x.relname::text,
         (SELECT string_agg(DISTINCT u.attnum::text, ' ') FROM (
            SELECT d.refobjsubid AS attnum FROM pg_depend d
             WHERE d.classid = 'pg_class'::regclass AND d.objid = i.indexrelid AND d.refclassid = 'pg_class'::regclass
               AND d.refobjid = leaf AND d.refobjsubid > 0
            UNION SELECT k FROM unnest(i.indkey::int2[]) k WHERE k > 0) u),
         NOT i.indimmediate,
         -- The new row's values in the columns and expressions of the index, beside the rows that have them.
         format('SELECT t.ctid FROM ONLY %s t, (SELECT %s FROM (SELECT ($1).*) n%s) new WHERE %s%s FOR UPDATE OF t',
           leaf::regclass,
           (SELECT string_agg(format('(%s) AS "%s steep_repl"', pg_get_indexdef(i.indexrelid, k, false), k), ', ' ORDER BY k)
              FROM generate_series(1, i.indnkeyatts) k),
           ' WHERE ' || pg_get_expr(i.indpred, i.indrelid),
           (SELECT string_agg(format(CASE WHEN i.indnullsnotdistinct
                       THEN '((%1$s) OPERATOR(%2$I.%3$s) new."%4$s steep_repl" OR (%1$s) IS NULL AND new."%4$s steep_repl" IS NULL)'
                       ELSE '(%1$s) OPERATOR(%2$I.%3$s) new."%4$s steep_repl"' END,
                     pg_get_indexdef(i.indexrelid, k.place::int, false), n.nspname, o.oprname, k.place), ' AND ' ORDER BY k.place)
              FROM unnest(i.indclass::oid[]) WITH ORDINALITY k(opclass, place)
              JOIN pg_opclass c ON c.oid = k.opclass
              JOIN pg_amop m ON m.amopfamily = c.opcfamily AND m.amoplefttype = c.opcintype AND m.amoprighttype = c.opcintype AND m.amopstrategy = 3
              JOIN pg_operator o ON o.oid = m.amopopr
              JOIN pg_namespace n ON n.oid = o.oprnamespace
             WHERE k.place <= i.indnkeyatts),
           ' AND (' || pg_get_expr(i.indpred, i.indrelid) || ')')
    FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
   WHERE i.indrelid = leaf AND i.indisunique AND i.indisvalid AND NOT i.indisprimary AND NOT i.indisexclusion
   ORDER BY x.relname;
END;
COMMENT ON FUNCTION steep_repl._unique_indexes(oid) IS
  'The unique indexes of a table beside its primary key, and for each the query that finds and locks the rows which clash with a new one.';

CREATE OR REPLACE FUNCTION steep_repl._conflict_key(table_schema text, table_name text, key text, one text, other text) RETURNS uuid
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN md5(format('%s.%s %s %s %s', table_schema, table_name, key,
    least(one COLLATE "C", other COLLATE "C"), greatest(one COLLATE "C", other COLLATE "C")))::uuid;
COMMENT ON FUNCTION steep_repl._conflict_key(text, text, text, text, text) IS 'The identity of a conflict, the same on all nodes.';

CREATE OR REPLACE FUNCTION steep_repl._log_conflict(
  subscription text, peer text, table_schema text, table_name text, kind text, local_tuple text, remote_tuple text, base_tuple text, merged text,
  local_origin text, local_micros bigint, remote_micros bigint, origin_xid bigint, final_lsn bigint, key text, key_id text,
  winner text, possible boolean, reason text, strategy text, pending boolean, sqlstate text DEFAULT NULL, error text DEFAULT NULL
) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
#variable_conflict use_variable
DECLARE
  identity uuid := steep_repl._conflict_key(table_schema, table_name, key, format('%s %s', local_micros, local_origin), format('%s %s', remote_micros, peer));
BEGIN
  -- Several changes of a key in one transaction, a TRUNCATE maybe among them: the last is the one that the other side
  -- compares with.
  UPDATE steep_repl.conflict_log c SET conflict_key = md5(format('%s before %s', c.conflict_key, c.id))::uuid
   WHERE c.conflict_key = identity AND (c.origin_xid = _log_conflict.origin_xid AND c.peer = _log_conflict.peer
      OR c.origin_xid IS NULL AND c.conflict_type = 'TRUNCATE-WRITE' AND c.remote_origin = _log_conflict.peer);
  INSERT INTO steep_repl.conflict_log (subscription, peer, table_schema, table_name, conflict_type, local_tuple, remote_tuple, base_tuple,
    local_origin, remote_origin, local_xact_ts, remote_xact_ts, origin_xid, remote_lsn, resolution, resolved_at, resolved_by, conflict_key,
    key, key_id, result, strategy, winner, possible, reason, sqlstate, error, not_converged_reason, relation)
  VALUES (subscription, peer, table_schema, table_name, kind, local_tuple::jsonb, remote_tuple::jsonb, base_tuple::jsonb,
    local_origin, peer, steep_repl._at(local_micros), steep_repl._at(remote_micros), origin_xid, '0/0'::pg_lsn + final_lsn,
    CASE WHEN pending THEN 'PENDING' ELSE CASE winner WHEN 'local' THEN 'KEPT_LOCAL' WHEN 'remote' THEN 'APPLIED_REMOTE' ELSE 'MERGED' END END,
    CASE WHEN NOT pending THEN clock_timestamp() END, CASE WHEN NOT pending THEN strategy END,
    identity,
    key::jsonb, key_id::uuid, CASE winner WHEN 'local' THEN local_tuple WHEN 'remote' THEN remote_tuple ELSE merged END::jsonb,
    strategy, winner, possible, reason, sqlstate, error, 'not compared yet',
    (SELECT t.relation FROM steep_repl.tables t WHERE t.table_schema = _log_conflict.table_schema AND t.table_name = _log_conflict.table_name));
END $$;
COMMENT ON FUNCTION steep_repl._log_conflict(text, text, text, text, text, text, text, text, text, text, bigint, bigint, bigint, bigint, text, text, text, boolean, text, text, boolean, text, text) IS
  'Writes an entry of the conflict log, in the transaction that applies the winner. winner: local, remote, or NULL when the row is neither side''s but merged.';

CREATE OR REPLACE FUNCTION steep_repl._queue_displaced(table_schema text, table_name text, key text, micros bigint, node text, reason text) RETURNS void
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  INSERT INTO steep_repl.displaced_queue (table_schema, table_name, key, version_time, version_node, reason)
  SELECT _queue_displaced.table_schema, _queue_displaced.table_name, _queue_displaced.key::jsonb,
         steep_repl._at(_queue_displaced.micros), _queue_displaced.node, _queue_displaced.reason
   WHERE _queue_displaced.node IS NOT NULL;
  SELECT steep_repl._wake_worker();
END;
COMMENT ON FUNCTION steep_repl._queue_displaced(text, text, text, bigint, text, text) IS 'Has the worker tell all nodes that a row was displaced: what an apply worker writes is not sent on.';

CREATE OR REPLACE FUNCTION steep_repl._watch_rows(relation regclass) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
DECLARE
  key text := (SELECT string_agg(quote_ident(a.attname), ', ') FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
                WHERE i.indrelid = relation AND i.indisprimary);
BEGIN
  EXECUTE format('CREATE OR REPLACE TRIGGER "!steep_repl_decide" BEFORE INSERT OR UPDATE OR DELETE ON %s FOR EACH ROW EXECUTE FUNCTION steep_repl._decide()', relation);
  EXECUTE format('ALTER TABLE %s ENABLE REPLICA TRIGGER "!steep_repl_decide"', relation);
  PERFORM steep_repl._watch_truncate(relation);
  IF key IS NULL THEN
    RETURN;
  END IF;
  EXECUTE format('CREATE OR REPLACE TRIGGER "~steep_repl_deleted" AFTER DELETE ON %s FOR EACH ROW EXECUTE FUNCTION steep_repl._remember()', relation);
  EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER "~steep_repl_deleted"', relation);
  -- Not with WHEN: its expression is made ready anew for every statement. In apply workers and other sessions with
  -- session_replication_role = replica the first trigger sees changes of the key.
  EXECUTE format('CREATE OR REPLACE TRIGGER "~steep_repl_moved" AFTER UPDATE OF %s ON %s FOR EACH ROW EXECUTE FUNCTION steep_repl._remember()', key, relation);
END $$;
COMMENT ON FUNCTION steep_repl._watch_rows(regclass) IS
  'Puts our triggers on a table: first of all before a row is written, so that a row which loses fires nobody else''s, and last of all after one is gone.';

CREATE OR REPLACE FUNCTION steep_repl._unwatch_rows(relation regclass) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
BEGIN
  EXECUTE format('DROP TRIGGER IF EXISTS "!steep_repl_decide" ON %s', relation);
  EXECUTE format('DROP TRIGGER IF EXISTS "~steep_repl_deleted" ON %s', relation);
  EXECUTE format('DROP TRIGGER IF EXISTS "~steep_repl_moved" ON %s', relation);
  EXECUTE format('DROP TRIGGER IF EXISTS "~steep_repl_changed" ON %s', relation);
  PERFORM steep_repl._unwatch_truncate(relation);
END $$;
COMMENT ON FUNCTION steep_repl._unwatch_rows(regclass) IS 'Takes our triggers off a table.';
