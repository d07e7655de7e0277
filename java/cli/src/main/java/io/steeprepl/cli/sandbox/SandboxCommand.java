package io.steeprepl.cli.sandbox;

import picocli.CommandLine.Command;

/** {@code sandbox}. */
@Command(
        name = "sandbox",
        description = "Embedded PostgreSQL 18 nodes to try things out on; they stay up until they are stopped.",
        footer = "  steep-repl sandbox start --nodes 2 --link",
        subcommands = {SandboxStartCommand.class, SandboxStopCommand.class, SandboxStatusCommand.class})
public final class SandboxCommand {}
