package io.steeprepl.cli.config;

import picocli.CommandLine.Command;

/** {@code config}. */
@Command(
        name = "config",
        description = {
            "The configuration file, config.yaml. Nothing of it takes effect by itself: config apply gives the",
            "tables the strategies of its section replication.conflicts, and the ranges of ids of its section",
            "replication.identity_ranges."
        },
        footer = {
            "  steep-repl config show",
            "  steep-repl -c service=shop config check",
            "  steep-repl -c service=shop --config shop.yaml config apply"
        },
        subcommands = {ConfigShowCommand.class, ConfigCheckCommand.class, ConfigApplyCommand.class})
public final class ConfigCommand {}
