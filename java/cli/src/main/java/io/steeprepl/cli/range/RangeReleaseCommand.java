package io.steeprepl.cli.range;

import io.steeprepl.api.QualifiedName;
import io.steeprepl.api.SteepRepl;
import io.steeprepl.cli.ExitCode;
import io.steeprepl.cli.NodeAction;
import io.steeprepl.cli.output.Output;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code range release}. */
@Command(
        name = "release",
        description = {
            "Ends the use of one of this node's ranges. Its ids are never handed out again, by nobody.",
            "When the sequence is in it, it moves into the next one."
        },
        footer = "  steep-repl range release shop.orders 10001")
final class RangeReleaseCommand extends NodeAction {
    @Parameters(index = "0", paramLabel = "TABLE", description = "Its name as SQL writes it.")
    private String table = "";

    @Parameters(index = "1", paramLabel = "START", description = "Where the range begins, see range status.")
    private long start;

    @Override
    protected void check() {
        QualifiedName.parse(table);
    }

    @Override
    protected ExitCode run(SteepRepl node, Output out) {
        boolean released = node.ranges().release(QualifiedName.parse(table), start);
        Map<String, @Nullable Object> done = new LinkedHashMap<>();
        done.put("table_name", table);
        done.put("range_start", start);
        done.put("released", released);
        String sentence =
                released ? "%s: the range from %d on is released" : "%s: the range from %d on was released before";
        out.done(sentence.formatted(table, start), done);
        return ExitCode.OK;
    }
}
