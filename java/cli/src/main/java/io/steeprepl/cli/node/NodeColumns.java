package io.steeprepl.cli.node;

import io.steeprepl.api.Node;
import io.steeprepl.cli.output.Column;
import java.util.List;

/** How nodes are printed, everywhere. */
final class NodeColumns {
    static final List<Column<Node>> ALL = List.of(
            Column.of("node_id", Node::nodeId),
            Column.of("node_name", Node::nodeName),
            Column.of("host", Node::host),
            Column.of("port", Node::port),
            Column.of("dbname", Node::dbname),
            Column.of("priority", Node::priority),
            Column.of("is_coordinator", Node::isCoordinator),
            Column.of("is_self", Node::isSelf),
            Column.of("last_seen", Node::lastSeen),
            Column.of("status", Node::status));

    private NodeColumns() {}
}
