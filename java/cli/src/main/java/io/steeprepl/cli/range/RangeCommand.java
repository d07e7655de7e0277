package io.steeprepl.cli.range;

import picocli.CommandLine.Command;

/** {@code range}: the ids that each node hands out. */
@Command(
        name = "range",
        description = "The ranges of ids that each node hands out, so that keys never collide.",
        footer = "  steep-repl -c service=berlin range status",
        subcommands = {
            RangeStatusCommand.class,
            RangeAllocateCommand.class,
            RangeReleaseCommand.class,
            RangeBypassCommand.class,
            RangeSetCommand.class
        })
public final class RangeCommand {}
