package io.steeprepl.cli;

import io.steeprepl.cli.output.Output;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.AutoComplete;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code completion}. */
@Command(
        name = "completion",
        description = "Prints a script that completes commands and options in a shell.",
        footer = {"  source <(steep-repl completion bash)", "  steep-repl completion zsh > ~/.steep-repl.zsh"})
final class CompletionCommand extends Action {
    /** The shells that the script works in. */
    enum Shell {
        BASH,
        ZSH
    }

    @Parameters(paramLabel = "SHELL", description = "bash or zsh.")
    @SuppressWarnings("UnusedVariable") // picocli checks it
    private @Nullable Shell shell;

    @Override
    protected ExitCode run(Output out) {
        return switch (Objects.requireNonNull(shell)) {
            // One script for both: in zsh it turns on bash's way of completion itself.
            case BASH, ZSH -> {
                out.text(AutoComplete.bash("steep-repl", command().root().commandLine()));
                yield ExitCode.OK;
            }
        };
    }
}
