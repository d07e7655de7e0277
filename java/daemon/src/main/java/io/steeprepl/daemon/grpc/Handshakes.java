package io.steeprepl.daemon.grpc;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.HashMap;
import java.util.Map;

/**
 * Connections that have not come to the end of their handshake yet. They cost memory and a file each, and whoever opens them need
 * not be anybody; so there are limits, for each address and for all.
 */
final class Handshakes {
    static final int MOST_OF_ONE = 32;
    static final int MOST = 256;

    private final Map<InetAddress, Integer> open = new HashMap<>();
    private int all;

    /** Another one begins; false when there are too many already. */
    synchronized boolean begin(SocketAddress from) {
        int ofOne = open.getOrDefault(address(from), 0);
        if (ofOne >= MOST_OF_ONE || all >= MOST) {
            return false;
        }
        open.put(address(from), ofOne + 1);
        all++;
        return true;
    }

    /** One that had begun has ended, well or not. */
    synchronized void end(SocketAddress from) {
        open.computeIfPresent(address(from), (_, count) -> count == 1 ? null : count - 1);
        all--;
    }

    private static InetAddress address(SocketAddress from) {
        InetAddress address = from instanceof InetSocketAddress internet ? internet.getAddress() : null;
        return address == null ? InetAddress.getLoopbackAddress() : address;
    }
}
