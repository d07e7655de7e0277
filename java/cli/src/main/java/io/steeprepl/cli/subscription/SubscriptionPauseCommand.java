package io.steeprepl.cli.subscription;

import io.steeprepl.api.SteepRepl;
import picocli.CommandLine.Command;

/** {@code subscription pause}. */
@Command(
        name = "pause",
        description = "Stops receiving from a peer and returns when that has stopped. The peer keeps what it writes.",
        footer = "  steep-repl -c service=berlin subscription pause paris")
final class SubscriptionPauseCommand extends PeerAction {
    @Override
    protected String run(SteepRepl node, Peer peer) {
        node.subscriptions().pause(peer.name());
        return "paused";
    }
}
