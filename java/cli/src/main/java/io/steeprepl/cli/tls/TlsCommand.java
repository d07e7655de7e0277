package io.steeprepl.cli.tls;

import picocli.CommandLine.Command;

/** {@code tls}. */
@Command(
        name = "tls",
        description = "Certificates for daemons and for --remote.",
        footer = "  steep-repl tls init berlin=berlin.example.org paris=paris.example.org,10.0.0.2",
        subcommands = TlsInitCommand.class)
public final class TlsCommand {}
