package io.steeprepl.cli.config;

import io.steeprepl.api.ConflictStrategy;
import io.steeprepl.api.QualifiedName;
import io.steeprepl.api.ReplicatedTable;
import io.steeprepl.api.SteepRepl;
import io.steeprepl.cli.config.ConflictSettings.Setting;
import io.steeprepl.cli.config.ConflictSettings.TableSetting;
import io.steeprepl.config.Located;
import io.steeprepl.config.Problems;
import io.steeprepl.config.Section;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The names that a node knows, to which those of the file must belong. */
record Known(List<ConflictStrategy> strategies, List<String> nodes, List<ReplicatedTable> tables) {
    /** Asks the node. */
    static Known of(SteepRepl node) {
        List<String> nodes = node.nodes().list().stream()
                .filter(known -> !known.status().equals("removed"))
                .map(known -> known.nodeId().value())
                .toList();
        return new Known(node.conflicts().strategies(), nodes, node.tables().list());
    }

    /** Which replicated table each setting means; what means none is a problem. */
    Map<ReplicatedTable, TableSetting> match(ConflictSettings settings, Problems problems) {
        settings.byDefault().ifPresent(setting -> check(setting, problems));
        Map<ReplicatedTable, TableSetting> meant = new HashMap<>();
        for (TableSetting setting : settings.tables()) {
            check(setting.setting(), problems);
            table(setting, problems).ifPresent(table -> {
                TableSetting first = meant.putIfAbsent(table, setting);
                // The same key twice has been said.
                if (first != null && !first.table().key().equals(setting.table().key())) {
                    problems.add(
                            setting.table(),
                            "the table %s has been named before".formatted(name(table)),
                            "it already stands in line %d; keep one of them"
                                    .formatted(first.table().line()));
                }
            });
        }
        return meant;
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
    private Optional<ReplicatedTable> table(TableSetting setting, Problems problems) {
        QualifiedName name = setting.table().value();
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
                    setting.table(),
                    "%s is not a replicated table".formatted(name),
                    Section.meant(name.toString(), others)
                            + "steep-repl table list has those that are; table add makes one so");
        } else {
            problems.add(
                    setting.table(),
                    "%s may be one of several tables".formatted(name),
                    "with its schema: "
                            + String.join(", ", found.stream().map(Known::name).toList()));
        }
        return Optional.empty();
    }

    private static String name(ReplicatedTable table) {
        return new QualifiedName(table.tableSchema(), table.tableName()).toString();
    }
}
