package io.steeprepl.cli.subscription;

import io.steeprepl.api.SteepRepl;
import picocli.CommandLine.Command;

/** {@code subscription resume}. */
@Command(
        name = "resume",
        description = "Receives again from a peer that was paused.",
        footer = "  steep-repl -c service=berlin subscription resume paris")
final class SubscriptionResumeCommand extends PeerAction {
    @Override
    protected String run(SteepRepl node, Peer peer) {
        node.subscriptions().resume(peer.name());
        return "resumed";
    }
}
