package io.steeprepl.it.conflict;

import io.steeprepl.testkit.TestNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.assertj.core.api.SoftAssertions;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every kind of conflict under every strategy, whoever is first: what both nodes end with, what both logged, and whether it is
 * proven. All of it comes from one time apart.
 */
@ExtendWith(TwoNodes.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class StrategyIT {
    private static final String ITEM =
            "CREATE TABLE item (id int PRIMARY KEY, v text, w text, n int NOT NULL, u text UNIQUE, up int REFERENCES item)";
    /** Changes that one node sets aside: in row 150 before the other one writes it, in row 160 after that. */
    private static final int ASIDE_EARLY = 150;

    private static final int ASIDE_LATE = 160;
    private static final Set<String> NEW = Set.of("INSERT-INSERT", "UNIQUE");

    private final Mesh mesh;
    private final List<Case> cases = new ArrayList<>();

    StrategyIT(Mesh mesh) {
        this.mesh = mesh;
    }

    /**
     * The tables of one strategy and order.
     *
     * @param item of all kinds but TRUNCATE-WRITE
     * @param begun truncated by the first
     * @param ended truncated by the second
     */
    record Case(Rule rule, String first, String second, Table item, Table begun, Table ended) {
        List<Table> tables() {
            return List.of(item, begun, ended);
        }

        @Override
        public String toString() {
            return rule + ", " + first + " writes first";
        }
    }

    List<Case> cases() {
        return cases;
    }

    @BeforeAll
    void writeApart() {
        for (Rule rule : Rule.values()) {
            Stream.of("a", "b").forEach(first -> cases.add(made(rule, first)));
        }
        cases.forEach(c -> c.tables().forEach(table -> c.rule().give(table.awaitReady())));
        alter(node -> "ADD CONSTRAINT here CHECK (v <> '" + refusedBy(node) + "')");
        onEach(node -> cases(c -> c.first().equals(node), c -> refused(c, c.second(), "n + 1", ASIDE_EARLY)));
        String aside = "SELECT count(*) FROM steep_repl.conflict_log WHERE table_schema IN (" + schemas()
                + ") AND conflict_type = 'APPLY-ERROR'";
        mesh.nodes().forEach(node -> Mesh.await(node, aside, String.valueOf(Rule.values().length)));
        mesh.drain();
        mesh.pause();
        cases.forEach(c -> {
            c.item().on(c.first(), all(Kind::early), "UPDATE item SET v = 'early', n = n + 1 WHERE id = " + ASIDE_LATE);
            c.begun().on(c.first(), Kind.TRUNCATED_EARLY.early());
            c.ended().on(c.first(), Kind.TRUNCATED_LATE.early());
        });
        cases.forEach(c -> {
            c.item().on(c.second(), all(Kind::late), "UPDATE item SET w = 'late', n = n + 2 WHERE id = " + ASIDE_EARLY);
            c.begun().on(c.second(), Kind.TRUNCATED_EARLY.late());
            c.ended().on(c.second(), Kind.TRUNCATED_LATE.late());
        });
        onEach(node -> cases(c -> c.second().equals(node), c -> refused(c, c.first(), "n + 2", ASIDE_LATE)));
        mesh.resume();
        alter(node -> "DROP CONSTRAINT here");
    }

    private Case made(Rule rule, String first) {
        String[] rows = Stream.concat(
                        Kind.ALL.stream()
                                .filter(kind -> !NEW.contains(kind.name()))
                                .map(Kind::id),
                        Stream.of(ASIDE_EARLY, ASIDE_LATE))
                .map(id -> "(" + id + ", 'old', 'old', 10)")
                .toArray(String[]::new);
        String one = "(1, 'old', 'old', 10)";
        Case made = new Case(
                rule,
                first,
                mesh.other(first).id(),
                mesh.plain(ITEM, "item", rows),
                mesh.plain(ITEM, "item", one),
                mesh.plain(ITEM, "item", one));
        made.tables().forEach(table -> table.everywhere(Rule.JOINED).addLater());
        return made;
    }

    private static String all(Function<Kind, String> side) {
        return Kind.ALL.stream().map(side).collect(Collectors.joining("; "));
    }

    private static String refusedBy(String node) {
        return "not on " + node;
    }

    private static String refused(Case c, String by, String n, int id) {
        return "UPDATE " + c.item().schema() + ".item SET v = '" + refusedBy(by) + "', n = " + n + " WHERE id = " + id;
    }

    private void alter(Function<String, String> what) {
        for (TestNode node : mesh.nodes()) {
            // Each by itself: the worker looks at several tables at a time.
            cases.forEach(c -> node.execute("ALTER TABLE " + c.item().schema() + ".item " + what.apply(node.id())));
        }
    }

    private String schemas() {
        return cases.stream().map(c -> "'" + c.item().schema() + "'").collect(Collectors.joining(", "));
    }

    /** One transaction on each node: what is set aside of it costs no more than one change. */
    private void onEach(Function<String, String> sql) {
        for (TestNode node : mesh.nodes()) {
            node.execute(sql.apply(node.id()));
        }
    }

    private String cases(java.util.function.Predicate<Case> which, Function<Case, String> sql) {
        return cases.stream().filter(which).map(sql).collect(Collectors.joining("; "));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void ends(Case c) {
        Awaitility.await().atMost(java.time.Duration.ofSeconds(60)).untilAsserted(() -> {
            SoftAssertions all = new SoftAssertions();
            Shown begun = new Shown(c, c.begun());
            begun.check(all, Kind.TRUNCATED_EARLY);
            Shown ended = new Shown(c, c.ended());
            ended.check(all, Kind.TRUNCATED_LATE);
            Shown item = new Shown(c, c.item());
            Kind.ALL.forEach(kind -> item.check(all, kind));
            item.check(all, ASIDE_EARLY, SetAside.early(c.rule(), c.first(), c.second()));
            item.check(all, ASIDE_LATE, SetAside.late(c.rule(), c.first(), c.second()));
            all.assertAll();
        });
    }

    /** What both nodes have of one table. */
    private final class Shown {
        private final Case of;
        private final List<String> nodes;
        private final List<List<String>> rows;
        private final List<List<Entry>> logs;

        Shown(Case of, Table table) {
            this.of = of;
            this.nodes = List.of(of.first(), of.second());
            this.rows = nodes.stream()
                    .map(node -> table.rows(mesh.node(node), "SELECT id, v, w, n FROM item ORDER BY id"))
                    .toList();
            this.logs = nodes.stream().map(table::log).toList();
        }

        void check(SoftAssertions all, Kind kind) {
            List<SetAside.Side> sides = nodes.stream()
                    .map(node -> new SetAside.Side(
                            kind.end(of.rule(), node, of.first(), of.second()),
                            kind.entries(of.rule(), node, of.first(), of.second())
                                    .toList()))
                    .toList();
            check(all, kind.id(), sides);
            List<Set<String>> identities =
                    logs.stream().map(log -> identities(log, kind)).toList();
            if (identities.stream().noneMatch(Set::isEmpty)) {
                all.assertThat(identities.getFirst())
                        .as("%s: identities of %s", of, kind.name())
                        .isEqualTo(identities.getLast());
            }
        }

        void check(SoftAssertions all, int id, List<SetAside.Side> sides) {
            for (int place = 0; place < nodes.size(); place++) {
                String what = of + ", rows from " + id + " on " + nodes.get(place);
                all.assertThat(String.join(" ", of(rows.get(place), id)))
                        .as(what)
                        .isEqualTo(sides.get(place).rows().replace("-", ""));
                List<Entry> log = logs.get(place).stream()
                        .filter(entry -> isOf(keyOf(entry), id))
                        .toList();
                all.assertThat(log)
                        .extracting(entry -> entry.brief().replace("|null|null", ""))
                        .as(what)
                        .containsExactlyInAnyOrderElementsOf(sides.get(place).entries());
                for (Entry entry : log) {
                    // Under the keys of the entry, not in the whole table.
                    Set<String> keys = keysOf(entry);
                    List<List<String>> under = rows.stream()
                            .map(there -> there.stream()
                                    .filter(row -> keys.contains(row.substring(0, row.indexOf('|'))))
                                    .toList())
                            .toList();
                    all.assertThat(entry.converged())
                            .as("%s: whether %s is proven", what, entry.brief())
                            .isEqualTo(under.getFirst().equals(under.getLast()));
                    all.assertThat(entry.converged() || !of.rule().converges())
                            .as("%s: %s is not proven", what, entry.brief())
                            .isTrue();
                }
            }
        }

        private static List<String> of(List<String> rows, int id) {
            return rows.stream()
                    .filter(row -> isOf(Integer.parseInt(row.substring(0, row.indexOf('|'))), id))
                    .toList();
        }

        private static boolean isOf(int key, int id) {
            return key / 10 == id / 10;
        }

        /** Its own, and those that a change of the key gave the row. */
        private static Set<String> keysOf(Entry entry) {
            return Stream.concat(
                            Stream.of(String.valueOf(keyOf(entry))),
                            Stream.of(entry.local(), entry.remote())
                                    .filter(row -> entry.type().equals("KEY-UPDATE") && row.contains("|"))
                                    .map(row -> row.substring(0, row.indexOf('|'))))
                    .collect(Collectors.toSet());
        }

        private static int keyOf(Entry entry) {
            return Integer.parseInt(entry.key().replaceAll("\\D", ""));
        }

        private static Set<String> identities(List<Entry> log, Kind kind) {
            return log.stream()
                    .filter(entry -> isOf(keyOf(entry), kind.id()))
                    .map(Entry::identity)
                    .collect(Collectors.toSet());
        }
    }
}
