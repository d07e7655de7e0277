package io.steeprepl.remote;

import com.fasterxml.jackson.core.type.TypeReference;
import io.steeprepl.api.BulkFilter;
import io.steeprepl.api.Conflict;
import io.steeprepl.api.ConflictApi;
import io.steeprepl.api.ConflictCount;
import io.steeprepl.api.ConflictFilter;
import io.steeprepl.api.ConflictHistory;
import io.steeprepl.api.ConflictReplay;
import io.steeprepl.api.ConflictStrategy;
import io.steeprepl.api.QualifiedName;
import io.steeprepl.api.ReplayOptions;
import io.steeprepl.api.Resolution;
import io.steeprepl.api.StrategyOptions;
import io.steeprepl.api.StrategyRefusal;
import io.steeprepl.api.TableStrategy;
import io.steeprepl.remote.Operation.None;
import io.steeprepl.remote.Operation.Numbered;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** {@link ConflictApi} over a line. */
record RemoteConflicts(Line line) implements ConflictApi {
    static final Noun NOUN = new Noun("conflicts");

    private record OneStrategy(
            QualifiedName table,
            String strategy,
            List<String> priority,
            List<String> deltaColumns,
            @Nullable QualifiedName function) {
        static OneStrategy of(QualifiedName table, StrategyOptions is) {
            return new OneStrategy(table, is.strategy(), is.priority(), is.deltaColumns(), is.function());
        }

        StrategyOptions options() {
            return new StrategyOptions(strategy, priority, deltaColumns, function);
        }
    }

    private record Strategies(List<OneStrategy> tables, boolean dryRun) {}

    private record Resolve(
            long id,
            Resolution.Side side,
            @Nullable String merged,
            boolean force,
            @Nullable String reason) {}

    private record ResolveAll(
            Resolution.Side side,
            @Nullable Long originXid,
            @Nullable QualifiedName table,
            @Nullable Instant since,
            @Nullable Instant until,
            @Nullable String origin,
            @Nullable String reason,
            boolean dryRun) {
        BulkFilter filter() {
            return new BulkFilter(originXid, table, since, until, origin);
        }
    }

    private record Revert(long id, String reason, boolean force) {}

    private static final Operation<ConflictFilter, List<Conflict>> LIST = NOUN.reading(
            "list",
            ConflictFilter.class,
            Map.of("limit", 100),
            new TypeReference<>() {},
            (node, filter) -> node.conflicts().list(filter));

    private static final Operation<Numbered, ConflictHistory> SHOW = NOUN.reading(
            "show",
            Numbered.class,
            new TypeReference<>() {},
            (node, in) -> node.conflicts().show(in.id()));

    private static final Operation<None, List<ConflictCount>> STATS = NOUN.reading(
            "stats", new TypeReference<>() {}, node -> node.conflicts().stats());

    private static final Operation<None, List<ConflictStrategy>> STRATEGIES = NOUN.reading(
            "strategies", new TypeReference<>() {}, node -> node.conflicts().strategies());

    private static final Operation<OneStrategy, @Nullable Void> SET_STRATEGY = NOUN.action(
            "set_strategy",
            OneStrategy.class,
            Map.of("priority", List.of(), "delta_columns", List.of()),
            (node, in) -> node.conflicts().setStrategy(in.table, in.options()));

    private static final Operation<Strategies, List<StrategyRefusal>> SET_STRATEGIES = NOUN.changing(
            "set_strategies",
            Strategies.class,
            new TypeReference<>() {},
            (node, in) -> node.conflicts()
                    .setStrategies(
                            in.tables.stream()
                                    .map(one -> new TableStrategy(one.table, one.options()))
                                    .toList(),
                            in.dryRun));

    private static final Operation<ReplayOptions, List<ConflictReplay>> REPLAY = NOUN.reading(
            "replay",
            ReplayOptions.class,
            Map.of("priority", List.of()),
            new TypeReference<>() {},
            (node, options) -> node.conflicts().replay(options));

    private static final Operation<Resolve, @Nullable Void> RESOLVE = NOUN.action(
            "resolve",
            Resolve.class,
            (node, in) -> node.conflicts().resolve(in.id, new Resolution(in.side, in.merged, in.force, in.reason)));

    private static final Operation<ResolveAll, Integer> RESOLVE_ALL = NOUN.changing(
            "resolve_all",
            ResolveAll.class,
            new TypeReference<>() {},
            (node, in) -> node.conflicts().resolveAll(in.filter(), in.side, in.reason, in.dryRun));

    private static final Operation<Revert, Long> REVERT = NOUN.changing(
            "revert",
            Revert.class,
            new TypeReference<>() {},
            (node, in) -> node.conflicts().revert(in.id, in.reason, in.force));

    @Override
    public List<Conflict> list(ConflictFilter filter) {
        return line.call(LIST, filter);
    }

    @Override
    public ConflictHistory show(long id) {
        return line.call(SHOW, new Numbered(id));
    }

    @Override
    public List<ConflictCount> stats() {
        return line.call(STATS);
    }

    @Override
    public List<ConflictStrategy> strategies() {
        return line.call(STRATEGIES);
    }

    @Override
    public void setStrategy(QualifiedName table, StrategyOptions options) {
        line.call(SET_STRATEGY, OneStrategy.of(table, options));
    }

    @Override
    public List<StrategyRefusal> setStrategies(List<TableStrategy> wanted, boolean dryRun) {
        List<OneStrategy> tables = wanted.stream()
                .map(one -> OneStrategy.of(one.table(), one.options()))
                .toList();
        return line.call(SET_STRATEGIES, new Strategies(tables, dryRun));
    }

    @Override
    public List<ConflictReplay> replay(ReplayOptions options) {
        return line.call(REPLAY, options);
    }

    @Override
    public void resolve(long id, Resolution with) {
        line.call(RESOLVE, new Resolve(id, with.side(), with.merged(), with.force(), with.reason()));
    }

    @Override
    public int resolveAll(BulkFilter filter, Resolution.Side side, @Nullable String reason, boolean dryRun) {
        return line.call(
                RESOLVE_ALL,
                new ResolveAll(
                        side,
                        filter.originXid(),
                        filter.table(),
                        filter.since(),
                        filter.until(),
                        filter.origin(),
                        reason,
                        dryRun));
    }

    @Override
    public long revert(long id, String reason, boolean force) {
        return line.call(REVERT, new Revert(id, reason, force));
    }
}
