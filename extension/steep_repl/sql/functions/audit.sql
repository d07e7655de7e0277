-- The audit log. Writing is for the functions of this schema; everybody else reads.

CREATE OR REPLACE FUNCTION steep_repl._actor() RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  -- What a daemon says of whom it acts for is the word of its role, which stands before it.
  RETURN session_user || '@' || coalesce(host(inet_client_addr()), 'local')
    || coalesce(' for ' || substring(current_setting('application_name') FROM '^steep-repl for (.+)$'), '');
COMMENT ON FUNCTION steep_repl._actor() IS 'Who acts, as role@host, or role@host for NAME when a daemon acts for somebody.';

CREATE OR REPLACE FUNCTION steep_repl._masked(conninfo text) RETURNS text
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  -- password=… of both forms, quoted or not, and user:password@ of a URI.
  RETURN regexp_replace(regexp_replace(conninfo,
    '((?:ssl)?password\s*=\s*)(''(?:[^''\\]|\\.)*''|[^\s&]*)', '\1***', 'gi'),
    '^(postgres(?:ql)?://[^:/@?]*):[^@]*@', '\1:***@', 'i');
COMMENT ON FUNCTION steep_repl._masked(text) IS 'A connection string without its passwords, for people.';

CREATE OR REPLACE FUNCTION steep_repl._audit(
  action text, target_type text, target_id text, old_value jsonb DEFAULT NULL, new_value jsonb DEFAULT NULL
) RETURNS void
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  INSERT INTO steep_repl.audit_log (action, actor, target_type, target_id, old_value, new_value, client_ip)
  VALUES (_audit.action, steep_repl._actor(), _audit.target_type, _audit.target_id, _audit.old_value, _audit.new_value,
          inet_client_addr());
END;
COMMENT ON FUNCTION steep_repl._audit(text, text, text, jsonb, jsonb) IS 'Writes an entry in the transaction of the action.';

CREATE OR REPLACE FUNCTION steep_repl._audit_as(
  actor text, action text, target_type text, target_id text, old_value jsonb DEFAULT NULL, new_value jsonb DEFAULT NULL
) RETURNS void
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  INSERT INTO steep_repl.audit_log (action, actor, target_type, target_id, old_value, new_value)
  VALUES (_audit_as.action, _audit_as.actor, _audit_as.target_type, _audit_as.target_id, _audit_as.old_value, _audit_as.new_value);
END;
COMMENT ON FUNCTION steep_repl._audit_as(text, text, text, text, jsonb, jsonb) IS 'Writes an entry for somebody whose wish the worker carries out.';

CREATE OR REPLACE FUNCTION steep_repl._audit_failure(action text, target_type text, target_id text, message text) RETURNS void
  LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
  RETURN steep_repl._audit_hand_over(action, steep_repl._actor(), target_type, coalesce(steep_repl._masked(target_id), ''),
                                     coalesce(host(inet_client_addr()), ''), coalesce(steep_repl._masked(message), ''));
COMMENT ON FUNCTION steep_repl._audit_failure(text, text, text, text) IS
  'Has a failure written although the transaction of the action is rolled back. Definer: any caller may fail.';

CREATE OR REPLACE FUNCTION steep_repl._audit_failure_write(
  at timestamptz, action text, actor text, target_type text, target_id text, client text, message text
) RETURNS void
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  INSERT INTO steep_repl.audit_log (occurred_at, action, actor, target_type, target_id, client_ip, success, error_message)
  VALUES (coalesce(at, now()), _audit_failure_write.action, _audit_failure_write.actor, _audit_failure_write.target_type,
          nullif(_audit_failure_write.target_id, ''), nullif(client, '')::inet, false, message);
END;
COMMENT ON FUNCTION steep_repl._audit_failure_write(timestamptz, text, text, text, text, text, text) IS 'The worker''s half of _audit_failure.';

CREATE OR REPLACE FUNCTION steep_repl.record_event(
  occurred_at timestamptz, action text, target_type text DEFAULT NULL, target_id text DEFAULT NULL, old_value jsonb DEFAULT NULL,
  new_value jsonb DEFAULT NULL, client_ip inet DEFAULT NULL, error_message text DEFAULT NULL
) RETURNS void
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF action IS NULL OR action NOT LIKE 'daemon.%' THEN
    RAISE EXCEPTION USING ERRCODE = 'SR032', MESSAGE = 'only what the daemon did or saw can be recorded',
      HINT = 'The action begins with daemon., such as daemon.start.';
  END IF;
  INSERT INTO steep_repl.audit_log (occurred_at, action, actor, target_type, target_id, old_value, new_value, client_ip, success, error_message)
  VALUES (least(coalesce(record_event.occurred_at, now()), now()), record_event.action, steep_repl._actor(), record_event.target_type, steep_repl._masked(record_event.target_id),
          record_event.old_value, record_event.new_value, coalesce(record_event.client_ip, inet_client_addr()), record_event.error_message IS NULL,
          steep_repl._masked(record_event.error_message));
END $$;
COMMENT ON FUNCTION steep_repl.record_event(timestamptz, text, text, text, jsonb, jsonb, inet, text) IS
  'Writes what the daemon did or saw into the audit log, also later than it happened; an error_message makes it a failure. Definer: the log is not the caller''s. Errors: SR032.';

CREATE OR REPLACE FUNCTION steep_repl._audit_append_only() RETURNS trigger
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  stack text;
BEGIN
  -- The call stack, not a setting that anybody could set.
  GET DIAGNOSTICS stack = PG_CONTEXT;
  IF TG_OP = 'DELETE' AND stack LIKE '%steep_repl.prune_audit_log(interval)%' THEN
    RETURN OLD;
  END IF;
  RAISE EXCEPTION USING
    ERRCODE = 'SR030',
    MESSAGE = format('the audit log is append-only, %s is not possible', TG_OP),
    HINT = 'SELECT steep_repl.prune_audit_log(interval ''2 years'') removes old entries.';
END $$;
COMMENT ON FUNCTION steep_repl._audit_append_only() IS 'Refuses changes of the audit log.';

CREATE OR REPLACE FUNCTION steep_repl._audit_number() RETURNS trigger
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  -- Dumps of 0.1.0 set the sequence back to where it stood in the other database.
  LOOP
    NEW.id := nextval('steep_repl.audit_log_id_seq');
    EXIT WHEN NOT EXISTS (SELECT 1 FROM steep_repl.audit_log a WHERE a.id = NEW.id);
  END LOOP;
  RETURN NEW;
END $$;
COMMENT ON FUNCTION steep_repl._audit_number() IS 'Numbers the entries of the audit log; those of a dump, too, whose numbers this database may have used already.';

CREATE OR REPLACE TRIGGER audit_log_number BEFORE INSERT ON steep_repl.audit_log
  FOR EACH ROW EXECUTE FUNCTION steep_repl._audit_number();
ALTER TABLE steep_repl.audit_log ENABLE ALWAYS TRIGGER audit_log_number;
CREATE OR REPLACE TRIGGER audit_log_append_only BEFORE UPDATE OR DELETE ON steep_repl.audit_log
  FOR EACH ROW EXECUTE FUNCTION steep_repl._audit_append_only();
CREATE OR REPLACE TRIGGER audit_log_no_truncate BEFORE TRUNCATE ON steep_repl.audit_log
  FOR EACH STATEMENT EXECUTE FUNCTION steep_repl._audit_append_only();
ALTER TABLE steep_repl.audit_log ENABLE ALWAYS TRIGGER audit_log_append_only;
ALTER TABLE steep_repl.audit_log ENABLE ALWAYS TRIGGER audit_log_no_truncate;

CREATE OR REPLACE FUNCTION steep_repl.prune_audit_log(older_than interval) RETURNS bigint
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  removed bigint;
BEGIN
  IF older_than IS NULL OR older_than < interval '0' THEN
    RAISE EXCEPTION USING ERRCODE = 'SR031', MESSAGE = 'older_than must be an interval that is not negative',
      HINT = 'SELECT steep_repl.prune_audit_log(interval ''2 years'')';
  END IF;
  DELETE FROM steep_repl.audit_log WHERE occurred_at < now() - older_than;
  GET DIAGNOSTICS removed = ROW_COUNT;
  PERFORM steep_repl._audit('audit.prune', 'audit_log', NULL, NULL,
                            jsonb_build_object('older_than', older_than::text, 'removed', removed));
  RETURN removed;
END $$;
COMMENT ON FUNCTION steep_repl.prune_audit_log(interval) IS
  'Removes audit entries older than that and returns how many. Definer: nobody else may delete from the log.';

CREATE OR REPLACE FUNCTION steep_repl._audit_settings() RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  changed record;
BEGIN
  FOR changed IN
    SELECT s.name, k.setting AS before, s.setting AS after, k.name IS NULL AS first
    FROM pg_settings s LEFT JOIN steep_repl.known_settings k USING (name)
    WHERE s.name LIKE 'steep\_repl.%' AND k.setting IS DISTINCT FROM s.setting
  LOOP
    INSERT INTO steep_repl.known_settings VALUES (changed.name, changed.after)
      ON CONFLICT (name) DO UPDATE SET setting = excluded.setting;
    IF NOT changed.first THEN
      PERFORM steep_repl._audit('settings.change', 'setting', changed.name, to_jsonb(changed.before), to_jsonb(changed.after));
    END IF;
  END LOOP;
END $$;
COMMENT ON FUNCTION steep_repl._audit_settings() IS 'Writes changes of steep_repl.* settings into the audit log.';
