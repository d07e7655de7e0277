package io.steeprepl.cli.snapshot;

import picocli.CommandLine.Command;

/** {@code snapshot}: tables as files, and files as tables. */
@Command(
        name = "snapshot",
        description = "All rows of many tables as of one moment, in files on the server; and loading them elsewhere.",
        footer = {
            "  steep-repl -c service=berlin snapshot generate /backup/monday",
            "  steep-repl -c service=paris snapshot apply /backup/monday"
        },
        subcommands = {
            SnapshotGenerateCommand.class,
            SnapshotApplyCommand.class,
            SnapshotListCommand.class,
            SnapshotVerifyCommand.class,
            SnapshotDeleteCommand.class,
            SnapshotCancelCommand.class,
            SnapshotProgressCommand.class
        })
public final class SnapshotCommand {}
