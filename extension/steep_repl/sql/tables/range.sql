-- Ranges of ids, of this node and of the others: what is handed out where. First the columns of the requirements.
CREATE TABLE steep_repl.identity_ranges (
  id bigserial PRIMARY KEY,
  table_schema text NOT NULL,
  table_name text NOT NULL,
  node_id text NOT NULL REFERENCES steep_repl.nodes (node_id),
  range_start bigint NOT NULL,
  range_end bigint NOT NULL,
  allocated_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
  status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'exhausted', 'released')),
  -- Of this node's own: the table by its OID here, the range's number, and the timeline on which it was cut: on another
  -- one, after a restore or a failover, nobody knows what has been handed out of it.
  relation oid,
  number bigint,
  timeline integer,
  announced boolean NOT NULL DEFAULT true,
  UNIQUE (table_schema, table_name, node_id, range_start),
  CHECK (range_start <= range_end)
);
COMMENT ON TABLE steep_repl.identity_ranges IS 'The ranges of ids of this node, and those that the others have told of. active: to be handed out; exhausted: has been; released: never will be.';
CREATE INDEX idx_identity_ranges_table ON steep_repl.identity_ranges (table_schema, table_name);
CREATE INDEX identity_ranges_own ON steep_repl.identity_ranges (relation, number) WHERE relation IS NOT NULL;
CREATE INDEX identity_ranges_active ON steep_repl.identity_ranges (relation, number) WHERE relation IS NOT NULL AND status = 'active';
CREATE INDEX identity_ranges_news ON steep_repl.identity_ranges (relation) WHERE NOT announced;
CREATE INDEX identity_ranges_by_start ON steep_repl.identity_ranges (relation, range_start) WHERE relation IS NOT NULL;

-- The sequences whose ids go in ranges, and the share of this node: the blocks n >= first_block with
-- n mod step = share_offset, block n being the ids from base + n * block on.
CREATE TABLE steep_repl.range_sequences (
  sequence oid PRIMARY KEY,
  -- The same on all nodes; two that began by themselves have two.
  line uuid NOT NULL,
  base bigint NOT NULL,
  block bigint NOT NULL CHECK (block > 0),
  last_id bigint NOT NULL,
  descending boolean NOT NULL,
  range_size bigint NOT NULL CHECK (range_size > 0),
  threshold integer NOT NULL CHECK (threshold BETWEEN 1 AND 100),
  step bigint,
  share_offset bigint,
  first_block bigint,
  timeline integer,
  -- A sequence of ours that holds the number of the range in which the sequence is: it moves when no transaction can say so.
  counter oid NOT NULL,
  -- Up to where the worker has seen the sequence within that range.
  seen_number bigint NOT NULL DEFAULT 0,
  seen_value bigint,
  -- What is asked of a peer when there is no share; a peer answers the same question twice with the same share.
  request uuid,
  requested_at timestamptz,
  -- The timeline on which the request was made. After a restore its answer may have been taken, and used, before.
  request_timeline integer,
  next_try timestamptz NOT NULL DEFAULT pg_catalog.now(),
  error text,
  -- The range and the percent of which somebody has been told.
  told_number bigint NOT NULL DEFAULT 0,
  told_percent integer NOT NULL DEFAULT 0
);
COMMENT ON TABLE steep_repl.range_sequences IS 'The sequences whose ids go in ranges, and which blocks of ids are this node''s.';

-- No query reads it, so that no plan has to be made anew when it is invalidated.
CREATE TABLE steep_repl.range_changes ();
COMMENT ON TABLE steep_repl.range_changes IS 'Always empty: its description in the catalogue is invalidated when ranges change, and sessions look them up again.';

CREATE TABLE steep_repl.range_tables (
  relation oid PRIMARY KEY,
  sequence oid NOT NULL REFERENCES steep_repl.range_sequences ON DELETE CASCADE,
  column_name name NOT NULL,
  -- Not while the table does not replicate.
  active boolean NOT NULL DEFAULT true,
  -- What somebody has set, until the worker has made it so: sessions that insert must not wait for the transaction that sets it.
  wanted_size bigint,
  wanted_threshold integer
);
COMMENT ON TABLE steep_repl.range_tables IS 'The tables with ranges, and the column of each.';

-- Shares that this node has given away. Kept for good: whoever asks again gets the same.
CREATE TABLE steep_repl.range_grants (
  request uuid PRIMARY KEY,
  line uuid NOT NULL,
  node_id text NOT NULL,
  step bigint NOT NULL,
  share_offset bigint NOT NULL,
  first_block bigint NOT NULL,
  granted_at timestamptz NOT NULL DEFAULT pg_catalog.now()
);
COMMENT ON TABLE steep_repl.range_grants IS 'The shares of blocks that this node has given to others.';

CREATE TABLE steep_repl.range_bypasses (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  relation oid NOT NULL,
  reason text NOT NULL CHECK (reason <> ''),
  enabled_by text NOT NULL,
  enabled_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  until timestamptz NOT NULL,
  ended_at timestamptz,
  ended_by text,
  -- Rows in ranges of others that were written meanwhile, as counted at the end.
  strays bigint,
  strays_note text
);
COMMENT ON TABLE steep_repl.range_bypasses IS 'When tables take any id, and why.';
CREATE UNIQUE INDEX range_bypasses_open ON steep_repl.range_bypasses (relation) WHERE ended_at IS NULL;
