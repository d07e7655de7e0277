package io.steeprepl.cli.range;

import io.steeprepl.api.ApiException;
import io.steeprepl.api.QualifiedName;
import io.steeprepl.api.RangeApi.RangeOptions;
import io.steeprepl.api.SteepRepl;
import io.steeprepl.cli.ExitCode;
import io.steeprepl.cli.NodeAction;
import io.steeprepl.cli.output.Output;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code range set}. */
@Command(
        name = "set",
        description = {
            "Has the ids of a replicated table go in ranges, or no more, on all nodes;",
            "and sets how large the ranges are that this node cuts from now on, and when it cuts the next one."
        },
        footer = {
            "  steep-repl range set shop.orders --on --size 100000",
            "  steep-repl range set shop.orders --threshold 60"
        })
final class RangeSetCommand extends NodeAction {
    private static final int MOST_PERCENT = 100;

    @Parameters(paramLabel = "TABLE", description = "Its name as SQL writes it.")
    private String table = "";

    @Option(names = "--on", description = "Its ids go in ranges, on all nodes.")
    private boolean on;

    @Option(names = "--off", description = "They go in ranges no more, on all nodes. Which ids are whose stays known.")
    private boolean off;

    @Option(names = "--size", paramLabel = "IDS", description = "How many ids a range of this node has.")
    private @Nullable Long size;

    @Option(
            names = "--threshold",
            paramLabel = "PERCENT",
            description = "At which use of a range this node cuts the next one.")
    private @Nullable Integer threshold;

    @Override
    protected void check() {
        QualifiedName.parse(table);
        if (on && off) {
            throw new ApiException.Usage("--on and --off are opposites", "steep-repl range set " + table + " --on");
        }
        if (!on && !off && size == null && threshold == null) {
            throw new ApiException.Usage("nothing to set", "steep-repl range set " + table + " --size 100000");
        }
        if (off && (size != null || threshold != null)) {
            throw new ApiException.Usage(
                    "--off takes neither --size nor --threshold", "steep-repl range set " + table + " --off");
        }
        if (size != null && size < 1) {
            throw new ApiException.Usage("a range has at least one id, not " + size, "--size 10000");
        }
        if (threshold != null && (threshold < 1 || threshold > MOST_PERCENT)) {
            throw new ApiException.Usage(
                    "a threshold is between 1 and 100 percent, not " + threshold, "--threshold 80");
        }
    }

    @Override
    protected ExitCode run(SteepRepl node, Output out) {
        Boolean enabled = on ? Boolean.TRUE : off ? Boolean.FALSE : null;
        node.ranges().set(QualifiedName.parse(table), new RangeOptions(enabled, size, threshold));
        Map<String, @Nullable Object> done = new LinkedHashMap<>();
        done.put("table_name", table);
        done.put("enabled", enabled);
        done.put("range_size", size);
        done.put("threshold", threshold);
        out.done(table + ": " + String.join("; ", sentences()), done);
        return ExitCode.OK;
    }

    private List<String> sentences() {
        List<String> said = new ArrayList<>();
        if (on || off) {
            said.add(on ? "its ids go in ranges, on all nodes" : "its ids go in ranges no more, on all nodes");
        }
        if (size != null) {
            said.add("a range that this node cuts from now on has %d ids".formatted(size));
        }
        if (threshold != null) {
            said.add("this node cuts the next one when %d percent of one are used".formatted(threshold));
        }
        return said;
    }
}
