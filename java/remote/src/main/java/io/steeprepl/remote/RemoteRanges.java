package io.steeprepl.remote;

import com.fasterxml.jackson.core.type.TypeReference;
import io.steeprepl.api.IdRange;
import io.steeprepl.api.QualifiedName;
import io.steeprepl.api.RangeApi;
import io.steeprepl.api.TableRangeSettings;
import io.steeprepl.remote.Operation.None;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** {@link RangeApi} over a line. */
record RemoteRanges(Line line) implements RangeApi {
    static final Noun NOUN = new Noun("ranges");

    private record Named(QualifiedName table) {}

    private record Sized(QualifiedName table, long size) {}

    private record Begun(QualifiedName table, long start) {}

    private record Bypass(QualifiedName table, Duration duration, String reason) {}

    private record Options(
            QualifiedName table,
            @Nullable Boolean enabled,
            @Nullable Long size,
            @Nullable Integer threshold) {}

    private static final Operation<None, List<IdRange>> LIST =
            NOUN.reading("list", new TypeReference<>() {}, node -> node.ranges().list());

    private static final Operation<None, List<TableRangeSettings>> SETTINGS = NOUN.reading(
            "settings", new TypeReference<>() {}, node -> node.ranges().settings());

    private static final Operation<Sized, List<Allocated>> ALLOCATE = NOUN.changing(
            "allocate",
            Sized.class,
            new TypeReference<>() {},
            (node, in) -> node.ranges().allocate(in.table, in.size));

    private static final Operation<Begun, Boolean> RELEASE = NOUN.changing(
            "release",
            Begun.class,
            new TypeReference<>() {},
            (node, in) -> node.ranges().release(in.table, in.start));

    private static final Operation<Bypass, Instant> ENABLE_BYPASS = NOUN.changing(
            "enable_bypass",
            Bypass.class,
            new TypeReference<>() {},
            (node, in) -> node.ranges().enableBypass(in.table, in.duration, in.reason));

    private static final Operation<Named, @Nullable Long> DISABLE_BYPASS = NOUN.changing(
            "disable_bypass",
            Named.class,
            new TypeReference<>() {},
            (node, in) -> node.ranges().disableBypass(in.table));

    private static final Operation<Options, @Nullable Void> SET = NOUN.action(
            "set",
            Options.class,
            (node, in) -> node.ranges().set(in.table, new RangeOptions(in.enabled, in.size, in.threshold)));

    @Override
    public List<IdRange> list() {
        return line.call(LIST);
    }

    @Override
    public List<TableRangeSettings> settings() {
        return line.call(SETTINGS);
    }

    @Override
    public List<Allocated> allocate(QualifiedName table, long size) {
        return line.call(ALLOCATE, new Sized(table, size));
    }

    @Override
    public boolean release(QualifiedName table, long start) {
        return line.call(RELEASE, new Begun(table, start));
    }

    @Override
    public Instant enableBypass(QualifiedName table, Duration duration, String reason) {
        return line.call(ENABLE_BYPASS, new Bypass(table, duration, reason));
    }

    @Override
    public @Nullable Long disableBypass(QualifiedName table) {
        return line.call(DISABLE_BYPASS, new Named(table));
    }

    @Override
    public void set(QualifiedName table, RangeOptions options) {
        line.call(SET, new Options(table, options.enabled(), options.size(), options.threshold()));
    }
}
