-- How tables decide their conflicts: the strategies, and the setting of each table, which all nodes take from table_events
-- in the order of the stream.

CREATE OR REPLACE FUNCTION steep_repl.conflict_strategies() RETURNS TABLE (name text, description text, converges boolean)
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  VALUES
    ('last_write_wins', 'The later write stays, on every node. Equal commit times: that of the node with the greater node id.', true),
    ('first_write_wins', 'The earlier write stays, on every node: who comes later has to look again.', true),
    ('node_priority', 'The write of the node that stands first in the list stays; of nodes that are not in it, and of one node, the later.', true),
    ('column_merge', 'Columns that one side changed stay as that side left them; of a column that both changed, the later change.', true),
    ('function', 'A function of the table''s owner makes one row of both sides.', true),
    ('keep_local', 'Each node keeps what was written on it, so the nodes differ until the row is written again by one who has seen both.', false),
    ('apply_remote', 'Each node takes what was written on the other, so the nodes differ, the other way round.', false),
    ('manual', 'Each node keeps what it has, and the conflict waits for a person: PENDING in the log.', false);
END;
COMMENT ON FUNCTION steep_repl.conflict_strategies() IS
  'The strategies that a table may have, what they do, and whether all nodes end with the same row by themselves. last_write_wins and column_merge may have delta columns, whose differences are added up. TRUNCATE and clashes of unique values are always decided by time.';

CREATE OR REPLACE FUNCTION steep_repl._strategy_problems(relation regclass, strategy text, priority text[], before_images boolean)
  RETURNS TABLE (code text, problem text, remedy text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT 'SR041', format('unknown strategy %s', coalesce('"' || _strategy_problems.strategy || '"', 'NULL')),
         'Known: ' || (SELECT string_agg(s.name, ', ') FROM steep_repl.conflict_strategies() s)
   WHERE _strategy_problems.strategy NOT IN (SELECT s.name FROM steep_repl.conflict_strategies() s) OR _strategy_problems.strategy IS NULL
  UNION ALL
  SELECT 'SR053', 'node_priority needs a list of nodes', 'For instance: priority => ''{' || (SELECT string_agg(n.node_id, ',' ORDER BY n.node_id) FROM steep_repl.nodes n WHERE n.status <> 'removed') || '}'''
   WHERE _strategy_problems.strategy = 'node_priority' AND coalesce(cardinality(priority), 0) = 0
  UNION ALL
  SELECT 'SR053', format('%s takes no list of nodes', _strategy_problems.strategy), 'Leave priority out, or use node_priority.'
   WHERE _strategy_problems.strategy <> 'node_priority' AND priority IS NOT NULL
  UNION ALL
  SELECT 'SR053', format('unknown node %s', coalesce('"' || p.node || '"', 'NULL')),
         'Known: ' || (SELECT string_agg(n.node_id, ', ' ORDER BY n.node_id) FROM steep_repl.nodes n WHERE n.status <> 'removed')
    FROM unnest(priority) p(node)
   WHERE _strategy_problems.strategy = 'node_priority' AND NOT EXISTS (SELECT 1 FROM steep_repl.nodes n WHERE n.node_id = p.node AND n.status <> 'removed')
  UNION ALL
  SELECT 'SR053', format('node "%s" stands in the list more than once', p.node), 'Name each node once.'
    FROM unnest(priority) p(node) WHERE _strategy_problems.strategy = 'node_priority' AND p.node IS NOT NULL GROUP BY p.node HAVING count(*) > 1
  UNION ALL
  SELECT 'SR054', format('%s needs before-images, which tell a conflict from a later change', _strategy_problems.strategy),
         CASE WHEN steep_repl._before_images_possible(relation) THEN 'remove_table, then add_table with before_images => true.'
              ELSE 'Tables with generated columns cannot send them; they have last_write_wins.' END
   WHERE _strategy_problems.strategy IN (SELECT s.name FROM steep_repl.conflict_strategies() s WHERE s.name <> 'last_write_wins')
     AND NOT before_images
  UNION ALL
  SELECT 'SR054', format('%s needs a primary key', _strategy_problems.strategy), 'Add one on every node, then remove_table and add_table.'
   WHERE _strategy_problems.strategy IN (SELECT s.name FROM steep_repl.conflict_strategies() s WHERE s.name <> 'last_write_wins')
     AND NOT EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = relation AND i.indisprimary);
END;
COMMENT ON FUNCTION steep_repl._strategy_problems(regclass, text, text[], boolean) IS 'Why a table cannot have a strategy: code, message and hint of each problem.';

CREATE OR REPLACE FUNCTION steep_repl._refuse_strategy(
  relation regclass, strategy text, priority text[], before_images boolean, delta_columns text[] DEFAULT NULL, resolver regproc DEFAULT NULL
) RETURNS void
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  problem record;
BEGIN
  SELECT * INTO problem FROM (
    SELECT * FROM steep_repl._strategy_problems(relation, strategy, priority, before_images)
    UNION ALL SELECT * FROM steep_repl._fold_problems(relation, strategy, delta_columns, resolver)
    UNION ALL
    -- last_write_wins alone needs neither.
    SELECT p.* FROM steep_repl._strategy_problems(relation, 'column_merge', NULL, before_images) p WHERE delta_columns IS NOT NULL) p LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION USING ERRCODE = problem.code, MESSAGE = problem.problem, HINT = problem.remedy,
      DETAIL = format('Table %s; nothing has been changed.', relation);
  END IF;
END $$;
COMMENT ON FUNCTION steep_repl._refuse_strategy(regclass, text, text[], boolean, text[], regproc) IS 'Errors SR041, SR053 to SR056 when a table cannot have a strategy.';

CREATE OR REPLACE FUNCTION steep_repl._warn_of_strategy(relation regclass, strategy text) RETURNS void
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF strategy IN ('keep_local', 'apply_remote') THEN
    RAISE WARNING USING MESSAGE = format('after a conflict under %s the nodes differ in that row of %s', strategy, relation),
      HINT = 'Each node decides for itself. node_priority lets one node win and keeps all alike.';
  END IF;
END $$;
COMMENT ON FUNCTION steep_repl._warn_of_strategy(regclass, text) IS 'Says so when a strategy lets the nodes differ.';

CREATE OR REPLACE FUNCTION steep_repl.set_conflict_strategy(
  "table" regclass, strategy text, priority text[] DEFAULT NULL, delta_columns text[] DEFAULT NULL, resolver regproc DEFAULT NULL
) RETURNS void
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  known steep_repl.tables;
  named text := (SELECT format('%I.%I', n.nspname, p.proname) FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE p.oid = resolver);
  message text;
BEGIN
  PERFORM steep_repl._this_node();
  SELECT * INTO known FROM steep_repl.tables t WHERE t.relation = "table" FOR UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = 'SR043', MESSAGE = format('table %s is not replicated', "table"),
      HINT = 'SELECT * FROM steep_repl.replicated_tables() lists those that are.';
  END IF;
  IF NOT pg_has_role(session_user, (SELECT c.relowner FROM pg_class c WHERE c.oid = "table"), 'MEMBER') THEN
    RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege', MESSAGE = format('must be owner of table %s', "table");
  END IF;
  PERFORM steep_repl._refuse_strategy("table", strategy, priority, known.before_images, delta_columns, resolver);
  IF (known.strategy, known.priority, known.delta_columns, known.resolver) IS NOT DISTINCT FROM (strategy, priority, delta_columns, named) THEN
    RETURN;
  END IF;
  IF strategy IN ('column_merge', 'function') OR delta_columns IS NOT NULL OR steep_repl._folds(known) THEN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
      -- What others have changed since its snapshot would be left as it was folded before.
      RAISE EXCEPTION USING ERRCODE = 'SR058', MESSAGE = format('folds begin, change or end at READ COMMITTED only, this transaction is %s', upper(current_setting('transaction_isolation'))),
        DETAIL = format('Table %s; nothing has been changed.', "table"),
        HINT = 'BEGIN ISOLATION LEVEL READ COMMITTED, or SET default_transaction_isolation for this session.';
    END IF;
    -- Whoever is writing has to end first: his changes are kept, or not, as a whole.
    PERFORM steep_repl._lock_table("table", known.before_images);
  END IF;
  PERFORM steep_repl._warn_of_strategy("table", strategy);
  PERFORM steep_repl._say(known.table_schema, known.table_name, 'strategy', jsonb_build_object(
    'strategy', strategy, 'priority', priority, 'delta_columns', delta_columns, 'resolver', named));
  PERFORM steep_repl._audit('conflict.strategy', 'table', format('%I.%I', known.table_schema, known.table_name),
    jsonb_build_object('strategy', known.strategy, 'priority', known.priority, 'delta_columns', known.delta_columns, 'resolver', known.resolver),
    jsonb_build_object('strategy', strategy, 'priority', priority, 'delta_columns', delta_columns, 'resolver', named));
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS message = MESSAGE_TEXT;
  PERFORM steep_repl._audit_failure('conflict.strategy', 'table', "table"::text, message);
  RAISE;
END $$;
COMMENT ON FUNCTION steep_repl.set_conflict_strategy(regclass, text, text[], text[], regproc) IS
  'Sets how a table decides its conflicts, on all nodes: it travels in the stream, and conflicts that nodes decide differently meanwhile are proven and made equal. priority: the node ids of node_priority, the first wins. delta_columns: columns whose differences are added up. resolver: the function of the strategy function, with (local jsonb, remote jsonb, base jsonb, versions jsonb) returns jsonb, on every node. Of two nodes that set it at once the later counts. Owners of the table only. Errors: SR001, SR041, SR043, SR053, SR054, SR055, SR056, SR058.';

CREATE OR REPLACE FUNCTION steep_repl._take_strategy(table_schema name, table_name name) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  known steep_repl.tables;
  said jsonb;
  now steep_repl.tables;
BEGIN
  -- What another apply worker has just brought must be seen by the next statement.
  SELECT * INTO known FROM steep_repl.tables t WHERE t.table_schema = _take_strategy.table_schema AND t.table_name = _take_strategy.table_name FOR UPDATE;
  -- The latest of all nodes counts, in whatever order they come; those from before the table was last added do not.
  SELECT e.detail INTO said FROM steep_repl.table_events e
   WHERE e.table_schema = _take_strategy.table_schema AND e.table_name = _take_strategy.table_name AND e.action = 'strategy'
     AND e.at >= coalesce((SELECT max(j.at) FROM steep_repl.table_events j WHERE j.action = 'join'
                              AND j.table_schema = _take_strategy.table_schema AND j.table_name = _take_strategy.table_name), '-infinity')
   ORDER BY e.at DESC, e.node_id COLLATE "C" DESC LIMIT 1;
  IF known.relation IS NULL OR said IS NULL OR NOT EXISTS (SELECT 1 FROM pg_class c WHERE c.oid = known.relation) THEN
    RETURN;
  END IF;
  UPDATE steep_repl.tables t SET strategy = said->>'strategy',
         priority = CASE WHEN said->'priority' <> 'null' THEN ARRAY(SELECT jsonb_array_elements_text(said->'priority')) END,
         delta_columns = CASE WHEN said->'delta_columns' <> 'null' THEN ARRAY(SELECT jsonb_array_elements_text(said->'delta_columns')) END,
         -- It becomes part of a statement here: nothing but a name, whatever a peer says.
         resolver = substring(said->>'resolver' FROM '^(?:(?:"(?:[^"]|"")+"|[a-z_][a-z0-9_]*)\.)?(?:"(?:[^"]|"")+"|[a-z_][a-z0-9_]*)$')
   WHERE t.relation = known.relation RETURNING * INTO now;
  IF (known.strategy, known.delta_columns, known.resolver) IS DISTINCT FROM (now.strategy, now.delta_columns, now.resolver) THEN
    IF steep_repl._folds(known) AND steep_repl._folds(now) THEN
      -- Whoever is writing has to end first: of what he has folded by the old rules nothing may be left, or later changes would
      -- be folded without those before it. Where folds begin or end, the trigger that comes or goes takes the lock.
      EXECUTE format('LOCK TABLE %s IN SHARE MODE', known.relation::regclass);
    END IF;
    -- What was folded by other rules stays as it is: the rows are the base of what comes.
    DELETE FROM steep_repl.row_changes c WHERE c.relation = known.relation;
  END IF;
  PERFORM steep_repl._keep_changes(known.relation);
  PERFORM steep_repl._describe_anew(known.relation);
END $$;
COMMENT ON FUNCTION steep_repl._take_strategy(name, name) IS 'Gives a table the strategy that any node set last.';

CREATE OR REPLACE FUNCTION steep_repl._take_strategy_in_time(table_schema name, table_name name) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  relation regclass := (SELECT t.relation FROM steep_repl.tables t WHERE t.table_schema = _take_strategy_in_time.table_schema AND t.table_name = _take_strategy_in_time.table_name);
  before text := current_setting('lock_timeout');
BEGIN
  PERFORM set_config('lock_timeout', current_setting('steep_repl.lock_timeout'), true);
  PERFORM steep_repl._take_strategy(table_schema, table_name);
  PERFORM set_config('lock_timeout', before, true);
EXCEPTION WHEN lock_not_available THEN
  RAISE EXCEPTION USING ERRCODE = 'lock_not_available', MESSAGE = format('the strategy of table %s cannot be changed while it is being used', relation),
    DETAIL = format('Held by: %s', steep_repl._lock_holders(relation, false)),
    HINT = 'It is tried again by itself. End that transaction if it stands still.';
END $$;
COMMENT ON FUNCTION steep_repl._take_strategy_in_time(name, name) IS
  'The same in an apply worker, which does not wait for ever for who is writing: its error stands in subscription_status() and health(), and the stream comes again. Errors: 55P03.';

CREATE OR REPLACE FUNCTION steep_repl._strategy_said() RETURNS trigger
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF steep_repl._applied_peer() IS NULL THEN
    PERFORM steep_repl._take_strategy(NEW.table_schema, NEW.table_name);
  ELSE
    PERFORM steep_repl._take_strategy_in_time(NEW.table_schema, NEW.table_name);
  END IF;
  RETURN NULL;
END $$;
COMMENT ON FUNCTION steep_repl._strategy_said() IS 'Fires where a strategy is set and where that arrives, in the order of the stream.';

CREATE OR REPLACE TRIGGER table_events_strategy AFTER INSERT ON steep_repl.table_events
  FOR EACH ROW WHEN (NEW.action = 'strategy') EXECUTE FUNCTION steep_repl._strategy_said();
ALTER TABLE steep_repl.table_events ENABLE ALWAYS TRIGGER table_events_strategy;

CREATE OR REPLACE FUNCTION steep_repl._earlier_may_stay(known steep_repl.tables) RETURNS boolean
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN (known).strategy IN ('first_write_wins', 'node_priority');
COMMENT ON FUNCTION steep_repl._earlier_may_stay(steep_repl.tables) IS 'Whether all nodes come to one row that need not be the latest: what they decide is provisional until it is proven.';

CREATE OR REPLACE FUNCTION steep_repl._differs_by_strategy(table_schema text, table_name text, key jsonb) RETURNS text
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT format('under %s the nodes differ in this row', t.strategy) FROM steep_repl.tables t
   WHERE t.table_schema = _differs_by_strategy.table_schema AND t.table_name = _differs_by_strategy.table_name AND t.strategy IN ('keep_local', 'apply_remote')
  UNION ALL
  SELECT format('it waits for a decision: entry %s', max(c.id)) FROM steep_repl.conflict_log c
   WHERE c.table_schema = _differs_by_strategy.table_schema AND c.table_name = _differs_by_strategy.table_name AND c.key = _differs_by_strategy.key
     AND c.strategy = 'manual' AND c.resolution = 'PENDING' HAVING count(*) > 0
  LIMIT 1;
END;
COMMENT ON FUNCTION steep_repl._differs_by_strategy(text, text, jsonb) IS 'Why the nodes are meant to differ in a row: its proof compares and adopts nothing. NULL when they are not.';
