package io.steeprepl.direct;

import io.steeprepl.api.ApiException;
import io.steeprepl.api.Node;
import io.steeprepl.api.NodeApi;
import io.steeprepl.api.NodeEntry;
import io.steeprepl.api.NodeId;
import io.steeprepl.api.SettingProblem;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** {@link NodeApi} by SQL. */
record DirectNodes(Database database) implements NodeApi {
    private static final String OF_CALL = """
            SELECT n.node_id, n.node_name, n.host, n.port, n.dbname, n.priority, n.is_coordinator,
                   coalesce(n.node_id = steep_repl.node_id(), false) AS is_self, n.last_seen, n.status
              FROM\s""";

    @Override
    public Optional<String> extensionVersion() {
        return database
                .rows("SELECT extversion FROM pg_extension WHERE extname = 'steep_repl'", row -> row.text("extversion"))
                .stream()
                .findFirst();
    }

    @Override
    public void createExtension() {
        database.run("CREATE EXTENSION IF NOT EXISTS steep_repl");
    }

    @Override
    public Optional<NodeId> self() {
        String id = database.row("SELECT steep_repl.node_id() AS node_id", row -> row.text("node_id"));
        return id.isEmpty() ? Optional.empty() : Optional.of(new NodeId(id));
    }

    @Override
    public Node create(NodeEntry node) {
        return entry(Call.of("create_node")
                .with("node_id", node.nodeId().value())
                .with("node_name", node.nodeName())
                .with("host", node.host())
                .with("port", node.port())
                .with("priority", node.priority()));
    }

    @Override
    public Node register(NodeEntry node) {
        return entry(Call.of("register_node")
                .with("node_id", node.nodeId().value())
                .with("node_name", node.nodeName())
                .with("host", node.host())
                .with("port", node.port())
                .with("priority", node.priority())
                .with("dbname", node.dbname())
                .with("conninfo", node.conninfo()));
    }

    @Override
    public Node unregister(NodeId node) {
        return entry(Call.of("unregister_node").with("node_id", node.value()));
    }

    private Node entry(Call call) {
        return database.row(OF_CALL + call.sql() + " n", DirectNodes::node, call.parameters());
    }

    @Override
    public List<Node> list() {
        return database.rows("SELECT * FROM steep_repl.node_status() ORDER BY node_id", DirectNodes::node);
    }

    @Override
    public Node get(NodeId node) {
        return database
                .rows("SELECT * FROM steep_repl.node_status() WHERE node_id = ?", DirectNodes::node, node.value())
                .stream()
                .findFirst()
                .orElseThrow(() -> new ApiException.Failed(
                        "SR004",
                        "node %s is not known here".formatted(node),
                        null,
                        "steep-repl node list --all",
                        null));
    }

    @Override
    public Optional<Instant> heartbeat() {
        return Optional.ofNullable(
                database.row("SELECT steep_repl.heartbeat() AS at", row -> new Beat(row.timeOrNull("at")))
                        .at());
    }

    private record Beat(@Nullable Instant at) {}

    @Override
    public String observe(NodeId peer, boolean answers, Duration valid) {
        return database.row(
                "SELECT steep_repl.observe_node(?, ?, make_interval(secs => ?::float8)) AS status",
                row -> row.text("status"),
                peer.value(),
                answers,
                valid.toMillis() / 1000.0);
    }

    private static Node node(Row row) throws SQLException {
        return new Node(
                new NodeId(row.text("node_id")),
                row.text("node_name"),
                row.text("host"),
                row.number("port"),
                row.text("dbname"),
                row.number("priority"),
                row.flag("is_coordinator"),
                row.flag("is_self"),
                row.timeOrNull("last_seen"),
                row.text("status"));
    }

    @Override
    public List<SettingProblem> checkSettings(int peers) {
        return database.rows(
                "SELECT * FROM steep_repl.check_settings(?)",
                row -> new SettingProblem(
                        row.text("name"), row.textOrNull("current"), row.text("wanted"), row.text("problem")),
                peers);
    }
}
