package io.steeprepl.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.cli.Main;
import io.steeprepl.testkit.Cluster;
import io.steeprepl.testkit.ClusterLogs;
import io.steeprepl.testkit.TestNode;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;

/** Ctrl-C at a terminal while a node is started. */
@ExtendWith(ClusterLogs.class)
@DisabledOnOs(OS.WINDOWS)
class NodeStartLeavingIT {
    private static final String QUESTION = "[d = detach, c = cancel, Enter = go on watching]";

    private Cluster cluster;
    private TestNode a;
    private TestNode b;
    private Connection writer;

    @BeforeEach
    void start() throws SQLException {
        cluster = Cluster.start(2);
        a = cluster.node(0);
        b = cluster.node(1);
        for (TestNode node : cluster.nodes()) {
            node.execute("CREATE TABLE t (id int PRIMARY KEY, v text)");
        }
        a.execute("INSERT INTO t SELECT g, 'x' FROM generate_series(1, 100) g", "SELECT steep_repl.add_table('t')");
        Sql.await(a, "SELECT state FROM steep_repl.replicated_tables()", "ready");
        // A copy waits for what is being written.
        writer = a.connect();
        writer.setAutoCommit(false);
        try (Statement statement = writer.createStatement()) {
            statement.execute("INSERT INTO t VALUES (1000, 'not committed yet')");
        }
    }

    @AfterEach
    void stop() throws SQLException {
        writer.close();
        cluster.close();
    }

    private PseudoTerminal begun() throws IOException {
        var terminal = new PseudoTerminal(List.of(
                // Who is run in the background may have been told to ignore Ctrl-C, and what he runs inherits that.
                "env",
                "--default-signal=INT",
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                Main.class.getName(),
                "node",
                "start",
                b.uri(),
                "--from",
                a.uri()));
        Sql.await(b, "SELECT state FROM steep_repl.start_progress()", "running");
        await(terminal, "[....");
        return terminal;
    }

    private static void await(PseudoTerminal terminal, String text) {
        Awaitility.await(text)
                .atMost(Duration.ofSeconds(30))
                .untilAsserted(() -> assertThat(terminal.shown()).contains(text));
    }

    private static void interrupt(PseudoTerminal terminal) throws Exception {
        String pid = Long.toString(terminal.program().pid());
        assertThat(new ProcessBuilder("kill", "-INT", pid).start().waitFor()).isZero();
    }

    private static int ended(PseudoTerminal terminal) throws InterruptedException {
        assertThat(terminal.program().waitFor(30, TimeUnit.SECONDS))
                .as(terminal.shown())
                .isTrue();
        return terminal.program().exitValue();
    }

    @Test
    void whoSaysCancelEndsTheStart() throws Exception {
        try (PseudoTerminal terminal = begun()) {
            interrupt(terminal);
            await(terminal, QUESTION);
            terminal.type("c");
            assertThat(ended(terminal)).as(terminal.shown()).isEqualTo(4);
            await(terminal, "cancelled; tables that were taken over stay");
        }
        assertThat(b.query("SELECT state, phase FROM steep_repl.start_progress()"))
                .isEqualTo("cancelled|cancelled");
        assertThat(b.query("SELECT count(*) FROM t")).isEqualTo("0");
        writer.rollback();
        Commands.Ended again = Commands.run(b.uri(), "node", "start", b.uri(), "--from", a.uri());
        assertThat(again.code()).as(again.err()).isZero();
        assertThat(b.query("SELECT count(*) FROM t")).isEqualTo("100");
    }

    @Test
    void whoSaysDetachLeavesItToTheServer() throws Exception {
        String id;
        try (PseudoTerminal terminal = begun()) {
            id = b.query("SELECT id FROM steep_repl.start_progress()");
            interrupt(terminal);
            await(terminal, QUESTION);
            terminal.type("d");
            assertThat(ended(terminal)).as(terminal.shown()).isEqualTo(4);
            await(terminal, "detached: the work goes on in the server");
            await(terminal, "steep-repl -c TARGET node progress --follow");
            await(terminal, "steep-repl -c TARGET node cancel " + id);
        }
        writer.rollback();
        Sql.await(b, "SELECT state FROM steep_repl.start_progress()", "complete");
        assertThat(b.query("SELECT count(*) FROM t")).isEqualTo("100");
    }

    @Test
    void whoOnlyPressesEnterGoesOnWatching() throws Exception {
        try (PseudoTerminal terminal = begun()) {
            interrupt(terminal);
            await(terminal, QUESTION);
            terminal.type("");
            writer.commit();
            assertThat(ended(terminal)).as(terminal.shown()).isZero();
            await(terminal, "started: 1 tables, 101 rows");
        }
    }

    @Test
    void whoPressesTwiceLeaves() throws Exception {
        try (PseudoTerminal terminal = begun()) {
            interrupt(terminal);
            await(terminal, QUESTION);
            interrupt(terminal);
            assertThat(ended(terminal)).as(terminal.shown()).isEqualTo(4);
            await(terminal, "detached: the work goes on in the server");
        }
        writer.commit();
        Sql.await(b, "SELECT state FROM steep_repl.start_progress()", "complete");
    }
}
