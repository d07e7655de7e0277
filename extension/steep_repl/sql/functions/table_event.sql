-- What nodes say to each other about tables, through the stream.

CREATE OR REPLACE FUNCTION steep_repl._say(table_schema name, table_name name, action text, detail jsonb) RETURNS void
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  -- Later than all that is known of the table, whatever the clocks say: the latest word counts.
  INSERT INTO steep_repl.table_events (node_id, seq, at, table_schema, table_name, action, detail)
  SELECT steep_repl._this_node(), nextval('steep_repl.table_event_seq'), greatest(clock_timestamp(), max(e.at) + interval '1 microsecond'),
         _say.table_schema, _say.table_name, _say.action, _say.detail
    FROM steep_repl.table_events e WHERE e.table_schema = _say.table_schema AND e.table_name = _say.table_name;
END;
COMMENT ON FUNCTION steep_repl._say(name, name, text, jsonb) IS 'Says something about a table to all that receive from this node.';

CREATE OR REPLACE FUNCTION steep_repl._put_reservation(table_schema name, table_name name, holder text) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
BEGIN
  DELETE FROM steep_repl.table_reservations r WHERE r.until < clock_timestamp();
  INSERT INTO steep_repl.table_reservations VALUES (table_schema, table_name, holder, clock_timestamp() + interval '30 seconds')
  ON CONFLICT ON CONSTRAINT table_reservations_pkey DO UPDATE SET until = excluded.until;
END $$;
COMMENT ON FUNCTION steep_repl._put_reservation(name, name, text) IS 'Writes down that a peer is at work on a table, for half a minute.';

CREATE OR REPLACE FUNCTION steep_repl._reserve_table(table_schema name, table_name name, holder text) RETURNS text
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
BEGIN
  IF EXISTS (SELECT 1 FROM steep_repl.tables t WHERE t.table_schema = _reserve_table.table_schema AND t.table_name = _reserve_table.table_name) THEN
    RAISE EXCEPTION USING ERRCODE = 'SR048', MESSAGE = format('%I.%I is replicated already on %s', table_schema, table_name, steep_repl.node_id()),
      HINT = 'Wait until replicated_tables() lists it here, or remove it there first.';
  END IF;
  PERFORM steep_repl._put_reservation(table_schema, table_name, holder);
  RETURN 'ok';
END $$;
COMMENT ON FUNCTION steep_repl._reserve_table(name, name, text) IS 'Notes that a peer is adding a table. Definer: writes the reservations. Errors: SR048 it is replicated here.';

CREATE OR REPLACE FUNCTION steep_repl._give_way(table_schema name, table_name name, message text) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  other text;
BEGIN
  -- Each writes at all others first and then looks at home: of two at once, at least one sees the other and gives way.
  SELECT r.node_id INTO other FROM steep_repl.table_reservations r
   WHERE r.table_schema = _give_way.table_schema AND r.table_name = _give_way.table_name AND r.until > clock_timestamp() LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION USING ERRCODE = 'SR048', MESSAGE = format(message, table_schema, table_name, other),
      HINT = 'One call on one node is enough. If neither succeeded, try again on one of them in half a minute.';
  END IF;
END $$;
COMMENT ON FUNCTION steep_repl._give_way(name, name, text) IS 'Error SR048 when another node has reserved a table here; the message is given the table and that node.';

CREATE OR REPLACE FUNCTION steep_repl._reserve_everywhere(table_schema name, table_name name) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM steep_repl._peer_value(l.conninfo, format('SELECT steep_repl._reserve_table(%L, %L, %L)', table_schema, table_name, steep_repl.node_id()))
     FROM steep_repl.links l WHERE l.wanted <> 'remove';
  PERFORM steep_repl._give_way(table_schema, table_name, '%I.%I is being added on %s at the same time');
END $$;
COMMENT ON FUNCTION steep_repl._reserve_everywhere(name, name) IS 'Error SR048 when another node adds the same table at the same time.';

CREATE OR REPLACE FUNCTION steep_repl._sender() RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT l.peer FROM steep_repl.links l JOIN pg_stat_subscription s ON s.subid = l.subscription WHERE s.pid = pg_backend_pid();
END;
COMMENT ON FUNCTION steep_repl._sender() IS 'The peer whose stream this process applies. NULL in a process that is no apply worker.';

CREATE OR REPLACE FUNCTION steep_repl._event_arrived() RETURNS trigger
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  sender text := steep_repl._sender();
BEGIN
  IF EXISTS (SELECT 1 FROM steep_repl.table_events e WHERE e.node_id = NEW.node_id AND e.seq = NEW.seq) THEN
    RETURN NULL;  -- read when the link was made; a second insert would stop the stream for good
  END IF;
  IF sender <> NEW.node_id THEN
    -- A node speaks for itself only. What one node has read of another when it linked comes by here too.
    PERFORM steep_repl._audit('table.event_refused', 'table', format('%I.%I', NEW.table_schema, NEW.table_name), NULL,
                              jsonb_build_object('sender', sender, 'node_id', NEW.node_id, 'action', NEW.action));
    RETURN NULL;
  END IF;
  IF NEW.action IN ('join', 'leave', 'ranges') THEN
    INSERT INTO steep_repl.table_inbox (node_id, table_schema, table_name, action, detail)
    VALUES (NEW.node_id, NEW.table_schema, NEW.table_name, NEW.action, NEW.detail);
    PERFORM steep_repl._wake_worker();
  END IF;
  RETURN NEW;
END $$;
COMMENT ON FUNCTION steep_repl._event_arrived() IS 'Fires in the apply worker. Hands what a peer said to the worker; does nothing that could fail, because an error here stops the stream.';

CREATE OR REPLACE TRIGGER table_events_arrived BEFORE INSERT ON steep_repl.table_events
  FOR EACH ROW EXECUTE FUNCTION steep_repl._event_arrived();
ALTER TABLE steep_repl.table_events ENABLE REPLICA TRIGGER table_events_arrived;

CREATE OR REPLACE FUNCTION steep_repl._take_event(event steep_repl.table_events, answer text) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
BEGIN
  INSERT INTO steep_repl.table_events SELECT (event).* ON CONFLICT DO NOTHING;
  IF NOT FOUND OR answer = 'none' OR (event).action NOT IN ('join', 'ready', 'leave') THEN
    RETURN;
  END IF;
  INSERT INTO steep_repl.table_inbox (node_id, table_schema, table_name, action, detail)
  VALUES ((event).node_id, (event).table_schema, (event).table_name,
          CASE (event).action WHEN 'leave' THEN 'leave' ELSE answer END, (event).detail);
END $$;
COMMENT ON FUNCTION steep_repl._take_event(steep_repl.table_events, text) IS
  'Takes in what a peer said before the link was made. answer: join = take its tables over, trust = the user has said that the contents are already equal, none = an initialisation sees to it.';

CREATE OR REPLACE FUNCTION steep_repl._grant_wish(wish steep_repl.table_inbox) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  known steep_repl.tables;
  relation regclass := to_regclass(format('%I.%I', (wish).table_schema, (wish).table_name));
  link steep_repl.links;
  id bigint;
BEGIN
  -- First, because it waits for a copy that is committing: the table is known then.
  DELETE FROM steep_repl.initialisation_tables t WHERE (wish).action = 'leave' AND t.table_schema = (wish).table_schema AND t.table_name = (wish).table_name AND t.state <> 'complete';
  SELECT * INTO known FROM steep_repl.tables t WHERE t.table_schema = (wish).table_schema AND t.table_name = (wish).table_name;
  IF (wish).action = 'leave' THEN
    IF known.relation IS NOT NULL THEN
      PERFORM steep_repl._say(known.table_schema, known.table_name, 'leave', '{}');
      PERFORM steep_repl._leave_table(known);
    END IF;
    PERFORM steep_repl._admit_writes(relation);
    RETURN;
  END IF;
  SELECT * INTO link FROM steep_repl.links l WHERE l.peer = (wish).node_id;
  IF (wish).action = 'ranges' AND known.relation IS NOT NULL AND link.peer IS NOT NULL THEN
    PERFORM steep_repl._lock_table(known.relation, true);
    IF ((wish).detail->>'enabled')::boolean THEN
      PERFORM steep_repl._join_ranges(known.relation, link.peer, link.conninfo, (wish).range_request, (wish).range_timeline, false, true);
    ELSE
      PERFORM steep_repl._unguard_ids(known.relation);
    END IF;
    RETURN;
  END IF;
  IF known.relation IS NOT NULL OR link.peer IS NULL THEN
    RETURN;
  END IF;
  IF (wish).action = 'trust' AND relation IS NOT NULL THEN
    PERFORM steep_repl._refuse_problems(relation, (wish).detail->>'before_images' = 'true');
    PERFORM steep_repl._join_table(relation, (wish).detail->>'strategy', (wish).detail->>'before_images' = 'true');
    PERFORM steep_repl._join_ranges(relation, link.peer, link.conninfo, (wish).range_request, (wish).range_timeline);
    PERFORM steep_repl._set_subscription_table(l.subscription, relation, 'r', 0) FROM steep_repl.links l WHERE l.subscription IS NOT NULL;
    RETURN;
  END IF;
  IF EXISTS (SELECT 1 FROM steep_repl.initialisations i JOIN steep_repl.initialisation_tables t USING (id)
              WHERE i.state IN ('waiting', 'running') AND t.table_schema = (wish).table_schema AND t.table_name = (wish).table_name) THEN
    RETURN;
  END IF;
  -- Tables that come together are taken over together.
  SELECT i.id INTO id FROM steep_repl.initialisations i WHERE i.kind = 'tables' AND i.source = link.peer AND i.state = 'waiting' LIMIT 1;
  IF id IS NULL THEN
    INSERT INTO steep_repl.initialisations (kind, source, source_conninfo) VALUES ('tables', link.peer, link.conninfo)
      RETURNING initialisations.id INTO id;
  END IF;
  INSERT INTO steep_repl.initialisation_tables (id, table_schema, table_name, strategy, before_images, existing, state)
  VALUES (id, (wish).table_schema, (wish).table_name, (wish).detail->>'strategy', (wish).detail->>'before_images' = 'true',
          coalesce((wish).detail->>'existing', 'refuse'), 'wanted');
END $$;
COMMENT ON FUNCTION steep_repl._grant_wish(steep_repl.table_inbox) IS 'Acts on what a peer said about a table.';

CREATE OR REPLACE FUNCTION steep_repl._announce_tables() RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  news record;
BEGIN
  -- Here and not where a table is taken over: that transaction carries the origin of the copy, and would not be sent on.
  FOR news IN UPDATE steep_repl.tables t SET announced = true WHERE NOT t.announced RETURNING t.* LOOP
    PERFORM steep_repl._say(news.table_schema, news.table_name, 'ready',
                            jsonb_build_object('strategy', news.strategy, 'before_images', news.before_images));
  END LOOP;
  FOR news IN UPDATE steep_repl.initialisation_tables t SET announced = true WHERE t.state = 'failed' AND NOT t.announced RETURNING t.* LOOP
    PERFORM steep_repl._say(news.table_schema, news.table_name, 'fail', jsonb_build_object('reason', news.reason));
  END LOOP;
END $$;
COMMENT ON FUNCTION steep_repl._announce_tables() IS 'Says which tables this node has taken over, and which it could not.';
