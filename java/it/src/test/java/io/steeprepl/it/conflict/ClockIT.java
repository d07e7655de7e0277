package io.steeprepl.it.conflict;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.steeprepl.it.Listener;
import io.steeprepl.testkit.Clock;
import io.steeprepl.testkit.Cluster;
import io.steeprepl.testkit.ClusterLogs;
import io.steeprepl.testkit.TestNode;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;

/** Nodes whose clocks differ, or go back: decisions are as wrong as the clocks, but alike everywhere, and logged. */
@ExtendWith(ClusterLogs.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ClockIT {
    private static final String COLUMNS = "id int PRIMARY KEY, v text";
    private static final String WRONG =
            "the arriving write had seen the row that is here and yet carries an earlier time: a clock is wrong";
    private static final Duration HOUR = Duration.ofHours(1);

    private @Nullable Cluster cluster;
    private @Nullable Mesh started;

    @BeforeAll
    void start() {
        assumeThat(Clock.missing()).as("no clock for a server").isEmpty();
        cluster = Cluster.startWithClocks(2);
        started = Mesh.start(cluster);
    }

    @AfterAll
    void stop() {
        if (started != null) {
            started.close();
        }
    }

    @AfterEach
    void setRight() {
        mesh().nodes().forEach(node -> {
            node.server().clock().right();
            node.execute("ALTER SYSTEM RESET steep_repl.clock_wait", "SELECT pg_reload_conf()");
        });
    }

    private Mesh mesh() {
        return Objects.requireNonNull(started);
    }

    private Clock clock(String node) {
        return mesh().node(node).server().clock();
    }

    /** How long transactions from a clock that is ahead wait on a node: in an apply worker that begins afterwards. */
    private void waits(String node, String atMost) {
        String peer = mesh().other(node).id();
        mesh().pause(node, peer);
        mesh().node(node)
                .execute("ALTER SYSTEM SET steep_repl.clock_wait = '" + atMost + "'", "SELECT pg_reload_conf()");
        Mesh.await(mesh().node(node), "SHOW steep_repl.clock_wait", atMost);
        mesh().resume(node, peer);
    }

    private void awaitRow(Table item, String node, String row) {
        Mesh.await(mesh().node(node), "SELECT id || '|' || v FROM " + item.schema() + ".item", row);
    }

    /** The version under which each node has the row 1, whole. */
    private static Table sameVersion(Table item) {
        String version = "SELECT steep_repl._key_state('item', '{\"id\": 1}')->>'micros'";
        return item.answers(version, item.value("a", version));
    }

    /** The entries of a node; BACK is the node whose clock went back. The last of the other's is that of the proof. */
    private void logged(Table item, String node, String back, String... entries) {
        List<String> expected = Stream.of(entries)
                .map(entry -> entry.replace("BACK", back)
                        .replace("OTHER", mesh().other(back).id()))
                .toList();
        assertThat(item.log(node)).extracting(Entry::brief).containsExactlyElementsOf(expected);
    }

    @WhoeverIsFirst
    void whoSeesARowOfAClockThatIsAheadWritesAfterIt(String ahead) {
        String other = mesh().other(ahead).id();
        Table item = mesh().table(COLUMNS, "(1, 'old')");
        clock(ahead).ahead(Duration.ofSeconds(2));
        item.on(ahead, "UPDATE item SET v = 'ahead'");
        awaitRow(item, other, "1|ahead");
        item.on(other, "UPDATE item SET v = 'had seen it'");
        sameVersion(item.drained().holds("1|had seen it").noConflict());
    }

    @WhoeverIsFirst
    void farAheadItIsNotWaitedForAndWhoHadSeenItLoses(String ahead) {
        String other = mesh().other(ahead).id();
        Table item = mesh().table(COLUMNS, "(1, 'old')");
        waits(other, "500ms");
        clock(ahead).ahead(Duration.ofSeconds(15));
        item.on(ahead, "UPDATE item SET v = 'ahead'");
        awaitRow(item, other, "1|ahead");
        item.on(other, "UPDATE item SET v = 'of a slow clock'");
        item.drained().proven();
        sameVersion(item.holds("1|ahead"));
        assertThat(item.log(ahead))
                .extracting(Entry::brief, Entry::reason)
                .containsExactly(tuple(
                        "UPDATE-UPDATE here 1|ahead of " + ahead + ", arrived 1|of a slow clock of " + other
                                + ", base 1|ahead: local KEPT_LOCAL",
                        WRONG));
        assertThat(mesh().node(other).server().logTail(400))
                .containsPattern(
                        "WARNING:.* a peer's clock is \\d+ ms ahead of this server's, more than steep_repl.clock_wait");
    }

    @WhoeverIsFirst
    void whatANodeWritesAfterItsClockWentBackAppliesInItsOrder(String back) {
        String other = mesh().other(back).id();
        Table item = mesh().table(COLUMNS, "(1, 'old')");
        clock(back).ahead(Duration.ofSeconds(9));
        item.on(back, "UPDATE item SET v = 'one'");
        clock(back).right();
        item.on(back, "UPDATE item SET v = 'two'");
        sameVersion(item.drained().holds("1|two").proven());
        assertThat(item.log(back)).isEmpty();
        assertThat(item.log(other))
                .extracting(Entry::brief, Entry::reason)
                .containsExactly(tuple(
                        "UPDATE-UPDATE here 1|one of " + back + ", arrived 1|two of " + back
                                + ", base 1|one: remote APPLIED_REMOTE, possible",
                        WRONG));
    }

    @WhoeverIsFirst
    void ofAWriteBeforeAClockWentBackAndALaterOneOfThePeerTheFirstStays(String back) {
        String other = mesh().other(back).id();
        Table item = mesh().table(COLUMNS, "(1, 'old')");
        mesh().pause();
        clock(back).ahead(Duration.ofSeconds(9));
        item.on(back, "UPDATE item SET v = 'before'");
        clock(back).right();
        item.on(other, "UPDATE item SET v = 'of the other'");
        mesh().resume();
        sameVersion(item.holds("1|before"))
                .logged(
                        other,
                        Conflict.of("UPDATE-UPDATE")
                                .earlier("1|of the other")
                                .later("1|before")
                                .base("1|old"));
    }

    /** The clock of one goes back between two of its writes; the other's comes last, and stays. */
    private Table writtenWhileOneWentBack(String back, String other, String second) {
        Table item = mesh().table(COLUMNS, "(1, 'old')");
        mesh().pause();
        clock(back).ahead(Duration.ofSeconds(9));
        item.on(back, "UPDATE item SET v = 'one'");
        clock(back).right();
        item.on(back, second);
        item.on(other, "UPDATE item SET v = 'of the other'");
        mesh().resume();
        sameVersion(item.proven().holds("1|of the other"));
        return item;
    }

    /** Its second write is earlier than the other's, which is earlier than its first. */
    @WhoeverIsFirst
    void betweenTwoWritesOfAClockThatWentBackThePeersStays(String back) {
        String other = mesh().other(back).id();
        Table item = writtenWhileOneWentBack(back, other, "UPDATE item SET v = 'two'");
        logged(
                item,
                back,
                back,
                "UPDATE-UPDATE here 1|two of BACK, arrived 1|of the other of OTHER, base 1|old: remote APPLIED_REMOTE");
        logged(
                item,
                other,
                back,
                "UPDATE-UPDATE here 1|of the other of OTHER, arrived 1|one of BACK, base 1|old: remote APPLIED_REMOTE",
                "UPDATE-UPDATE here 1|one of BACK, arrived 1|two of BACK, base 1|one: remote APPLIED_REMOTE, possible",
                "UPDATE-UPDATE here 1|two of BACK, arrived 1|of the other of OTHER, base -: remote APPLIED_REMOTE, possible");
    }

    @WhoeverIsFirst
    void aDeletionAfterAClockWentBackAndAWriteOfThePeerConverge(String back) {
        String other = mesh().other(back).id();
        Table item = writtenWhileOneWentBack(back, other, "DELETE FROM item");
        logged(
                item,
                back,
                back,
                "UPDATE-DELETE here - of BACK, arrived 1|of the other of OTHER, base 1|one: remote APPLIED_REMOTE");
        logged(
                item,
                other,
                back,
                "UPDATE-UPDATE here 1|of the other of OTHER, arrived 1|one of BACK, base 1|old: remote APPLIED_REMOTE",
                "UPDATE-DELETE here 1|one of BACK, arrived - of BACK, base 1|one: remote APPLIED_REMOTE, possible",
                "UPDATE-DELETE here - of BACK, arrived 1|of the other of OTHER, base -: remote APPLIED_REMOTE, possible");
    }

    @Test
    void aClockThatDiffersIsNamedUntilItIsRight() throws SQLException {
        TestNode a = mesh().node("a");
        TestNode b = mesh().node("b");
        // Those of the other tests are over.
        mesh().nodes().forEach(node -> Mesh.await(node, "SELECT count(*) FROM steep_repl.alarms", "0"));
        try (Listener alarms = Listener.on(a, "steep_repl_alarm")) {
            clock("b").ahead(HOUR);
            String said = "SELECT string_agg(r, '; ') FROM jsonb_array_elements_text(steep_repl.health()->'reasons') r"
                    + " WHERE r LIKE 'the clock of %'";
            String advice = " this node's: the later write wins by the clock, so set both by NTP";
            Mesh.await(a, said, "the clock of b is 3600.0 s ahead of" + advice);
            Mesh.await(b, said, "the clock of a is 3600.0 s behind" + advice);
            Mesh.await(a, "SELECT steep_repl.health()->>'status'", "unhealthy");
            Mesh.await(a, "SELECT round((steep_repl.health()->'clocks'->>'b')::numeric)", "3600");
            assertThat(b.query("SELECT problem FROM steep_repl.check_start('" + a.conninfo() + "', '" + b.conninfo()
                            + "') WHERE problem LIKE 'the clocks%'"))
                    .matches("the clocks differ: the source says .*, this node .*");
            clock("b").right();
            for (TestNode node : List.of(a, b)) {
                Mesh.await(node, said, "");
            }
            assertThat(alarms.hear(2))
                    .satisfiesExactly(
                            begun -> assertThat(begun)
                                    .contains("\"peer\": \"b\"", "\"state\": \"begun\"", "\"kind\": \"clock\"")
                                    // As first measured, which takes a moment.
                                    .containsPattern("the clock of b is (3599|3600)\\.\\d s ahead of this node's"),
                            over -> assertThat(over)
                                    .contains("\"peer\": \"b\"", "\"state\": \"over\"", "\"kind\": \"clock\""));
        }
    }

    /** What was due by the wrong clock is not put off until the right one has come to that time. */
    @WhoeverIsFirst
    void aClockThatWasAnHourAheadHoldsNothingUpOnceItIsRight(String back) {
        String other = mesh().other(back).id();
        Table item = mesh().table(COLUMNS, "(1, 'old')", "(2, 'old')");
        clock(back).ahead(HOUR);
        mesh().pause();
        item.on(other, "UPDATE item SET v = 'early' WHERE id = 1");
        item.on(back, "UPDATE item SET v = 'ahead' WHERE id = 1");
        mesh().receive(back, other);
        String entry = "SELECT count(*) FROM steep_repl.conflict_log WHERE table_schema = '" + item.schema()
                + "' AND proofs > 0";
        Mesh.await(mesh().node(back), entry, "1");
        clock(back).right();
        waits(other, "500ms");
        mesh().resume();
        item.proven().holds("1|ahead", "2|old");
        item.apart(back, "UPDATE item SET v = 'early' WHERE id = 2", "UPDATE item SET v = 'late' WHERE id = 2")
                .proven()
                .holds("1|ahead", "2|late");
        String measured = "SELECT abs(ahead_seconds) < 1 FROM steep_repl.clocks";
        mesh().nodes().forEach(node -> Mesh.await(node, measured, "t"));
    }

    @Test
    void transactionsOfAClockThatIsFarAheadDoNotWaitOneAfterTheOther() {
        Table item = mesh().table("id int PRIMARY KEY");
        waits("b", "2s");
        clock("a").ahead(HOUR);
        item.on("a", "DO 'BEGIN FOR i IN 1..100 LOOP INSERT INTO item VALUES (i); COMMIT; END LOOP; END'");
        Mesh.await(mesh().node("b"), "SELECT count(*) FROM " + item.schema() + ".item", "100");
    }

    @Test
    void aClockThatGoesBackDoesNotProlongTheWaitForAnother() {
        Table item = mesh().table(COLUMNS);
        clock("a").ahead(Duration.ofSeconds(9));
        item.on("a", "INSERT INTO item VALUES (1, 'waited for')");
        Mesh.await(
                mesh().node("b"),
                "SELECT wait_event FROM pg_stat_activity WHERE backend_type = 'logical replication apply worker'",
                "Extension");
        clock("b").ahead(HOUR.negated());
        awaitRow(item, "b", "1|waited for");
    }
}
