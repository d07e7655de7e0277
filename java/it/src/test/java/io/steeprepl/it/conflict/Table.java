package io.steeprepl.it.conflict;

import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.testkit.TestNode;
import io.steeprepl.testkit.TestkitException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.postgresql.util.PSQLException;

/** A replicated table of one test, in a schema of its own; statements and queries find it there. */
final class Table {
    private final Mesh mesh;
    private final String schema;
    private final String name;

    Table(Mesh mesh, String schema, String name) {
        this.mesh = mesh;
        this.schema = schema;
        this.name = name;
    }

    Table create(String create, String... rows) {
        mesh.nodes().forEach(node -> node.execute("CREATE SCHEMA " + schema, path(), create));
        if (rows.length > 0) {
            String all = String.join(", ", rows);
            boolean series = all.contains("generate_series");
            on(
                    "a",
                    "INSERT INTO " + name
                            + (series ? " SELECT " + all.substring(1, all.length() - 1) : " VALUES " + all));
        }
        return this;
    }

    /** Has it replicated, and does not wait for that. */
    Table addLater() {
        return on("a", "SELECT steep_repl.add_table('" + name.replace("'", "''") + "')");
    }

    Table awaitReady() {
        mesh.awaitReady(schema);
        return this;
    }

    /** Has it replicated; with more arguments of add_table, as {@code ", existing => 'identical'"}. */
    Table add(String arguments) {
        on("a", "SELECT steep_repl.add_table('" + name.replace("'", "''") + "'" + arguments + ")");
        mesh.awaitReady(schema);
        return this;
    }

    /** Gives it a strategy, with more arguments of set_conflict_strategy, and waits until all nodes have it. */
    Table strategy(String strategy, String arguments) {
        on(
                "a",
                "SELECT steep_repl.set_conflict_strategy('" + name.replace("'", "''") + "', '" + strategy + "'"
                        + arguments + ")");
        String now = "SELECT strategy FROM steep_repl.tables WHERE table_schema = '" + schema + "'";
        mesh.nodes().forEach(node -> Mesh.await(node, now, strategy));
        return this;
    }

    /** The one value that a query gives on a node. */
    String value(String node, String sql) {
        return rows(mesh.node(node), sql).getFirst();
    }

    private String path() {
        return "SET search_path = " + schema + ", public";
    }

    /** Runs statements on a node, one string one transaction. */
    Table on(String node, String... sql) {
        List<String> all = new ArrayList<>(List.of(path()));
        all.addAll(List.of(sql));
        mesh.node(node).execute(all.toArray(String[]::new));
        return this;
    }

    Table everywhere(String... sql) {
        mesh.nodes().forEach(node -> on(node.id(), sql));
        return this;
    }

    /** Two nodes write without seeing each other, then come together. */
    Table apart(String first, String earlier, String later) {
        mesh.pause();
        on(first, earlier);
        on(mesh.other(first).id(), later);
        mesh.resume();
        return this;
    }

    /** As {@link #apart}, while a node still does not receive from another. */
    Table apartBut(String first, String earlier, String later, String receiver, String sender) {
        mesh.pause();
        on(first, earlier);
        on(mesh.other(first).id(), later);
        mesh.resumeBut(receiver, sender);
        return this;
    }

    /** The oldest entry of the conflict log on a node, by its id. */
    String entry(String node) {
        return mesh.node(node)
                .query("SELECT min(id) FROM steep_repl.conflict_log WHERE table_schema = '" + schema + "'");
    }

    /** The first value that a call on a node returns. */
    String call(String node, String sql) {
        return rows(mesh.node(node), sql).getFirst();
    }

    /** The error that a call must raise, as {@code SQLSTATE message / detail}. */
    String error(String node, String... sql) {
        try {
            on(node, sql);
        } catch (TestkitException e) {
            if (e.getCause() instanceof PSQLException p && p.getServerErrorMessage() != null) {
                return p.getSQLState() + " " + p.getServerErrorMessage().getMessage() + " / "
                        + p.getServerErrorMessage().getDetail();
            }
            throw e;
        }
        return "no error";
    }

    /** All nodes hold these rows, columns joined by {@code |}, in the order of the first column. */
    Table holds(String... rows) {
        return answers("SELECT * FROM " + name + " ORDER BY 1", rows);
    }

    /** The same, once conflicts have made the nodes write what they have to. */
    Table awaitHolds(String... rows) {
        Awaitility.await().atMost(Duration.ofSeconds(60)).untilAsserted(() -> holds(rows));
        return this;
    }

    /** All nodes answer a query alike. */
    Table answers(String sql, String... rows) {
        for (TestNode node : mesh.nodes()) {
            assertThat(rows(node, sql)).as("%s on %s", sql, node.id()).containsExactly(rows);
        }
        return this;
    }

    /** All nodes hold the same, whatever it is. */
    Table isEqual() {
        List<String> rows = rows(mesh.nodes().getFirst(), "SELECT t::text FROM " + name + " t ORDER BY 1");
        return answers("SELECT t::text FROM " + name + " t ORDER BY 1", rows.toArray(String[]::new));
    }

    /** The same, in a form that does not depend on settings. */
    Table isEqualByHash() {
        String sql = "SELECT steep_repl._content_hash('" + name.replace("'", "''") + "')";
        return answers(sql, rows(mesh.nodes().getFirst(), sql).toArray(String[]::new));
    }

    Table drained() {
        mesh.drain();
        return this;
    }

    List<String> rows(TestNode node, String sql) {
        List<String> rows = new ArrayList<>();
        try (var connection = node.connect();
                var statement = connection.createStatement()) {
            statement.execute(path());
            try (var result = statement.executeQuery(sql)) {
                while (result.next()) {
                    List<String> columns = new ArrayList<>();
                    for (int c = 1; c <= result.getMetaData().getColumnCount(); c++) {
                        columns.add(Objects.requireNonNullElse(result.getString(c), "null"));
                    }
                    rows.add(String.join("|", columns));
                }
            }
        } catch (java.sql.SQLException e) {
            throw new AssertionError("«" + sql + "» on " + node.id(), e);
        }
        return rows;
    }

    /** The entries of the conflict log on a node, oldest first. */
    List<Entry> log(String node) {
        return Entry.read(mesh.node(node), schema);
    }

    /** What all nodes logged, for messages. */
    String allLogs() {
        StringBuilder text = new StringBuilder();
        mesh.nodes()
                .forEach(node -> text.append("\n  ")
                        .append(node.id())
                        .append(": ")
                        .append(log(node.id()).stream().map(Entry::brief).toList()));
        return text.toString();
    }

    /** No node logged anything. */
    Table noConflict() {
        for (TestNode node : mesh.nodes()) {
            assertThat(log(node.id())).as("conflict log of %s", node.id()).isEmpty();
        }
        return this;
    }

    /** Exactly these conflicts are in the logs of both nodes, each from its own point of view, and all are proven. */
    Table logged(String first, Conflict... conflicts) {
        String second = mesh.other(first).id();
        assertThat(log(first))
                .extracting(Entry::brief)
                .as("conflict log of %s, who wrote first", first)
                .containsExactlyInAnyOrderElementsOf(Stream.of(conflicts)
                        .flatMap(c -> c.asSeenByTheEarlier(first, second))
                        .toList());
        assertThat(log(second))
                .extracting(Entry::brief)
                .as("conflict log of %s, who wrote second", second)
                .containsExactlyInAnyOrderElementsOf(Stream.of(conflicts)
                        .flatMap(c -> c.asSeenByTheLater(first, second))
                        .toList());
        if (Stream.of(conflicts).allMatch(c -> c.seen() == Conflict.Seen.BY_BOTH)) {
            assertThat(identities(first)).as("identities").isEqualTo(identities(second));
        }
        return proven();
    }

    private Set<String> identities(String node) {
        return log(node).stream().map(Entry::identity).collect(Collectors.toSet());
    }

    /** All entries are proven: all nodes answered and agree on the rows. */
    Table proven() {
        String open =
                "SELECT coalesce(string_agg(conflict_type || ' ' || coalesce(key::text, '') || ': ' || not_converged_reason, '; '), 'all proven')"
                        + " FROM steep_repl.conflict_log WHERE table_schema = '" + schema
                        + "' AND converged_at IS NULL AND resolution IS DISTINCT FROM 'PENDING'";
        mesh.nodes().forEach(node -> Mesh.await(node, open, "all proven"));
        return this;
    }

    Mesh mesh() {
        return mesh;
    }

    String schema() {
        return schema;
    }
}
