package io.steeprepl.testkit;

import java.time.Duration;
import java.util.List;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionTimeoutException;

/** Linking nodes with each other. */
public final class Links {
    private Links() {}

    /** Links each pair both ways and waits until all links stream. */
    public static void linkAll(List<TestNode> nodes) {
        for (TestNode node : nodes) {
            for (TestNode peer : nodes) {
                if (!node.equals(peer)) {
                    node.query("SELECT steep_repl.subscribe('" + peer.conninfo() + "')");
                }
            }
        }
        try {
            Awaitility.await("all links to stream")
                    .atMost(Duration.ofSeconds(60))
                    .pollInterval(Duration.ofMillis(100))
                    .until(() -> nodes.stream().allMatch(node -> streams(node, nodes.size() - 1)));
        } catch (ConditionTimeoutException e) {
            StringBuilder states = new StringBuilder("the links did not come up:");
            nodes.forEach(n -> states.append("\n")
                    .append(n.id())
                    .append(": ")
                    .append(n.rows("SELECT peer, state, last_error FROM steep_repl.subscription_status()")));
            throw new TestkitException(states.toString(), e);
        }
    }

    private static boolean streams(TestNode node, int peers) {
        String streaming =
                node.query("SELECT count(*) FROM steep_repl.subscription_status() WHERE state = 'streaming'");
        return Integer.parseInt(streaming) >= peers;
    }
}
