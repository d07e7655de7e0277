package io.steeprepl.cli.subscription;

import io.steeprepl.api.SteepRepl;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code subscription add}. */
@Command(
        name = "add",
        description =
                "Makes this node receive from a peer. The server makes the link soon after; see subscription list.",
        footer = "  steep-repl -c service=berlin subscription add \"host=paris dbname=shop user=steep\"")
final class SubscriptionAddCommand extends PeerAction {
    @Option(names = "--copy-data", description = "First copy the rows that the peer has now.")
    private boolean copyData;

    @Override
    protected String run(SteepRepl node, Peer peer) {
        node.subscriptions().add(peer.name(), peer.conninfo(), copyData);
        return "requested";
    }
}
