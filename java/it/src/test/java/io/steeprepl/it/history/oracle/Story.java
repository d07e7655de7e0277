package io.steeprepl.it.history.oracle;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** A history made up for a test of the oracle: two nodes, a and b, one table; a write's id is its commit time as well. */
final class Story {
    private final List<Write> writes = new ArrayList<>();
    private final List<Truncation> truncations = new ArrayList<>();
    private final SortedMap<String, List<Row>> rows = new TreeMap<>();
    private final List<Entry> log = new ArrayList<>();
    private final String table;
    private Set<String> ordered = Set.of();
    private Map<String, List<String>> provisional = Map.of();
    private Map<String, Boolean> folded = Map.of();
    private int epoch;

    Story() {
        this("t");
    }

    Story(String table) {
        this.table = table;
        rows.put("a", new ArrayList<>());
        rows.put("b", new ArrayList<>());
    }

    static String text(int key, long write) {
        return "{\"id\": " + key + ", \"write_id\": " + write + "}";
    }

    Story insert(String node, long id, int key) {
        return write(node, Write.Kind.INSERT, id, null, null, key);
    }

    Story update(String node, long id, long read, int key) {
        return write(node, Write.Kind.UPDATE, id, read, key, key);
    }

    Story replace(String node, long id, long read, int key) {
        return write(node, Write.Kind.REPLACE, id, read, key, key);
    }

    Story move(String node, long id, long read, int key, int to) {
        return write(node, Write.Kind.MOVE, id, read, key, to);
    }

    Story delete(String node, long id, long read, int key) {
        return write(node, Write.Kind.DELETE, id, read, key, null);
    }

    private Story write(
            String node,
            Write.Kind kind,
            long id,
            @Nullable Long read,
            @Nullable Integer before,
            @Nullable Integer after) {
        String row = after == null ? null : text(after, id);
        writes.add(
                new Write(id, node, kind, table, read, before, after, row, null, Instant.ofEpochSecond(id), epoch, 0));
        return this;
    }

    /** The last two writes were one transaction. */
    Story together() {
        Write last = writes.removeLast();
        writes.add(new Write(
                last.id(),
                last.node(),
                last.kind(),
                last.table(),
                last.read(),
                last.before(),
                last.after(),
                last.row(),
                last.was(),
                writes.getLast().time(),
                last.epoch(),
                1));
        return this;
    }

    Story truncate(String node, long time) {
        truncations.add(new Truncation(table, node, Instant.ofEpochSecond(time)));
        return this;
    }

    /** All that was written so far has arrived everywhere. */
    Story calm() {
        epoch++;
        return this;
    }

    /** The row that all nodes hold in the end. */
    Story ends(int key, long write) {
        return endsOn("a", key, write, null).endsOn("b", key, write, null);
    }

    Story endsOn(String node, int key, long write, @Nullable String unique) {
        rows.computeIfAbsent(node, n -> new ArrayList<>())
                .add(new Row(table, key, unique, write, text(key, write), ""));
        return this;
    }

    /** A logged conflict; a side is null where it deleted the row of write {@code base}. */
    Story logs(
            String node,
            String type,
            int key,
            @Nullable Long local,
            @Nullable Long remote,
            @Nullable Long base,
            String winner) {
        return logs(
                node, type + key + local + remote, type, key, side(key, local), side(key, remote), base, winner, false);
    }

    Story logs(
            String node,
            String identity,
            String type,
            int key,
            Entry.Side local,
            Entry.Side remote,
            @Nullable Long base,
            String winner,
            boolean possible) {
        log.add(new Entry(
                node,
                log.size(),
                identity,
                table,
                type,
                key,
                local,
                remote,
                base,
                "last_write_wins",
                winner,
                "KEPT_LOCAL",
                possible,
                true,
                null));
        return this;
    }

    Story pending(String node, String type, int key) {
        log.add(new Entry(
                node,
                log.size(),
                "p" + log.size(),
                table,
                type,
                key,
                side(key, null),
                side(key, null),
                null,
                "manual",
                null,
                "PENDING",
                false,
                true,
                null));
        return this;
    }

    /** The latest write of each key has to stand. */
    Story ordered() {
        ordered = Set.of(table);
        return this;
    }

    /** The earliest write stays, or that of the first of these nodes. */
    Story provisional(String... priority) {
        provisional = Map.of(table, List.of(priority));
        return this;
    }

    /** An update of a row that has a number, from one state to the other: note and number. */
    Story changes(String node, long id, int key, String note, int number, String newNote, int newNumber) {
        writes.add(new Write(
                id,
                node,
                Write.Kind.UPDATE,
                table,
                id - 1,
                key,
                key,
                numbered(key, newNote, newNumber),
                numbered(key, note, number),
                Instant.ofEpochSecond(id),
                epoch,
                0));
        return this;
    }

    /** The insertion of such a row. */
    Story begins(String node, long id, int key, String note, int number) {
        String row = numbered(key, note, number);
        writes.add(new Write(
                id, node, Write.Kind.INSERT, table, null, null, key, row, null, Instant.ofEpochSecond(id), epoch, 0));
        return this;
    }

    /** The row that all nodes hold in the end. */
    Story ends(int key, long write, String note, int number) {
        rows.values().forEach(held -> held.add(new Row(table, key, null, write, numbered(key, note, number), "")));
        return this;
    }

    private static String numbered(int key, String note, int number) {
        return "{\"n\": " + number + ", \"id\": " + key + ", \"note\": \"" + note + "\"}";
    }

    /** Rows are folds; each column goes by its last writer, or only the number is a sum. */
    Story folded(boolean byColumn) {
        folded = Map.of(table, byColumn);
        return this;
    }

    static Entry.Side side(int key, @Nullable Long write) {
        return new Entry.Side(write, write == null ? null : text(key, write));
    }

    private Evidence evidence() {
        return new Evidence(writes, truncations, rows, log, ordered, provisional, folded);
    }

    /** The names of the rules that are broken. */
    List<String> judged() {
        return names(Oracle.judge(evidence()));
    }

    List<String> proofsJudged() {
        return names(Oracle.judgeProofs(evidence()));
    }

    private static List<String> names(List<Violation> violations) {
        return violations.stream().map(Violation::rule).toList();
    }
}
