package io.steeprepl.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.testkit.Cluster;
import io.steeprepl.testkit.ClusterLogs;
import io.steeprepl.testkit.TestNode;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What changes the fingerprint of a table and what does not, and how a difference is said. */
@ExtendWith(ClusterLogs.class)
class SchemaIT {
    private static final String[] TABLES = {
        "CREATE SCHEMA m",
        "CREATE TYPE m.mood AS ENUM ('sad', 'ok')",
        "CREATE DOMAIN m.positive AS int CHECK (VALUE > 0)",
        "CREATE TYPE m.point AS (x int, mood m.mood)",
        "CREATE TYPE m.span AS RANGE (subtype = int)",
        "CREATE TABLE m.parent (id int PRIMARY KEY, other int NOT NULL UNIQUE)",
        """
        CREATE TABLE m.t (a int NOT NULL, b numeric(10,2) NOT NULL DEFAULT 0, c text COLLATE "C", d int GENERATED ALWAYS AS IDENTITY,
          e int GENERATED ALWAYS AS (a + 1) STORED, f m.mood[], g m.positive, h m.point, i m.span, j timestamptz DEFAULT '2020-02-29 12:00+00', p int NOT NULL,
          CONSTRAINT pk PRIMARY KEY (a, p), CONSTRAINT u UNIQUE (b, c), CONSTRAINT chk CHECK (a > 0),
          CONSTRAINT fk FOREIGN KEY (p) REFERENCES m.parent, CONSTRAINT ex EXCLUDE USING gist (i WITH &&))
        """,
        "CREATE UNIQUE INDEX ui ON m.t (lower(c)) WHERE a > 5",
        "CREATE TABLE m.parted (id int NOT NULL, at date NOT NULL) PARTITION BY RANGE (at)",
        "CREATE TABLE m.first PARTITION OF m.parted FOR VALUES FROM ('2020-01-01') TO ('2021-01-01') PARTITION BY LIST (id)",
        "CREATE TABLE m.leaf PARTITION OF m.first FOR VALUES IN (1, 2)",
        "CREATE TABLE m.whole (id int NOT NULL, at date NOT NULL) PARTITION BY RANGE (at)",
        "CREATE TABLE m.child () INHERITS (m.parent)"
    };

    private static Cluster cluster;
    private static TestNode a;
    private static TestNode b;

    @BeforeAll
    static void start() {
        cluster = Cluster.start(2).link(2);
        a = cluster.node(0);
        b = cluster.node(1);
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    @BeforeEach
    void tables() {
        cluster.nodes().forEach(node -> {
            node.execute("SET client_min_messages = warning; DROP SCHEMA IF EXISTS m CASCADE");
            node.execute(TABLES);
        });
    }

    private static String fingerprint(TestNode node, String table) {
        return node.query("SELECT steep_repl.compute_fingerprint('m', '" + table + "')");
    }

    private static String compared(String status) {
        return "SELECT string_agg(table_name, ' ') FROM steep_repl.compare_fingerprints('b') WHERE table_schema = 'm' AND status = '"
                + status + "'";
    }

    @Test
    void theSameTablesHaveTheSameFingerprints() {
        assertThat(fingerprint(a, "t"))
                .matches("[0-9a-f]{64}")
                .isEqualTo(fingerprint(b, "t"))
                .isNotEqualTo(fingerprint(a, "parent"));
        assertThat(a.query(compared("MATCH"))).isEqualTo("child first leaf parent parted t whole");
        assertThat(a.rows("SELECT * FROM steep_repl.schema_diff('b')")).isEmpty();
        assertThat(
                        a.query(
                                "SELECT fingerprint = encode(sha256(convert_to(definition::text, 'UTF8')), 'hex'), column_count FROM steep_repl.schema_definitions('m', 't')"))
                .isEqualTo("t|11");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
        t      | ALTER TABLE m.t ALTER b TYPE numeric(12,2)                  | column b type: numeric(10,2) on a, numeric(12,2) on b
        t      | ALTER TABLE m.t ALTER c TYPE text COLLATE "POSIX"           | column c collation: pg_catalog."C" on a, pg_catalog."POSIX" on b
        t      | ALTER TABLE m.t ALTER c TYPE text COLLATE "default"         | column c collation: pg_catalog."C" on a, none on b
        t      | ALTER TABLE m.t ALTER c SET NOT NULL                        | column c nullability: NULL on a, NOT NULL on b
        t      | ALTER TABLE m.t ALTER b DROP NOT NULL                       | column b nullability: NOT NULL on a, NULL on b
        t      | ALTER TABLE m.t ADD NOT NULL c NOT VALID                    | column c nullability: NULL on a, NOT NULL NOT VALID on b
        t      | ALTER TABLE m.t ALTER b SET DEFAULT 1                       | column b default: 0 on a, 1 on b
        t      | ALTER TABLE m.t ALTER b DROP DEFAULT                        | column b default: 0 on a, none on b
        t      | ALTER TABLE m.t ALTER j SET DEFAULT '2020-02-29 13:00+00'   | column j default: '2020-02-29 12:00:00+00'::timestamp with time zone on a, '2020-02-29 13:00:00+00'::timestamp with time zone on b
        t      | ALTER TABLE m.t ALTER d SET GENERATED BY DEFAULT            | column d identity: ALWAYS on a, BY DEFAULT on b
        t      | ALTER TABLE m.t ALTER d DROP IDENTITY                       | column d identity: ALWAYS on a, none on b
        t      | ALTER TABLE m.t ALTER e SET EXPRESSION AS (a + 2)           | column e generated: STORED (a + 1) on a, STORED (a + 2) on b
        t      | ALTER TABLE m.t ALTER e DROP EXPRESSION                     | column e generated: STORED (a + 1) on a, none on b
        t      | ALTER TABLE m.t RENAME g TO "G"                             | ~2
        t      | ALTER TABLE m.t ADD "N" text DEFAULT 'x'                    | column "N": none on a, text DEFAULT 'x'::text on b
        t      | ALTER TABLE m.t DROP g                                      | column g: m.positive on a, none on b
        t      | ALTER TABLE m.t DROP CONSTRAINT pk, ADD PRIMARY KEY (p, a)  | primary key: PRIMARY KEY (a, p) on a, PRIMARY KEY (p, a) on b
        t      | ALTER TABLE m.t DROP CONSTRAINT pk                          | primary key: PRIMARY KEY (a, p) on a, none on b
        t      | ALTER TABLE m.t DROP CONSTRAINT u, ADD UNIQUE (c, b)        | unique: UNIQUE (b, c) on a, UNIQUE (c, b) on b
        t      | ALTER TABLE m.t DROP CONSTRAINT u, ADD UNIQUE NULLS NOT DISTINCT (b, c) | unique: UNIQUE (b, c) on a, UNIQUE NULLS NOT DISTINCT (b, c) on b
        t      | ALTER TABLE m.t DROP CONSTRAINT u, ADD UNIQUE (b, c) DEFERRABLE         | unique: UNIQUE (b, c) on a, UNIQUE (b, c) DEFERRABLE on b
        t      | ALTER TABLE m.t ADD UNIQUE (d)                              | unique: none on a, UNIQUE (d) on b
        t      | DROP INDEX m.ui                                             | unique: INDEX btree (lower(c)) WHERE (a > 5) on a, none on b
        t      | DROP INDEX m.ui; CREATE UNIQUE INDEX ui ON m.t (lower(c)) WHERE a > 6  | unique: INDEX btree (lower(c)) WHERE (a > 5) on a, INDEX btree (lower(c)) WHERE (a > 6) on b
        t      | DROP INDEX m.ui; CREATE UNIQUE INDEX ui ON m.t (upper(c)) WHERE a > 5  | unique: INDEX btree (lower(c)) WHERE (a > 5) on a, INDEX btree (upper(c)) WHERE (a > 5) on b
        t      | ALTER TABLE m.t DROP CONSTRAINT chk, ADD CHECK (a >= 0)     | check: CHECK ((a > 0)) on a, CHECK ((a >= 0)) on b
        t      | ALTER TABLE m.t ALTER CONSTRAINT fk NOT ENFORCED            | foreign key: FOREIGN KEY (p) REFERENCES m.parent(id) on a, FOREIGN KEY (p) REFERENCES m.parent(id) NOT ENFORCED on b
        t      | ALTER TABLE m.t DROP CONSTRAINT chk, ADD CHECK (a > 0) NOT VALID       | check: CHECK ((a > 0)) on a, CHECK ((a > 0)) NOT VALID on b
        t      | ALTER TABLE m.t DROP CONSTRAINT fk, ADD FOREIGN KEY (p) REFERENCES m.parent ON DELETE CASCADE | foreign key: FOREIGN KEY (p) REFERENCES m.parent(id) on a, FOREIGN KEY (p) REFERENCES m.parent(id) ON DELETE CASCADE on b
        t      | ALTER TABLE m.t DROP CONSTRAINT fk, ADD FOREIGN KEY (p) REFERENCES m.parent (other) | foreign key: FOREIGN KEY (p) REFERENCES m.parent(id) on a, FOREIGN KEY (p) REFERENCES m.parent(other) on b
        t      | ALTER TABLE m.t DROP CONSTRAINT fk                          | foreign key: FOREIGN KEY (p) REFERENCES m.parent(id) on a, none on b
        t      | ALTER TABLE m.t DROP CONSTRAINT ex                          | exclusion: EXCLUDE USING gist (i WITH &&) on a, none on b
        t      | ALTER TABLE m.t SET UNLOGGED                                | table persistence: none on a, unlogged on b
        t      | ALTER TYPE m.mood ADD VALUE 'happy'                         | type m.mood: ENUM ('sad', 'ok') on a, ENUM ('sad', 'ok', 'happy') on b
        t      | ALTER TYPE m.mood ADD VALUE 'happy' BEFORE 'ok'             | type m.mood: ENUM ('sad', 'ok') on a, ENUM ('sad', 'happy', 'ok') on b
        t      | ALTER DOMAIN m.positive SET NOT NULL                        | type m.positive: DOMAIN integer CHECK ((VALUE > 0)) on a, DOMAIN integer NOT NULL CHECK ((VALUE > 0)) on b
        t      | ALTER TYPE m.point ADD ATTRIBUTE y int                      | type m.point: COMPOSITE (x integer, mood m.mood) on a, COMPOSITE (x integer, mood m.mood, y integer) on b
        parted | ALTER TABLE m.parted DETACH PARTITION m.first; ALTER TABLE m.parted ATTACH PARTITION m.first FOR VALUES FROM ('2020-01-01') TO ('2022-01-01') | partition m.first: FOR VALUES FROM ('2020-01-01') TO ('2021-01-01') PARTITION BY LIST (id) on a, FOR VALUES FROM ('2020-01-01') TO ('2022-01-01') PARTITION BY LIST (id) on b
        first  | ALTER TABLE m.parted DETACH PARTITION m.first; ALTER TABLE m.parted ATTACH PARTITION m.first FOR VALUES FROM ('2020-01-01') TO ('2022-01-01') | partition of: m.parted FOR VALUES FROM ('2020-01-01') TO ('2021-01-01') on a, m.parted FOR VALUES FROM ('2020-01-01') TO ('2022-01-01') on b
        parted | CREATE TABLE m.rest PARTITION OF m.parted DEFAULT           | partition m.rest: none on a, DEFAULT on b
        parted | ALTER TABLE m.first DETACH PARTITION m.leaf; ALTER TABLE m.first ATTACH PARTITION m.leaf FOR VALUES IN (1) | partition m.leaf: OF m.first FOR VALUES IN (1, 2) on a, OF m.first FOR VALUES IN (1) on b
        whole  | DROP TABLE m.whole; CREATE TABLE m.whole (id int NOT NULL, at date NOT NULL) PARTITION BY LIST (at)        | partition key: RANGE (at) on a, LIST (at) on b
        whole  | DROP TABLE m.whole; CREATE TABLE m.whole (id int NOT NULL, at date NOT NULL) PARTITION BY RANGE (id)       | partition key: RANGE (at) on a, RANGE (id) on b
        whole  | DROP TABLE m.whole; CREATE TABLE m.whole (at date NOT NULL, id int NOT NULL) PARTITION BY RANGE (at)       | columns order: id, at on a, at, id on b
        child  | ALTER TABLE m.child NO INHERIT m.parent                     | table inherits: ["m.parent"] on a, none on b
        whole  | DROP TABLE m.whole                                          | table: exists on a, does not exist on b
        """)
    void eachChangeIsOneLine(String table, String change, String expected) {
        b.execute(change.split(";"));
        assertThat(a.query(compared("MISMATCH") + " OR status = 'LOCAL_ONLY' AND table_schema = 'm'"))
                .contains(table);
        var lines = a.rows("SELECT difference FROM steep_repl.schema_diff('b', 'm', '" + table + "')");
        if (expected.equals("~2")) {
            // A column under another name is another column.
            assertThat(lines).hasSize(2).allMatch(line -> line.contains("m.positive"));
        } else {
            assertThat(lines).containsExactly(expected);
        }
        // The other side says the same, the other way round.
        assertThat(b.rows("SELECT object, property, remote, local FROM steep_repl.schema_diff('a', 'm', '" + table
                        + "')"))
                .hasSameElementsAs(
                        a.rows("SELECT object, property, local, remote FROM steep_repl.schema_diff('b', 'm', '" + table
                                + "')"));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
        ALTER TABLE m.t ADD x int; ALTER TABLE m.t DROP x
        ALTER TABLE m.t DROP p CASCADE; ALTER TABLE m.t ADD p int NOT NULL REFERENCES m.parent, ADD PRIMARY KEY (a, p)
        DROP TABLE m.whole; CREATE TABLE m.whole (gone text, id int NOT NULL, lost int, at date NOT NULL) PARTITION BY RANGE (at); ALTER TABLE m.whole DROP gone, DROP lost
        CREATE ROLE owner; ALTER TABLE m.t OWNER TO owner; GRANT SELECT ON m.t TO PUBLIC
        SET allow_in_place_tablespaces = on; CREATE TABLESPACE elsewhere LOCATION ''; ALTER TABLE m.t SET TABLESPACE elsewhere; ALTER INDEX m.u SET TABLESPACE elsewhere; ALTER INDEX m.ui SET TABLESPACE elsewhere
        ALTER TABLE m.t ALTER c SET STATISTICS 500, ALTER c SET STORAGE EXTERNAL, ALTER c SET COMPRESSION pglz, SET (fillfactor = 70); ANALYZE m.t
        ALTER INDEX m.ui SET (fillfactor = 50, deduplicate_items = off); ALTER INDEX m.u SET (fillfactor = 50)
        COMMENT ON TABLE m.t IS 'a table'; COMMENT ON COLUMN m.t.a IS 'a column'; ALTER TABLE m.t REPLICA IDENTITY FULL
        CREATE INDEX ON m.t (b); CREATE STATISTICS m.s ON a, b FROM m.t; CLUSTER m.t USING u
        ALTER TABLE m.t RENAME CONSTRAINT pk TO key; ALTER TABLE m.t RENAME CONSTRAINT chk TO positive; ALTER INDEX m.ui RENAME TO other
        ALTER TABLE m.t RENAME CONSTRAINT t_a_not_null TO something
        ALTER TABLE m.t DROP CONSTRAINT u, DROP CONSTRAINT chk, DROP CONSTRAINT fk; ALTER TABLE m.t ADD FOREIGN KEY (p) REFERENCES m.parent, ADD CHECK (a > 0), ADD UNIQUE (b, c)
        ALTER TABLE m.t ADD CHECK (a > 0); ALTER TABLE m.t ADD UNIQUE (b, c)
        ALTER TABLE m.t ALTER d SET INCREMENT BY 2 RESTART WITH 1000
        ALTER TABLE m.t ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON m.t USING (true); CREATE RULE r AS ON DELETE TO m.t DO ALSO NOTIFY x
        CREATE TRIGGER tr BEFORE UPDATE ON m.t FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()
        CREATE TABLE m.of_parted (id int, at date) PARTITION BY RANGE (at); INSERT INTO m.parent VALUES (1, 1); VACUUM FULL m.t
        """)
    void whatDoesNotCount(String change) {
        b.execute(change.split(";"));
        assertThat(a.rows("SELECT difference FROM steep_repl.schema_diff('b', 'm', 't')"))
                .isEmpty();
        assertThat(a.rows("SELECT difference FROM steep_repl.schema_diff('b', 'm', 'whole')"))
                .isEmpty();
        assertThat(fingerprint(b, "t")).isEqualTo(fingerprint(a, "t"));
        assertThat(fingerprint(b, "whole")).isEqualTo(fingerprint(a, "whole"));
    }

    @Test
    void whatTheSessionHasSetDoesNotCount() {
        String all = "SELECT string_agg(fingerprint, ' ' ORDER BY table_name) FROM steep_repl.schema_definitions('m')";
        String plain = a.query(all);
        a.execute(
                "CREATE FUNCTION m.elsewhere() RETURNS text LANGUAGE plpgsql SET search_path = m, public SET datestyle = German"
                        + " SET timezone = 'Asia/Tokyo' SET intervalstyle = iso_8601 SET extra_float_digits = -5 SET bytea_output = escape"
                        + " SET quote_all_identifiers = on SET standard_conforming_strings = off SET xmlbinary = hex"
                        + " SET lc_monetary = 'C.UTF-8' AS $$ BEGIN RETURN (" + all + "); END $$");
        assertThat(a.query("SELECT m.elsewhere()")).isEqualTo(plain);
    }

    @Test
    void severalDifferencesOfATableAreSeveralLines() {
        b.execute(
                "ALTER TABLE m.t ALTER b TYPE numeric(12,2), ALTER b SET DEFAULT 1, ADD CHECK (p > 1), ADD CHECK (p > 2), ADD z int",
                "ALTER TYPE m.mood ADD VALUE 'happy'");
        assertThat(a.rows("SELECT difference FROM steep_repl.schema_diff('b', 'm', 't')"))
                .containsExactly(
                        "column b default: 0 on a, 1 on b",
                        "column b type: numeric(10,2) on a, numeric(12,2) on b",
                        "column z: none on a, integer on b",
                        "check: none on a, CHECK ((p > 1)) on b",
                        "check: none on a, CHECK ((p > 2)) on b",
                        "type m.mood: ENUM ('sad', 'ok') on a, ENUM ('sad', 'ok', 'happy') on b");
        assertThat(a.rows("SELECT object, property, local, remote FROM steep_repl.schema_diff('b', 'm', 't') LIMIT 3"))
                .containsExactly(
                        "column b|default|0|1", "column b|type|numeric(10,2)|numeric(12,2)", "column z|||integer");
    }

    @Test
    void whatReplicationPutsOnATableDoesNotCount() {
        cluster.nodes()
                .forEach(node -> node.execute(
                        "CREATE TABLE m.counted (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, v text)",
                        "CREATE TABLE m.split (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, v text) PARTITION BY HASH (id)",
                        "CREATE TABLE m.half PARTITION OF m.split FOR VALUES WITH (MODULUS 1, REMAINDER 0)"));
        String before = a.query(
                "SELECT string_agg(fingerprint, ' ' ORDER BY table_name) FROM steep_repl.schema_definitions('m')");
        a.execute("SELECT steep_repl.add_table('m.counted')", "SELECT steep_repl.add_table('m.split')");
        cluster.nodes().forEach(node -> {
            Sql.await(
                    node,
                    "SELECT string_agg(state, ' ') FROM steep_repl.replicated_tables() WHERE table_schema = 'm'",
                    "ready ready");
            Sql.await(
                    node,
                    "SELECT count(*) FROM pg_constraint WHERE conname LIKE 'steep\\_range\\_%' AND connamespace = 'm'::regnamespace",
                    "2");
            assertThat(
                            node.query(
                                    "SELECT string_agg(fingerprint, ' ' ORDER BY table_name) FROM steep_repl.schema_definitions('m')"))
                    .isEqualTo(before);
        });
        a.execute("SELECT steep_repl.remove_table('m.counted')", "SELECT steep_repl.remove_table('m.split')");
        cluster.nodes()
                .forEach(node -> Sql.await(
                        node, "SELECT count(*) FROM steep_repl.replicated_tables() WHERE table_schema = 'm'", "0"));
    }

    @Test
    void capturedFingerprintsAreKeptAndWhatChangedIsAudited() {
        String audited =
                "SELECT new_value - 'tables' FROM steep_repl.audit_log WHERE action = 'schema.capture' ORDER BY id DESC LIMIT 1";
        a.execute("TRUNCATE steep_repl.schema_fingerprints", "CREATE TEMP TABLE passing (id int)");
        assertThat(a.query("SELECT steep_repl.capture_fingerprints()"))
                .isEqualTo(a.query("SELECT count(*) FROM steep_repl.schema_definitions()"));
        assertThat(
                        a.query(
                                "SELECT table_schema, table_name, fingerprint, column_count, captured_at > now() - interval '1 minute' FROM steep_repl.schema_fingerprints WHERE table_name = 't'"))
                .isEqualTo("m|t|" + fingerprint(a, "t") + "|11|t");
        assertThat(a.rows("SELECT DISTINCT table_schema FROM steep_repl.schema_fingerprints"))
                .containsExactly("m");
        a.execute("ALTER TABLE m.t ALTER b SET DEFAULT 1", "DROP TABLE m.whole", "CREATE TABLE m.\"New one\" (id int)");
        a.execute("SELECT steep_repl.capture_fingerprints()");
        assertThat(a.query(audited)).isEqualTo("{\"added\": 1, \"changed\": 1, \"removed\": 1}");
        assertThat(a.query("SELECT fingerprint FROM steep_repl.schema_fingerprints WHERE table_name = 't'"))
                .isEqualTo(fingerprint(a, "t"));
        assertThat(
                        a.query(
                                "SELECT string_agg(table_name, ', ' ORDER BY table_name) FROM steep_repl.schema_fingerprints WHERE table_name IN ('whole', 'New one')"))
                .isEqualTo("New one");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        compute_fingerprint('m', 'absent')   | 42P01 table m.absent does not exist / The schema is there.
        compute_fingerprint('nowhere', 't')  | 42P01 table nowhere.t does not exist / There is no such schema.
        compute_fingerprint('m', 'T')        | 42P01 table m."T" does not exist / The schema is there.
        compute_fingerprint('m', 'u')        | 42809 m.u is no table / null
        schema_diff('b', 'm', 'absent')      | 42P01 table m.absent does not exist / The schema is there.
        """)
    void whatIsNoTableIsRefused(String call, String error) {
        assertThat(Sql.error(a, "SELECT * FROM steep_repl." + call)).isEqualTo(error);
    }

    @Test
    void aTemporaryTableHasAFingerprintToo() throws Exception {
        try (var connection = a.connect();
                var statement = connection.createStatement()) {
            statement.execute("CREATE TEMP TABLE passing (id int); CREATE UNIQUE INDEX ON passing (abs(id))");
            try (var row = statement.executeQuery(
                    "SELECT d.definition->>'persistence', d.definition->'unique' FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace,"
                            + " steep_repl.schema_definitions(n.nspname, 'passing') d WHERE c.relname = 'passing'")) {
                assertThat(row.next()).isTrue();
                assertThat(row.getString(1) + " " + row.getString(2))
                        .isEqualTo("temporary [\"INDEX btree (abs(id))\"]");
            }
        }
    }

    /** PostgreSQL writes expressions by the catalogue of that moment, not of the query's. */
    @Test
    void tablesThatComeAndGoMeanwhileDoNotDisturb() throws Exception {
        var stop = new AtomicBoolean();
        var made = new AtomicInteger();
        Thread churn = Thread.ofVirtual().start(() -> {
            while (!stop.get()) {
                b.execute(
                        "CREATE TYPE m.passing_type AS ENUM ('a')",
                        "CREATE TABLE m.passing (id int PRIMARY KEY, a int CHECK (a > 0), b text DEFAULT 'x' UNIQUE, t m.passing_type, r int REFERENCES m.passing)",
                        "CREATE UNIQUE INDEX ON m.passing (lower(b)) WHERE a > 1",
                        "DROP TABLE m.passing",
                        "DROP TYPE m.passing_type");
                made.incrementAndGet();
            }
        });
        try {
            while (made.get() < 100) {
                assertThat(Integer.parseInt(b.query("SELECT steep_repl.capture_fingerprints()")))
                        .isBetween(7, 8);
            }
        } finally {
            stop.set(true);
            churn.join();
        }
    }

    @Test
    void aTableThatIsBeingChangedIsWaitedForNotForEver() throws Exception {
        try (var holder = a.connect();
                var statement = holder.createStatement()) {
            holder.setAutoCommit(false);
            statement.execute("ALTER TABLE m.t ADD later int");
            String pid = holder.unwrap(org.postgresql.PGConnection.class).getBackendPID() + "";
            for (String call :
                    new String[] {"compute_fingerprint('m', 't')", "capture_fingerprints()", "compare_fingerprints('b')"
                    }) {
                assertThat(Sql.error(a, "SET steep_repl.lock_timeout = '200ms'; SELECT * FROM steep_repl." + call))
                        .isEqualTo("55P03 a table is being changed / pid " + pid + " changes m.t, or waits to.");
            }
            holder.rollback();
        }
        assertThat(
                        a.query(
                                "SELECT set_config('lock_timeout', '5s', false), steep_repl.compute_fingerprint('m', 't') <> '', current_setting('lock_timeout')"))
                .isEqualTo("5s|t|5s");
    }
}
