package io.steeprepl.cli.range;

import io.steeprepl.api.ApiException;
import io.steeprepl.api.QualifiedName;
import io.steeprepl.api.SteepRepl;
import io.steeprepl.cli.ExitCode;
import io.steeprepl.cli.NodeAction;
import io.steeprepl.cli.output.Output;
import io.steeprepl.cli.output.Text;
import io.steeprepl.config.Durations;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code range bypass}. */
@Command(
        name = "bypass",
        description = {
            "Lets any id into a table on this node for a time, for a load of rows that have their ids.",
            "It ends by itself; then, and with --off, rows in ranges of others are counted."
        },
        footer = {
            "  steep-repl range bypass shop.orders --for 2h --reason 'load of the old shop'",
            "  steep-repl range bypass shop.orders --off"
        })
final class RangeBypassCommand extends NodeAction {
    @Parameters(paramLabel = "TABLE", description = "Its name as SQL writes it.")
    private String table = "";

    @Option(names = "--for", paramLabel = "DURATION", description = "How long: 30m, 2h, at most 7d.")
    private @Nullable String duration;

    @Option(names = "--reason", paramLabel = "TEXT", description = "Why; it stands in the audit log.")
    private @Nullable String reason;

    @Option(names = "--off", description = "End it now.")
    private boolean off;

    @Override
    protected void check() {
        QualifiedName.parse(table);
        if (off == (duration != null || reason != null)) {
            throw new ApiException.Usage(
                    "either --for and --reason, or --off",
                    "steep-repl range bypass " + table + " --for 2h --reason 'load of the old shop'");
        }
        if (!off && (duration == null || reason == null || reason.isBlank())) {
            throw new ApiException.Usage(
                    "a bypass needs both --for and --reason",
                    "steep-repl range bypass " + table + " --for 2h --reason 'load of the old shop'");
        }
        if (duration != null) {
            Durations.parse(duration);
        }
    }

    @Override
    protected ExitCode run(SteepRepl node, Output out) {
        QualifiedName name = QualifiedName.parse(table);
        Map<String, @Nullable Object> done = new LinkedHashMap<>();
        done.put("table_name", table);
        if (duration != null && reason != null) {
            Instant until = node.ranges().enableBypass(name, Durations.parse(duration), reason);
            done.put("bypass_until", until);
            out.done(table + ": takes any id on this node until " + Text.time(until), done);
            return ExitCode.OK;
        }
        Long strays = node.ranges().disableBypass(name);
        done.put("strays", strays);
        String ended = strays == null
                ? "there was no bypass"
                : "the bypass is over; rows with ids of others that were written here meanwhile: " + strays;
        out.done(table + ": " + ended, done);
        return ExitCode.OK;
    }
}
