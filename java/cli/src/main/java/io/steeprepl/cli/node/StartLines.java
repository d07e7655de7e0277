package io.steeprepl.cli.node;

import io.steeprepl.api.StartProgress;
import io.steeprepl.cli.output.Output;
import io.steeprepl.cli.output.Text;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Plain lines for logs: one for each phase and table, and no more. */
final class StartLines implements StartView {
    private final Output out;
    private @Nullable List<?> shown;

    StartLines(Output out) {
        this.out = out;
    }

    @Override
    public void show(StartProgress now) {
        String phase = Objects.requireNonNullElse(now.phase(), "");
        String table = Objects.requireNonNullElse(now.currentTable(), "");
        List<?> step = List.of(phase, table, now.tablesDone(), now.tablesTotal());
        if (!step.equals(shown)) {
            out.note("%s%s: %d of %d tables, %d rows"
                    .formatted(
                            phase,
                            table.isEmpty() ? "" : " " + table,
                            now.tablesDone(),
                            now.tablesTotal(),
                            now.rowsDone()));
            shown = step;
        }
    }

    @Override
    public void end(StartProgress last) {
        if (last.state() == StartProgress.State.COMPLETE) {
            out.done(summary(last), Map.of());
        }
    }

    /** What was done, in one sentence. */
    static String summary(StartProgress last) {
        return "started: %d tables, %d rows, %s copied"
                .formatted(last.tablesDone(), last.rowsDone(), Text.bytes(last.bytesDone()));
    }
}
