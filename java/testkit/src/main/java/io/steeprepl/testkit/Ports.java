package io.steeprepl.testkit;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;

/** Free TCP ports. */
final class Ports {
    private Ports() {}

    /** A port that was free a moment ago; whoever binds it must be ready for it to be taken meanwhile. */
    static int free() {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        } catch (IOException e) {
            throw new TestkitException("no free port", e);
        }
    }
}
