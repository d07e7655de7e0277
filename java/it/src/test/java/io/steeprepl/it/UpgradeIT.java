package io.steeprepl.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import io.steeprepl.testkit.Cluster;
import io.steeprepl.testkit.ClusterLogs;
import io.steeprepl.testkit.TestNode;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A node of an older version, on a server that has the new files and the new library. */
@ExtendWith(ClusterLogs.class)
class UpgradeIT {
    private static final String UPDATE = "ALTER EXTENSION steep_repl UPDATE";
    private static final String LAST_ERROR = "SELECT steep_repl._worker_state()->>'last_error'";

    private static final String WHAT_TO_DO = """
            Functions, grants, triggers and event triggers belong into sql/functions and sql/grants.sql, which an update runs \
            again. Put what cannot be rerun (a new or changed table, DROP of a function that is gone or has other arguments \
            or another result, REVOKE) into sql/updates/….sql, and what existing nodes, links and tables need into …after.sql; see "Updates of the extension" in CONTRIBUTING.md.""";

    private static Cluster cluster;
    private static TestNode fresh;

    @BeforeAll
    static void start() {
        cluster = Cluster.start(2);
        fresh = cluster.node(0);
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    private static Stream<String> released() {
        return fresh
                .rows(
                        "SELECT v.version FROM pg_available_extension_versions v JOIN pg_available_extensions e USING (name)"
                                + " WHERE v.name = 'steep_repl' AND v.version <> e.default_version")
                .stream();
    }

    /** A node in a database of its own, at that version, or the newest one. */
    private static TestNode empty(TestNode beside, String database, String version) {
        beside.execute("CREATE DATABASE " + database);
        TestNode node = new TestNode(database + beside.id(), beside.server(), database);
        node.execute("CREATE EXTENSION steep_repl" + (version.isEmpty() ? "" : " VERSION '" + version + "'"));
        return node.create();
    }

    /** The same with a replicated table. */
    private static TestNode node(String database, String version) {
        TestNode node = empty(fresh, database, version);
        node.execute(
                "CREATE TABLE note (id int PRIMARY KEY, body text)",
                "INSERT INTO note VALUES (1, 'written before')",
                "SELECT steep_repl.add_table('note')");
        return node;
    }

    /** Without what the update writes in another way. */
    private static List<String> data(TestNode node) {
        return Stream.of("nodes", "local_node", "tables", "table_events", "audit_log")
                .flatMap(table -> node
                        .rows(
                                "SELECT to_jsonb(t) - '{last_seen,unanswered_until,identity_before,identities_before,priority,delta_columns,resolver}'::text[] FROM steep_repl."
                                        + table + " t")
                        .stream())
                .toList();
    }

    @ParameterizedTest
    @MethodSource("released")
    void anUpgradedNodeIsLikeAFreshOneAndKeepsWhatItHas(String version) {
        String digits = version.replace(".", "");
        TestNode old = node("old" + digits, version);
        TestNode like = node("like" + digits, "");
        Sql.await(old, LAST_ERROR + " LIKE '%" + version + "%: run " + UPDATE + "'", "t");
        List<String> before = data(old);
        String worker = old.query("SELECT steep_repl._worker_state() - 'last_error'");
        Catalogue wanted = Catalogue.of(like);
        assertThat(Catalogue.of(old).difference(wanted)).contains("- " + line(version), "+ " + line(newest()));

        assertThatCode(() -> old.execute(UPDATE)).as(WHAT_TO_DO).doesNotThrowAnyException();

        assertThat(String.join("\n", wanted.difference(Catalogue.of(old))))
                .as("a fresh install (-) and an update from %s (+) differ. %s", version, WHAT_TO_DO)
                .isEmpty();
        assertThat(data(old)).containsAll(before);
        assertThat(
                        old.rows(
                                "SELECT action, old_value, new_value FROM steep_repl.audit_log WHERE action LIKE 'extension.%' ORDER BY id"))
                .containsExactly(
                        "extension.create||\"%s\"".formatted(newest()),
                        "extension.update|\"%s\"|\"%s\"".formatted(version, newest()));
        // Written by a round: the worker works again, and it is the one that waited.
        Sql.await(old, "SELECT count(*) > 0 FROM steep_repl.beat_history", "t");
        assertThat(old.query("SELECT steep_repl._worker_state() - 'last_error'"))
                .isEqualTo(worker);
        Sql.await(old, "SELECT steep_repl.health()->>'status'", "healthy");
        assertThat(old.query(LAST_ERROR)).isEmpty();
        old.execute("CREATE TABLE later (id int PRIMARY KEY)");
        assertThat(old.query("SELECT steep_repl.add_table('later')")).isEqualTo("ready");
        assertThat(old.query("SELECT body FROM note")).isEqualTo("written before");
    }

    private static String newest() {
        return fresh.query("SELECT steep_repl.version()");
    }

    private static String line(String version) {
        return "extension steep_repl version " + version + " schema steep_repl relocatable f owner postgres";
    }

    @Test
    void thereAreReleasedVersions() {
        assertThat(released()).contains("0.1.0").doesNotContain(newest());
        assertThat(fresh.query("SELECT extversion FROM pg_extension WHERE extname = 'steep_repl'"))
                .isEqualTo(newest());
    }

    @Test
    void untilTheUpdateRequestsAreRefusedAndFailuresWaitForTheAuditLog() {
        TestNode old = node("waits", "0.1.0");
        Sql.await(old, LAST_ERROR + " LIKE '%run " + UPDATE + "'", "t");
        assertThat(Sql.error(old, "SELECT steep_repl._ask_worker('pause', 'nobody')"))
                .startsWith("55000")
                .contains(UPDATE);
        assertThat(Sql.error(old, "SELECT steep_repl.register_node('', 'n', '', 0, 5000)"))
                .startsWith("SR007");
        old.execute(UPDATE);
        Sql.await(old, "SELECT count(*) FROM steep_repl.audit_log WHERE NOT success AND action = 'node.register'", "1");
    }

    @Test
    void aServerWithTheOldLibraryInMemoryIsToBeRestartedFirst() {
        TestNode old = node("unrestarted", "0.1.0");
        String library =
                "CREATE OR REPLACE FUNCTION steep_repl.version() RETURNS text LANGUAGE sql AS 'SELECT ''0.1.0''::text'; ";
        assertThat(Sql.error(old, library + UPDATE))
                .startsWith("55000")
                .contains("runs the library of steep_repl 0.1.0");
        assertThat(old.query("SELECT extversion FROM pg_extension WHERE extname = 'steep_repl'"))
                .isEqualTo("0.1.0");
    }

    @Test
    void linksOfAnOlderVersionStandStillUntilTheUpdateAndGoOnThen() {
        List<TestNode> pair =
                cluster.nodes().stream().map(on -> empty(on, "linked", "0.1.0")).toList();
        TestNode sender = pair.getFirst();
        TestNode receiver = pair.getLast();
        pair.forEach(node -> node.execute("CREATE TABLE flow (id int PRIMARY KEY)"));
        // The library of 0.1.0 is not here: the new one makes the links, with the SQL of 0.1.0.
        pretend(pair, newest());
        sender.query("SELECT steep_repl.subscribe('" + receiver.conninfo() + "')");
        receiver.query("SELECT steep_repl.subscribe('" + sender.conninfo() + "')");
        pair.forEach(node -> Sql.await(node, "SELECT subscription IS NOT NULL FROM steep_repl.links", "t"));
        pretend(pair, "0.1.0");

        sender.execute("SELECT steep_repl.add_table('flow')", "INSERT INTO flow VALUES (1)");
        Awaitility.await("the apply worker to refuse")
                .atMost(Duration.ofSeconds(60))
                .until(() -> receiver.server().logTail(30).contains("The stream goes on by itself then"));
        assertThat(receiver.query("SELECT count(*) FROM steep_repl.tables")).isEqualTo("0");

        pair.forEach(node -> node.execute(UPDATE));
        Sql.await(receiver, "SELECT state FROM steep_repl.replicated_tables()", "ready");
        receiver.execute("INSERT INTO flow VALUES (2)");
        Cluster.awaitEqual("flow", pair);
        assertThat(sender.query("SELECT count(*) FROM flow")).isEqualTo("2");
        pair.forEach(node -> {
            // All of our own tables that nodes send each other are received.
            assertThat(node.rows("SELECT srrelid::regclass::text FROM pg_subscription_rel ORDER BY 1"))
                    .containsExactlyElementsOf(
                            node.rows("SELECT prrelid::regclass::text FROM pg_publication_rel ORDER BY 1"));
            Sql.await(node, "SELECT steep_repl.health()->>'status'", "healthy");
        });
    }

    private static void pretend(List<TestNode> nodes, String version) {
        nodes.forEach(node ->
                node.execute("UPDATE pg_extension SET extversion = '" + version + "' WHERE extname = 'steep_repl'"));
    }
}
