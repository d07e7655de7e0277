package io.steeprepl.cli.demo;

import io.steeprepl.cli.conflict.Tuple;
import java.time.Instant;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What became of a scene.
 *
 * @param scene what both had done
 * @param entries what both logged of it
 * @param northNow the row that the north has now; null: none
 * @param southNow likewise
 */
record Case(
        Scene scene,
        Office north,
        Office south,
        List<Entry> entries,
        @Nullable Tuple northNow,
        @Nullable Tuple southNow) {
    /** What is to be seen of a scene now. */
    static Case of(Scene scene, Office north, Office south) {
        List<Entry> entries = Stream.of(north, south)
                .flatMap(o -> Entry.all(o).stream())
                .filter(e -> e.about(scene))
                .toList();
        return new Case(scene, north, south, entries, now(scene, north), now(scene, south));
    }

    private static @Nullable Tuple now(Scene scene, Office office) {
        String row = office.node()
                .query("SELECT to_jsonb(t) FROM shop.%s t WHERE %s = '%s'"
                        .formatted(scene.table(), scene.column(), scene.value()));
        return row.isEmpty() ? null : Tuple.parse(row);
    }

    /** Whether anything was logged, and every entry is decided and known to be the same on all nodes. */
    boolean proven() {
        return !entries.isEmpty() && entries.stream().allMatch(e -> e.converged() != null);
    }

    /** Since when both are known to agree. */
    @Nullable
    Instant converged() {
        return proven()
                ? entries.stream()
                        .map(Entry::converged)
                        .filter(Objects::nonNull)
                        .max(Comparator.naturalOrder())
                        .orElseThrow()
                : null;
    }

    /** Whether the later write stays in every entry, and both offices hold what it wrote. */
    boolean right() {
        Office later = later();
        return proven()
                && entries.stream().allMatch(e -> later.node().id().equals(e.stays()))
                && same(northNow, southNow)
                && columns().stream().allMatch(c -> shown(northNow, c).equals(shown(wrote(later), c)));
    }

    Office later() {
        return scene.second().south() ? south : north;
    }

    Office earlier() {
        return scene.second().south() ? north : south;
    }

    /** The row before both; null: none. */
    @Nullable
    Tuple before() {
        return entries.isEmpty() ? null : entries.getFirst().base();
    }

    /** What an office had written; null: it had deleted the row. */
    @Nullable
    Tuple wrote(Office office) {
        return entries.isEmpty()
                ? null
                : entries.getFirst().by(office.node().id()).tuple();
    }

    /** When an office had written. */
    @Nullable
    Instant at(Office office) {
        return entries.isEmpty()
                ? null
                : entries.getFirst().by(office.node().id()).at();
    }

    /** The columns that are not the same in all rows; all of them if there was no row before. */
    Collection<String> columns() {
        List<@Nullable Tuple> rows = java.util.Arrays.asList(before(), wrote(north), wrote(south));
        Set<String> columns = new LinkedHashSet<>();
        rows.stream()
                .filter(Objects::nonNull)
                .forEach(r -> columns.addAll(r.values().keySet()));
        columns.removeIf(c -> before() != null
                && rows.stream()
                                .filter(Objects::nonNull)
                                .map(r -> r.shown(c))
                                .distinct()
                                .count()
                        == 1);
        return columns;
    }

    /** A value for people. */
    static String shown(@Nullable Tuple row, String column) {
        return row == null ? "–" : row.shown(column);
    }

    private static boolean same(@Nullable Tuple one, @Nullable Tuple other) {
        return Objects.equals(one == null ? null : one.values(), other == null ? null : other.values());
    }
}
