package io.steeprepl.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.testkit.Cluster;
import io.steeprepl.testkit.ClusterLogs;
import io.steeprepl.testkit.TestNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A node that is restored to an earlier point does not know what it has handed out since: its ranges are dead. */
@ExtendWith(ClusterLogs.class)
class RangeRestoreIT {
    private static final String INSERT = "INSERT INTO t SELECT FROM generate_series(1, 35) RETURNING id";
    private static final String OLD_REQUEST = "00000000-0000-0000-0000-000000000001";

    private final Cluster cluster = Cluster.start(2);
    private final TestNode a = cluster.node(0);
    private final TestNode b = cluster.node(1);

    @AfterEach
    void stop() {
        cluster.close();
    }

    private void table() {
        cluster.nodes().forEach(node -> node.execute("CREATE TABLE t (id serial PRIMARY KEY)"));
        a.execute("SET steep_repl.default_range_size = 10", "SELECT steep_repl.add_table('t')");
    }

    private static List<Long> insert(TestNode node) {
        return node.rows(INSERT).stream().map(Long::valueOf).toList();
    }

    @Test
    void aRestoredNodeWaitsForAShareAndGivesNoneOfItsFormerIds() throws IOException, InterruptedException {
        cluster.link(2);
        table();
        Sql.await(b, "SELECT state FROM steep_repl.replicated_tables()", "ready");
        Set<Long> former = new HashSet<>(insert(b));
        // As if the backup had been taken while a share was asked for: the former self has got and used what was asked
        // for.
        b.execute("UPDATE steep_repl.range_sequences SET request = '" + OLD_REQUEST + "', request_timeline = 1");
        Path backup = backup(b);
        former.addAll(insert(b));
        Cluster.awaitEqual("t", cluster.nodes());
        a.server().stop();
        former.addAll(insert(b));
        restore(b, backup);

        assertThat(Sql.error(b, INSERT))
                .startsWith("2200H this node has no range of ids left for table")
                .contains("restored, or failed over");
        assertThat(Sql.error(b, "INSERT INTO t VALUES (" + former.iterator().next() + " + 1000000)"))
                .startsWith("23514");
        Sql.await(b, "SELECT request <> '" + OLD_REQUEST + "' FROM steep_repl.range_sequences", "t");
        Sql.await(
                b,
                "SELECT note FROM steep_repl.range_status() WHERE status = 'missing'",
                "restored, or failed over to: waiting for a new share of the ids: a does not answer");
        assertThat(b.query("SELECT steep_repl.health()::text")).contains("no ids can be handed out here: restored");
        assertThat(b.query("SELECT count(*) FROM t")).isEqualTo("35");

        a.server().start();
        Sql.await(b, "SELECT count(*) FROM steep_repl.range_status() WHERE status = 'missing'", "0");
        assertThat(insert(b)).doesNotHaveDuplicates().doesNotContainAnyElementsOf(former);
        assertThat(insert(a)).doesNotHaveDuplicates().doesNotContainAnyElementsOf(insert(b));
        assertThat(b.query("SELECT count(*) FROM steep_repl.range_status()"
                        + " WHERE node_id = 'b' AND note LIKE 'from before a restore%' AND status = 'active'"))
                .isEqualTo("0");
    }

    @Test
    void nodesWhoseRangesBeganApartAreNotLinked() {
        cluster.nodes()
                .forEach(node -> node.execute(
                        "CREATE TABLE apart (id serial PRIMARY KEY)", "SELECT steep_repl.add_table('apart')"));
        b.query("SELECT steep_repl.subscribe('" + a.conninfo() + "')");
        Sql.await(
                b,
                "SELECT last_error LIKE 'cannot link with a%public.apart go in ranges on both nodes%drop_ranges%' FROM steep_repl.subscription_status()",
                "t");
        b.execute("SELECT steep_repl.remove_table('apart')", "SELECT steep_repl.drop_ranges('apart')");
        Sql.awaitStreaming(b, "a");
    }

    /** It has nobody to collide with; but those who knew it before do, and are not joined as if nothing had happened. */
    @Test
    void aRestoredNodeWithoutPeersGoesOnAlone() throws IOException, InterruptedException {
        table();
        insert(a);
        String line = a.query("SELECT line FROM steep_repl.range_sequences");
        restore(a, backup(a));
        Sql.await(a, "SELECT count(*) FROM steep_repl.range_status() WHERE status = 'missing'", "0");
        assertThat(insert(a)).allMatch(id -> id > 35);
        assertThat(a.query("SELECT line FROM steep_repl.range_sequences")).isNotEqualTo(line);
        assertThat(a.query("SELECT count(*) FROM t")).isEqualTo("70");
    }

    /** Copies the data folder of a node that is stopped meanwhile. */
    private static Path backup(TestNode node) throws IOException, InterruptedException {
        Path data = node.server().dataDir();
        Path backup = data.resolveSibling("backup");
        node.server().stop();
        run("cp", "-a", data.toString(), backup.toString());
        node.server().start();
        return backup;
    }

    /** Puts the copy in its place and starts it as a recovery from an archive, which ends on a new timeline. */
    private static void restore(TestNode node, Path backup) throws IOException, InterruptedException {
        Path data = node.server().dataDir();
        node.server().stop();
        run("rm", "-rf", data.toString());
        run("mv", backup.toString(), data.toString());
        Files.createFile(data.resolve("recovery.signal"));
        node.server().configure("restore_command = 'false'");
        node.server().start();
        Sql.await(node, "SELECT pg_is_in_recovery()", "f");
        assertThat(node.query("SELECT timeline_id FROM pg_control_checkpoint()"))
                .isNotEqualTo("1");
    }

    private static void run(String... command) throws IOException, InterruptedException {
        assertThat(new ProcessBuilder(command).inheritIO().start().waitFor()).isZero();
    }
}
