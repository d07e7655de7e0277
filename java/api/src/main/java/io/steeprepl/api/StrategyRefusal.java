package io.steeprepl.api;

/** A table that could not get its strategy, and the node's error. */
public record StrategyRefusal(QualifiedName table, ApiException.Failed error) {}
