package io.steeprepl.it.remote;

import io.steeprepl.api.AuditFilter;
import io.steeprepl.api.BulkFilter;
import io.steeprepl.api.CompleteOptions;
import io.steeprepl.api.ConflictFilter;
import io.steeprepl.api.NodeEntry;
import io.steeprepl.api.NodeId;
import io.steeprepl.api.QualifiedName;
import io.steeprepl.api.RangeApi.RangeOptions;
import io.steeprepl.api.ReplayOptions;
import io.steeprepl.api.Resolution;
import io.steeprepl.api.StartOptions;
import io.steeprepl.api.SteepRepl;
import io.steeprepl.api.StrategyOptions;
import io.steeprepl.api.TableOptions;
import io.steeprepl.api.TableStrategy;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A call that must come out the same whatever the way.
 *
 * @param method which it is, as it travels
 * @param fails whether it must fail
 * @param masks what differs from call to call, as patterns
 * @param before statements that make things as they were
 */
record ParityCase(String method, boolean fails, List<String> masks, List<String> before, Call call) {
    private static final String UUID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}";
    static final String TIME = "\\d{4}-\\d\\d-\\d\\dT[0-9:.]+Z";
    private static final QualifiedName WAIT = QualifiedName.parse("public.\"Wait\"");
    private static final QualifiedName ITEM = QualifiedName.parse("item");
    private static final QualifiedName COUNTED = QualifiedName.parse("counted");
    private static final QualifiedName EXTRA = QualifiedName.parse("extra");

    /** Asks; {@code turn} is another for each way. */
    interface Call {
        @Nullable
        Object on(SteepRepl node, int turn);
    }

    String mask(String text) {
        String masked = text;
        for (String mask : masks) {
            masked = masked.replaceAll(mask, "…");
        }
        return masked;
    }

    @Override
    public String toString() {
        return method + (fails ? " fails" : "");
    }

    static ParityCase works(String method, Call call) {
        return new ParityCase(method, false, List.of(), List.of(), call);
    }

    static ParityCase acts(String method, Consumer<SteepRepl> act) {
        return works(method, (node, _) -> {
            act.accept(node);
            return "done";
        });
    }

    static ParityCase refused(String method, Call call) {
        return new ParityCase(method, true, List.of(), List.of(), call);
    }

    static ParityCase refusedAct(String method, Consumer<SteepRepl> act) {
        return refused(method, (node, _) -> {
            act.accept(node);
            return "done";
        });
    }

    ParityCase but(String... differing) {
        return new ParityCase(method, fails, List.of(differing), before, call);
    }

    ParityCase after(String... statements) {
        return new ParityCase(method, fails, masks, List.of(statements), call);
    }

    static Stream<ParityCase> all() {
        List<ParityCase> all = new ArrayList<>();
        all.addAll(nodes());
        all.addAll(auditAndHealth());
        all.addAll(links());
        all.addAll(tables());
        all.addAll(conflicts());
        all.addAll(decisions());
        all.addAll(ranges());
        all.addAll(SchemaCases.all());
        all.addAll(SnapshotCases.all());
        all.addAll(starts());
        all.addAll(ReinitCases.all());
        return all.stream();
    }

    private static NodeEntry entry(String id, @Nullable Integer priority) {
        return new NodeEntry(new NodeId(id), null, "c.example", 6000, priority, "shop", null);
    }

    private static List<ParityCase> nodes() {
        return List.of(
                works("nodes.extension_version", (node, _) -> node.nodes().extensionVersion()),
                acts("nodes.create_extension", node -> node.nodes().createExtension()),
                works("nodes.self", (node, _) -> node.nodes().self()),
                works("nodes.list", (node, _) -> node.nodes().list()).but(TIME),
                works("nodes.get", (node, _) -> node.nodes().get(new NodeId("b")))
                        .but(TIME),
                refused("nodes.get", (node, _) -> node.nodes().get(new NodeId("nobody"))),
                works(
                                "nodes.create",
                                (node, _) -> node.nodes()
                                        .create(new NodeEntry(new NodeId("a"), "Ä", null, null, null, null, null)))
                        .but(TIME, "host=[^,]*, port=\\d+"),
                refused("nodes.create", (node, _) -> node.nodes().create(entry("other", 1))),
                works("nodes.register", (node, _) -> node.nodes().register(entry("c", 7))),
                refused("nodes.register", (node, _) -> node.nodes().register(entry("c", 7000))),
                works("nodes.unregister", (node, _) -> node.nodes().unregister(new NodeId("c")))
                        .after("SELECT steep_repl.register_node('c', host => 'c.example')"),
                refused("nodes.unregister", (node, _) -> node.nodes().unregister(new NodeId("nobody"))),
                works("nodes.heartbeat", (node, _) -> node.nodes().heartbeat()).but(TIME),
                works("nodes.observe", (node, _) -> node.nodes().observe(new NodeId("b"), true, Duration.ofMinutes(1))),
                refused(
                        "nodes.observe",
                        (node, _) -> node.nodes().observe(new NodeId("a"), false, Duration.ofMinutes(1))),
                works("nodes.check_settings", (node, _) -> node.nodes().checkSettings(2000)));
    }

    private static List<ParityCase> auditAndHealth() {
        return List.of(
                works("health.get", (node, _) -> node.health().get()).but("sections=\\[.*", "[0-9]+ s(econds)?"),
                works(
                        "health.get",
                        (node, _) -> node.health().get().sections().stream()
                                .map(fact -> fact.section() + "." + fact.name())
                                .toList()),
                works(
                        "audit.query",
                        (node, _) ->
                                node.audit().list(new AuditFilter("table.add", null, Duration.ofDays(1), false, 3))),
                refused("audit.query", (node, _) -> node.audit().list(new AuditFilter(null, null, null, true, -1))),
                works("audit.prune", (node, _) -> node.audit().prune(Duration.ofDays(3650))),
                refused("audit.prune", (node, _) -> node.audit().prune(Duration.ofSeconds(-1))));
    }

    private static List<ParityCase> links() {
        return List.of(
                works("subscriptions.list", (node, _) -> node.subscriptions().list())
                        .but(TIME, "(lagBytes|lagSeconds|retainedWalBytes)=[^,]*", "receivedLsn=[^,]*"),
                refusedAct("subscriptions.add", node -> node.subscriptions().add("a", null, true)),
                refusedAct(
                        "subscriptions.add",
                        node -> node.subscriptions()
                                .add("host=127.0.0.1 port=1 password=Canary7 connect_timeout=2", null, false)),
                refusedAct("subscriptions.remove", node -> node.subscriptions().remove("nobody")),
                acts("subscriptions.pause", node -> node.subscriptions().pause("b")),
                acts("subscriptions.resume", node -> node.subscriptions().resume("b")),
                refusedAct("subscriptions.pause", node -> node.subscriptions().pause("nobody")),
                refusedAct("subscriptions.resume", node -> node.subscriptions().resume("nobody")));
    }

    private static List<ParityCase> tables() {
        String removed = "SELECT steep_repl.remove_table('extra') FROM steep_repl.tables WHERE table_name = 'extra'";
        return List.of(
                works("tables.list", (node, _) -> node.tables().list()),
                works(
                                "tables.add",
                                (node, _) -> node.tables().add(EXTRA, new TableOptions(null, false, "refuse", null)))
                        .after(removed),
                refused(
                        "tables.add",
                        (node, _) -> node.tables()
                                .add(QualifiedName.parse("no.such"), new TableOptions(null, true, "refuse", null))),
                refused(
                        "tables.add",
                        (node, _) -> node.tables()
                                .add(
                                        QualifiedName.parse("odd.fleeting"),
                                        new TableOptions("magic", true, "refuse", null))),
                works("tables.add_all", (node, _) -> node.tables().addAll("odd")),
                refused("tables.add_all", (node, _) -> node.tables().addAll("no such")),
                acts("tables.remove", node -> node.tables().remove(EXTRA))
                        .after(removed, "SELECT steep_repl.add_table('extra')"),
                refusedAct("tables.remove", node -> node.tables().remove(QualifiedName.parse("pg_catalog.pg_class"))));
    }

    private static ConflictFilter conflictsOf(QualifiedName table, int limit) {
        return new ConflictFilter(table, null, null, null, false, Duration.ofDays(1), limit);
    }

    private static long entry(SteepRepl node, QualifiedName table, int at) {
        return node.conflicts().list(conflictsOf(table, 100)).stream()
                .mapToLong(conflict -> conflict.id())
                .sorted()
                .skip(at)
                .findFirst()
                .orElseThrow();
    }

    private static List<ParityCase> conflicts() {
        return List.of(
                works("conflicts.list", (node, _) -> node.conflicts().list(conflictsOf(ITEM, 100))),
                works(
                        "conflicts.list",
                        (node, _) -> node.conflicts().list(conflictsOf(WAIT, 1)).size()),
                works("conflicts.show", (node, _) -> node.conflicts().show(entry(node, ITEM, 0))),
                refused("conflicts.show", (node, _) -> node.conflicts().show(999_999)),
                works("conflicts.stats", (node, _) -> node.conflicts().stats()).but("perMinute=[^,]*", "unproven=\\d+"),
                works("conflicts.strategies", (node, _) -> node.conflicts().strategies()),
                works(
                        "conflicts.replay",
                        (node, _) -> node.conflicts()
                                .replay(new ReplayOptions(
                                        "node_priority", ITEM, Duration.ofDays(1), null, List.of("b", "a")))),
                refused(
                        "conflicts.replay",
                        (node, _) -> node.conflicts().replay(new ReplayOptions("magic", null, null, null, List.of()))),
                acts(
                        "conflicts.set_strategy",
                        node -> node.conflicts()
                                .setStrategy(
                                        QualifiedName.parse("plain"),
                                        new StrategyOptions("node_priority", List.of("b", "a"), List.of(), null))),
                refusedAct(
                        "conflicts.set_strategy",
                        node -> node.conflicts()
                                .setStrategy(ITEM, new StrategyOptions("magic", List.of(), List.of(), null))),
                works(
                        "conflicts.set_strategies",
                        (node, _) -> node
                                .conflicts()
                                .setStrategies(
                                        List.of(
                                                new TableStrategy(
                                                        ITEM,
                                                        new StrategyOptions("keep_local", List.of(), List.of(), null)),
                                                new TableStrategy(
                                                        WAIT,
                                                        new StrategyOptions("magic", List.of(), List.of(), null))),
                                        true)
                                .stream()
                                .map(refusal ->
                                        refusal.table() + " " + refusal.error().sqlState() + " "
                                                + refusal.error().message() + " "
                                                + refusal.error().hint())
                                .toList()));
    }

    private static List<ParityCase> decisions() {
        var local = new Resolution(Resolution.Side.LOCAL, null, false, "because");
        return List.of(
                works(
                        "conflicts.resolve_all",
                        (node, _) -> node.conflicts()
                                .resolveAll(
                                        new BulkFilter(null, WAIT, Instant.EPOCH, null, "b"),
                                        Resolution.Side.REMOTE,
                                        null,
                                        true)),
                refused(
                        "conflicts.resolve_all",
                        (node, _) -> node.conflicts()
                                .resolveAll(
                                        new BulkFilter(null, null, null, null, null),
                                        Resolution.Side.MERGED,
                                        null,
                                        true)),
                works("conflicts.resolve", (node, turn) -> {
                    long id = entry(node, WAIT, turn);
                    node.conflicts().resolve(id, local);
                    return node.conflicts().show(id).entry().decision().reason();
                }),
                refusedAct("conflicts.resolve", node -> node.conflicts().resolve(999_999, local)),
                refusedAct(
                        "conflicts.resolve",
                        node -> node.conflicts()
                                .resolve(
                                        entry(node, WAIT, 8),
                                        new Resolution(Resolution.Side.MERGED, "{\"id\": \"no\"}", false, null))),
                works(
                        "conflicts.revert",
                        (node, turn) -> node.conflicts().revert(entry(node, WAIT, turn), "again", true) > 0),
                refused("conflicts.revert", (node, _) -> node.conflicts().revert(999_999, "again", false)));
    }

    private static List<ParityCase> ranges() {
        return List.of(
                works("ranges.list", (node, _) -> node.ranges().list()).but(TIME),
                works("ranges.settings", (node, _) -> node.ranges().settings()),
                works(
                        "ranges.allocate",
                        (node, _) -> node.ranges().allocate(COUNTED, 500).size()),
                refused("ranges.allocate", (node, _) -> node.ranges().allocate(ITEM, 500)),
                works(
                        "ranges.release",
                        (node, _) -> node.ranges()
                                .release(
                                        COUNTED,
                                        node.ranges()
                                                .allocate(COUNTED, 500)
                                                .getFirst()
                                                .rangeStart())),
                refused("ranges.release", (node, _) -> node.ranges().release(COUNTED, -5)),
                works(
                                "ranges.enable_bypass",
                                (node, _) -> node.ranges().enableBypass(COUNTED, Duration.ofMinutes(5), "import"))
                        .but(TIME),
                refused(
                        "ranges.enable_bypass",
                        (node, _) -> node.ranges().enableBypass(ITEM, Duration.ofMinutes(5), "import")),
                works("ranges.disable_bypass", (node, _) -> node.ranges().disableBypass(COUNTED))
                        .after("SELECT steep_repl.enable_bypass('counted', interval '1 minute', 'test')"),
                works("ranges.disable_bypass", (node, _) -> node.ranges().disableBypass(COUNTED)),
                acts("ranges.set", node -> node.ranges().set(COUNTED, new RangeOptions(null, 2000L, 70))),
                refusedAct("ranges.set", node -> node.ranges().set(COUNTED, new RangeOptions(null, -1L, null))));
    }

    private static List<ParityCase> starts() {
        String nowhere = "host=127.0.0.1 port=1 password=Canary7 connect_timeout=2";
        return List.of(
                works(
                        "start.check",
                        (node, _) -> node.start().check(new StartOptions(nowhere, nowhere, null, null, null))),
                refused(
                        "start.start",
                        (node, _) ->
                                node.start().start(new StartOptions("this is no conninfo", nowhere, null, null, null))),
                refused(
                        "start.start",
                        (node, _) -> node.start().start(new StartOptions(nowhere, nowhere, "by hand", "/x", 99))),
                refused(
                        "start.complete",
                        (node, _) -> node.start()
                                .complete(new CompleteOptions(
                                        new NodeId("z"), nowhere, nowhere, "Z", "127.0.0.1", 1, 7, null))),
                works("start.running", (node, _) -> node.start().running()),
                works("start.progress", (node, _) -> node.start().progress(999)),
                works("start.list", (node, _) -> node.start().list()),
                refused("start.cancel", (node, _) -> node.start().cancel(999)),
                works("start.prepare", (node, _) -> {
                            var made = node.start().prepare(Duration.ofMinutes(5));
                            node.start().cancelPreparation(made.id());
                            return made;
                        })
                        .but(TIME, UUID, "kept_\\w+", "retainedWalBytes=\\d+"),
                refused("start.prepare", (node, _) -> node.start().prepare(Duration.ofDays(99))),
                works("start.preparations", (node, _) -> node.start().preparations()),
                works(
                        "start.cancel_preparation",
                        (node, _) -> node.start()
                                .cancelPreparation(node.start()
                                        .prepare(Duration.ofMinutes(5))
                                        .id())),
                refused(
                        "start.cancel_preparation",
                        (node, _) -> node.start().cancelPreparation("00000000-0000-0000-0000-000000000000")));
    }
}
