package io.steeprepl.testkit;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** A TCP proxy that stands for the network between two nodes: it can be cut, reset, slowed down and mended. */
public final class Proxy implements AutoCloseable {
    private final ServerSocket listener;
    private final int target;
    private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
    private volatile boolean cut;
    private volatile long delayMillis;

    /** Forwards a free port to {@code target}, both on loopback. */
    public Proxy(int target) {
        try {
            this.target = target;
            this.listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        } catch (IOException e) {
            throw new TestkitException("cannot listen", e);
        }
        Thread.ofVirtual().start(this::accept);
    }

    public int port() {
        return listener.getLocalPort();
    }

    /** Ends all connections and refuses new ones until {@link #mend}. */
    public void cut() {
        cut = true;
        closeAll(false);
    }

    /** Resets all connections (RST), as a firewall that forgot them; new ones work. */
    public void reset() {
        closeAll(true);
    }

    /** Delays each piece of data. */
    public void delay(long millis) {
        delayMillis = millis;
    }

    public void mend() {
        cut = false;
        delayMillis = 0;
    }

    private void accept() {
        while (!listener.isClosed()) {
            try {
                Socket client = listener.accept();
                Thread.ofVirtual().start(() -> connect(client));
            } catch (IOException e) {
                // The listener was closed; the loop's condition says so.
            }
        }
    }

    private void connect(Socket client) {
        sockets.add(client);
        try {
            Socket server = new Socket(InetAddress.getLoopbackAddress(), target);
            sockets.add(server);
            Thread.ofVirtual().start(() -> pump(client, server));
            Thread.ofVirtual().start(() -> pump(server, client));
        } catch (IOException e) {
            // The target is down: the client sees its connection end.
            end(client);
        }
        // Checked last: a cut that came meanwhile did not know these two yet.
        if (cut) {
            closeAll(false);
        }
    }

    private void pump(Socket from, Socket to) {
        byte[] buffer = new byte[8192];
        try (from;
                to) {
            int length;
            while ((length = from.getInputStream().read(buffer)) > 0) {
                if (delayMillis > 0) {
                    Thread.sleep(delayMillis);
                }
                to.getOutputStream().write(buffer, 0, length);
            }
        } catch (IOException e) {
            // One side went away; closing both tells the other.
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            sockets.remove(from);
            sockets.remove(to);
        }
    }

    private void closeAll(boolean hard) {
        if (hard) {
            // All before the first is closed: its pump closes the other end, which must be a reset as well.
            sockets.forEach(Proxy::resetWhenClosed);
        }
        sockets.forEach(this::end);
    }

    private static void resetWhenClosed(Socket socket) {
        try {
            socket.setSoLinger(true, 0);
        } catch (IOException e) {
            // It is gone already.
        }
    }

    private void end(Socket socket) {
        try {
            socket.close();
        } catch (IOException e) {
            // It is gone already.
        } finally {
            sockets.remove(socket);
        }
    }

    @Override
    public void close() {
        try (listener) {
            closeAll(false);
        } catch (IOException e) {
            throw new TestkitException("cannot close the proxy", e);
        }
    }
}
