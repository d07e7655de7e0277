-- The replica identity of replicated tables: the whole row with before-images, else the key. What it was before comes back
-- when the table leaves.

CREATE OR REPLACE FUNCTION steep_repl._identified(relation regclass) RETURNS SETOF regclass
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  -- The leaves decide what is in the WAL. The root decides what the stream says of it, because changes are sent as its own.
  SELECT relation UNION SELECT l FROM steep_repl._leaves(relation) l;
END;
COMMENT ON FUNCTION steep_repl._identified(regclass) IS 'The relations of a table whose replica identity matters: itself, and leaf partitions.';

CREATE OR REPLACE FUNCTION steep_repl._identity_fits(identity "char", before_images boolean) RETURNS boolean
  LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
  RETURN identity = CASE WHEN before_images THEN 'f' ELSE 'd' END::"char";
COMMENT ON FUNCTION steep_repl._identity_fits("char", boolean) IS 'Whether a replica identity is the one that a replicated table needs.';

CREATE OR REPLACE FUNCTION steep_repl._identify(leaf regclass, before_images boolean) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT (SELECT steep_repl._identity_fits(c.relreplident, before_images) FROM pg_class c WHERE c.oid = leaf) THEN
    EXECUTE format('ALTER TABLE %s REPLICA IDENTITY %s', leaf, CASE WHEN before_images THEN 'FULL' ELSE 'DEFAULT' END);
  END IF;
END $$;
COMMENT ON FUNCTION steep_repl._identify(regclass, boolean) IS 'Sets the replica identity of a table: the whole row with before-images, else its key.';

CREATE OR REPLACE FUNCTION steep_repl._identities(relation regclass) RETURNS jsonb
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT coalesce(jsonb_object_agg(c.oid::text, jsonb_strip_nulls(jsonb_build_object('identity', c.relreplident,
           'index', (SELECT x.relname FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid WHERE i.indrelid = c.oid AND i.indisreplident)))), '{}')
    FROM steep_repl._identified(relation) l JOIN pg_class c ON c.oid = l;
END;
COMMENT ON FUNCTION steep_repl._identities(regclass) IS 'The replica identities of a table and its leaf partitions, by OID.';

CREATE OR REPLACE FUNCTION steep_repl._restore_identity(leaf regclass, before jsonb) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  reason text;
BEGIN
  IF (SELECT c.relreplident::text = coalesce(before->>'identity', 'd') FROM pg_class c WHERE c.oid = leaf) THEN
    RETURN;
  ELSIF before->>'identity' = 'i' THEN
    BEGIN
      IF before->>'index' IS NULL THEN
        RAISE undefined_object USING MESSAGE = 'its index had been dropped before';
      END IF;
      EXECUTE format('ALTER TABLE %s REPLICA IDENTITY USING INDEX %I', leaf, before->>'index');
      RETURN;
    EXCEPTION WHEN undefined_object OR wrong_object_type OR invalid_table_definition OR feature_not_supported THEN
      GET STACKED DIAGNOSTICS reason = MESSAGE_TEXT;
      RAISE NOTICE 'the replica identity of % is the default now: %', leaf, reason;
    END;
  END IF;
  EXECUTE format('ALTER TABLE %s REPLICA IDENTITY %s', leaf,
                 CASE before->>'identity' WHEN 'f' THEN 'FULL' WHEN 'n' THEN 'NOTHING' ELSE 'DEFAULT' END);
END $$;
COMMENT ON FUNCTION steep_repl._restore_identity(regclass, jsonb) IS
  'Gives a table the replica identity that it had before it was replicated; the default, with a NOTICE, when its index does not serve any more.';

CREATE OR REPLACE FUNCTION steep_repl._identify_new_leaves() RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET lock_timeout = '200ms' AS $$
DECLARE
  late record;
BEGIN
  FOR late IN SELECT l AS leaf, t.before_images FROM steep_repl.tables t JOIN pg_class r ON r.oid = t.relation AND r.relkind = 'p',
                     steep_repl._identified(t.relation) l JOIN pg_class c ON c.oid = l
               WHERE NOT steep_repl._identity_fits(c.relreplident, t.before_images)
  LOOP
    BEGIN
      PERFORM steep_repl._identify(late.leaf, late.before_images);
    EXCEPTION WHEN lock_not_available OR undefined_table THEN
      NULL;  -- in the next round
    END;
  END LOOP;
END $$;
COMMENT ON FUNCTION steep_repl._identify_new_leaves() IS 'Gives partitions whose replica identity is not that of their table the right one; what the event trigger has not seen.';

CREATE OR REPLACE FUNCTION steep_repl._identify_made_leaves() RETURNS event_trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  made record;
BEGIN
  -- Replica identity is not inherited by later partitions (PostgreSQL documentation, ALTER TABLE, REPLICA IDENTITY), and
  -- without a key rows cannot be updated until it is set.
  FOR made IN SELECT DISTINCT l AS leaf, t.before_images FROM pg_event_trigger_ddl_commands() d
                JOIN steep_repl.tables t ON t.relation = pg_partition_root(d.objid),
                     steep_repl._identified(t.relation) l JOIN pg_class c ON c.oid = l
               WHERE d.classid = 'pg_class'::regclass AND NOT steep_repl._identity_fits(c.relreplident, t.before_images)
  LOOP
    PERFORM steep_repl._identify(made.leaf, made.before_images);
  END LOOP;
  FOR made IN SELECT DISTINCT t.relation::regclass AS root, l AS leaf, t.column_name FROM pg_event_trigger_ddl_commands() d
                JOIN steep_repl.range_tables t ON t.relation = pg_partition_root(d.objid) AND t.relation <> d.objid, steep_repl._leaves(t.relation) l
               WHERE d.classid = 'pg_class'::regclass AND t.active LOOP
    PERFORM steep_repl._guard_leaf(made.root, made.leaf, made.column_name);
  END LOOP;
END $$;
COMMENT ON FUNCTION steep_repl._identify_made_leaves() IS 'Gives a new or attached partition the replica identity of its table, and the constraint of its ranges, at once. Definer: whoever makes it may not read the list.';

DROP EVENT TRIGGER IF EXISTS steep_repl_identify_leaves;
CREATE EVENT TRIGGER steep_repl_identify_leaves ON ddl_command_end
  WHEN TAG IN ('CREATE TABLE', 'ALTER TABLE') EXECUTE FUNCTION steep_repl._identify_made_leaves();
