package io.steeprepl.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.testkit.Cluster;
import io.steeprepl.testkit.ClusterLogs;
import io.steeprepl.testkit.Links;
import io.steeprepl.testkit.TestNode;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A node that gets rid of the extension, after it has replicated tables of every kind. */
@ExtendWith(ClusterLogs.class)
class DropIT {
    private static final String DROP = "DROP EXTENSION steep_repl";
    private static final String OURS = """
            SELECT 'trigger ' || tgname || ' on ' || tgrelid::regclass FROM pg_trigger WHERE tgname LIKE '%steep_repl%'
            UNION ALL SELECT 'publication ' || pubname FROM pg_publication
            UNION ALL SELECT 'subscription ' || subname FROM pg_subscription JOIN pg_database d ON d.oid = subdbid AND datname = current_database()
            UNION ALL SELECT 'slot ' || slot_name FROM pg_replication_slots WHERE database = current_database()
            UNION ALL SELECT 'origin ' || roname FROM pg_replication_origin JOIN pg_database d ON datname = current_database()
              WHERE roname LIKE '%' || d.oid OR EXISTS (SELECT 1 FROM pg_subscription s WHERE s.subdbid = d.oid AND roname = 'pg_' || s.oid)
            """;

    private static Cluster cluster;

    @BeforeAll
    static void start() {
        cluster = Cluster.start(2);
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    /** A database with tables and without the extension. */
    private static TestNode database(int server, String id) {
        TestNode beside = cluster.node(server);
        beside.execute("CREATE DATABASE drops");
        TestNode node = new TestNode(id, beside.server(), "drops");
        node.execute(
                "CREATE TABLE plain (id int PRIMARY KEY, v text)",
                "CREATE TABLE full_already (id int PRIMARY KEY, v text)",
                "ALTER TABLE full_already REPLICA IDENTITY FULL",
                "CREATE TABLE by_index (id int PRIMARY KEY, other int NOT NULL UNIQUE)",
                "ALTER TABLE by_index REPLICA IDENTITY USING INDEX by_index_other_key",
                "CREATE TABLE parts (id int PRIMARY KEY, v text) PARTITION BY RANGE (id)",
                "CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (100)",
                "CREATE TABLE child (id int PRIMARY KEY, plain int REFERENCES plain)");
        return node;
    }

    @Test
    void nothingIsLeftAndTheTablesAreAsBefore() {
        TestNode x = database(0, "x");
        TestNode y = database(1, "y");
        Catalogue before = Catalogue.of(x);
        x.execute("INSERT INTO plain SELECT g, 'old' FROM generate_series(1, 100) g");
        x.create();
        y.create();
        Links.linkAll(List.of(x, y));
        x.query("SELECT count(*) FROM steep_repl.add_tables('public')");
        Sql.await(
                y,
                "SELECT count(*), count(*) FILTER (WHERE state = 'ready') FROM steep_repl.replicated_tables()",
                "5|5");
        y.execute("INSERT INTO parts VALUES (1, 'y')", "INSERT INTO child VALUES (1, 1)");
        Sql.await(x, "SELECT (SELECT count(*) FROM parts) + (SELECT count(*) FROM child)", "2");
        assertThat(x.rows(OURS)).hasSizeGreaterThan(10);

        for (String drop : List.of(DROP, DROP + " CASCADE")) {
            assertThat(Sql.error(x, drop)).startsWith("SR013 this node still receives from y");
        }
        x.execute("SELECT steep_repl.unsubscribe('y')");
        Sql.await(x, "SELECT count(*) FROM steep_repl.subscription_status()", "0");
        assertThat(Sql.error(x, DROP)).startsWith("SR013 y still receives from this node");
        y.execute("SELECT steep_repl.unsubscribe('x')");
        Sql.await(y, "SELECT count(*) FROM steep_repl.subscription_status()", "0");

        x.execute("CREATE ROLE stranger");
        List<String> own = x.rows(OURS);
        assertThat(Sql.error(x, "SET ROLE stranger; " + DROP)).startsWith("42501 must be owner of extension");
        assertThat(Sql.error(x, "BEGIN; " + DROP + "; SELECT 1 / 0")).startsWith("22012");
        assertThat(x.rows(OURS)).isEqualTo(own);
        x.execute("BEGIN; " + DROP + "; ROLLBACK");
        assertThat(x.rows(OURS)).isEqualTo(own);

        for (TestNode node : List.of(x, y)) {
            node.execute(DROP, "DROP SCHEMA steep_repl");
            assertThat(node.rows(OURS)).isEmpty();
            assertThat(String.join("\n", before.difference(Catalogue.of(node)))).isEmpty();
            assertThat(node.query("SELECT count(*) FROM plain")).isEqualTo("100");
        }
        x.execute("UPDATE plain SET v = 'new' WHERE id = 1", "DELETE FROM parts");
        // And it can come back.
        x.create();
        assertThat(x.query("SELECT steep_repl.add_table('plain')")).isEqualTo("ready");
    }
}
