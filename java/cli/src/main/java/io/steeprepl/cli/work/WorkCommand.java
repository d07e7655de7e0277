package io.steeprepl.cli.work;

import picocli.CommandLine.Command;

/** {@code work}: what the server does in the background. */
@Command(
        name = "work",
        description = "Long work that the server does in the background, whoever is connected.",
        footer = "  steep-repl -c service=berlin work list",
        subcommands = {WorkListCommand.class, WorkCancelCommand.class, WorkRetryCommand.class})
public final class WorkCommand {}
