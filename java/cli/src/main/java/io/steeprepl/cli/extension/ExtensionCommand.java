package io.steeprepl.cli.extension;

import picocli.CommandLine.Command;

/** {@code extension}. */
@Command(
        name = "extension",
        description = "The PostgreSQL extension that does the work in the server.",
        footer = "  sudo steep-repl extension install",
        subcommands = ExtensionInstallCommand.class)
public final class ExtensionCommand {}
