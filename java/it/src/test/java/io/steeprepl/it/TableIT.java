package io.steeprepl.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.testkit.Cluster;
import io.steeprepl.testkit.ClusterLogs;
import io.steeprepl.testkit.TestNode;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Every kind of table replicates, or is refused with the reason. */
@ExtendWith(ClusterLogs.class)
class TableIT {
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

    private static void both(String... sql) {
        cluster.nodes().forEach(node -> node.execute(sql));
    }

    private static void awaitReady(String table) {
        String state =
                "SELECT state FROM steep_repl.replicated_tables() WHERE format('%I.%I', table_schema, table_name) = '"
                        + table + "'";
        Sql.await(a, state, "ready");
        Sql.await(b, state, "ready");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            CREATE UNLOGGED TABLE r1 (id int PRIMARY KEY)                                        | r1 | unlogged
            CREATE VIEW r2 AS SELECT 1 AS one                                                    | r2 | view
            CREATE TABLE r3 (j json)                                                             | r3 | no equality
            CREATE TABLE r4 (id int PRIMARY KEY); ALTER TABLE r4 FORCE ROW LEVEL SECURITY        | r4 | FORCE ROW LEVEL SECURITY
            CREATE TABLE r5 (id int) PARTITION BY LIST (id); CREATE TABLE r5a PARTITION OF r5 DEFAULT | r5a | Add its root
            CREATE MATERIALIZED VIEW r6 AS SELECT 1 AS one                                       | r6 | materialized view
            CREATE SEQUENCE r7                                                                   | r7 | sequence
            CREATE DOMAIN r10d AS text; CREATE TYPE r10c AS (x r10d); CREATE TABLE r10 (c r10c PRIMARY KEY) | r10 | has a domain inside
            CREATE DOMAIN r11d AS text; CREATE TABLE r11 (c r11d[] PRIMARY KEY)                  | r11 | has a domain inside
            SELECT 1                                                                             | pg_class | belongs to the system
            SELECT 1                                                                             | steep_repl.nodes | belongs to the system or to steep_repl
            """)
    void refusedWithTheReason(String create, String table, String reason) {
        a.execute(create);
        assertThat(Sql.error(a, "SELECT steep_repl.add_table('" + table + "')"))
                .contains("SR042")
                .contains(reason);
    }

    @Test
    void aDeferrableReplicaTriggerIsRefused() {
        a.execute(
                "CREATE TABLE r8 (id int PRIMARY KEY)",
                "CREATE FUNCTION r8f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
                "CREATE CONSTRAINT TRIGGER r8t AFTER INSERT ON r8 DEFERRABLE FOR EACH ROW EXECUTE FUNCTION r8f()",
                "ALTER TABLE r8 ENABLE ALWAYS TRIGGER r8t");
        assertThat(Sql.error(a, "SELECT steep_repl.add_table('r8')"))
                .contains("r8t")
                .contains("deferrable");
    }

    @Test
    void missingAndDifferentTablesOnThePeerAreNamed() {
        a.execute("CREATE TABLE r9 (id int PRIMARY KEY, v text)");
        assertThat(Sql.error(a, "SELECT steep_repl.add_table('r9')")).contains("b: the table does not exist");
        b.execute("CREATE TABLE r9 (id bigint PRIMARY KEY, w text)");
        assertThat(Sql.error(a, "SELECT steep_repl.add_table('r9')"))
                .contains("b: other columns")
                .contains("column id type: integer on a, bigint on b")
                .contains("column v: text on a, none on b")
                .contains("column w: none on a, text on b");
    }

    @Test
    void rowsOnSeveralNodesAreRefusedUnlessProvenIdentical() {
        both("CREATE TABLE held (id int PRIMARY KEY, v text, n numeric)");
        both("INSERT INTO held SELECT g, 'row ' || g, g * 1.50 FROM generate_series(1, 500) g");
        assertThat(Sql.error(a, "SELECT steep_repl.add_table('held')")).contains("rows on a, b");
        a.execute("SELECT steep_repl.add_table('held', existing => 'identical')");
        awaitReady("public.held");
        b.execute("UPDATE held SET v = 'changed' WHERE id = 7");
        Sql.await(a, "SELECT v FROM held WHERE id = 7", "changed");
    }

    @Test
    void rowsThatDifferAreNotTakenForIdentical() {
        both("CREATE TABLE differs (id int PRIMARY KEY, v text)");
        a.execute("INSERT INTO differs VALUES (1, 'here')");
        b.execute("INSERT INTO differs VALUES (1, 'there')");
        a.execute("SELECT steep_repl.add_table('differs', existing => 'identical')");
        Sql.await(b, "SELECT state FROM steep_repl.replicated_tables() WHERE table_name = 'differs'", "failed");
        assertThat(b.query("SELECT reason FROM steep_repl.replicated_tables() WHERE table_name = 'differs'"))
                .contains("not identical");
        assertThat(b.query("SELECT v FROM differs")).isEqualTo("there");
        a.execute("SELECT steep_repl.remove_table('differs')");
    }

    @Test
    void rowsOfThePeerAreTakenFromThere() {
        both("CREATE TABLE theirs (id int PRIMARY KEY, v text)");
        b.execute("INSERT INTO theirs SELECT g, 'b' FROM generate_series(1, 100) g");
        a.execute("SELECT steep_repl.add_table('theirs')");
        Sql.await(a, "SELECT count(*) FROM theirs", "100");
        a.execute("INSERT INTO theirs VALUES (101, 'a')");
        Sql.await(b, "SELECT count(*) FROM theirs", "101");
    }

    @Test
    void partitionedTablesWithLaterLeaves() {
        both(
                "CREATE TABLE part (id int, at date, v text, PRIMARY KEY (id, at)) PARTITION BY RANGE (at)",
                "CREATE TABLE part_2025 PARTITION OF part FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')");
        a.execute("INSERT INTO part SELECT g, '2025-05-05', 'x' FROM generate_series(1, 50) g");
        a.execute("SELECT steep_repl.add_table('part')");
        awaitReady("public.part");
        both("CREATE TABLE part_2026 PARTITION OF part FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')");
        String full =
                "SELECT count(*) FROM pg_class WHERE relname LIKE 'part\\_20%' AND relkind = 'r' AND relreplident = 'f'";
        Sql.await(a, full, "2");
        Sql.await(b, full, "2");
        a.execute("INSERT INTO part VALUES (100, '2026-02-02', 'late leaf')");
        b.execute("UPDATE part SET at = '2026-03-03' WHERE id = 1");
        Cluster.awaitEqual("part", cluster.nodes());
        Sql.await(a, "SELECT count(*) FROM part_2026", "2");
    }

    @Test
    void aNewLeafOfAKeylessTableCanBeUpdatedAtOnce() throws Exception {
        both("CREATE TABLE log (at date, v text) PARTITION BY RANGE (at)");
        a.execute("SELECT steep_repl.add_table('log')");
        awaitReady("public.log");
        for (TestNode node : cluster.nodes()) {
            try (var connection = node.connect();
                    var statement = connection.createStatement()) {
                connection.setAutoCommit(false);
                statement.execute(
                        "CREATE TABLE log_2025 PARTITION OF log FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')");
                statement.execute("CREATE TABLE log_2026 (at date, v text)");
                statement.execute(
                        "ALTER TABLE log ATTACH PARTITION log_2026 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')");
                if (node.equals(b)) {
                    statement.execute("INSERT INTO log VALUES ('2025-02-02', 'old'), ('2026-02-02', 'old')");
                    statement.execute("UPDATE log SET v = 'new'");
                }
                connection.commit();
            }
        }
        Sql.await(a, "SELECT count(*) FROM log WHERE v = 'new'", "2");
    }

    @Test
    void aTableThatLeavesGetsItsReplicaIdentityBack() {
        both(
                "CREATE TABLE ri_index (id int PRIMARY KEY, other int NOT NULL)",
                "CREATE UNIQUE INDEX ri_other ON ri_index (other)",
                "ALTER TABLE ri_index REPLICA IDENTITY USING INDEX ri_other",
                "CREATE TABLE ri_gone (id int PRIMARY KEY, other int NOT NULL)",
                "CREATE UNIQUE INDEX ri_gone_other ON ri_gone (other)",
                "ALTER TABLE ri_gone REPLICA IDENTITY USING INDEX ri_gone_other",
                "CREATE TABLE ri_nothing (id int PRIMARY KEY)",
                "ALTER TABLE ri_nothing REPLICA IDENTITY NOTHING",
                "CREATE TABLE ri_full (id int PRIMARY KEY)",
                "ALTER TABLE ri_full REPLICA IDENTITY FULL",
                "CREATE TABLE ri_part (id int PRIMARY KEY) PARTITION BY RANGE (id)",
                "CREATE TABLE ri_part_1 PARTITION OF ri_part FOR VALUES FROM (1) TO (10)",
                "CREATE TABLE ri_part_2 PARTITION OF ri_part FOR VALUES FROM (10) TO (20)",
                "ALTER TABLE ri_part_1 REPLICA IDENTITY NOTHING");
        for (String table : List.of("ri_index", "ri_gone", "ri_full", "ri_part")) {
            a.execute("SELECT steep_repl.add_table('" + table + "')");
            awaitReady("public." + table);
        }
        a.execute("SELECT steep_repl.add_table('ri_nothing', before_images => false)");
        awaitReady("public.ri_nothing");
        // Without an identity an update would be refused.
        a.execute("INSERT INTO ri_nothing VALUES (1)", "UPDATE ri_nothing SET id = 2");
        Sql.await(b, "SELECT id FROM ri_nothing", "2");
        both("DROP INDEX ri_gone_other");
        for (String table : List.of("ri_index", "ri_gone", "ri_full", "ri_part", "ri_nothing")) {
            a.execute("SELECT steep_repl.remove_table('" + table + "')");
        }
        String identities =
                "SELECT string_agg(relname || ' ' || relreplident::text, ', ' ORDER BY relname) FROM pg_class"
                        + " WHERE relname LIKE 'ri\\_%' AND relkind = 'r'";
        for (TestNode node : cluster.nodes()) {
            Sql.await(node, identities, "ri_full f, ri_gone d, ri_index i, ri_nothing n, ri_part_1 n, ri_part_2 d");
            assertThat(node.query(
                            "SELECT count(*) FROM pg_index WHERE indexrelid = 'ri_other'::regclass AND indisreplident"))
                    .isEqualTo("1");
        }
    }

    @Test
    void typesOfAllKindsAndOddNames() {
        both(
                "CREATE TYPE mood AS ENUM ('sad', 'glad')",
                "CREATE TYPE pair AS (x int, y text)",
                "CREATE DOMAIN positive AS int CHECK (VALUE > 0)",
                "CREATE SCHEMA \"Bücher & Co\"",
                "CREATE TABLE \"Bücher & Co\".\"Tab.elle \"\"1\"\"\" (\"der Schlüssel\" int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
                        + " m mood, p pair, d positive, a text[], j jsonb, n numeric, f float8, t timestamptz, i interval, b bytea, u uuid,"
                        + " g int GENERATED ALWAYS AS (d * 2) STORED)");
        String table = "\"Bücher & Co\".\"Tab.elle \"\"1\"\"\"";
        String insert = "INSERT INTO " + table
                + " (\"der Schlüssel\", m, p, d, a, j, n, f, t, i, b, u) OVERRIDING SYSTEM VALUE VALUES (%d, 'glad',"
                + " (1, 'it''s, \"quoted\"'), 5, '{a,NULL,\"b c\"}', '{\"k\": [1, null]}', 'NaN', '-Infinity', 'infinity', '1 mon -3 days', '\\xdeadbeef',"
                + " '00000000-0000-0000-0000-00000000000a')";
        a.execute(insert.formatted(1));
        a.execute("SELECT steep_repl.add_table('" + table + "', identity_ranges => false)");
        awaitReady(table);
        b.execute(insert.formatted(2));
        a.execute(insert.formatted(3), "UPDATE " + table + " SET d = 6 WHERE \"der Schlüssel\" = 3");
        Cluster.awaitEqual(table, cluster.nodes());
        assertThat(b.query("SELECT string_agg(g::text, ' ' ORDER BY g) FROM " + table))
                .isEqualTo("10 10 12");
    }

    @Test
    void tablesWithoutAKeyAndInheritance() {
        both(
                "CREATE TABLE keyless (v text, n int)",
                "CREATE TABLE parent (id int PRIMARY KEY)",
                "CREATE TABLE child (extra text, PRIMARY KEY (id)) INHERITS (parent)");
        a.execute("INSERT INTO keyless VALUES ('x', 1), ('x', 2)", "INSERT INTO child VALUES (1, 'only the child''s')");
        a.execute("SELECT steep_repl.add_table('keyless')", "SELECT steep_repl.add_table('parent')");
        awaitReady("public.keyless");
        awaitReady("public.parent");
        b.execute("UPDATE keyless SET n = 3 WHERE n = 2", "INSERT INTO parent VALUES (2)");
        Sql.await(a, "SELECT count(*) FROM keyless WHERE n = 3", "1");
        Sql.await(a, "SELECT count(*) FROM ONLY parent", "1");
        assertThat(b.query("SELECT count(*) FROM child")).isEqualTo("0");
    }

    @Test
    void twoNodesDoNotAddOneTableAtOnce() throws Exception {
        both("CREATE TABLE race (id int PRIMARY KEY)");
        try (var connection = a.connect();
                var statement = connection.createStatement()) {
            connection.setAutoCommit(false);
            statement.execute("SELECT steep_repl.add_table('race', before_images => false)");
            assertThat(Sql.error(b, "SELECT steep_repl.add_table('race', before_images => false)"))
                    .startsWith("SR048");
            connection.commit();
        }
        awaitReady("public.race");
    }

    @Test
    void replicatedTablesKeepTheirNames() {
        both("CREATE TABLE kept (id int PRIMARY KEY)");
        a.execute("SELECT steep_repl.add_table('kept')");
        awaitReady("public.kept");
        assertThat(Sql.error(b, "DROP TABLE kept")).startsWith("SR046");
        assertThat(Sql.error(b, "ALTER TABLE kept RENAME TO gone")).startsWith("SR047");
        a.execute("SELECT steep_repl.remove_table('kept')", "DROP TABLE kept");
        Sql.await(b, "SELECT count(*) FROM steep_repl.tables WHERE table_name = 'kept'", "0");
        b.execute("DROP TABLE kept");
    }

    @Test
    void codeOfATableOwnerRunsAsTheOwnerInACopy() {
        both(
                "CREATE ROLE mallory",
                "CREATE SCHEMA mal AUTHORIZATION mallory",
                "CREATE FUNCTION mal.f(int) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN RAISE EXCEPTION ''runs as %'', current_user; END IF; RETURN true; END'",
                "CREATE TABLE mal.t (id int PRIMARY KEY)",
                "ALTER TABLE mal.t OWNER TO mallory");
        a.execute("INSERT INTO mal.t VALUES (1)");
        both("ALTER TABLE mal.t ADD CHECK (mal.f(id)) NOT VALID");
        a.execute("SELECT steep_repl.add_table('mal.t')");
        awaitReady("mal.t");
        Cluster.awaitEqual("mal.t", cluster.nodes());
    }

    @Test
    void withoutBeforeImagesTheKeyIsEnough() {
        both("CREATE TABLE lean (id int PRIMARY KEY, v text)");
        a.execute("SELECT steep_repl.add_table('lean', before_images => false)");
        awaitReady("public.lean");
        a.execute("INSERT INTO lean VALUES (1, 'x')", "UPDATE lean SET v = 'y'");
        Sql.await(b, "SELECT v FROM lean", "y");
        assertThat(a.query("SELECT relreplident FROM pg_class WHERE relname = 'lean'"))
                .isEqualTo("d");
    }

    @Test
    void togetherWithCreateTableInOneTransaction() throws Exception {
        b.execute("CREATE TABLE fresh (id int PRIMARY KEY)");
        try (var connection = a.connect();
                var statement = connection.createStatement()) {
            connection.setAutoCommit(false);
            statement.execute("CREATE TABLE fresh (id int PRIMARY KEY)");
            statement.execute("INSERT INTO fresh SELECT generate_series(1, 10)");
            statement.execute("SELECT steep_repl.add_table('fresh')");
            statement.execute("INSERT INTO fresh SELECT generate_series(11, 20)");
            connection.commit();
        }
        Sql.await(b, "SELECT count(*) FROM fresh", "20");
    }

    @Test
    void aWholeSchemaSaysWhatItRefuses() {
        both(
                "CREATE SCHEMA shop",
                "CREATE TABLE shop.a (id int PRIMARY KEY)",
                "CREATE TABLE shop.b (id int PRIMARY KEY)");
        both("CREATE UNLOGGED TABLE shop.c (id int)");
        List<String> rows = a.rows("SELECT table_name, state, reason IS NOT NULL FROM steep_repl.add_tables('shop')");
        assertThat(rows).containsExactly("a|joining|f", "b|joining|f", "c|refused|t");
        awaitReady("shop.a");
        awaitReady("shop.b");
    }

    @Test
    void aTableThatIsLockedOnThePeerIsNamedWithItsHolder() throws Exception {
        both("CREATE TABLE locked (id int PRIMARY KEY) PARTITION BY RANGE (id)");
        both("CREATE TABLE locked_1 PARTITION OF locked FOR VALUES FROM (1) TO (10)");
        b.execute("ALTER SYSTEM SET steep_repl.lock_timeout = '200ms'", "SELECT pg_reload_conf()");
        try (var connection = b.connect();
                var statement = connection.createStatement()) {
            connection.setAutoCommit(false);
            statement.execute("LOCK TABLE locked_1 IN ACCESS EXCLUSIVE MODE");
            try (var row = statement.executeQuery("SELECT pg_backend_pid()")) {
                row.next();
                assertThat(Sql.error(a, "SELECT steep_repl.add_table('locked')"))
                        .startsWith("55P03")
                        .contains("b: public.locked is locked by pid " + row.getString(1) + " (postgres");
            }
            connection.rollback();
        } finally {
            b.execute("ALTER SYSTEM RESET steep_repl.lock_timeout", "SELECT pg_reload_conf()");
        }
        a.execute("SELECT steep_repl.add_table('locked')");
        awaitReady("public.locked");
    }

    @Test
    void aTableInUseIsNamedWithItsHolder() throws Exception {
        both("CREATE TABLE busy (id int PRIMARY KEY)");
        try (var connection = a.connect();
                var statement = connection.createStatement()) {
            connection.setAutoCommit(false);
            statement.execute("INSERT INTO busy VALUES (1)");
            assertThat(Sql.error(a, "SET steep_repl.lock_timeout = '100ms'; SELECT steep_repl.add_table('busy')"))
                    .contains("55P03")
                    .contains("Held by: pid");
            connection.rollback();
        }
    }
}
