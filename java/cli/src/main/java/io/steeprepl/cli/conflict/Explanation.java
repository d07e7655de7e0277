package io.steeprepl.cli.conflict;

import io.steeprepl.api.Conflict;
import io.steeprepl.cli.output.Text;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A conflict in sentences: what it was, what was decided, why, and whether all nodes agree. */
final class Explanation {
    private Explanation() {}

    /** What it was, where, when. */
    static List<String> title(Conflict conflict) {
        String key = conflict.tuplesVisible() ? ConflictColumns.key(conflict) : null;
        return List.of(
                Text.sanitise("#%d %s on %s%s"
                        .formatted(conflict.id(), conflict.kind(), conflict.table(), key == null ? "" : ", " + key)),
                Text.sanitise("Detected %s%s%s"
                        .formatted(
                                Text.precise(conflict.detectedAt()),
                                conflict.peer() == null ? "" : ", from " + conflict.peer(),
                                conflict.originXid() == null ? "" : ", its transaction " + conflict.originXid())),
                "");
    }

    /** What was decided and why. */
    static List<String> lines(Conflict conflict) {
        List<String> lines = new ArrayList<>();
        Conflict.Decision decision = conflict.decision();
        add(lines, "Local", version(conflict.local()));
        add(lines, "Remote", version(conflict.remote()));
        add(lines, "Decided", decided(conflict));
        if (decision.resolvedAt() != null) {
            add(
                    lines,
                    "",
                    Text.precise(decision.resolvedAt())
                            + (decision.resolvedBy() == null ? "" : ", by " + decision.resolvedBy()));
        }
        add(lines, "Reason", decision.reason());
        if (decision.sqlState() != null || decision.error() != null) {
            add(
                    lines,
                    "Error",
                    (decision.sqlState() == null ? "" : "[" + decision.sqlState() + "] ")
                            + (decision.error() == null ? ConflictColumns.hidden(conflict) : decision.error()));
        }
        if (decision.possible()) {
            add(lines, "Possible", "this node could not tell whether the later write had seen the earlier one");
        }
        add(lines, "Proven", proven(conflict.proof()));
        add(
                lines,
                "Twins",
                conflict.conflictKey() == null
                        ? null
                        : "conflict_key %s on every node that logged it".formatted(conflict.conflictKey()));
        return lines;
    }

    private static @Nullable String version(Conflict.Side side) {
        if (side.committedAt() == null) {
            return side.origin() == null ? null : "written on %s, time not known".formatted(side.origin());
        }
        return "written %s%s"
                .formatted(Text.precise(side.committedAt()), side.origin() == null ? "" : " on " + side.origin());
    }

    private static String decided(Conflict conflict) {
        Conflict.Decision decision = conflict.decision();
        // Who resolved it is role@host; a rule is a word.
        boolean byHand = decision.resolvedBy() != null && decision.resolvedBy().contains("@");
        String rule = byHand ? "hand" : decision.strategy();
        String by = rule == null ? "" : " by " + rule;
        String what = switch (decision.resolution()) {
            case null -> "nothing is known of a decision";
            case "PENDING" -> "PENDING: waits for a decision" + by;
            case "APPLIED_REMOTE" -> "APPLIED_REMOTE: the remote write stays" + by;
            case "KEPT_LOCAL" -> "KEPT_LOCAL: the local write stays" + by;
            case "MERGED" -> "MERGED: a row made of both stays" + by;
            case "REVERTED" -> "REVERTED: the write that had lost was brought back";
            default -> decision.resolution() + by;
        };
        String later = later(conflict.local().committedAt(), conflict.remote().committedAt());
        return decision.winner() == null || later == null ? what : what + "; " + later;
    }

    /** Which write came later, by how much. */
    private static @Nullable String later(@Nullable Instant local, @Nullable Instant remote) {
        if (local == null || remote == null) {
            return null;
        }
        Duration between = Duration.between(local, remote);
        if (between.isZero()) {
            return "both have the same time";
        }
        Duration size = between.abs();
        return "%s is later by %d.%06d s"
                .formatted(between.isNegative() ? "local" : "remote", size.toSeconds(), size.toNanosPart() / 1000);
    }

    private static String proven(Conflict.Proof proof) {
        if (proof.convergedAt() != null) {
            return "all nodes agree since " + Text.precise(proof.convergedAt());
        }
        String why = proof.notConvergedReason() == null ? "" : ": " + proof.notConvergedReason();
        return "not yet%s; nodes compared %d times%s"
                .formatted(
                        why, proof.attempts(), proof.nextAt() == null ? "" : ", next " + Text.precise(proof.nextAt()));
    }

    private static void add(List<String> lines, String name, @Nullable String text) {
        if (text != null) {
            lines.add("%-10s%s".formatted(name, Text.sanitise(text)));
        }
    }
}
