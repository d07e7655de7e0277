package io.steeprepl.remote;

import com.fasterxml.jackson.core.type.TypeReference;
import io.steeprepl.api.Node;
import io.steeprepl.api.NodeApi;
import io.steeprepl.api.NodeEntry;
import io.steeprepl.api.NodeId;
import io.steeprepl.api.SettingProblem;
import io.steeprepl.remote.Operation.None;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** {@link NodeApi} over a line. */
record RemoteNodes(Line line) implements NodeApi {
    static final Noun NOUN = new Noun("nodes");

    private record ById(NodeId nodeId) {}

    private record Peers(int peers) {}

    private record Observed(NodeId nodeId, boolean answers, Duration valid) {}

    private static final Operation<None, @Nullable String> EXTENSION_VERSION = NOUN.reading(
            "extension_version",
            new TypeReference<>() {},
            node -> node.nodes().extensionVersion().orElse(null));

    private static final Operation<None, @Nullable Void> CREATE_EXTENSION =
            NOUN.action("create_extension", node -> node.nodes().createExtension());

    private static final Operation<None, @Nullable NodeId> SELF = NOUN.reading(
            "self", new TypeReference<>() {}, node -> node.nodes().self().orElse(null));

    private static final Operation<NodeEntry, Node> CREATE = NOUN.changing(
            "create",
            NodeEntry.class,
            new TypeReference<>() {},
            (node, entry) -> node.nodes().create(entry));

    private static final Operation<NodeEntry, Node> REGISTER = NOUN.changing(
            "register",
            NodeEntry.class,
            new TypeReference<>() {},
            (node, entry) -> node.nodes().register(entry));

    private static final Operation<ById, Node> UNREGISTER = NOUN.changing(
            "unregister",
            ById.class,
            new TypeReference<>() {},
            (node, in) -> node.nodes().unregister(in.nodeId));

    private static final Operation<None, List<Node>> LIST =
            NOUN.reading("list", new TypeReference<>() {}, node -> node.nodes().list());

    private static final Operation<ById, Node> GET = NOUN.reading(
            "get",
            ById.class,
            new TypeReference<>() {},
            (node, in) -> node.nodes().get(in.nodeId));

    private static final Operation<None, @Nullable Instant> HEARTBEAT = NOUN.changing(
            "heartbeat",
            new TypeReference<>() {},
            node -> node.nodes().heartbeat().orElse(null));

    private static final Operation<Observed, String> OBSERVE = NOUN.changing(
            "observe",
            Observed.class,
            Map.of("valid", Duration.ofMinutes(1)),
            new TypeReference<>() {},
            (node, in) -> node.nodes().observe(in.nodeId, in.answers, in.valid));

    private static final Operation<Peers, List<SettingProblem>> CHECK_SETTINGS = NOUN.reading(
            "check_settings",
            Peers.class,
            Map.of("peers", 1),
            new TypeReference<>() {},
            (node, in) -> node.nodes().checkSettings(in.peers));

    @Override
    public Optional<String> extensionVersion() {
        return Optional.ofNullable(line.call(EXTENSION_VERSION));
    }

    @Override
    public void createExtension() {
        line.call(CREATE_EXTENSION);
    }

    @Override
    public Optional<NodeId> self() {
        return Optional.ofNullable(line.call(SELF));
    }

    @Override
    public Node create(NodeEntry node) {
        return line.call(CREATE, node);
    }

    @Override
    public Node register(NodeEntry node) {
        return line.call(REGISTER, node);
    }

    @Override
    public Node unregister(NodeId node) {
        return line.call(UNREGISTER, new ById(node));
    }

    @Override
    public List<Node> list() {
        return line.call(LIST);
    }

    @Override
    public Node get(NodeId node) {
        return line.call(GET, new ById(node));
    }

    @Override
    public Optional<Instant> heartbeat() {
        return Optional.ofNullable(line.call(HEARTBEAT));
    }

    @Override
    public String observe(NodeId peer, boolean answers, Duration valid) {
        return line.call(OBSERVE, new Observed(peer, answers, valid));
    }

    @Override
    public List<SettingProblem> checkSettings(int peers) {
        return line.call(CHECK_SETTINGS, new Peers(peers));
    }
}
