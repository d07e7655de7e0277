package io.steeprepl.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.testkit.Cluster;
import io.steeprepl.testkit.ClusterLogs;
import io.steeprepl.testkit.TestNode;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Taking a table over fails: what would fail again is not tried again, what may pass is. */
@ExtendWith(ClusterLogs.class)
class TakeOverIT {
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

    private static String of(String table, String columns) {
        return "SELECT " + columns
                + " FROM steep_repl.initialisations i JOIN steep_repl.initialisation_tables t USING (id)"
                + " WHERE t.table_name = '" + table + "' ORDER BY id DESC LIMIT 1";
    }

    @Test
    void aRowThatAConstraintRefusesIsNotTriedAgain() {
        both("CREATE TABLE limited (id int PRIMARY KEY, v int)");
        b.execute("ALTER TABLE limited ADD CONSTRAINT small CHECK (v < 10)");
        a.execute("INSERT INTO limited VALUES (1, 1000)", "SELECT steep_repl.add_table('limited')");
        Sql.await(b, of("limited", "i.state, i.attempts, t.state"), "failed|1|failed");
        assertThat(b.query(of("limited", "t.reason"))).contains("small");
        a.execute("SELECT steep_repl.remove_table('limited')");
        Sql.await(b, "SELECT count(*) FROM steep_repl.replicated_tables() WHERE table_name = 'limited'", "0");
        b.execute("ALTER TABLE limited DROP CONSTRAINT small");
        a.execute("SELECT steep_repl.add_table('limited')");
        Sql.await(b, "SELECT v FROM limited", "1000");
    }

    @Test
    void whatOursRefuseIsNotTriedAgain() throws Exception {
        both("CREATE TABLE late_row (id int PRIMARY KEY)");
        a.execute("INSERT INTO late_row VALUES (1)");
        try (var connection = a.connect();
                var statement = connection.createStatement()) {
            connection.setAutoCommit(false);
            statement.execute("SELECT steep_repl.add_table('late_row')");
            b.execute("INSERT INTO late_row VALUES (2)");
            connection.commit();
        }
        Sql.await(b, of("late_row", "i.state, i.attempts, t.state"), "failed|1|failed");
        assertThat(b.query(of("late_row", "t.reason"))).contains("holds rows on this node and on the source");
        a.execute("SELECT steep_repl.remove_table('late_row')");
    }

    @Test
    void aLockIsWaitedForAgain() throws Exception {
        both("CREATE TABLE in_use (id int PRIMARY KEY)");
        a.execute("INSERT INTO in_use VALUES (1)");
        b.execute("ALTER SYSTEM SET steep_repl.lock_timeout = '200ms'", "SELECT pg_reload_conf()");
        try (var connection = b.connect();
                var statement = connection.createStatement()) {
            connection.setAutoCommit(false);
            statement.execute("LOCK TABLE in_use IN ROW EXCLUSIVE MODE");
            a.execute("SELECT steep_repl.add_table('in_use')");
            Sql.await(b, of("in_use", "i.attempts > 1, i.error LIKE '%in_use is being used%'"), "t|t");
            connection.rollback();
        } finally {
            b.execute("ALTER SYSTEM RESET steep_repl.lock_timeout", "SELECT pg_reload_conf()");
        }
        Sql.await(b, "SELECT count(*) FROM in_use", "1");
        Sql.await(b, of("in_use", "i.state"), "complete");
    }
}
