package io.steeprepl.cli.config;

import io.steeprepl.api.QualifiedName;
import io.steeprepl.api.ReplicatedTable;
import io.steeprepl.api.TableStrategy;
import io.steeprepl.cli.config.ConflictSettings.Setting;
import io.steeprepl.cli.config.ConflictSettings.TableSetting;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The file beside the database.
 *
 * @param differences by name of the table
 * @param equal how many tables have what the file says
 * @param unlisted the replicated tables of which the file says nothing
 * @param ranges the tables whose ids go in other ranges than the file says
 */
record Comparison(
        List<Difference> differences,
        int equal,
        List<QualifiedName> unlisted,
        List<RangeComparison.Difference> ranges) {
    /** Whether the database is as the file says. */
    boolean same() {
        return differences.isEmpty() && ranges.isEmpty();
    }

    /**
     * A table that has another strategy than the file says.
     *
     * @param line where the file says it
     * @param state of the table, as {@code table list} has it
     */
    record Difference(QualifiedName table, int line, Choice file, Choice database, String state) {
        TableStrategy change() {
            return new TableStrategy(table, file.options());
        }
    }

    /** {@code meant}: the settings of single tables, see {@link Known#match}. */
    static Comparison of(
            Optional<Setting> byDefault,
            Map<ReplicatedTable, TableSetting> meant,
            List<ReplicatedTable> tables,
            List<RangeComparison.Difference> ranges) {
        List<Difference> differences = new ArrayList<>();
        List<QualifiedName> unlisted = new ArrayList<>();
        int equal = 0;
        for (ReplicatedTable table : tables) {
            QualifiedName name = new QualifiedName(table.tableSchema(), table.tableName());
            Optional<Setting> setting = Optional.ofNullable(meant.get(table))
                    .map(TableSetting::setting)
                    .or(() -> byDefault);
            if (setting.isEmpty()) {
                unlisted.add(name);
                continue;
            }
            Choice file = setting.get().choice();
            Choice database = Choice.of(table);
            if (file.same(database)) {
                equal++;
            } else {
                differences.add(new Difference(
                        name, setting.get().strategy().orElseThrow().line(), file, database, table.state()));
            }
        }
        // Everybody who applies a file locks the tables in the same order.
        differences.sort(Comparator.comparing(difference -> difference.table().sql()));
        return new Comparison(differences, equal, unlisted, ranges);
    }
}
