package io.steeprepl.it;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.testkit.Cluster;
import io.steeprepl.testkit.ClusterLogs;
import io.steeprepl.testkit.TestNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Snapshots that are cancelled, killed, damaged: nothing is lost, and nothing is left that looks whole. */
@ExtendWith(ClusterLogs.class)
class SnapshotFaultIT {
    private static final Cluster CLUSTER = Cluster.start(2);
    private static final TestNode A = CLUSTER.node(0);
    private static final TestNode B = CLUSTER.node(1);
    private static final SnapshotPlace PLACE = SnapshotPlace.beside(A);

    @BeforeAll
    static void tables() {
        CLUSTER.nodes().forEach(node -> node.execute("CREATE TABLE large (id serial PRIMARY KEY, filler text)"));
        A.execute(
                "INSERT INTO large (filler) SELECT string_agg(md5(i::text || j), '') FROM generate_series(1, 45000) i,"
                        + " generate_series(1, 30) j GROUP BY i");
    }

    @AfterEach
    void clean() throws IOException {
        CLUSTER.nodes().forEach(node -> node.server().start());
        B.execute("TRUNCATE large");
        for (String name : PLACE.names()) {
            delete(PLACE.path(name));
        }
    }

    @AfterAll
    static void stop() {
        CLUSTER.close();
    }

    private static void delete(Path folder) {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Waits until work is under way, and not near its end, and stops its streams; returns what has them go on. */
    private static Runnable stopHalfWay(TestNode node, String id) {
        Awaitility.await("work " + id + " to be under way")
                .atMost(Duration.ofSeconds(60))
                .pollInterval(Duration.ofMillis(5))
                .until(() -> SnapshotPlace.percent(node, id) > 5);
        String streams = node.query(
                "SELECT string_agg(pid::text, ' ') FROM pg_stat_activity WHERE backend_type = 'steep_repl stream'");
        node.shell("kill -STOP " + streams);
        return () -> node.shell("kill -CONT " + streams);
    }

    private static void killAStream(TestNode node) {
        String pid = node.query("SELECT min(pid) FROM pg_stat_activity WHERE backend_type = 'steep_repl stream'");
        assertThat(ProcessHandle.of(Long.parseLong(pid)).orElseThrow().destroyForcibly())
                .isTrue();
    }

    @Test
    void cancelledInTheMidstOfCopying() throws IOException {
        String id = PLACE.start(A, "cancelled", ", 'gzip', 2");
        Runnable goOn = stopHalfWay(A, id);
        assertThat(A.query("SELECT steep_repl.cancel_snapshot(" + id + ")")).isEqualTo("cancelling");
        goOn.run();
        SnapshotPlace.awaitState(A, id, "cancelled");
        assertThat(PLACE.names()).isEmpty();
        assertThat(A.query("SELECT count(*) FROM steep_repl.list_snapshots() WHERE id = " + id))
                .isEqualTo("0");
        assertThat(Sql.error(A, "SELECT steep_repl.cancel_work(" + id + ")")).startsWith("SR102");
        assertThat(A.query(
                        "SELECT action FROM steep_repl.audit_log WHERE target_type = 'work' ORDER BY id DESC LIMIT 1"))
                .isEqualTo("snapshot.cancelled");
        assertThat(A.query("SELECT steep_repl.retry_work(" + id + ")")).isEqualTo(id);
        SnapshotPlace.awaitState(A, id, "complete");
        A.query("SELECT steep_repl.delete_snapshot(" + id + ")");
    }

    @Test
    void cancelledWhileItWaitsForALock() throws Exception {
        try (var holder = A.connect();
                var statement = holder.createStatement()) {
            holder.setAutoCommit(false);
            statement.execute("LOCK TABLE large");
            String id = PLACE.start(A, "waits", "");
            Sql.await(
                    A,
                    "SELECT phase FROM steep_repl.work_progress(" + id + ")",
                    "waiting for one moment of all tables");
            A.execute("SELECT steep_repl.cancel_work(" + id + ")");
            SnapshotPlace.awaitState(A, id, "cancelled");
        }
        assertThat(PLACE.names()).isEmpty();
    }

    @Test
    void whoWantsATableForHimselfHoldsNoStreamUp() throws InterruptedException {
        List<String> later = List.of("later_1", "later_2", "later_3", "later_4");
        later.forEach(table -> A.execute("CREATE TABLE " + table + " AS SELECT 1 AS id"));
        String id = PLACE.start(A, "wanted", ", 'gzip', 2");
        Runnable goOn = stopHalfWay(A, id);
        // They wait for the first stream, and both streams have these tables yet to read.
        List<Thread> others = later.stream()
                .map(table -> Thread.ofVirtual().start(() -> A.execute("TRUNCATE " + table)))
                .toList();
        Sql.await(A, "SELECT count(*) FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock'", "4");
        goOn.run();
        SnapshotPlace.awaitState(A, id, "complete");
        for (Thread other : others) {
            other.join();
        }
        later.forEach(table -> A.execute("DROP TABLE " + table));
        A.query("SELECT steep_repl.delete_snapshot(" + id + ")");
    }

    @Test
    void aTableThatIsEmptiedMeanwhileIsNotTakenForAnEmptyOne() throws Exception {
        A.execute("CREATE TABLE small (id int)", "INSERT INTO small VALUES (1)");
        try (var holder = A.connect();
                var statement = holder.createStatement()) {
            holder.setAutoCommit(false);
            statement.execute("TRUNCATE small");
            String id = PLACE.start(A, "emptied", ", tables => '{small}'");
            Sql.await(A, "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'small'::regclass", "1");
            holder.commit();
            SnapshotPlace.awaitState(A, id, "failed");
            assertThat(A.query("SELECT error FROM steep_repl.work_queue WHERE id = " + id))
                    .contains("small was dropped, emptied");
        }
        A.execute("DROP TABLE small");
        assertThat(PLACE.names()).isEmpty();
    }

    @Test
    void killedServersLeaveNothingThatLooksLikeASnapshot() throws IOException {
        String id = PLACE.start(A, "killed", ", 'gzip', 2, slot => 'killed'");
        stopHalfWay(A, id);
        A.server().kill9();
        assertThat(PLACE.path("killed")).doesNotExist();
        A.server().start();
        SnapshotPlace.awaitState(A, id, "failed");
        assertThat(A.query("SELECT error FROM steep_repl.work_queue WHERE id = " + id))
                .startsWith("interrupted");
        Awaitility.await("the remains to go")
                .atMost(Duration.ofSeconds(60))
                .until(() -> PLACE.names().isEmpty());
        assertThat(A.query("SELECT count(*) FROM pg_replication_slots")).isEqualTo("0");

        A.query("SELECT steep_repl.retry_work(" + id + ")");
        stopHalfWay(A, id);
        killAStream(A);
        SnapshotPlace.awaitState(A, id, "failed");
        A.query("SELECT steep_repl.retry_work(" + id + ")");
        SnapshotPlace.awaitState(A, id, "complete");
        PLACE.apply(B, "killed", "");
        assertThat(B.contents("large")).isEqualTo(A.contents("large"));
        assertThat(A.query("SELECT slot_name, active FROM pg_replication_slots"))
                .isEqualTo("killed|f");
        A.query("SELECT pg_drop_replication_slot('killed')");
    }

    /** Loads one of two pieces; the other waits for a row of somebody else's when the server is killed. */
    private static String loadUntilKilled(String name) throws SQLException {
        try (var other = B.connect();
                var statement = other.createStatement()) {
            other.setAutoCommit(false);
            statement.execute("INSERT INTO large VALUES (45000, 'in the way')");
            String id = PLACE.startApply(B, name, ", 1, false");
            Sql.await(B, "SELECT count(*) FROM steep_repl.loaded_pieces", "1");
            B.server().kill9();
            B.server().start();
            SnapshotPlace.awaitState(B, id, "failed");
            return id;
        }
    }

    @Test
    void aLoadGoesOnWhereItWasKilled() throws SQLException {
        PLACE.take(A, "loaded", ", 'lz4', 4");
        String id = loadUntilKilled("loaded");
        assertThat(B.query("SELECT count(*) FROM steep_repl.loaded_pieces")).isEqualTo("1");
        assertThat(Sql.error(B, "SELECT steep_repl.start_apply('" + PLACE.path("loaded") + "')"))
                .startsWith("SR110")
                .contains("large holds rows");
        B.query("SELECT steep_repl.retry_work(" + id + ")");
        SnapshotPlace.awaitState(B, id, "complete");
        assertThat(B.contents("large")).isEqualTo(A.contents("large"));
    }

    @Test
    void aLoadThatIsGivenUpTakesItsRowsAlong() throws SQLException {
        PLACE.take(A, "given", ", 'lz4', 4");
        String id = loadUntilKilled("given");
        B.execute("INSERT INTO large VALUES (-1, 'of somebody else')");
        assertThat(B.query("SELECT steep_repl.cancel_work(" + id + ")")).isEqualTo("cancelling");
        SnapshotPlace.awaitState(B, id, "cancelled");
        assertThat(B.query("SELECT count(*), min(id) FROM large")).isEqualTo("1|-1");
    }

    @Test
    void aFlippedBitIsFoundBeforeAnythingIsLoadedOrBeforeItCommits() throws IOException {
        PLACE.take(A, "flipped", ", 'none', 2");
        Path file = PLACE.path("flipped").resolve("data/000000.000.copy");
        change(file, bytes -> {
            bytes[bytes.length / 2] ^= 1;
            return bytes;
        });
        for (String verify : new String[] {"true", "false"}) {
            String id = PLACE.startApply(B, "flipped", ", 1, " + verify);
            SnapshotPlace.awaitState(B, id, "failed");
            assertThat(B.query("SELECT sqlstate, error FROM steep_repl.work_queue WHERE id = " + id))
                    .matches("(XX001|22...)\\|.*")
                    .satisfies(error -> assertThat(error.contains("000000.000.copy") || error.startsWith("22"))
                            .isTrue());
            if (verify.equals("true")) {
                assertThat(B.query("SELECT count(*) FROM large")).isEqualTo("0");
            } else {
                B.query("SELECT steep_repl.cancel_work(" + id + ") FROM steep_repl.loaded_pieces LIMIT 1");
            }
        }
        assertThat(A.rows("SELECT file, problem FROM steep_repl.verify_snapshot('" + PLACE.path("flipped")
                        + "') WHERE problem IS NOT NULL"))
                .singleElement()
                .asString()
                .contains("data/000000.000.copy|is damaged");
    }

    @Test
    void manifestsThatAreCutShortDamagedOrNewer() throws IOException {
        PLACE.take(A, "manifest", "");
        Path file = PLACE.path("manifest").resolve("manifest.json");
        byte[] right = Files.readAllBytes(file);
        String apply = "SELECT steep_repl.start_apply('" + PLACE.path("manifest") + "')";
        change(file, bytes -> Arrays.copyOf(bytes, bytes.length / 2));
        assertThat(Sql.error(B, apply)).startsWith("XX001").contains("manifest.json is damaged");
        String text = new String(right, UTF_8);
        change(file, bytes -> text.replace("\"large\"", "\"Large\"").getBytes(UTF_8));
        assertThat(Sql.error(B, apply)).startsWith("XX001").contains("SHA256SUMS");
        change(file, bytes -> text.replace("\"format\": 1", "\"format\": 99").getBytes(UTF_8));
        assertThat(Sql.error(B, apply)).startsWith("0A000").contains("format 99");
        change(file, bytes -> right);
        PLACE.apply(B, "manifest", "");
        change(file, bytes -> Arrays.copyOf(bytes, bytes.length / 2));
        String id = A.query("SELECT max(id) FROM steep_repl.list_snapshots() WHERE state = 'damaged'");
        Path others = PLACE.path("manifest").resolve("others");
        Files.createFile(others);
        assertThat(Sql.error(A, "SELECT steep_repl.delete_snapshot(" + id + ")"))
                .startsWith("XX001");
        assertThat(PLACE.path("manifest").resolve("data")).isNotEmptyDirectory();
        Files.delete(others);
        A.query("SELECT steep_repl.delete_snapshot(" + id + ")");
        assertThat(PLACE.path("manifest")).doesNotExist();
    }

    /** The files belong to the account of the servers; it keeps owner and mode. */
    private static void change(Path file, UnaryOperator<byte[]> how) throws IOException {
        Files.write(file, how.apply(Files.readAllBytes(file)));
    }

    @Test
    void aFullDiskIsSaidAndLeavesRoom() throws IOException {
        Path disk = PLACE.path("disk");
        A.shell("mkdir " + disk);
        try (SmallDisk small = SmallDisk.at(disk, 4)) {
            String id = A.query("SELECT id FROM steep_repl.start_snapshot('" + small.folder() + "/full', 'none', 2)");
            SnapshotPlace.awaitState(A, id, "failed");
            assertThat(A.query("SELECT sqlstate, error FROM steep_repl.work_queue WHERE id = " + id))
                    .startsWith("58030|cannot write")
                    .contains("No space left on device");
            assertThat(A.query("SELECT count(*) FROM pg_ls_dir('" + disk + "')"))
                    .isEqualTo("0");
        }
    }
}
