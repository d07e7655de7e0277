package io.steeprepl.it;

import io.steeprepl.testkit.Cluster;
import io.steeprepl.testkit.TestNode;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.stream.Stream;

/** What tests of tables that are taken anew have in common. */
final class Reinit {
    private static final String STATE = "SELECT state, error FROM steep_repl.reinit_progress() WHERE id = ";

    private Reinit() {}

    /** Changes rows of one node behind the back of replication. */
    static void tamper(TestNode node, String... sql) {
        node.execute(Stream.concat(
                        Stream.of(
                                "SELECT pg_replication_origin_create('tamper') WHERE NOT EXISTS (SELECT FROM pg_replication_origin WHERE roname = 'tamper')",
                                "SELECT pg_replication_origin_session_setup('tamper')",
                                "SET session_replication_role = replica"),
                        Stream.of(sql))
                .toArray(String[]::new));
    }

    /** Asks for a table of {@code node} anew from {@code peer}; the id of the work. */
    static String ask(TestNode node, String peer, String table) {
        return node.query("SELECT steep_repl.reinit_tables('" + peer + "', '{" + table + "}')");
    }

    /** The same in a transaction of the caller's. */
    static String ask(Connection connection, String peer, String table) throws SQLException {
        try (var statement = connection.createStatement();
                var result =
                        statement.executeQuery("SELECT steep_repl.reinit_tables('" + peer + "', '{" + table + "}')")) {
            result.next();
            return result.getString(1);
        }
    }

    static void awaitComplete(TestNode node, String id) {
        Sql.await(node, STATE + id, "complete|");
    }

    /** Waits for what the work says of itself. */
    static void await(TestNode node, String id, String condition) {
        Sql.await(node, "SELECT " + condition + " FROM steep_repl.reinit_progress() WHERE id = " + id, "t");
    }

    /** Waits until every node has a table, and knows that the others have; nothing that copied it is still ending. */
    static void awaitReady(Iterable<TestNode> nodes, String table) {
        for (TestNode node : nodes) {
            Sql.await(
                    node,
                    "SELECT state FROM steep_repl.replicated_tables() WHERE format('%I.%I', table_schema, table_name) = '"
                            + table + "'",
                    "ready");
            Sql.await(
                    node, "SELECT count(*) FROM steep_repl.initialisations WHERE state IN ('waiting', 'running')", "0");
        }
    }

    /** The first nodes of a cluster, linked, with a table {@code t} of so many old rows. */
    static void link(Cluster cluster, int count, int rows) {
        cluster.link(count);
        List<TestNode> nodes = cluster.nodes().subList(0, count);
        nodes.forEach(node -> node.execute("CREATE TABLE t (id int PRIMARY KEY, v text)"));
        nodes.getFirst()
                .execute(
                        "INSERT INTO t SELECT -g, 'old' FROM generate_series(1, " + rows + ") g",
                        "SELECT steep_repl.add_table('t')");
        awaitReady(nodes, "public.t");
    }

    /** Holds every copy of {@code t} up in its middle until the session is closed. */
    static Connection halfWay(TestNode node) throws SQLException {
        node.execute(
                "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF NEW.id = -3000 THEN PERFORM pg_catalog.pg_advisory_xact_lock_shared(7); END IF; RETURN NEW; END'",
                "CREATE TRIGGER slow BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION slow()",
                "ALTER TABLE t ENABLE ALWAYS TRIGGER slow");
        Connection session = node.connect();
        session.createStatement().execute("SELECT pg_advisory_lock(7)");
        return session;
    }
}
