package io.steeprepl.cli.config;

import io.steeprepl.api.ConflictStrategy;
import io.steeprepl.api.QualifiedName;
import io.steeprepl.api.ReplicatedTable;
import io.steeprepl.api.SteepRepl;
import io.steeprepl.api.TableRangeSettings;
import io.steeprepl.cli.config.ConflictSettings.Setting;
import io.steeprepl.cli.config.ConflictSettings.TableSetting;
import io.steeprepl.cli.config.RangeSettings.TableRanges;
import io.steeprepl.config.Located;
import io.steeprepl.config.Problems;
import io.steeprepl.config.Section;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The names that a node knows, to which those of the file must belong. */
record Known(
        List<ConflictStrategy> strategies,
        List<String> nodes,
        List<ReplicatedTable> tables,
        List<TableRangeSettings> ranges) {
    /** Asks the node. */
    static Known of(SteepRepl node) {
        List<String> nodes = node.nodes().list().stream()
                .filter(known -> !known.status().equals("removed"))
                .map(known -> known.nodeId().value())
                .toList();
        return new Known(
                node.conflicts().strategies(),
                nodes,
                node.tables().list(),
                node.ranges().settings());
    }

    /** Which replicated table each setting means; what means none is a problem. */
    Map<ReplicatedTable, TableSetting> match(ConflictSettings settings, Problems problems) {
        settings.byDefault().ifPresent(setting -> check(setting, problems));
        Map<ReplicatedTable, TableSetting> meant = new HashMap<>();
        for (TableSetting setting : settings.tables()) {
            check(setting.setting(), problems);
            table(setting.table(), problems).ifPresent(table -> {
                TableSetting first = meant.putIfAbsent(table, setting);
                refuseTwice(first == null ? null : first.table(), setting.table(), name(table), problems);
            });
        }
        return meant;
    }

    /** Which table each setting of ranges means; what means none is a problem. */
    Map<TableRangeSettings, TableRanges> match(RangeSettings settings, Problems problems) {
        Map<TableRangeSettings, TableRanges> meant = new HashMap<>();
        for (TableRanges setting : settings.tables()) {
            table(setting.table(), problems)
                    .flatMap(table -> ranges.stream()
                            .filter(known -> known.name().equals(qualified(table)))
                            .findFirst())
                    .ifPresent(table -> {
                        TableRanges first = meant.putIfAbsent(table, setting);
                        refuseTwice(
                                first == null ? null : first.table(),
                                setting.table(),
                                table.name().toString(),
                                problems);
                    });
        }
        return meant;
    }

    private static void refuseTwice(@Nullable Located<?> first, Located<?> again, String table, Problems problems) {
        // The same key twice has been said.
        if (first != null && !first.key().equals(again.key())) {
            problems.add(
                    again,
                    "the table %s has been named before".formatted(table),
                    "it already stands in line %d; keep one of them".formatted(first.line()));
        }
    }

    private void check(Setting setting, Problems problems) {
        setting.strategy().ifPresent(strategy -> check(strategy, setting.priority(), problems));
        setting.priority().stream()
                .filter(node -> !nodes.contains(node.value()))
                .forEach(node -> problems.add(
                        node,
                        "unknown node \"%s\"".formatted(node.value()),
                        Section.meant(node.value(), nodes) + "known: " + String.join(", ", nodes)));
    }

    private void check(Located<String> strategy, List<Located<String>> priority, Problems problems) {
        List<String> names = strategies.stream().map(ConflictStrategy::name).toList();
        if (!names.contains(strategy.value())) {
            problems.add(
                    strategy,
                    "unknown strategy \"%s\"".formatted(strategy.value()),
                    Section.meant(strategy.value(), names) + "known: " + String.join(", ", names));
        } else if (!strategy.value().equals(ConflictSettings.BY_PRIORITY) && !priority.isEmpty()) {
            problems.add(
                    priority.getFirst(),
                    strategy.value() + " takes no list of nodes",
                    "leave the list out, or use " + ConflictSettings.BY_PRIORITY);
        }
    }

    /** Names without a schema do not depend on anybody's search path: there must be one table that is called so. */
    private Optional<ReplicatedTable> table(Located<QualifiedName> named, Problems problems) {
        QualifiedName name = named.value();
        List<ReplicatedTable> found = tables.stream()
                .filter(table -> table.tableName().equals(name.name())
                        && (name.schema() == null || table.tableSchema().equals(name.schema())))
                .toList();
        if (found.size() == 1) {
            return Optional.of(found.getFirst());
        }
        if (found.isEmpty()) {
            List<String> others = new ArrayList<>();
            tables.forEach(table -> others.add(name.schema() == null ? table.tableName() : name(table)));
            problems.add(
                    named,
                    "%s is not a replicated table".formatted(name),
                    Section.meant(name.toString(), others)
                            + "steep-repl table list has those that are; table add makes one so");
        } else {
            problems.add(
                    named,
                    "%s may be one of several tables".formatted(name),
                    "with its schema: "
                            + String.join(", ", found.stream().map(Known::name).toList()));
        }
        return Optional.empty();
    }

    private static String name(ReplicatedTable table) {
        return qualified(table).toString();
    }

    private static QualifiedName qualified(ReplicatedTable table) {
        return new QualifiedName(table.tableSchema(), table.tableName());
    }
}
