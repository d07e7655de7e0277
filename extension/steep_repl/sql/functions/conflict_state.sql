-- What a node holds under a key, as peers compare it.

CREATE OR REPLACE FUNCTION steep_repl._row_version(root oid, key_id uuid, writer xid, OUT micros bigint, OUT node text, OUT adopted boolean)
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  commit record;
BEGIN
  adopted := false;
  IF writer::text::bigint < 3 THEN
    RETURN;
  END IF;
  SELECT * INTO commit FROM pg_xact_commit_timestamp_origin(writer);
  IF commit."timestamp" IS NULL THEN
    RETURN;
  ELSIF commit.roident = 0 THEN
    micros := steep_repl._micros(commit."timestamp");
    node := coalesce(steep_repl._former_self(writer), steep_repl.node_id());
  ELSE
    SELECT w.micros, w.node, w.adopted INTO micros, node, adopted
      FROM steep_repl._written_by(steep_repl._micros(commit."timestamp"), commit.roident::integer, writer::text::bigint, root::bigint, key_id) w;
  END IF;
END $$;
COMMENT ON FUNCTION steep_repl._row_version(oid, uuid, xid) IS 'The version of a row or tombstone by its xmin; NULLs when nobody knows it.';

CREATE OR REPLACE FUNCTION steep_repl._lacks_only_columns(their jsonb, ours jsonb) RETURNS boolean
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN coalesce(jsonb_typeof(their) = 'object' AND jsonb_typeof(ours) = 'object' AND ours || their = ours, false);
COMMENT ON FUNCTION steep_repl._lacks_only_columns(jsonb, jsonb) IS 'Whether a row of a peer is this node''s row but for columns that the peer does not have.';

CREATE OR REPLACE FUNCTION steep_repl._written_name(item jsonb) RETURNS text
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN format('%I.%I', item->>'schema', item->>'table');
COMMENT ON FUNCTION steep_repl._written_name(jsonb) IS 'The table of a key that is compared, as one writes it.';

CREATE OR REPLACE FUNCTION steep_repl._wait_no_more() RETURNS void
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  -- Whoever has locked one of them may have locked all, and for hours.
  SELECT set_config('lock_timeout', '5ms', true);
END;
COMMENT ON FUNCTION steep_repl._wait_no_more() IS 'Has the worker wait hardly at all for the locks of others, for the rest of what it repairs now: sessions and other work wait for it.';

CREATE OR REPLACE FUNCTION steep_repl._undo_deletions(root oid, id uuid, micros bigint) RETURNS void
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  DELETE FROM steep_repl.tombstones s
   WHERE s.relation = root AND s.key_id = id AND NOT s.displaced AND s.version_node IS NULL
     AND (SELECT v.node = steep_repl.node_id() AND v.micros >= _undo_deletions.micros FROM steep_repl._row_version(root, id, s.xmin) v);
END;
COMMENT ON FUNCTION steep_repl._undo_deletions(oid, uuid, bigint) IS 'Forgets the deletions of a key that were made here after that time: an earlier write of a peer stays, which undoes them.';

CREATE OR REPLACE FUNCTION steep_repl._key_state(root regclass, key jsonb) RETURNS jsonb
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  id uuid := steep_repl._key_id(root, key);
  found_row text;
  leaf oid;
  place text;
  writer xid;
  version record;
  stone record;
BEGIN
  EXECUTE format('SELECT steep_repl._row_json(t.*), t.tableoid, t.ctid::text, t.xmin FROM %s t WHERE %s', steep_repl._source_of(root), steep_repl._key_is(root, key))
    INTO found_row, leaf, place, writer;
  IF found_row IS NOT NULL THEN
    SELECT * INTO version FROM steep_repl._row_version(root, id, writer);
    RETURN jsonb_build_object('row', found_row::jsonb, 'micros', version.micros, 'node', version.node, 'adopted', version.adopted,
                              'leaf', leaf::bigint, 'place', place);
  END IF;
  SELECT s.row_gone, s.displaced, v.* INTO stone FROM steep_repl.tombstones s
   CROSS JOIN LATERAL (SELECT * FROM steep_repl._row_version(root, id, s.xmin) WHERE s.version_node IS NULL
                       UNION ALL SELECT steep_repl._micros(s.version_time), s.version_node, true WHERE s.version_node IS NOT NULL) v
   WHERE s.relation = root AND s.key_id IN (id, steep_repl._all_keys())
   ORDER BY v.micros DESC NULLS LAST, v.node DESC NULLS LAST, s.displaced DESC LIMIT 1;
  RETURN jsonb_build_object('row', NULL, 'micros', stone.micros, 'node', stone.node, 'displaced', coalesce(stone.displaced, false), 'row_gone', stone.row_gone);
END $$;
COMMENT ON FUNCTION steep_repl._key_state(regclass, jsonb) IS 'What is here under a key: the row or none, and its version or that of its deletion.';

CREATE OR REPLACE FUNCTION steep_repl._stones(root regclass, key jsonb) RETURNS bigint
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT count(*) FROM steep_repl.tombstones s WHERE s.relation = root AND s.key_id IN (steep_repl._key_id(root, key), steep_repl._all_keys());
END;
COMMENT ON FUNCTION steep_repl._stones(regclass, jsonb) IS 'How many tombstones a key has, those of all keys of its table among them.';

CREATE OR REPLACE FUNCTION steep_repl._refuse_deletion(root regclass, key jsonb, stones bigint) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM steep_repl._await_tombstones(root, key);
  IF stones <> steep_repl._stones(root, key) THEN
    RAISE EXCEPTION USING ERRCODE = 'serialization_failure', MESSAGE = 'another process deleted the same key at the same moment';
  END IF;
END $$;
COMMENT ON FUNCTION steep_repl._refuse_deletion(regclass, jsonb, bigint) IS
  'To be called after a row has been inserted under a key. stones: how many tombstones it had before anybody looked at it. Errors: 40001 when somebody has deleted the key meanwhile.';

CREATE OR REPLACE FUNCTION steep_repl._row_hash(state jsonb) RETURNS text
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN md5(nullif(state->'row', 'null')::text);
COMMENT ON FUNCTION steep_repl._row_hash(jsonb) IS 'A hash of the row in what _key_state() gives, NULL without one: enough to compare it.';

CREATE OR REPLACE FUNCTION steep_repl._take_back_move(root oid, key jsonb) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  state jsonb := steep_repl._locked_state(root::regclass, key);
BEGIN
  IF state->>'place' IS NOT NULL AND state->>'node' = steep_repl.node_id() THEN
    PERFORM steep_repl._remove_quietly((state->>'leaf')::bigint::oid, state->>'place');
  END IF;
END $$;
COMMENT ON FUNCTION steep_repl._take_back_move(oid, jsonb) IS 'Removes the row that this node had moved to a key, if it is still its own: under its old key the other side''s row takes its place.';

CREATE OR REPLACE FUNCTION steep_repl._open_dispute(table_schema text, table_name text, key jsonb) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT CASE WHEN bool_or(c.conflict_type = 'APPLY-ERROR') THEN 'error'
              WHEN bool_or((NOT c.possible OR (SELECT count(*) FROM steep_repl.links l WHERE l.wanted <> 'remove') < 2)
                           AND c.conflict_type IN ('INSERT-INSERT', 'UPDATE-UPDATE', 'UPDATE-DELETE', 'KEY-UPDATE')) THEN 'strategy' END
    FROM steep_repl.conflict_log c
   WHERE c.converged_at IS NULL AND c.table_schema = _open_dispute.table_schema AND c.table_name = _open_dispute.table_name AND _open_dispute.key IN (c.key, c.moved_from);
END;
COMMENT ON FUNCTION steep_repl._open_dispute(text, text, jsonb) IS 'What this node has logged of a key and not yet proven: error, a change that could not be applied; strategy, a conflict that the strategy of the table decides; NULL neither.';

CREATE OR REPLACE FUNCTION steep_repl._key_states(keys jsonb) RETURNS text
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  wanted record;
  root regclass;
  state jsonb;
  incomplete boolean;
  states jsonb := '[]';
BEGIN
  FOR wanted IN SELECT k->>'schema' AS table_schema, k->>'table' AS table_name, k->'key' AS key
                  FROM jsonb_array_elements(keys) WITH ORDINALITY e(k, place) ORDER BY e.place LOOP
    SELECT t.relation INTO root FROM steep_repl.tables t WHERE t.table_schema = wanted.table_schema AND t.table_name = wanted.table_name;
    IF root IS NULL THEN
      states := states || jsonb_build_object('unknown', true);
      CONTINUE;
    END IF;
    BEGIN
      -- Before the row: once it is false, the row has the change.
      incomplete := steep_repl._without_change(wanted.table_schema, wanted.table_name, wanted.key);
      state := steep_repl._key_state(root, wanted.key) - 'leaf' - 'place';
      -- The rows themselves only for those who may read them; a hash is enough to compare.
      states := states || jsonb_build_array(state - 'row' - 'row_gone'
        || jsonb_build_object('hash', steep_repl._row_hash(state), 'set_aside', incomplete,
                              'dispute', steep_repl._open_dispute(wanted.table_schema, wanted.table_name, wanted.key))
        || CASE WHEN has_table_privilege(session_user, root, 'SELECT') THEN jsonb_build_object('row', state->'row', 'row_gone', state->'row_gone') ELSE '{}' END);
    EXCEPTION WHEN data_exception OR undefined_column OR undefined_function OR datatype_mismatch THEN
      states := states || jsonb_build_object('unknown', true);  -- a key that the table here cannot have
    END;
  END LOOP;
  RETURN states::text;
END $$;
COMMENT ON FUNCTION steep_repl._key_states(jsonb) IS 'What is here under some keys, for a peer that compares. Definer: looks at versions; rows only for those who may read the table.';

CREATE OR REPLACE FUNCTION steep_repl._request_proofs(keys jsonb) RETURNS void
  LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  INSERT INTO steep_repl.proof_requests (table_schema, table_name, key)
  SELECT t.table_schema, t.table_name, k->'key' FROM jsonb_array_elements(keys) k
    JOIN steep_repl.tables t ON t.table_schema = k->>'schema' AND t.table_name = k->>'table'
   WHERE k ? 'key' AND (SELECT count(*) FROM steep_repl.proof_requests) < 10000
     -- Not even waited for: the worker here may hold it while it asks the very node that asks here.
     AND NOT EXISTS (SELECT 1 FROM steep_repl.proof_requests r WHERE r.table_schema = t.table_schema AND r.table_name = t.table_name AND r.key = k->'key')
  ON CONFLICT DO NOTHING;
END;
COMMENT ON FUNCTION steep_repl._request_proofs(jsonb) IS 'A peer asks this node to compare keys. Definer: the link role may not write our tables; all it can do is to have keys compared.';
