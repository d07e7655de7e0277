package io.steeprepl.cli.table;

import picocli.CommandLine.Command;

/** {@code table}. */
@Command(
        name = "table",
        description = "The tables that are replicated.",
        footer = "  steep-repl table add shop.orders",
        subcommands = {TableAddCommand.class, TableRemoveCommand.class, TableListCommand.class})
public final class TableCommand {}
