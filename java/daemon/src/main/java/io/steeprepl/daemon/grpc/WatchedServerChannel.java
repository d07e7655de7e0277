package io.steeprepl.daemon.grpc;

import io.netty.channel.Channel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import java.util.List;

/** Accepts connections and has the handshake of each watched. */
final class WatchedServerChannel extends NioServerSocketChannel {
    private final Refusals refusals;

    WatchedServerChannel(Refusals refusals) {
        this.refusals = refusals;
    }

    @Override
    protected int doReadMessages(List<Object> accepted) throws Exception {
        int before = accepted.size();
        int count = super.doReadMessages(accepted);
        for (Object each : accepted.subList(before, accepted.size())) {
            if (each instanceof Channel channel) {
                channel.pipeline().addFirst(new HandshakeWatch(refusals));
            }
        }
        return count;
    }
}
