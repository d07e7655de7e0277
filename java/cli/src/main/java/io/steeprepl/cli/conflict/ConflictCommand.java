package io.steeprepl.cli.conflict;

import picocli.CommandLine.Command;

/** {@code conflict}. */
@Command(
        name = "conflict",
        description = {
            "The conflicts that this node has logged: two nodes changed a row before they had heard of each other.",
            "Rows are shown to those who may read the table."
        },
        footer = {
            "  steep-repl conflict list --resolution pending",
            "  steep-repl conflict show 42",
            "  steep-repl conflict resolve 42 --local"
        },
        subcommands = {
            ConflictListCommand.class,
            ConflictShowCommand.class,
            ConflictResolveCommand.class,
            ConflictRevertCommand.class,
            ConflictStatsCommand.class,
            ConflictStrategyCommand.class,
            ConflictReplayCommand.class
        })
public final class ConflictCommand {}
