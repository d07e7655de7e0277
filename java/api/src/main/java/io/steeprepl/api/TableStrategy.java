package io.steeprepl.api;

/** How a table is to decide its conflicts. */
public record TableStrategy(QualifiedName table, StrategyOptions options) {}
