-- Resolutions by hand, on every node: entries of one conflict end together wherever they are, also those that a node
-- writes only after the resolution has reached it.

CREATE OR REPLACE FUNCTION steep_repl._absolute(root oid, key jsonb, replaces jsonb) RETURNS void
  LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'absolute_wrapper';
COMMENT ON FUNCTION steep_repl._absolute(oid, jsonb, jsonb) IS
  'Has the apply worker, until the end of the remote transaction, put what it brings for a key over any of these versions.';

CREATE OR REPLACE FUNCTION steep_repl._version(at timestamptz, node text) RETURNS jsonb
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN CASE WHEN at IS NOT NULL AND node IS NOT NULL THEN jsonb_build_array(steep_repl._micros(at), node) END;
COMMENT ON FUNCTION steep_repl._version(timestamptz, text) IS 'A version as it stands in resolutions; NULL when it is not known.';

CREATE OR REPLACE FUNCTION steep_repl._replaces(replaces jsonb, version jsonb) RETURNS boolean
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  -- What nobody knows the version of is older than everything.
  RETURN version IS NULL OR EXISTS (SELECT 1 FROM jsonb_array_elements(replaces) r
                                     WHERE r->1 = version->1 AND (r->>0)::bigint >= (version->>0)::bigint);
COMMENT ON FUNCTION steep_repl._replaces(jsonb, jsonb) IS 'Whether a version is one of those, or an older one of the same node.';

CREATE OR REPLACE FUNCTION steep_repl._concerns(r steep_repl.resolutions, c steep_repl.conflict_log) RETURNS boolean
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN ((c).conflict_key = (r).conflict_key OR (c).resolution = 'PENDING' AND (c).key = (r).key)
     AND steep_repl._replaces((r).replaces, steep_repl._version((c).local_xact_ts, (c).local_origin))
     AND steep_repl._replaces((r).replaces, steep_repl._version((c).remote_xact_ts, (c).remote_origin))
     -- A row may lose its parent more than once, and its entries are alike: by the deletion alone they are told apart.
     AND ((c).conflict_type <> 'FK-ORPHAN' OR (c).remote_xact_ts IS NOT NULL);
COMMENT ON FUNCTION steep_repl._concerns(steep_repl.resolutions, steep_repl.conflict_log) IS
  'Whether a resolution ends an entry: one of the same conflict, or one that is open, with both versions among those that the resolution replaces.';

CREATE OR REPLACE FUNCTION steep_repl._ended(c steep_repl.conflict_log, r steep_repl.resolutions) RETURNS steep_repl.conflict_log
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  c.resolution := CASE
    WHEN r.resolution = 'REVERTED' AND c.conflict_key = r.conflict_key THEN 'REVERTED'
    WHEN r.resolution = 'MERGED' THEN 'MERGED'
    -- Local and remote as seen from here.
    WHEN r.chosen = steep_repl._version(c.local_xact_ts, c.local_origin) THEN 'KEPT_LOCAL'
    WHEN r.chosen = steep_repl._version(c.remote_xact_ts, c.remote_origin) THEN 'APPLIED_REMOTE'
    WHEN r.result IS NOT DISTINCT FROM c.local_tuple THEN 'KEPT_LOCAL'
    WHEN r.result IS NOT DISTINCT FROM c.remote_tuple THEN 'APPLIED_REMOTE'
    ELSE 'MERGED' END;
  c.winner := CASE c.resolution WHEN 'KEPT_LOCAL' THEN 'local' WHEN 'APPLIED_REMOTE' THEN 'remote' END;
  c.resolved_at := r.at;
  c.resolved_by := r.resolved_by;
  c.result := r.result;
  c.reason := nullif(concat_ws('; ', c.reason, r.reason), '');
  -- To be proven anew.
  c.converged_at := NULL;
  c.not_converged_reason := 'not compared yet';
  c.next_proof := clock_timestamp();
  c.proofs := 0;
  RETURN c;
END $$;
COMMENT ON FUNCTION steep_repl._ended(steep_repl.conflict_log, steep_repl.resolutions) IS 'An entry as a resolution leaves it.';

CREATE OR REPLACE FUNCTION steep_repl._resolved_over(table_schema text, table_name text, key jsonb, here_micros bigint, here_node text, micros bigint, node text)
  RETURNS boolean
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  -- The write of a resolution has the version of the transaction that wrote the resolution.
  SELECT EXISTS (
    SELECT 1 FROM steep_repl.resolutions r JOIN steep_repl.tables t ON t.table_schema = r.table_schema AND t.table_name = r.table_name
     CROSS JOIN LATERAL steep_repl._row_version(t.relation, steep_repl._key_id(t.relation, r.key), r.xmin) v
     WHERE r.table_schema = _resolved_over.table_schema::name AND r.table_name = _resolved_over.table_name::name AND md5(r.key::text) = md5(_resolved_over.key::text)
       AND (v.micros, v.node) = (here_micros, here_node)
       AND steep_repl._replaces(r.replaces, jsonb_build_array(_resolved_over.micros, _resolved_over.node)));
END;
COMMENT ON FUNCTION steep_repl._resolved_over(text, text, jsonb, bigint, text, bigint, text) IS
  'Whether the version that is here under a key is a resolution by hand that replaces another version.';

CREATE OR REPLACE FUNCTION steep_repl._end_entries(r steep_repl.resolutions, at_once bigint DEFAULT NULL) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  entry steep_repl.conflict_log;
BEGIN
  FOR entry IN
    SELECT * FROM steep_repl.conflict_log c WHERE c.id = at_once
    UNION
    SELECT * FROM steep_repl.conflict_log c WHERE c.conflict_key = r.conflict_key
    UNION
    SELECT * FROM steep_repl.conflict_log c
     WHERE c.resolution = 'PENDING' AND c.table_schema = r.table_schema AND c.table_name = r.table_name AND steep_repl._concerns(r, c)
       AND c.key_id = (SELECT steep_repl._key_id(t.relation, r.key) FROM steep_repl.tables t
                        WHERE t.table_schema = r.table_schema AND t.table_name = r.table_name)
  LOOP
    -- Two nodes may resolve one conflict at a time: the later resolution stands, on all nodes.
    CONTINUE WHEN EXISTS (SELECT 1 FROM steep_repl.resolutions o WHERE o.conflict_key = r.conflict_key AND (o.at, o.node_id) > (r.at, r.node_id));
    entry := steep_repl._ended(entry, r);
    UPDATE steep_repl.conflict_log c SET resolution = entry.resolution, winner = entry.winner, resolved_at = entry.resolved_at,
      resolved_by = entry.resolved_by, result = entry.result, reason = entry.reason, converged_at = entry.converged_at,
      not_converged_reason = entry.not_converged_reason, next_proof = entry.next_proof, proofs = entry.proofs
     WHERE c.id = entry.id;
  END LOOP;
  IF r.new_key IS NOT NULL THEN
    INSERT INTO steep_repl.conflict_log (subscription, table_schema, table_name, conflict_type, local_tuple, remote_tuple, base_tuple,
      local_origin, remote_origin, local_xact_ts, remote_xact_ts, resolution, resolved_at, resolved_by, conflict_key, key, key_id, result,
      strategy, winner, reason, not_converged_reason, relation)
    SELECT c.subscription, c.table_schema, c.table_name, c.conflict_type, r.replaced, r.result, c.base_tuple,
           r.replaced_version->>1, r.node_id, steep_repl._at((r.replaced_version->>0)::bigint), r.at, 'APPLIED_REMOTE', r.at, r.resolved_by,
           r.new_key, c.key, c.key_id, r.result, c.strategy, 'remote', r.reason, 'not compared yet', c.relation
      FROM steep_repl.conflict_log c WHERE c.conflict_key = r.conflict_key
       AND NOT EXISTS (SELECT 1 FROM steep_repl.conflict_log o WHERE o.conflict_key = r.new_key)
     ORDER BY c.id LIMIT 1;
  END IF;
END $$;
COMMENT ON FUNCTION steep_repl._end_entries(steep_repl.resolutions, bigint) IS
  'Ends the entries of this node that a resolution is about, among them the one with that id; a revert also gets an entry of its own.';

CREATE OR REPLACE FUNCTION steep_repl._take_away(root regclass, told steep_repl.resolutions) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  state jsonb := CASE WHEN root IS NOT NULL THEN steep_repl._locked_state(root, told.key) END;
BEGIN
  IF state IS NULL OR NOT steep_repl._replaces(told.replaces, CASE WHEN state->>'micros' IS NOT NULL THEN jsonb_build_array((state->>'micros')::bigint, state->>'node') END) THEN
    RETURN;
  END IF;
  IF state->>'place' IS NOT NULL THEN
    PERFORM steep_repl._remove_quietly((state->>'leaf')::bigint::oid, state->>'place');
  END IF;
  PERFORM steep_repl._put_tombstone(root, told.key, coalesce(state->>'row', state->>'row_gone'), steep_repl._applied_commit_time(), steep_repl._applied_peer(), false);
  PERFORM steep_repl._refuse_newcomer(root, told.key) WHERE state->>'place' IS NULL;
END $$;
COMMENT ON FUNCTION steep_repl._take_away(regclass, steep_repl.resolutions) IS
  'Deletes the row that a resolution replaces, where none stood that could have been deleted there; a version that it had not seen stays.';

CREATE OR REPLACE FUNCTION steep_repl._take_resolution() RETURNS trigger
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  root oid := (SELECT t.relation FROM steep_repl.tables t WHERE t.table_schema = NEW.table_schema AND t.table_name = NEW.table_name);
BEGIN
  IF TG_OP = 'INSERT' AND EXISTS (SELECT 1 FROM steep_repl.resolutions r WHERE r.node_id = NEW.node_id AND r.seq = NEW.seq) THEN
    RETURN NULL;
  END IF;
  IF TG_OP = 'UPDATE' THEN
    -- A table's triggers made another row of it than was announced.
    UPDATE steep_repl.conflict_log c SET result = NEW.result,
           remote_tuple = CASE WHEN c.conflict_key = NEW.new_key THEN NEW.result ELSE c.remote_tuple END
     WHERE c.id IN (SELECT o.id FROM steep_repl.conflict_log o WHERE o.conflict_key IN (NEW.conflict_key, NEW.new_key)
                    UNION SELECT o.id FROM steep_repl.conflict_log t JOIN steep_repl.conflict_log o ON o.key_id = t.key_id WHERE t.conflict_key = NEW.conflict_key)
       AND c.table_schema = NEW.table_schema AND c.table_name = NEW.table_name AND c.resolved_at = NEW.at AND c.resolved_by = NEW.resolved_by;
    RETURN NEW;
  END IF;
  BEGIN
    -- The entry and then the row, as a session that resolves does. Whoever is deciding about the row has written his entry before
    -- this looks for others.
    PERFORM 1 FROM steep_repl.conflict_log c WHERE c.conflict_key = NEW.conflict_key ORDER BY c.id FOR UPDATE;
    PERFORM steep_repl._locked_state(root, NEW.key) WHERE root IS NOT NULL;
    PERFORM steep_repl._absolute(root, NEW.key, NEW.replaces);
    PERFORM steep_repl._take_away(root, NEW) WHERE NEW.absent;
    PERFORM steep_repl._end_entries(NEW);
  EXCEPTION WHEN OTHERS THEN
    -- What passes is tried again by the server. Anything else must not hold up the stream.
    IF NOT steep_repl._hopeless(SQLSTATE) THEN
      RAISE;
    END IF;
    RAISE LOG 'steep_repl: cannot note resolution % of %: %', NEW.seq, NEW.node_id, SQLERRM;
  END;
  RETURN NEW;
END $$;
COMMENT ON FUNCTION steep_repl._take_resolution() IS 'Fires in the apply worker: a peer tells that somebody resolved a conflict, ahead of the write.';

CREATE OR REPLACE TRIGGER resolution_arrived BEFORE INSERT OR UPDATE ON steep_repl.resolutions
  FOR EACH ROW EXECUTE FUNCTION steep_repl._take_resolution();
ALTER TABLE steep_repl.resolutions ENABLE REPLICA TRIGGER resolution_arrived;

CREATE OR REPLACE FUNCTION steep_repl._entry_arrives() RETURNS trigger
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  known steep_repl.resolutions;
BEGIN
  IF NEW.key IS NULL THEN
    RETURN NEW;
  END IF;
  SELECT * INTO known FROM (
      SELECT * FROM steep_repl.resolutions r WHERE r.conflict_key = NEW.conflict_key
      UNION ALL
      SELECT * FROM steep_repl.resolutions r
       WHERE NEW.resolution = 'PENDING' AND r.table_schema = NEW.table_schema AND r.table_name = NEW.table_name
         AND md5(r.key::text) = md5(NEW.key::text)) r
   WHERE steep_repl._concerns(r, NEW) ORDER BY r.at DESC, r.node_id DESC LIMIT 1;
  IF FOUND THEN
    NEW := steep_repl._ended(NEW, known);
  END IF;
  RETURN NEW;
END $$;
COMMENT ON FUNCTION steep_repl._entry_arrives() IS
  'Ends an entry as it is written, when a resolution that has arrived before it replaces both its versions.';

CREATE OR REPLACE TRIGGER entry_arrives BEFORE INSERT ON steep_repl.conflict_log
  FOR EACH ROW EXECUTE FUNCTION steep_repl._entry_arrives();
ALTER TABLE steep_repl.conflict_log ENABLE ALWAYS TRIGGER entry_arrives;
