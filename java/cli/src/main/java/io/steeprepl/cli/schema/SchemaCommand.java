package io.steeprepl.cli.schema;

import picocli.CommandLine.Command;

/** {@code schema}: what tables are, here and elsewhere. */
@Command(
        name = "schema",
        description = "What the tables of this node are, and where they differ from those of another node.",
        footer = "  steep-repl -c service=berlin schema compare paris",
        subcommands = {
            SchemaCaptureCommand.class,
            SchemaCompareCommand.class,
            SchemaDiffCommand.class,
            SchemaExportCommand.class
        })
public final class SchemaCommand {}
