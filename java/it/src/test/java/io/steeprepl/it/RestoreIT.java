package io.steeprepl.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.testkit.Cluster;
import io.steeprepl.testkit.ClusterLogs;
import io.steeprepl.testkit.TestNode;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A node that comes back from an old copy of its files must not go on as if nothing were missing. */
@ExtendWith(ClusterLogs.class)
class RestoreIT {
    private final Cluster cluster = Cluster.start(2).link(2);
    private final TestNode a = cluster.node(0);
    private final TestNode b = cluster.node(1);

    @AfterEach
    void stop() {
        cluster.close();
    }

    @Test
    void bothSidesRefuseToGoOnOverTheGap() throws IOException, InterruptedException {
        for (TestNode node : cluster.nodes()) {
            node.execute("CREATE TABLE t (id int PRIMARY KEY, v text)");
        }
        a.execute("SELECT steep_repl.add_table('t')");
        Sql.await(b, "SELECT state FROM steep_repl.replicated_tables()", "ready");
        Path data = b.server().dataDir();
        Path backup = data.resolveSibling("backup");
        b.server().stop();
        run("cp", "-a", data.toString(), backup.toString());
        b.server().start();
        Sql.awaitStreaming(b, "a");
        String beats = a.query("SELECT max(seq) + 3 FROM steep_repl.beat_history");
        try (Writers writers = Writers.on(a)) {
            Sql.await(b, "SELECT seq >= " + beats + " FROM steep_repl.beats WHERE node_id = 'a'", "t");
            assertThat(writers.written()).isPositive();
        }
        Cluster.awaitEqual("t", cluster.nodes());
        b.server().stop();
        run("rm", "-rf", data.toString());
        run("mv", backup.toString(), data.toString());
        b.server().start();
        String error = "SELECT last_error LIKE '%restored from an older backup%' FROM steep_repl.subscription_status()";
        Sql.await(b, error, "t");
        Sql.await(a, error, "t");
        assertThat(b.query("SELECT count(*) FROM t")).isEqualTo("0");
        assertThat(b.query("SELECT steep_repl.health()->>'status'")).isEqualTo("unhealthy");
    }

    private static void run(String... command) throws IOException, InterruptedException {
        assertThat(new ProcessBuilder(command).inheritIO().start().waitFor()).isZero();
    }
}
