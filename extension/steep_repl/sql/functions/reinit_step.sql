-- Taking tables anew, the worker's side: what is waited for before they are emptied, and after; what is looked at in the end.

CREATE OR REPLACE FUNCTION steep_repl._received_of_me(source text) RETURNS pg_lsn
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  at pg_lsn := (SELECT s.confirmed_flush_lsn FROM pg_replication_slots s WHERE s.slot_name = steep_repl._link_name(source, steep_repl.node_id()));
BEGIN
  IF at IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'SR028', MESSAGE = format('%s does not receive from %s', source, steep_repl.node_id()),
      HINT = 'All members must be linked with each other before a node takes tables over.';
  END IF;
  RETURN at;
END $$;
COMMENT ON FUNCTION steep_repl._received_of_me(text) IS 'Up to where a peer has applied what this node wrote. Errors: SR028 it does not receive from here.';

CREATE OR REPLACE FUNCTION steep_repl._reinit_waits(id bigint) RETURNS text
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  job steep_repl.initialisations;
  member record;
  wanted pg_lsn;
  received pg_lsn;
BEGIN
  -- While the tables still hold their rows and take writes: until nothing is to be seen that would keep the copy waiting.
  SELECT * INTO job FROM steep_repl.initialisations i WHERE i.id = _reinit_waits.id;
  UPDATE steep_repl.initialisation_members m SET paused_at = coalesce(job.emptied_lsn, pg_current_wal_insert_lsn())
   WHERE m.id = _reinit_waits.id AND m.peer = job.source AND m.paused_at IS NULL;
  SELECT m.paused_at INTO wanted FROM steep_repl.initialisation_members m WHERE m.id = _reinit_waits.id AND m.peer = job.source;
  received := steep_repl._received_of_me(job.source);
  IF received < wanted THEN
    RETURN format('%s to receive what this node wrote (%s of %s)', job.source, received, wanted);
  END IF;
  IF steep_repl._copied_from_here() THEN
    RETURN 'a node that takes tables over from this one';
  END IF;
  FOR member IN SELECT * FROM steep_repl.initialisation_members m WHERE m.id = _reinit_waits.id AND m.peer <> job.source LOOP
    IF steep_repl._peer_value(member.conninfo, format('SELECT count(*)::text FROM pg_catalog.pg_replication_slots WHERE slot_name = %L',
         steep_repl._link_name(job.source, member.peer))) = '0' THEN
      RAISE EXCEPTION USING ERRCODE = 'SR028', MESSAGE = format('%s does not receive from %s', job.source, member.peer),
        HINT = 'All members must be linked with each other before a node takes tables over.';
    END IF;
  END LOOP;
  RETURN NULL;
END $$;
COMMENT ON FUNCTION steep_repl._reinit_waits(bigint) IS 'What tables that are to be taken anew have to wait for before they are emptied, NULL for nothing: the source has what this node wrote, and receives from every member, all of which answer; nobody copies from here.';

CREATE OR REPLACE FUNCTION steep_repl._reinit_step(id bigint) RETURNS text
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  job steep_repl.initialisations;
  received pg_lsn;
  waits text;
BEGIN
  SELECT * INTO job FROM steep_repl.initialisations i WHERE i.id = _reinit_step.id;
  IF job.emptied_lsn IS NULL THEN
    PERFORM steep_repl._init_phase(id, 'emptying the tables');
    PERFORM steep_repl._empty_tables(id);
    -- Nothing else in this transaction, which keeps everybody out of them.
    RETURN 'emptied the tables';
  END IF;
  received := steep_repl._received_of_me(job.source);
  IF received < job.emptied_lsn THEN
    waits := format('waiting until %s has received what this node wrote (%s of %s)', job.source, received, job.emptied_lsn);
  END IF;
  PERFORM steep_repl._init_phase(id, coalesce(waits, 'waiting for the members'));
  RETURN waits;
END $$;
COMMENT ON FUNCTION steep_repl._reinit_step(bigint) IS 'After step 1, where tables are taken anew: empties them; NULL once the source has all that this node had sent of them, else what it waits for. A snapshot before that would lack the last writes of this node, which would then be everywhere but here.';

CREATE OR REPLACE FUNCTION steep_repl._suspect_copied(relation oid) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
  fk record;
BEGIN
  FOR fk IN SELECT k.* , o.constraint_id FROM steep_repl._foreign_keys_of(relation) o CROSS JOIN LATERAL steep_repl._foreign_keys(o.constraint_id) k
             WHERE o.constraint_id IS NOT NULL LOOP
    EXECUTE format('INSERT INTO steep_repl.orphan_checks (constraint_id, key_values)
        SELECT DISTINCT $1, (SELECT jsonb_object_agg(n, w.whole->>n) FROM jsonb_array_elements_text($2) n)::text
          FROM %s c CROSS JOIN LATERAL (SELECT steep_repl._row_json(c)::jsonb AS whole) w
         WHERE NOT EXISTS (SELECT 1 FROM jsonb_array_elements_text($2) n WHERE w.whole->>n IS NULL) AND NOT EXISTS (SELECT 1 FROM %s p WHERE %s)',
      steep_repl._source_of(fk.child), steep_repl._source_of(fk.parent), fk.refers) USING fk.constraint_id, fk.child_columns;
  END LOOP;
END $$;
COMMENT ON FUNCTION steep_repl._suspect_copied(oid) IS 'Has the worker look at the rows of a table that have no parent here: those of the source may refer to rows that this node lacks, or have none there either.';

CREATE OR REPLACE FUNCTION steep_repl._reinit_finish(id bigint) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  taken steep_repl.tables;
BEGIN
  -- When all tables are there: one may refer to another.
  FOR taken IN SELECT k.* FROM steep_repl.initialisations i JOIN steep_repl.initialisation_tables t USING (id)
                 JOIN steep_repl.tables k ON k.table_schema = t.table_schema AND k.table_name = t.table_name
                WHERE i.id = _reinit_finish.id AND i.kind = 'reinit' AND t.state = 'complete' LOOP
    PERFORM steep_repl._suspect_copied(taken.relation);
    -- What could not be applied has come with the copy; the comparison tells.
    UPDATE steep_repl.conflict_log c SET next_proof = clock_timestamp()
     WHERE c.converged_at IS NULL AND (c.table_schema, c.table_name) = (taken.table_schema, taken.table_name);
  END LOOP;
END $$;
COMMENT ON FUNCTION steep_repl._reinit_finish(bigint) IS 'Has the open conflicts of tables that were taken anew compared at once, and their foreign keys looked at.';
