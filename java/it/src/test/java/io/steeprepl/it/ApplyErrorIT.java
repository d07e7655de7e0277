package io.steeprepl.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.testkit.Cluster;
import io.steeprepl.testkit.ClusterLogs;
import io.steeprepl.testkit.TestNode;
import java.io.IOException;
import java.nio.file.Files;
import java.sql.SQLException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the apply workers say: errors are shown, rows stay out of the server log. */
@ExtendWith(ClusterLogs.class)
class ApplyErrorIT {
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

    private static void replicated(String table) {
        cluster.nodes().forEach(n -> n.execute("CREATE TABLE " + table + " (id int PRIMARY KEY, v text)"));
        a.execute("SELECT steep_repl.add_table('" + table + "')");
        String state = "SELECT state FROM steep_repl.replicated_tables() WHERE table_name = '" + table + "'";
        Sql.await(a, state, "ready");
        Sql.await(b, state, "ready");
    }

    private static String log(TestNode node) throws IOException {
        return Files.readString(node.server().log());
    }

    @Test
    void theErrorOfAnApplyWorkerIsShownUntilItHasGotOverIt() throws SQLException {
        replicated("checked");
        b.execute(
                "ALTER TABLE checked ADD CONSTRAINT short_words CHECK (length(v) < 5)",
                "CREATE ROLE watcher",
                "GRANT steep_repl_viewer TO watcher");
        a.execute("INSERT INTO checked VALUES (1, 'a long word')");
        String error = "SELECT last_error FROM steep_repl.subscription_status()";
        Sql.await(b, "SELECT state, last_error IS NOT NULL FROM steep_repl.subscription_status()", "waiting|t");
        assertThat(b.query(error))
                .contains("short_words", "23514", "table public.checked", "(1, a long word)")
                .contains("message type \"INSERT\"", "finished at");
        assertThat(b.query("SELECT last_error_at > now() - interval '1 minute' FROM steep_repl.subscription_status()"))
                .isEqualTo("t");
        assertThat(b.query("SELECT steep_repl.health()->>'reasons'")).contains("short_words");
        assertThat(b.query("SELECT steep_repl.health()->>'status'")).isEqualTo("unhealthy");
        try (var connection = b.connect();
                var statement = connection.createStatement()) {
            statement.execute("SET SESSION AUTHORIZATION watcher");
            try (var row = statement.executeQuery(error)) {
                row.next();
                assertThat(row.getString(1)).contains("short_words").doesNotContain("a long word");
            }
        }
        b.execute("ALTER TABLE checked DROP CONSTRAINT short_words");
        Sql.await(b, "SELECT v FROM checked", "a long word");
        Sql.await(
                b,
                "SELECT state, last_error IS NULL, last_error_at IS NULL FROM steep_repl.subscription_status()",
                "streaming|t|t");
        Sql.await(b, "SELECT steep_repl.health()->>'status'", "healthy");
    }

    @Test
    void nativeConflictsKeepTheirRowsOutOfTheServerLog() throws IOException {
        replicated("turns");
        a.execute("INSERT INTO turns VALUES (1, 'turning 0')");
        TestNode[] writers = {b, a};
        for (int turn = 1; turn <= 10; turn++) {
            TestNode reader = writers[turn % 2];
            TestNode writer = writers[(turn + 1) % 2];
            Sql.await(writer, "SELECT v FROM turns", "turning " + (turn - 1));
            writer.execute("UPDATE turns SET v = 'turning " + turn + "'");
            Sql.await(reader, "SELECT v FROM turns", "turning " + turn);
        }
        assertThat(log(a)).doesNotContain("conflict detected on relation \"public.turns", "turning ");
        assertThat(log(b)).doesNotContain("conflict detected on relation \"public.turns", "turning ");
        assertThat(Integer.parseInt(a.query("SELECT steep_repl.health()->'native_conflicts'->>'b'")))
                .isGreaterThan(3);
    }

    @Test
    void nativeConflictsAreLoggedOnRequest() throws IOException {
        replicated("loud");
        a.execute("INSERT INTO loud VALUES (1, 'one')");
        Sql.await(b, "SELECT v FROM loud", "one");
        b.execute("ALTER SYSTEM SET steep_repl.log_native_conflicts = on", "SELECT pg_reload_conf()");
        try {
            // A worker that has applied a later transaction has read the setting.
            for (int round = 2;
                    !log(b).contains("conflict detected on relation \"public.loud\"") && round < 100;
                    round++) {
                b.execute("UPDATE loud SET v = 'b" + round + "'");
                Sql.await(a, "SELECT v FROM loud", "b" + round);
                a.execute("UPDATE loud SET v = 'a" + round + "'");
                Sql.await(b, "SELECT v FROM loud", "a" + round);
            }
            assertThat(log(b)).contains("conflict detected on relation \"public.loud\"");
        } finally {
            b.execute("ALTER SYSTEM RESET steep_repl.log_native_conflicts", "SELECT pg_reload_conf()");
        }
    }

    @Test
    void aKeyThatExistsStopsTheStreamWithoutRowsInTheServerLog() throws IOException {
        replicated("unique_there");
        b.execute(
                "CREATE UNIQUE INDEX only_on_b ON unique_there (v)",
                "INSERT INTO unique_there VALUES (1, 'private words')");
        Sql.await(a, "SELECT v FROM unique_there", "private words");
        a.execute(
                "INSERT INTO unique_there VALUES (2, 'private words')", "INSERT INTO unique_there VALUES (3, 'later')");
        Sql.await(
                b,
                "SELECT EXISTS (SELECT 1 FROM unique_there WHERE id = 3) OR (SELECT last_error LIKE '%only_on_b%' FROM steep_repl.subscription_status())",
                "t");
        b.execute("DROP INDEX only_on_b");
        Sql.await(b, "SELECT count(*) FROM unique_there WHERE id = 3", "1");
        assertThat(log(b)).doesNotContain("private words");
    }

    @Test
    void aPasswordDoesNotGetIntoAnErrorOfAnApplyWorker() {
        String subscription = b.query("SELECT subname FROM pg_subscription");
        String error = "SELECT last_error FROM steep_repl.subscription_status()";
        // The worker would put the string of the link back, often before the apply worker has tried this one.
        b.execute("UPDATE steep_repl.links SET next_try = now() + interval '1 hour'");
        b.execute("ALTER SUBSCRIPTION " + subscription + " CONNECTION '"
                + a.conninfo().replace("dbname=test", "dbname=not_there") + " password=sesame'");
        Sql.await(b, "SELECT last_error LIKE '%not_there%' FROM steep_repl.subscription_status()", "t");
        assertThat(b.query(error)).contains("could not connect").doesNotContain("sesame");
        b.execute("UPDATE steep_repl.links SET next_try = now()");
        Sql.awaitStreaming(b, "a");
        assertThat(b.query(error)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "host=127.0.0.1 password=open sesame",
                "postgresql://me:sesame@127.0.0.1:1/%00",
                "password='sesame"
            })
    void aPasswordInABrokenConnectionStringIsNotRepeated(String conninfo) {
        String call = "SELECT steep_repl.subscribe('" + conninfo.replace("'", "''") + "')";
        assertThat(Sql.error(a, call)).startsWith("08001").doesNotContain("sesame");
        Sql.await(
                a, "SELECT count(*) > 0 FROM steep_repl.audit_log WHERE error_message LIKE '%connection string%'", "t");
        assertThat(a.rows("SELECT l::text FROM steep_repl.audit_log l WHERE l::text LIKE '%sesame%'"))
                .isEmpty();
    }
}
