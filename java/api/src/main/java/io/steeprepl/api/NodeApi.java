package io.steeprepl.api;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** The registry of nodes. All methods throw {@link ApiException}. */
public interface NodeApi {
    /** The version of the extension in this database, empty when there is none. */
    Optional<String> extensionVersion();

    /** Creates the extension in this database if it is not there; its files must be installed in the server. */
    void createExtension();

    /** The id of this node, empty when this database is not a node. */
    Optional<NodeId> self();

    /**
     * Makes this database a node.
     *
     * @param node what the node is to be called and how peers reach it
     * @return its entry in the registry
     */
    Node create(NodeEntry node);

    /**
     * Registers a peer, or changes its entry.
     *
     * @return its entry in the registry
     */
    Node register(NodeEntry node);

    /** Takes a node out of the registry: its status becomes {@code removed}, its history stays. */
    Node unregister(NodeId node);

    /** Every node of the registry, this one included. */
    List<Node> list();

    /** One node of the registry. Throws {@link ApiException.Failed} where that node is not known. */
    Node get(NodeId node);

    /** Says that this node is alive; when, or empty when this database is not a node. */
    Optional<Instant> heartbeat();

    /**
     * Says whether the daemon of a peer answers the one of this node.
     *
     * @param valid how long it is believed that it does not
     * @return the peer's status now: its database has to answer, too
     */
    String observe(NodeId peer, boolean answers, Duration valid);

    /** Settings of the server that are missing or harmful for a node with that many peers. */
    List<SettingProblem> checkSettings(int peers);
}
