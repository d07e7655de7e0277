-- The snapshots that this database wrote, and what it has loaded of others.
CREATE TABLE steep_repl.snapshots (
  id bigint PRIMARY KEY,
  snapshot_uid uuid NOT NULL UNIQUE,
  path text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  lsn pg_lsn NOT NULL,
  slot_name name,
  compression text NOT NULL,
  tables bigint NOT NULL,
  rows bigint NOT NULL,
  bytes bigint NOT NULL,
  deleted_at timestamptz
);
COMMENT ON TABLE steep_repl.snapshots IS 'The snapshots that this database wrote; id is that of the work that wrote them.';

-- Written in the transaction that loads the piece: what is noted is there, and a retry goes on after it.
CREATE TABLE steep_repl.loaded_pieces (
  work_id bigint NOT NULL,
  piece integer NOT NULL,
  relation oid NOT NULL,
  rows bigint NOT NULL,
  -- The transaction that wrote its rows: they can be told from what others wrote.
  row_xid xid NOT NULL DEFAULT pg_catalog.pg_current_xact_id()::pg_catalog.xid,
  PRIMARY KEY (work_id, piece)
);
COMMENT ON TABLE steep_repl.loaded_pieces IS 'Which pieces of a snapshot have been loaded by work that has not come to its end.';

CREATE TABLE steep_repl.deferred_indexes (
  index oid PRIMARY KEY,
  work_id bigint NOT NULL
);
COMMENT ON TABLE steep_repl.deferred_indexes IS 'Indexes that are not used until work that loads a snapshot has built them.';
