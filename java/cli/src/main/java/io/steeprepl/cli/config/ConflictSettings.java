package io.steeprepl.cli.config;

import io.steeprepl.api.ApiException;
import io.steeprepl.api.QualifiedName;
import io.steeprepl.api.StrategyOptions;
import io.steeprepl.config.Located;
import io.steeprepl.config.Problems;
import io.steeprepl.config.Section;
import io.steeprepl.config.Section.Entry;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The section {@code replication.conflicts}.
 *
 * @param present whether the file has it
 * @param byDefault what replicated tables get that are not listed; empty: they are left as they are
 */
record ConflictSettings(boolean present, Optional<Setting> byDefault, List<TableSetting> tables) {
    /** The only strategy that takes a resolver. */
    static final String BY_FUNCTION = "function";

    /** The only strategy that takes a list of nodes. */
    static final String BY_PRIORITY = "node_priority";

    private static final List<String> KEYS = List.of("default_strategy", "default_priority", "tables");
    private static final List<String> TABLE_KEYS = List.of("strategy", "priority", "delta_columns", "resolver");

    /**
     * A strategy with its list of nodes, which is empty for all but one.
     *
     * @param strategy empty only when it could not be read, which is a problem
     */
    record Setting(
            Optional<Located<String>> strategy,
            List<Located<String>> priority,
            List<Located<String>> deltaColumns,
            Optional<Located<QualifiedName>> resolver) {
        private static final Setting UNREADABLE = new Setting(Optional.empty(), List.of(), List.of(), Optional.empty());

        /** Of a file without problems. */
        Choice choice() {
            return new Choice(new StrategyOptions(
                    strategy.orElseThrow().value(),
                    values(priority),
                    values(deltaColumns),
                    resolver.map(Located::value).orElse(null)));
        }

        private static List<String> values(List<Located<String>> list) {
            return list.stream().map(Located::value).toList();
        }
    }

    /** What a table is to have. */
    record TableSetting(Located<QualifiedName> table, Setting setting) {}

    static final ConflictSettings NONE = new ConflictSettings(false, Optional.empty(), List.of());

    /** Reads it from the section {@code replication}. What cannot be read is left out and said in {@code problems}. */
    static ConflictSettings read(Section replication, Problems problems) {
        replication.noSlipOf("conflicts");
        return replication
                .section("conflicts")
                .map(conflicts -> settings(conflicts, problems))
                .orElse(NONE);
    }

    private static ConflictSettings settings(Section conflicts, Problems problems) {
        conflicts.only(KEYS);
        Optional<Setting> byDefault = Optional.empty();
        if (conflicts.has("default_strategy") || conflicts.has("default_priority")) {
            byDefault = Optional.of(setting(conflicts, "default_strategy", "default_priority", problems));
            byDefault
                    .flatMap(Setting::strategy)
                    .filter(strategy -> strategy.value().equals(BY_FUNCTION))
                    .ifPresent(strategy -> problems.add(
                            strategy,
                            "function needs a resolver, which differs by table",
                            "list the tables that have it"));
        }
        if (!conflicts.has("default_strategy")) {
            conflicts.problem(
                    "default_priority",
                    "there is no default_strategy",
                    "add default_strategy: node_priority, or leave default_priority out");
        }
        List<TableSetting> tables = new ArrayList<>();
        conflicts
                .section("tables")
                .ifPresent(section -> section.entries().forEach(entry -> {
                    Optional<QualifiedName> name = name(entry.key(), problems);
                    Setting setting = table(entry, problems);
                    name.ifPresent(table -> tables.add(new TableSetting(
                            new Located<>(table, entry.key().node(), entry.key().key()), setting)));
                }));
        return new ConflictSettings(true, byDefault, tables);
    }

    private static Setting table(Entry entry, Problems problems) {
        Located<String> key = entry.key();
        int before = problems.count();
        Optional<Section> table =
                Section.of(entry.value(), key.key(), problems, "%s: {strategy: …}".formatted(key.value()));
        table.ifPresent(section -> section.only(TABLE_KEYS));
        // Empty and without a problem: nothing stands there.
        boolean missing = table.map(section -> !section.has("strategy")).orElse(problems.count() == before);
        if (missing) {
            problems.add(key, "strategy is missing", "for instance: {strategy: last_write_wins}");
        }
        return table.map(section -> tableSetting(section, problems)).orElse(Setting.UNREADABLE);
    }

    private static Setting tableSetting(Section table, Problems problems) {
        Setting both = setting(table, "strategy", "priority", problems);
        List<Located<String>> columns = table.texts("delta_columns");
        refuseTwice(columns, "column", problems);
        Optional<Located<String>> resolver = table.text("resolver");
        both.strategy().ifPresent(strategy -> {
            boolean asks = strategy.value().equals(BY_FUNCTION);
            if (asks && !table.has("resolver")) {
                problems.add(strategy, "function needs a resolver", "for instance: resolver: shop.merge_orders");
            } else if (!asks && resolver.isPresent()) {
                problems.add(
                        resolver.get(), strategy.value() + " takes no resolver", "leave it out, or use " + BY_FUNCTION);
            }
        });
        return new Setting(
                both.strategy(), both.priority(), columns, resolver.flatMap(name -> function(name, problems)));
    }

    private static Optional<Located<QualifiedName>> function(Located<String> text, Problems problems) {
        try {
            QualifiedName name = QualifiedName.parse(text.value(), "function");
            if (name.schema() != null) {
                return Optional.of(new Located<>(name, text.node(), text.key()));
            }
        } catch (ApiException.Usage e) {
            // Said below.
        }
        problems.add(
                text,
                "not the name of a function with its schema",
                "as in SQL, without parentheses: shop.merge_orders");
        return Optional.empty();
    }

    private static void refuseTwice(List<Located<String>> names, String kind, Problems problems) {
        Set<String> named = new HashSet<>();
        for (Located<String> name : names) {
            if (!named.add(name.value())) {
                problems.add(
                        name,
                        "%s \"%s\" stands in the list more than once".formatted(kind, name.value()),
                        "name it once");
            }
        }
    }

    /** The name of a table, as a key. */
    static Optional<QualifiedName> name(Located<String> key, Problems problems) {
        try {
            return Optional.of(QualifiedName.parse(key.value()));
        } catch (ApiException.Usage e) {
            problems.add(key, "not the name of a table", "as in SQL: orders, shop.orders, '\"Shop\".\"Big Orders\"'");
            return Optional.empty();
        }
    }

    private static Setting setting(Section from, String strategyKey, String listKey, Problems problems) {
        Optional<Located<String>> strategy = from.text(strategyKey);
        int before = problems.count();
        List<Located<String>> priority = from.texts(listKey);
        if (priority.isEmpty() && problems.count() == before) {
            strategy.filter(text -> text.value().equals(BY_PRIORITY))
                    .ifPresent(text -> problems.add(
                            text,
                            "node_priority needs a list of nodes, the first wins",
                            "for instance: " + listKey + ": [a, b]"));
        }
        refuseTwice(priority, "node", problems);
        return new Setting(strategy, priority, List.of(), Optional.empty());
    }
}
