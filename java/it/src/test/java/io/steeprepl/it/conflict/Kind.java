package io.steeprepl.it.conflict;

import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * A kind of conflict of two writes that had not seen each other, in rows of its own: those with ids from {@code id} to
 * {@code id + 9}. Rows are their values joined by {@code |}, several are joined by a blank; {@code -} is none.
 *
 * @param name of entries in the log
 * @param early what the node writes that is first
 * @param late what the other one writes after that
 * @param first what the first node has then
 * @param second what the second one has
 * @param folds what both end with where rows are folds, if it is not the row of the later
 * @param byTime the later write stays, whatever the strategy
 * @param seen the entries of both nodes
 */
record Kind(
        String name,
        int id,
        String early,
        String late,
        String first,
        String second,
        Map<Rule, String> folds,
        boolean byTime,
        List<Seen> seen) {
    /**
     * An entry, but for the decision.
     *
     * @param byFirst whether the first node has it
     * @param hereOfFirst who wrote what is here
     * @param possible whether it says so, where rows are no folds or where it is {@code byTime}
     * @param inFolds whether there is one where rows are folds
     */
    record Seen(
            boolean byFirst,
            String here,
            boolean hereOfFirst,
            String arrived,
            String base,
            boolean possible,
            boolean inFolds) {
        private Seen onlyPossible() {
            return new Seen(byFirst, here, hereOfFirst, arrived, base, true, inFolds);
        }

        private Seen notInFolds() {
            return new Seen(byFirst, here, hereOfFirst, arrived, base, possible, false);
        }

        private Seen ofFirst(boolean itIs) {
            return new Seen(byFirst, here, itIs, arrived, base, possible, inFolds);
        }
    }

    static final List<Kind> ALL = List.of(
            of(10, "UPDATE-UPDATE", "UPDATE item SET v = 'early', n = n + 1", "UPDATE item SET w = 'late', n = n + 2")
                    .leave("10|early|old|11", "10|old|late|12")
                    .fold("10|early|late|12", "10|old|late|13", "10|early+old|late|12")
                    .log("10|early|old|11", "10|old|late|12", "10|old|old|10"),
            of(20, "UPDATE-DELETE", "UPDATE item SET v = 'early', n = n + 1", "DELETE FROM item")
                    .leave("20|early|old|11", "-")
                    .log("20|early|old|11", "-", "20|old|old|10"),
            of(30, "UPDATE-DELETE", "DELETE FROM item", "UPDATE item SET w = 'late', n = n + 2")
                    .leave("-", "30|old|late|12")
                    .log("-", "30|old|late|12", "30|old|old|10"),
            of(40, "INSERT-INSERT", insert("40, 'early', 'early', 1"), insert("40, 'late', 'late', 2"))
                    .leave("40|early|early|1", "40|late|late|2")
                    .fold("40|late|late|2", "40|late|late|2", "40|early+late|late|2")
                    // The second might have seen the first displaced: there is another unique value.
                    .log(
                            at(true, "40|early|early|1", "40|late|late|2", "-").onlyPossible(),
                            at(false, "40|late|late|2", "40|early|early|1", "-")),
            of(
                            50,
                            "DELETE-INSERT",
                            "DELETE FROM item",
                            "DELETE FROM item WHERE id = 50; " + insert("50, 'late', 'late', 2"))
                    .leave("-", "50|late|late|2")
                    .inTime()
                    // Nothing is lost: where rows are folds there is no entry at all.
                    .log(at(false, "50|late|late|2", "-", "50|old|old|10").notInFolds()),
            of(
                            60,
                            "DELETE-INSERT",
                            "DELETE FROM item WHERE id = 60; " + insert("60, 'early', 'early', 1"),
                            "DELETE FROM item")
                    .leave("60|early|early|1", "-")
                    .inTime()
                    .log("60|early|early|1", "-", "60|old|old|10"),
            of(70, "KEY-UPDATE", "UPDATE item SET id = 71", "UPDATE item SET w = 'late', n = n + 2")
                    .leave("71|old|old|10", "70|old|late|12")
                    .log(
                            at(true, "-", "70|old|late|12", "70|old|old|10"),
                            at(false, "70|old|late|12", "71|old|old|10", "70|old|old|10")),
            of(80, "KEY-UPDATE", "UPDATE item SET v = 'early', n = n + 1", "UPDATE item SET id = 81")
                    .leave("80|early|old|11", "81|old|old|10")
                    .log(
                            at(true, "80|early|old|11", "81|old|old|10", "80|old|old|10"),
                            at(false, "-", "80|early|old|11", "80|old|old|10")),
            of(90, "KEY-UPDATE", "UPDATE item SET id = 91", "UPDATE item SET id = 92")
                    .leave("91|old|old|10", "92|old|old|10")
                    .log(
                            at(true, "-", "92|old|old|10", "90|old|old|10"),
                            at(false, "-", "91|old|old|10", "90|old|old|10")),
            of(100, "KEY-UPDATE", "UPDATE item SET id = 101", "DELETE FROM item")
                    .leave("101|old|old|10", "-")
                    .log(at(true, "-", "-", "100|old|old|10"), at(false, "-", "101|old|old|10", "100|old|old|10")),
            of(110, "KEY-UPDATE", "DELETE FROM item", "UPDATE item SET id = 111")
                    .leave("-", "111|old|old|10")
                    .log(at(true, "-", "111|old|old|10", "110|old|old|10"), at(false, "-", "-", "110|old|old|10")),
            of(120, "UNIQUE", insert("120, 'early', 'early', 1, 'same'"), insert("121, 'late', 'late', 2, 'same'"))
                    .leave("120|early|early|1", "121|late|late|2")
                    .inTime()
                    .log("120|early|early|1|same|null", "121|late|late|2|same|null", "-"),
            of(130, "FK-ORPHAN", "DELETE FROM item", insert("131, 'late', 'late', 2, NULL, 130"))
                    .leave("-", "131|late|late|2")
                    .inTime()
                    .log(
                            at(true, "131|late|late|2|null|130", "-", "130|old|old|10")
                                    .ofFirst(false),
                            at(false, "131|late|late|2|null|130", "-", "130|old|old|10")),
            of(140, "FK-ORPHAN", insert("141, 'early', 'early', 1, NULL, 140"), "DELETE FROM item")
                    .leave("141|early|early|1", "141|early|early|1")
                    .inTime()
                    .log(
                            at(true, "141|early|early|1|null|140", "-", "140|old|old|10"),
                            at(false, "141|early|early|1|null|140", "-", "140|old|old|10")
                                    .ofFirst(true)));

    /** The same of a whole table, with the one row 1. */
    static final Kind TRUNCATED_EARLY = of(
                    0, "TRUNCATE-WRITE", "TRUNCATE item", "UPDATE item SET w = 'late', n = n + 2 WHERE id = 1")
            .leave("-", "1|old|late|12")
            .inTime()
            .log(
                    at(true, "-", "1|old|late|12", "1|old|old|10").notInFolds(),
                    at(false, "1|old|late|12", "-", "-").onlyPossible());

    static final Kind TRUNCATED_LATE = of(
                    0, "TRUNCATE-WRITE", "UPDATE item SET v = 'early', n = n + 1 WHERE id = 1", "TRUNCATE item")
            .leave("1|early|old|11", "-")
            .inTime()
            .log(at(true, "1|early|old|11", "-", "-").onlyPossible(), at(false, "-", "1|early|old|11", "1|old|old|10"));

    private static String insert(String values) {
        return "INSERT INTO item VALUES (" + values + ")";
    }

    private static Kind of(int id, String name, String early, String late) {
        return new Kind(name, id, where(early, id), where(late, id), "-", "-", Map.of(), false, List.of());
    }

    /** What has no rows of its own yet changes that of this kind. */
    private static String where(String statement, int id) {
        return id == 0 || statement.contains("INSERT") ? statement : statement + " WHERE id = " + id;
    }

    private Kind leave(String byFirst, String bySecond) {
        return new Kind(name, id, early, late, byFirst, bySecond, folds, byTime, seen);
    }

    private Kind fold(String merged, String summed, String made) {
        return new Kind(
                name,
                id,
                early,
                late,
                first,
                second,
                Map.of(Rule.MERGE, merged, Rule.SUM, summed, Rule.FUNCTION, made),
                byTime,
                seen);
    }

    private Kind inTime() {
        return new Kind(name, id, early, late, first, second, folds, true, seen);
    }

    /** Each has its own row, and the other's arrives. */
    private Kind log(String earlier, String later, String base) {
        return log(at(true, earlier, later, base), at(false, later, earlier, base));
    }

    private Kind log(Seen... entries) {
        return new Kind(name, id, early, late, first, second, folds, byTime, List.of(entries));
    }

    /** The rows that a node ends with. */
    String end(Rule rule, String node, String first, String other) {
        if (rule.folds()) {
            return folds.getOrDefault(rule, second);
        }
        return byTime || rule.winner(node, first, other).equals(other) ? second : this.first;
    }

    /** The entries that a node ends with, as {@link Entry#brief()} has them. */
    Stream<String> entries(Rule rule, String node, String first, String other) {
        return seen.stream()
                .filter(entry -> entry.byFirst() == node.equals(first) && (entry.inFolds() || !rule.folds()))
                .map(entry -> "%s here %s of %s, arrived %s of %s, base %s: %s%s"
                        .formatted(
                                name,
                                entry.here(),
                                entry.hereOfFirst() ? first : other,
                                entry.arrived(),
                                entry.hereOfFirst() ? other : first,
                                entry.base(),
                                decision(rule, node, first, other),
                                entry.possible() && (byTime || !rule.folds()) ? ", possible" : ""));
    }

    private String decision(Rule rule, String node, String first, String other) {
        if (name.equals("FK-ORPHAN")) {
            return "nobody PENDING";
        }
        if (rule.folds() && !Stream.of(this.first, second).toList().contains(end(rule, node, first, other))) {
            return "nobody MERGED";
        }
        return rule.decision(byTime ? other : rule.winner(node, first, other), node, byTime);
    }

    private static Seen at(boolean byFirst, String here, String arrived, String base) {
        return new Seen(byFirst, here, byFirst, arrived, base, false, true);
    }
}
