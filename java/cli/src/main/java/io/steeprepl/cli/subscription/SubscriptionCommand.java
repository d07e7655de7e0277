package io.steeprepl.cli.subscription;

import picocli.CommandLine.Command;

/** {@code subscription}. */
@Command(
        name = "subscription",
        description = "The links on which a node receives from peers.",
        footer = "  steep-repl -c service=berlin subscription list",
        subcommands = {
            SubscriptionListCommand.class,
            SubscriptionAddCommand.class,
            SubscriptionRemoveCommand.class,
            SubscriptionPauseCommand.class,
            SubscriptionResumeCommand.class
        })
public final class SubscriptionCommand {}
