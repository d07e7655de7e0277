package io.steeprepl.api;

import java.util.List;

/**
 * How a table is to decide its conflicts.
 *
 * @param priority the node ids of node_priority, the first wins; empty for the others
 */
public record TableStrategy(QualifiedName table, String strategy, List<String> priority) {}
