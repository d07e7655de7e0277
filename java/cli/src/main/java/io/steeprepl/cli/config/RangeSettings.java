package io.steeprepl.cli.config;

import io.steeprepl.api.QualifiedName;
import io.steeprepl.config.Located;
import io.steeprepl.config.Problems;
import io.steeprepl.config.Section;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The section {@code replication.identity_ranges}.
 *
 * @param present whether the file has it
 * @param byDefault what tables get where nothing else is said of them
 */
record RangeSettings(boolean present, Wanted byDefault, List<TableRanges> tables) {
    static final RangeSettings NONE = new RangeSettings(false, Wanted.NOTHING, List.of());

    private static final List<String> KEYS = List.of("enabled", "default_range_size", "threshold_percent", "tables");
    private static final List<String> TABLE_KEYS = List.of("enabled", "range_size", "threshold_percent");
    private static final long MOST_PERCENT = 100;

    /** What stands there; what is empty is left to the default, or as it is. */
    record Wanted(Optional<Located<Boolean>> enabled, Optional<Located<Long>> size, Optional<Located<Long>> threshold) {
        static final Wanted NOTHING = new Wanted(Optional.empty(), Optional.empty(), Optional.empty());

        /** This, and where it says nothing what {@code other} says. */
        Wanted or(Wanted other) {
            return new Wanted(enabled.or(other::enabled), size.or(other::size), threshold.or(other::threshold));
        }
    }

    /** What a table is to have. */
    record TableRanges(Located<QualifiedName> table, Wanted wanted) {}

    /** Reads it from the section {@code replication}. What cannot be read is left out and said in {@code problems}. */
    static RangeSettings read(Section replication, Problems problems) {
        replication.noSlipOf("identity_ranges");
        return replication
                .section("identity_ranges")
                .map(section -> read(section, "default_range_size", problems))
                .orElse(NONE);
    }

    private static RangeSettings read(Section ranges, String size, Problems problems) {
        ranges.only(KEYS);
        List<TableRanges> tables = new ArrayList<>();
        ranges.section("tables")
                .ifPresent(section -> section.entries().forEach(entry -> {
                    Located<String> key = entry.key();
                    Optional<QualifiedName> name = ConflictSettings.name(key, problems);
                    Optional<Section> table = Section.of(
                            entry.value(), key.key(), problems, "%s: {range_size: 100000}".formatted(key.value()));
                    table.ifPresent(found -> found.only(TABLE_KEYS));
                    Wanted wanted = table.map(found -> wanted(found, "range_size", problems))
                            .orElse(Wanted.NOTHING);
                    name.ifPresent(
                            known -> tables.add(new TableRanges(new Located<>(known, key.node(), key.key()), wanted)));
                }));
        return new RangeSettings(true, wanted(ranges, size, problems), tables);
    }

    private static Wanted wanted(Section section, String size, Problems problems) {
        Optional<Located<Long>> threshold = section.number("threshold_percent");
        threshold
                .filter(percent -> percent.value() < 1 || percent.value() > MOST_PERCENT)
                .ifPresent(percent ->
                        problems.add(percent, "a threshold is between 1 and 100 percent", "for instance: 80"));
        Optional<Located<Long>> ids = section.number(size);
        ids.filter(count -> count.value() < 1)
                .ifPresent(count -> problems.add(count, "a range has at least one id", "for instance: 10000"));
        return new Wanted(section.flag("enabled"), ids, threshold);
    }
}
