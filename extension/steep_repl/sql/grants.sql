-- Who may call and see what. Everything is taken from PUBLIC first; what has an underscore is for the functions of this
-- schema, which run as their owner, and for peers, which connect as members of steep_repl_admin.
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA steep_repl FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA steep_repl FROM PUBLIC;
GRANT USAGE ON SCHEMA steep_repl TO steep_repl_viewer;

GRANT SELECT ON steep_repl.coordinator_state, steep_repl.audit_log, steep_repl.tables, steep_repl.table_events,
  steep_repl.origins TO steep_repl_viewer;
GRANT SELECT (node_id, node_name, host, port, priority, is_coordinator, last_seen, status, dbname, node_uid)
  ON steep_repl.nodes TO steep_repl_viewer;
GRANT EXECUTE ON FUNCTION steep_repl.version(), steep_repl.node_id(), steep_repl.node_status(), steep_repl.health(),
  steep_repl.check_settings(integer), steep_repl.subscription_status(), steep_repl.replicated_tables(),
  steep_repl.start_progress(), steep_repl.reinit_progress() TO steep_repl_viewer;
-- Not the table conflict_log: the view shows of it what the caller may see.
GRANT SELECT ON steep_repl.conflicts TO steep_repl_viewer;
GRANT EXECUTE ON FUNCTION steep_repl.conflict_list(text, text, text, text, boolean, timestamptz, integer),
  steep_repl.conflict_show(bigint, integer), steep_repl.conflict_stats(), steep_repl.conflict_strategies(),
  steep_repl.conflict_replay(text, text, timestamptz, timestamptz, text[]), steep_repl._replayed(steep_repl.conflicts, text, text[]),
  steep_repl._may_read(oid, text, text), steep_repl._reads_all(oid, oid), steep_repl._hides_rows(oid, oid),
  steep_repl._table_name(text), steep_repl._conflicts_of_key(bigint, integer) TO steep_repl_viewer;
GRANT SELECT ON steep_repl.resolved TO steep_repl_viewer;
GRANT SELECT ON steep_repl.identity_ranges TO steep_repl_viewer;
GRANT EXECUTE ON FUNCTION steep_repl.range_status(), steep_repl.range_settings(), steep_repl.check_range_threshold(text, text, integer),
  steep_repl.check_id_range(text, text, bigint) TO steep_repl_viewer;
-- Whoever inserts calls it: it is in a constraint.
GRANT EXECUTE ON FUNCTION steep_repl.check_id_range(oid, bigint), steep_repl.check_id_range(oid, integer), steep_repl.check_id_range(oid, smallint) TO PUBLIC;

GRANT SELECT ON steep_repl.schema_fingerprints TO steep_repl_viewer;
-- What these run as their caller looks into the catalogue only.
GRANT EXECUTE ON FUNCTION steep_repl.compute_fingerprint(text, text), steep_repl.schema_definitions(text, text),
  steep_repl.compare_fingerprints(text), steep_repl.schema_diff(text, text, text), steep_repl._refuse_no_table(text, text),
  steep_repl._definitions(oid[]), steep_repl._type_definitions(oid), steep_repl._unique_index(oid) TO steep_repl_viewer;
GRANT EXECUTE ON FUNCTION steep_repl.capture_fingerprints() TO steep_repl_operator;

GRANT EXECUTE ON FUNCTION steep_repl.allocate_range(text, text, bigint), steep_repl.release_range(text, text, bigint),
  steep_repl.apply_range_constraint(text, text, bigint, bigint), steep_repl.enable_bypass(regclass, interval, text),
  steep_repl.disable_bypass(regclass), steep_repl.range_strays(regclass, timestamptz) TO steep_repl_operator;

GRANT EXECUTE ON FUNCTION steep_repl.heartbeat(), steep_repl.observe_node(text, boolean, interval), steep_repl.pause(text),
  steep_repl.resume(text), steep_repl.record_event(timestamptz, text, text, text, jsonb, jsonb, inet, text) TO steep_repl_operator;
GRANT EXECUTE ON FUNCTION steep_repl.resolve_conflict(bigint, text, jsonb, boolean, text), steep_repl.revert_resolution(bigint, text, boolean),
  steep_repl.resolve_conflicts_bulk(text, bigint, text, timestamptz, timestamptz, text, boolean, text), steep_repl.apply_tuple(text, text, jsonb)
  TO steep_repl_operator;
-- What these run as their caller, and what they run as the extension: without the caller's own write that does not commit.
GRANT EXECUTE ON FUNCTION steep_repl._resolve(bigint, text, jsonb, boolean, text), steep_repl._prepare_resolution(bigint, text, jsonb, boolean, text),
  steep_repl._begin_resolution(bigint, text, jsonb, boolean, text), steep_repl._end_resolution(bigint, text),
  steep_repl._bulk_entries(text, bigint, text, timestamptz, timestamptz, text), steep_repl._is_pending(bigint),
  steep_repl._apply_statement(text, text, jsonb), steep_repl._tuple_applied(text, text),
  steep_repl._resolve_failed(text, text, text, text, text, text), steep_repl._row_before(bigint),
  steep_repl._resolution_statements(bigint, text, jsonb, regclass),
  steep_repl._resolution_targets(text, jsonb, jsonb, jsonb, jsonb, regclass, regclass, text, jsonb),
  steep_repl._check_tuple(regclass, jsonb, jsonb, boolean), steep_repl._tuple_problems(regclass, jsonb, jsonb, boolean),
  steep_repl._tuple_columns(oid, jsonb, jsonb, boolean), steep_repl._write_statement(regclass, jsonb, jsonb, jsonb, boolean),
  steep_repl._taken_from(regclass, text[], jsonb), steep_repl._names(text[]), steep_repl._key_of(regclass, jsonb), steep_repl._canonical_key(oid, jsonb), steep_repl._canonical_row(regclass, jsonb), steep_repl._canonical_text(oid, text),
  steep_repl._key_columns(regclass),
  steep_repl._key_is(oid, jsonb), steep_repl._key_condition(oid), steep_repl._key_operators(oid), steep_repl._plain_type(oid, integer), steep_repl._source_of(regclass), steep_repl._row_json(anyelement)
  TO steep_repl_operator;

GRANT SELECT ON steep_repl.work_queue, steep_repl.snapshots TO steep_repl_viewer;
GRANT EXECUTE ON FUNCTION steep_repl.work_progress(bigint), steep_repl.snapshot_progress(bigint), steep_repl.list_snapshots(),
  steep_repl.verify_snapshot(text) TO steep_repl_viewer;
GRANT EXECUTE ON FUNCTION steep_repl.cancel_work(bigint), steep_repl.retry_work(bigint), steep_repl.cancel_snapshot(bigint),
  steep_repl.start_snapshot(text, text, integer, text[], name, uuid), steep_repl.start_apply(text, integer, boolean, boolean),
  steep_repl.delete_snapshot(bigint) TO steep_repl_operator;

-- Not the tables with connection strings (nodes.conninfo, links, initialisations): functions show what is needed of them.
GRANT SELECT ON steep_repl.local_node, steep_repl.known_settings, steep_repl.link_observations, steep_repl.table_inbox,
  steep_repl.initialisation_tables, steep_repl.beats, steep_repl.beat_history TO steep_repl_admin;
GRANT SELECT (id, peer, paused_at, held_at) ON steep_repl.initialisation_members TO steep_repl_admin;
GRANT SELECT (peer, slot_name, subscription_name, subscription, state, wanted, held_by, held_until, initialising, last_error,
  last_error_at, attempts, next_try, requested_at) ON steep_repl.links TO steep_repl_admin;
GRANT SELECT (id, kind, source, state, phase, snapshot_lsn, error, attempts, next_try, requested_at, started_at, finished_at, asked_by, emptied_lsn,
  method, work_id) ON steep_repl.initialisations TO steep_repl_admin;
GRANT EXECUTE ON FUNCTION
  steep_repl.create_node(text, text, text, integer, integer),
  steep_repl.register_node(text, text, text, integer, integer, text, text),
  steep_repl.unregister_node(text),
  steep_repl.coordinator_compare_and_set(text, jsonb, jsonb),
  steep_repl.prune_audit_log(interval),
  steep_repl.prune_conflict_log(interval, bigint),
  steep_repl.subscribe(text, text, boolean),
  steep_repl.unsubscribe(text),
  steep_repl.add_table(regclass, text, boolean, text, boolean),
  steep_repl.set_ranges(regclass, boolean, bigint, integer), steep_repl.drop_ranges(regclass),
  steep_repl.add_tables(text),
  steep_repl.remove_table(regclass),
  steep_repl.set_conflict_strategy(regclass, text, text[], text[], regproc),
  steep_repl.check_start(text, text, text),
  steep_repl.start_node(text, text, text, text, integer),
  steep_repl.cancel_start(bigint), steep_repl.prepare_node(interval), steep_repl.cancel_preparation(uuid), steep_repl.preparations(),
  steep_repl.check_reinit(text, text[], text), steep_repl.reinit_tables(text, text[], text), steep_repl.cancel_reinit(bigint),
  steep_repl.complete_node(text, text, text, text, text, integer, integer, uuid),
  -- what a node asks of its peers
  steep_repl._identity(), steep_repl._peer_identity(text), steep_repl._members(), steep_repl._invite(jsonb, text),
  steep_repl._this_node(), steep_repl._describe_table(text, text, boolean), steep_repl._content_hash(regclass),
  steep_repl._leaves(regclass), steep_repl._init_tables_query(bigint), steep_repl._stream_facts(name),
  steep_repl._hold(text, text, integer), steep_repl._release(text, text), steep_repl._held_at(text, text), steep_repl._key_states(jsonb), steep_repl._request_proofs(jsonb), steep_repl._caught_up_for(), steep_repl._caught_up_at(), steep_repl._recent_versions(text), steep_repl._reserve_table(name, name, text),
  steep_repl._range_facts(text, text, boolean), steep_repl._grant_share(text, text, uuid, text), steep_repl._reserve_range(name, name, text),
  steep_repl._farthest_known(text, text), steep_repl._reserve_for(jsonb, text, boolean), steep_repl._keep_stream(uuid, text, timestamptz, text, jsonb), steep_repl._drop_preparation(uuid),
  steep_repl._copy_kept_slot(uuid, name), steep_repl._copy_problems(uuid, text[], jsonb), steep_repl._preparation_joined(uuid, text, pg_lsn)
  TO steep_repl_admin;
