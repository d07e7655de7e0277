package io.steeprepl.cli.subscription;

import io.steeprepl.api.SteepRepl;
import picocli.CommandLine.Command;

/** {@code subscription remove}. */
@Command(
        name = "remove",
        description = "Ends the link from a peer. The server takes it down soon after, and the peer's slot with it.",
        footer = "  steep-repl -c service=berlin subscription remove paris")
final class SubscriptionRemoveCommand extends PeerAction {
    @Override
    protected String run(SteepRepl node, Peer peer) {
        node.subscriptions().remove(peer.name());
        return "removing";
    }
}
