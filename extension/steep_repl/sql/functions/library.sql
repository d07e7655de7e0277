-- What the library provides. The functions with an underscore are for the others of this schema only.

CREATE OR REPLACE FUNCTION steep_repl.version() RETURNS text
  LANGUAGE c STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'version_wrapper';
COMMENT ON FUNCTION steep_repl.version() IS 'The version of the library that this server has loaded.';

CREATE OR REPLACE FUNCTION steep_repl.check_settings(peers integer DEFAULT 1)
  RETURNS TABLE (name text, current text, wanted text, problem text)
  LANGUAGE c STABLE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'check_settings_wrapper';
COMMENT ON FUNCTION steep_repl.check_settings(integer) IS
  'What is missing or harmful in the settings of this server for a node with that many peers; wanted is the value for postgresql.conf.';

CREATE OR REPLACE FUNCTION steep_repl._wake_worker() RETURNS void
  LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'wake_worker_wrapper';
COMMENT ON FUNCTION steep_repl._wake_worker() IS 'Wakes, or asks for, the worker of this database once this transaction has committed.';

CREATE OR REPLACE FUNCTION steep_repl._worker_missing() RETURNS text
  LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'worker_missing_wrapper';
COMMENT ON FUNCTION steep_repl._worker_missing() IS 'Why no worker serves this database; NULL when one does. Waits up to 5 s for one that is on its way, as after a start of the server.';

CREATE OR REPLACE FUNCTION steep_repl._worker_state() RETURNS jsonb
  LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'worker_state_wrapper';
COMMENT ON FUNCTION steep_repl._worker_state() IS 'What shared memory knows of the worker of this database.';

CREATE OR REPLACE FUNCTION steep_repl._from_backup() RETURNS boolean
  LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'from_backup_wrapper';
COMMENT ON FUNCTION steep_repl._from_backup() IS 'Whether this server began with the recovery of a backup and has gone through no other recovery, and no restart, since.';

CREATE OR REPLACE FUNCTION steep_repl._ask_worker(kind text, argument text) RETURNS text
  LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'ask_worker_wrapper';
COMMENT ON FUNCTION steep_repl._ask_worker(text, text) IS 'Has the worker run _serve(kind, argument) in a transaction of its own and waits for the answer.';

CREATE OR REPLACE FUNCTION steep_repl._audit_hand_over(action text, actor text, target_type text, target_id text, client text, message text)
  RETURNS boolean
  LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'audit_failure_hand_over_wrapper';
COMMENT ON FUNCTION steep_repl._audit_hand_over(text, text, text, text, text, text) IS 'Hands a failure to the worker, which writes it into the audit log.';

CREATE OR REPLACE FUNCTION steep_repl._peer_rows_within(conninfo text, query text, seconds integer) RETURNS SETOF text
  LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'peer_rows_within_wrapper';
COMMENT ON FUNCTION steep_repl._peer_rows_within(text, text, integer) IS 'Runs a query with one column of type text on a peer, within so many seconds, 0 without limit. Connecting takes 5 s at most, or connect_timeout of the string.';

CREATE OR REPLACE FUNCTION steep_repl._conninfo_problems(conninfo text) RETURNS text
  LANGUAGE c IMMUTABLE STRICT AS 'MODULE_PATHNAME', 'conninfo_problems_wrapper';
COMMENT ON FUNCTION steep_repl._conninfo_problems(text) IS 'Why only a superuser may give that connection string, NULL when anybody may.';

CREATE OR REPLACE FUNCTION steep_repl._check_password_used(conninfo text) RETURNS void
  LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'check_password_used_wrapper';
COMMENT ON FUNCTION steep_repl._check_password_used(text) IS 'Connects with the password of a connection string. Errors: 2F003 the peer does not ask for it, 08001.';

CREATE OR REPLACE FUNCTION steep_repl._set_subscription_table(subscription oid, relation oid, state "char", lsn bigint) RETURNS void
  LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'set_subscription_table_wrapper';
COMMENT ON FUNCTION steep_repl._set_subscription_table(oid, oid, "char", bigint) IS 'Makes a subscription apply a table: state r at once, s from an LSN on.';

CREATE OR REPLACE FUNCTION steep_repl._remove_subscription_table(subscription oid, relation oid) RETURNS void
  LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'remove_subscription_table_wrapper';
COMMENT ON FUNCTION steep_repl._remove_subscription_table(oid, oid) IS 'Takes a table out of a subscription.';

CREATE OR REPLACE FUNCTION steep_repl._apply_error(subscription oid) RETURNS jsonb
  LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'apply_error_wrapper';
COMMENT ON FUNCTION steep_repl._apply_error(oid) IS 'The last error of the apply worker of a subscription, and how many lines about native conflicts were kept out of the server log.';

CREATE OR REPLACE FUNCTION steep_repl._forget_apply_error(subscription oid, before timestamptz) RETURNS void
  LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'forget_apply_error_wrapper';
COMMENT ON FUNCTION steep_repl._forget_apply_error(oid, timestamptz) IS 'Forgets the error of an apply worker that has got over it, unless it is later than that.';

CREATE OR REPLACE FUNCTION steep_repl._applied_until(subscription oid) RETURNS bigint
  LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'applied_until_wrapper';
COMMENT ON FUNCTION steep_repl._applied_until(oid) IS 'The commit time at the peer of the last transaction that was applied, in microseconds since 2000; NULL when that is not known.';

CREATE OR REPLACE FUNCTION steep_repl._before_drop() RETURNS text
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  senders text := (SELECT string_agg(l.peer, ', ' ORDER BY l.peer) FROM steep_repl.links l);
  receivers text := (SELECT string_agg(s.peer, ', ' ORDER BY s.peer) FROM steep_repl._slots() s);
BEGIN
  IF senders IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'SR013', MESSAGE = format('this node still receives from %s', senders),
      DETAIL = 'Subscriptions, and slots on the peers, would stay behind and hold WAL for ever.',
      HINT = 'SELECT steep_repl.unsubscribe(peer) FROM steep_repl.subscription_status(); drop the extension when that is empty.';
  ELSIF receivers IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'SR013', MESSAGE = format('%s still receives from this node', receivers),
      DETAIL = 'The slot would stay behind and hold WAL for ever.',
      HINT = format('SELECT steep_repl.unsubscribe(%L) there. For a peer that is gone for good: SELECT steep_repl.unregister_node(…) here, and try again a moment later.',
                    steep_repl.node_id());
  END IF;
  RETURN 'ok';
END $$;
COMMENT ON FUNCTION steep_repl._before_drop() IS 'Called before DROP EXTENSION: refuses while there are links, in either direction. Definer: reads the links.';

CREATE OR REPLACE FUNCTION steep_repl._take_everything_away() RETURNS text
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  known steep_repl.tables;
BEGIN
  -- None of it is a member of the extension: triggers would make DROP EXTENSION refuse, and CASCADE would leave the rest.
  FOR known IN SELECT * FROM steep_repl.tables LOOP
    PERFORM steep_repl._leave_table(known);
  END LOOP;
  PERFORM steep_repl._admit_writes(g.tgrelid) FROM pg_trigger g WHERE g.tgname = '!steep_repl_reinit';
  IF steep_repl.node_id() IS NULL THEN
    PERFORM steep_repl._forget_dump();
  END IF;
  IF EXISTS (SELECT 1 FROM pg_publication p WHERE p.pubname = 'steep_repl') THEN
    DROP PUBLICATION steep_repl;
  END IF;
  PERFORM pg_replication_origin_drop(o.roname) FROM pg_replication_origin o, pg_database d
    WHERE d.datname = current_database() AND o.roname IN ('steep_repl_copy_' || d.oid, 'steep_repl_repair_' || d.oid);
  RETURN 'ok';
END $$;
COMMENT ON FUNCTION steep_repl._take_everything_away() IS
  'Called before DROP EXTENSION, for who may do that: takes the extension''s triggers off the tables, gives these their replica identity back, and drops publication and origins; also what a dump has brought of them.';
