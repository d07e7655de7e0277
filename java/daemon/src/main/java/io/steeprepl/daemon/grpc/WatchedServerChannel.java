package io.steeprepl.daemon.grpc;

import io.netty.channel.Channel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import java.net.SocketAddress;
import java.util.Iterator;
import java.util.List;

/** Accepts connections and has the handshake of each watched. */
final class WatchedServerChannel extends NioServerSocketChannel {
    private final Refusals refusals;
    private final Handshakes handshakes = new Handshakes();

    WatchedServerChannel(Refusals refusals) {
        this.refusals = refusals;
    }

    @Override
    protected int doReadMessages(List<Object> accepted) throws Exception {
        int before = accepted.size();
        int count = super.doReadMessages(accepted);
        for (Iterator<Object> each = accepted.listIterator(before); each.hasNext(); ) {
            if (each.next() instanceof Channel channel && !watched(channel)) {
                channel.unsafe().closeForcibly();
                each.remove();
            }
        }
        return count;
    }

    /** False when it is one too many. */
    private boolean watched(Channel channel) {
        SocketAddress from = channel.remoteAddress();
        if (from == null) {
            // It has gone already.
            return false;
        }
        if (!handshakes.begin(from)) {
            refusals.add(from, new Reason("too many handshakes", "too many of its connections are in their handshake"));
            return false;
        }
        channel.pipeline().addFirst(new HandshakeWatch(refusals, () -> handshakes.end(from)));
        return true;
    }
}
