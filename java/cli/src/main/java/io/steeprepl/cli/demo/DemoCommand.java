package io.steeprepl.cli.demo;

import io.steeprepl.api.ApiException;
import io.steeprepl.cli.Action;
import io.steeprepl.cli.ExitCode;
import io.steeprepl.cli.Interrupt;
import io.steeprepl.cli.output.Output;
import io.steeprepl.cli.output.Terminal;
import io.steeprepl.testkit.TestkitException;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;

/** {@code demo}. */
@Command(
        name = "demo",
        description = {
            "Shows what steep-repl does, in under a minute: starts two PostgreSQL servers of its own, links them, writes"
                    + " to both at the same time, cuts the network between them, has both change the same rows, and shows each"
                    + " conflict and how it was decided. Proves that the two end up equal.",
            "Touches no server of yours and removes all that it made. Exit code 1 if the databases differ or a conflict is"
                    + " not proven to be decided alike on both."
        },
        footer = "  steep-repl demo --keep")
public final class DemoCommand extends Action {
    private static final int LONGEST = 3600;

    @Option(names = "--seconds", paramLabel = "N", description = "How long both offices write. Default: 6.")
    private int seconds = 6;

    @Option(names = "--keep", description = "Leave both servers running, and say how to connect.")
    private boolean keep;

    @Option(
            names = "--dir",
            paramLabel = "DIR",
            description = "Where the servers live: a folder that is empty or does not exist. Default: a temporary one.")
    private @Nullable Path dir;

    @Override
    protected ExitCode run(Output out) {
        if (seconds < 1 || seconds > LONGEST) {
            throw new ApiException.Usage("--seconds must be 1 to " + LONGEST + ", not " + seconds, null);
        }
        DemoNodes nodes = DemoNodes.in(dir);
        boolean redraw = !out.json() && !said("--no-color") && Terminal.colours(System.getenv());
        var demo = new Demo(nodes, out, redraw ? new DrawnView(out) : new LinesView(out));
        try (Interrupt.Registration _ = Interrupt.onInterrupt(() -> nodes.cancel(out))) {
            try {
                return demo.run(Duration.ofSeconds(seconds), keep);
            } catch (TestkitException e) {
                if (nodes.cancelled()) {
                    return ExitCode.CANCELLED;
                }
                String hint = keep
                        ? "the servers run on; stop and remove them: " + nodes.stopCommand()
                        : "to look into the servers afterwards, run it with --keep";
                throw new ApiException.Failed(null, "the demo failed", e.getMessage(), hint, e);
            } finally {
                if (!keep) {
                    nodes.remove();
                }
            }
        }
    }

    /** Whether an option was given, before or after the command's name. */
    private boolean said(String option) {
        for (CommandSpec level = command(); level != null; level = level.parent()) {
            var parsed = level.commandLine().getParseResult();
            if (parsed != null && parsed.hasMatchedOption(option)) {
                return true;
            }
        }
        return false;
    }
}
