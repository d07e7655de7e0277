package io.steeprepl.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.testkit.Cluster;
import io.steeprepl.testkit.ClusterLogs;
import io.steeprepl.testkit.TestNode;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Tables of b are thrown away and taken anew from a. */
@ExtendWith(ClusterLogs.class)
class ReinitIT {
    private static Cluster cluster;
    private static TestNode a;
    private static TestNode b;

    @BeforeAll
    static void start() {
        cluster = Cluster.start(2).link(2);
        a = cluster.node(0);
        b = cluster.node(1);
        both("CREATE TABLE t (id int PRIMARY KEY, v text)");
        a.execute(
                "INSERT INTO t SELECT -g, 'old ' || g FROM generate_series(1, 3000) g",
                "SELECT steep_repl.add_table('t')");
        Reinit.awaitReady(cluster.nodes(), "public.t");
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    private static void both(String... sql) {
        cluster.nodes().forEach(node -> node.execute(sql));
    }

    private static void add(String create, String table, String options) {
        both(create);
        a.execute("SELECT steep_repl.add_table('" + table + "'" + options + ")");
        Reinit.awaitReady(cluster.nodes(), table.contains(".") ? table : "public." + table);
    }

    @Test
    void aTableThatDiffersIsEqualAgainWhileTheOtherIsWritten() {
        Reinit.tamper(
                b,
                "DELETE FROM t WHERE id < 0 AND id % 3 = 0",
                "UPDATE t SET v = 'spoilt' WHERE id < 0 AND id % 5 = 0",
                "INSERT INTO t SELECT -g, 'strange' FROM generate_series(5001, 5100) g");
        assertThat(b.contents("t")).isNotEqualTo(a.contents("t"));
        try (Writers writers = Writers.on(a)) {
            Sql.await(b, "SELECT count(*) > 100 FROM t WHERE v LIKE 'a%'", "t");
            String id = Reinit.ask(b, "a", "t");
            Reinit.awaitComplete(b, id);
            int then = writers.written();
            Sql.await(b, "SELECT count(*) > " + then + " FROM t WHERE v LIKE 'a%'", "t");
        }
        Cluster.awaitEqual("t", cluster.nodes());
        // Nobody else lost a row, or heard of a truncation.
        assertThat(a.query("SELECT count(*) FROM t WHERE v LIKE 'old %'")).isEqualTo("3000");
        for (TestNode node : cluster.nodes()) {
            assertThat(node.query("SELECT count(*) FROM steep_repl.truncations"))
                    .isEqualTo("0");
            assertThat(node.query("SELECT count(*) FROM steep_repl.conflict_log WHERE table_name = 't'"))
                    .isEqualTo("0");
            assertThat(node.query("SELECT count(*) FROM pg_trigger WHERE tgname = '!steep_repl_reinit'"))
                    .isEqualTo("0");
        }
        b.execute("UPDATE t SET v = 'by b' WHERE id = -1", "DELETE FROM t WHERE id = -2");
        a.execute("UPDATE t SET v = 'by a' WHERE id = -3");
        Sql.await(a, "SELECT v FROM t WHERE id IN (-1, -2)", "by b");
        Sql.await(b, "SELECT v FROM t WHERE id = -3", "by a");
    }

    @Test
    void aSchemaWithAllKindsOfTables() {
        both(
                "CREATE SCHEMA shop",
                "CREATE TABLE shop.customer (id int PRIMARY KEY, v text)",
                "CREATE TABLE shop.orders (id int PRIMARY KEY, customer int REFERENCES shop.customer, v text)",
                "CREATE TABLE shop.\"Big Part\" (id int, at date, v text, PRIMARY KEY (id, at)) PARTITION BY RANGE (at)",
                "CREATE TABLE shop.part_2025 PARTITION OF shop.\"Big Part\" FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')",
                "CREATE TABLE shop.part_rest PARTITION OF shop.\"Big Part\" DEFAULT",
                "CREATE TABLE shop.plain (id int PRIMARY KEY, v text)",
                // Refers to it from outside, and is empty.
                "CREATE TABLE note (id int PRIMARY KEY, customer int REFERENCES shop.customer)",
                "CREATE TABLE beside (id int PRIMARY KEY, v text)");
        a.execute(
                "SELECT steep_repl.add_table('shop.customer')",
                "SELECT steep_repl.add_table('shop.orders')",
                "SELECT steep_repl.add_table('shop.\"Big Part\"')",
                "SELECT steep_repl.add_table('shop.plain', before_images => false)",
                "SELECT steep_repl.add_table('beside')",
                "INSERT INTO shop.customer SELECT g, 'c' FROM generate_series(1, 50) g",
                "INSERT INTO shop.orders SELECT g, g % 50 + 1, 'o' FROM generate_series(1, 500) g",
                "INSERT INTO shop.\"Big Part\" SELECT g, date '2025-12-01' + g, 'p' FROM generate_series(1, 100) g",
                "INSERT INTO shop.plain SELECT g, 'x' FROM generate_series(1, 10) g",
                "INSERT INTO beside VALUES (1, 'here')");
        Reinit.awaitReady(cluster.nodes(), "shop.plain");
        Reinit.awaitReady(cluster.nodes(), "public.beside");
        for (String table :
                new String[] {"shop.customer", "shop.orders", "shop.\"Big Part\"", "shop.plain", "beside"}) {
            Cluster.awaitEqual(table, cluster.nodes());
        }
        Reinit.tamper(
                b,
                "DELETE FROM shop.customer WHERE id > 40",
                "UPDATE shop.orders SET v = 'spoilt' WHERE id < 100",
                "DELETE FROM shop.\"Big Part\"",
                "UPDATE shop.plain SET v = 'spoilt'",
                "UPDATE beside SET v = 'spoilt'");
        String id = b.query("SELECT steep_repl.reinit_tables('a', schema => 'shop')");
        Reinit.awaitComplete(b, id);
        assertThat(b.query(
                        "SELECT tables_done, tables_total, rows_done, emptied FROM steep_repl.reinit_progress() WHERE id = "
                                + id))
                .isEqualTo("4|4|660|t");
        for (String table : new String[] {"shop.customer", "shop.orders", "shop.\"Big Part\"", "shop.plain"}) {
            Cluster.awaitEqual(table, cluster.nodes());
        }
        assertThat(b.query("SELECT v FROM beside")).isEqualTo("spoilt");
        assertThat(b.query("SELECT before_images FROM steep_repl.tables WHERE table_name = 'plain'"))
                .isEqualTo("f");
        assertThat(a.query("SELECT count(*) FROM shop.customer")).isEqualTo("50");
        b.execute("INSERT INTO shop.part_2025 VALUES (1000, '2025-02-02', 'new')");
        Cluster.awaitEqual("shop.\"Big Part\"", cluster.nodes());
        Reinit.tamper(b, "UPDATE beside SET v = 'here'");
    }

    @Test
    void rangesOfIdsStayThisNodes() {
        add("CREATE TABLE numbered (id bigserial PRIMARY KEY, v text)", "numbered", "");
        String share =
                "SELECT s.step, s.share_offset, s.first_block, s.line, t.active FROM steep_repl.range_tables t JOIN steep_repl.range_sequences s USING (sequence) WHERE t.relation = 'numbered'::regclass";
        Sql.await(b, "SELECT count(*) FROM (" + share + ") s WHERE step IS NOT NULL", "1");
        String insert = "INSERT INTO numbered (v) SELECT 'x' FROM generate_series(1, 20)";
        both(insert);
        Cluster.awaitEqual("numbered", cluster.nodes());
        String before = b.query(share);
        String last = b.query("SELECT last_value FROM numbered_id_seq");
        String grants = a.query("SELECT count(*) FROM steep_repl.range_grants");
        Reinit.tamper(b, "DELETE FROM numbered");
        Reinit.awaitComplete(b, Reinit.ask(b, "a", "numbered"));
        assertThat(b.query(share)).isEqualTo(before);
        assertThat(a.query("SELECT count(*) FROM steep_repl.range_grants")).isEqualTo(grants);
        both(insert);
        assertThat(b.query("SELECT min(id) FROM numbered WHERE id > " + last + " AND xmin::text::bigint > 0"))
                .isNotEmpty();
        Cluster.awaitEqual("numbered", cluster.nodes());
        assertThat(a.query("SELECT count(*), count(DISTINCT id) FROM numbered")).isEqualTo("80|80");
        assertThat(Sql.error(b, "INSERT INTO numbered (id, v) VALUES (900000000, 'no')"))
                .contains("23514");
    }

    @Test
    void whatWaitsForAPersonGoesOnWaiting() {
        add("CREATE TABLE held (id int PRIMARY KEY, v text)", "held", ", 'manual'");
        a.execute("INSERT INTO held VALUES (1, 'old')");
        Cluster.awaitEqual("held", cluster.nodes());
        a.execute("SELECT steep_repl.pause('b')");
        b.execute("SELECT steep_repl.pause('a')");
        both("UPDATE held SET v = 'by ' || steep_repl.node_id()");
        a.execute("SELECT steep_repl.resume('b')");
        b.execute("SELECT steep_repl.resume('a')");
        String open =
                "SELECT count(*) FROM steep_repl.conflict_log WHERE table_name = 'held' AND resolution = 'PENDING'";
        Sql.await(a, open, "1");
        Sql.await(b, open, "1");
        Reinit.awaitComplete(b, Reinit.ask(b, "a", "held"));
        assertThat(b.query("SELECT v FROM held")).isEqualTo("by a");
        assertThat(b.query("SELECT strategy FROM steep_repl.tables WHERE table_name = 'held'"))
                .isEqualTo("manual");
        assertThat(b.query(open)).isEqualTo("1");
        a.execute(
                "SELECT steep_repl.resolve_conflict((SELECT max(id) FROM steep_repl.conflict_log WHERE table_name = 'held'), 'REMOTE')");
        Sql.await(b, open, "0");
        Sql.await(b, "SELECT v FROM held", "by b");
        Cluster.awaitEqual("held", cluster.nodes());
    }

    @Test
    void aRowThatComesBackWithoutItsParentIsLeftToAPerson() {
        both(
                "CREATE TABLE parent (id int PRIMARY KEY)",
                "CREATE TABLE child (id int PRIMARY KEY, parent int REFERENCES parent)");
        a.execute(
                "SELECT steep_repl.add_table('parent')",
                "SELECT steep_repl.add_table('child')",
                "INSERT INTO parent VALUES (1), (2)",
                "INSERT INTO child VALUES (1, 1), (2, 2), (3, NULL)");
        Reinit.awaitReady(cluster.nodes(), "public.child");
        Cluster.awaitEqual("child", cluster.nodes());
        Reinit.tamper(b, "DELETE FROM parent WHERE id = 2", "DELETE FROM steep_repl.orphan_checks");
        Reinit.awaitComplete(b, Reinit.ask(b, "a", "child"));
        Cluster.awaitEqual("child", cluster.nodes());
        Sql.await(
                b,
                "SELECT key->>'id' FROM steep_repl.conflict_log WHERE table_name = 'child' AND conflict_type = 'FK-ORPHAN' AND resolution = 'PENDING'",
                "2");
        Reinit.awaitComplete(b, b.query("SELECT steep_repl.reinit_tables('a', '{parent,child}')"));
        Cluster.awaitEqual("parent", cluster.nodes());
        Sql.await(
                b,
                "SELECT count(*) FROM steep_repl.conflict_log WHERE table_name = 'child' AND resolution = 'PENDING'",
                "0");
    }
}
