package io.steeprepl.it.conflict;

import java.util.List;

/**
 * What comes of a change that one node sets aside, and of a write of that node that had not seen it, once the change can be
 * applied there.
 */
final class SetAside {
    private static final String ENTRY = "%s here %s of %s, arrived %s of %s, base %s: %s";

    private SetAside() {}

    /**
     * What a node ends with.
     *
     * @param entries as {@link Entry#brief()} has them
     */
    record Side(String rows, List<String> entries) {}

    /** The second node sets the change of the first aside, and writes then. Rows and entries of the first and of the second. */
    static List<Side> early(Rule rule, String first, String second) {
        String early = "150|not on " + second + "|old|11";
        String late = "150|old|late|12";
        String base = "150|old|old|10";
        String atFirst = switch (rule) {
            case MERGE, SUM, FUNCTION -> "nobody MERGED";
            case OWN -> "local KEPT_LOCAL";
            case BY_HAND -> "local PENDING";
            // Of rows that cannot be applied everywhere the latest stays, whatever the strategy.
            default -> "remote APPLIED_REMOTE";
        };
        String aside = switch (rule) {
            case MERGE, SUM, FUNCTION -> "nobody MERGED";
            // By now a conflict like any other, which the strategy decides.
            case OWN -> "local KEPT_LOCAL";
            case BY_HAND -> "local PENDING";
            case OTHER -> "remote APPLIED_REMOTE";
            default -> "local KEPT_LOCAL";
        };
        String end = switch (rule) {
            case MERGE -> "150|not on " + second + "|late|12";
            case SUM -> "150|old|late|13";
            case FUNCTION -> "150|not on " + second + "+old|late|12";
            default -> late;
        };
        boolean apart = !rule.converges();
        return List.of(
                new Side(
                        rule == Rule.OWN || rule == Rule.BY_HAND ? early : end,
                        List.of(ENTRY.formatted("UPDATE-UPDATE", early, first, late, second, base, atFirst))),
                new Side(
                        rule == Rule.OTHER ? early : end,
                        List.of(
                                apart
                                        ? ENTRY.formatted("UPDATE-UPDATE", late, second, early, first, base, aside)
                                        : ENTRY.formatted("APPLY-ERROR", "-", "-", early, first, base, aside))));
    }

    /** The first node sets the change of the second aside, having written before that: if the change is to stand there at all. */
    static List<Side> late(Rule rule, String first, String second) {
        String early = "160|early|old|11";
        String late = "160|not on " + first + "|old|12";
        String base = "160|old|old|10";
        boolean applies = !rule.winner(first, first, second).equals(first) && rule != Rule.FUNCTION;
        String end = switch (rule) {
            case SUM -> "160|not on " + first + "|old|13";
            case FUNCTION -> "160|early+not on " + first + "|old|12";
            default -> rule.winner(second, first, second).equals(second) ? late : early;
        };
        String atFirst = switch (rule) {
            case SUM, FUNCTION -> "nobody MERGED";
            case OTHER, MERGE -> "remote APPLIED_REMOTE";
            default -> applies ? "nobody APPLIED_REMOTE" : rule.decision(first, first, false);
        };
        String atSecond = rule == Rule.SUM || rule == Rule.FUNCTION
                ? "nobody MERGED"
                : rule.decision(rule.winner(second, first, second), second, false);
        return List.of(
                new Side(
                        rule == Rule.OWN || rule == Rule.BY_HAND ? early : rule == Rule.OTHER ? late : end,
                        List.of(
                                applies
                                        ? ENTRY.formatted("APPLY-ERROR", "-", "-", late, second, base, atFirst)
                                        : ENTRY.formatted("UPDATE-UPDATE", early, first, late, second, base, atFirst))),
                new Side(end, List.of(ENTRY.formatted("UPDATE-UPDATE", late, second, early, first, base, atSecond))));
    }
}
