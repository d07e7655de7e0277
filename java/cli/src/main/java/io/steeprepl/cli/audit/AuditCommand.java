package io.steeprepl.cli.audit;

import picocli.CommandLine.Command;

/** {@code audit}. */
@Command(
        name = "audit",
        description = "Who did what, when, to what, and how it ended.",
        footer = "  steep-repl audit list --failed --since 7d",
        subcommands = {AuditListCommand.class, AuditPruneCommand.class})
public final class AuditCommand {}
