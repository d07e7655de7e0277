package io.steeprepl.it.history.oracle;

import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.SortedMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * All that is known at the end of a history.
 *
 * @param rows what each node holds
 * @param log the conflict_log of all nodes
 * @param ordered tables in which the latest write of a key must stand: those without a secondary unique index
 * @param provisional tables whose strategy may let an earlier write stay: the nodes whose writes go before others, the first before all; none
 *     where the earliest stays
 * @param folded tables whose rows are folds of their changes, with whether each column goes by its last writer
 */
public record Evidence(
        List<Write> writes,
        List<Truncation> truncations,
        SortedMap<String, List<Row>> rows,
        List<Entry> log,
        Set<String> ordered,
        Map<String, List<String>> provisional,
        Map<String, Boolean> folded) {
    Map<Long, Write> byId() {
        return writes.stream().collect(Collectors.toMap(Write::id, Function.identity()));
    }

    /** The ids of writes that some committed write had read. */
    Set<Long> readByOthers() {
        return writes.stream().map(Write::read).filter(Objects::nonNull).collect(Collectors.toSet());
    }

    /** The ids of writes whose row some node holds. */
    Set<Long> held() {
        return rows.values().stream().flatMap(List::stream).map(Row::write).collect(Collectors.toSet());
    }

    /** The write and those before it whose row it goes on: back to the insertion. */
    static Set<Long> line(long write, Map<Long, Write> byId) {
        Set<Long> line = new HashSet<>();
        @Nullable Long next = write;
        while (next != null && line.add(next)) {
            Write w = byId.get(next);
            next = w != null && w.continues() ? w.read() : null;
        }
        return line;
    }

    /** All that a write had seen of its row, in whatever way. */
    static Set<Long> seen(long write, Map<Long, Write> byId) {
        Set<Long> seen = new HashSet<>();
        Write w = byId.get(write);
        while (w != null && w.read() != null && seen.add(w.read())) {
            w = byId.get(w.read());
        }
        return seen;
    }
}
