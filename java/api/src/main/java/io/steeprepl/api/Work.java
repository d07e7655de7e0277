package io.steeprepl.api;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * Work in the background: who asked for what, and how it ended.
 *
 * @param kind what it does: snapshot, apply
 * @param path the folder it is about, null when it is about none
 * @param role as whom it runs, null when that role is gone
 * @param attempts how often it was begun
 * @param parameters what was asked for, as JSON
 * @param result what came of it, as JSON
 */
public record Work(
        long id,
        String kind,
        WorkState state,
        @Nullable String path,
        @Nullable String role,
        String askedBy,
        Instant askedAt,
        @Nullable Instant startedAt,
        @Nullable Instant finishedAt,
        int attempts,
        @Nullable String cancelledBy,
        @Nullable String error,
        @Nullable String sqlState,
        String parameters,
        @Nullable String result) {}
