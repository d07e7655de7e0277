package io.steeprepl.cli.config;

import io.steeprepl.api.QualifiedName;
import io.steeprepl.api.RangeApi.RangeOptions;
import io.steeprepl.api.TableRangeSettings;
import io.steeprepl.cli.config.RangeSettings.TableRanges;
import io.steeprepl.cli.config.RangeSettings.Wanted;
import io.steeprepl.config.Located;
import io.steeprepl.config.Problems;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The section {@code replication.identity_ranges} beside the database. */
final class RangeComparison {
    private RangeComparison() {}

    /** How ids of a table go in ranges, as the file or the database says it. */
    record Ranges(
            boolean enabled, @Nullable Long size, @Nullable Integer threshold) {
        Map<String, @Nullable Object> json() {
            Map<String, @Nullable Object> object = new LinkedHashMap<>();
            object.put("enabled", enabled);
            object.put("range_size", size);
            object.put("threshold_percent", threshold);
            return object;
        }

        @Override
        public String toString() {
            return enabled
                    ? "ranges" + (size == null ? "" : " of " + size)
                            + (threshold == null ? "" : ", next at " + threshold + " %")
                    : "no ranges";
        }
    }

    /**
     * A table whose ranges are otherwise than the file says.
     *
     * @param line where the file says it
     */
    record Difference(QualifiedName table, int line, Ranges file, Ranges database) {
        /** What makes the database as the file is. */
        RangeOptions change() {
            return new RangeOptions(
                    file.enabled == database.enabled ? null : file.enabled,
                    Objects.equals(file.size, database.size) ? null : file.size,
                    Objects.equals(file.threshold, database.threshold) ? null : file.threshold);
        }
    }

    /** {@code meant}: the settings of single tables. What cannot be is a problem. */
    static List<Difference> of(
            RangeSettings settings,
            Map<TableRangeSettings, TableRanges> meant,
            List<TableRangeSettings> tables,
            Problems problems) {
        List<Difference> differences = new ArrayList<>();
        for (TableRangeSettings table : settings.present() ? tables : List.<TableRangeSettings>of()) {
            Optional<Wanted> own = Optional.ofNullable(meant.get(table)).map(TableRanges::wanted);
            own.ifPresent(wanted -> check(wanted, table, problems));
            // Of UUIDs nothing is asked unless they are named.
            if (table.columnName() != null) {
                Wanted wanted = own.orElse(Wanted.NOTHING).or(settings.byDefault());
                difference(wanted, table).ifPresent(differences::add);
            }
        }
        return differences;
    }

    private static void check(Wanted wanted, TableRangeSettings table, Problems problems) {
        wanted.enabled()
                .filter(enabled -> enabled.value() && table.columnName() == null)
                .ifPresent(
                        enabled -> problems.add(
                                enabled,
                                "the ids of %s cannot go in ranges".formatted(table.name()),
                                "no integer column of its keys takes its values from a sequence; leave it out, or enabled: false"));
        wanted.size()
                .filter(size -> table.largestSize() != null && size.value() > table.largestSize())
                .ifPresent(size -> problems.add(
                        size,
                        "a range of %s has at most %d ids".formatted(table.name(), table.largestSize()),
                        "that many lie together since its ranges were set up; at most " + table.largestSize()));
    }

    private static Optional<Difference> difference(Wanted wanted, TableRangeSettings table) {
        boolean enabled = wanted.enabled().map(Located::value).orElse(table.enabled());
        Ranges database = new Ranges(table.enabled(), table.rangeSize(), table.threshold());
        Ranges file = !enabled
                ? new Ranges(false, null, null)
                : new Ranges(
                        true,
                        wanted.size().map(size -> fitting(size.value(), table)).orElse(table.rangeSize()),
                        wanted.threshold()
                                .map(percent -> percent.value().intValue())
                                .orElse(table.threshold()));
        if (file.equals(database)) {
            return Optional.empty();
        }
        int line = Stream.of(
                        file.enabled() == database.enabled() ? Optional.<Located<?>>empty() : wanted.enabled(),
                        Objects.equals(file.size(), database.size()) ? Optional.<Located<?>>empty() : wanted.size(),
                        wanted.threshold())
                .flatMap(Optional::stream)
                .findFirst()
                .map(Located::line)
                .orElse(0);
        return Optional.of(new Difference(table.name(), line, file, database));
    }

    /** The default is cut to what a table can have, as when it is added. */
    private static long fitting(long size, TableRangeSettings table) {
        return table.largestSize() == null ? size : Math.min(size, table.largestSize());
    }
}
