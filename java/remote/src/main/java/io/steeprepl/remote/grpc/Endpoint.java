package io.steeprepl.remote.grpc;

import io.steeprepl.api.ApiException;
import java.net.InetAddress;
import java.net.UnknownHostException;

/** Where a daemon listens. */
public record Endpoint(String host, int port) {
    /** The port where none is said. */
    public static final int DEFAULT_PORT = 5433;

    /** Reads {@code host}, {@code host:port}, {@code [::1]:port}. Throws {@link ApiException.Usage}. */
    public static Endpoint parse(String text) {
        int colon = text.lastIndexOf(':');
        boolean bracketed = text.startsWith("[");
        boolean withPort = bracketed ? text.indexOf("]:") > 0 : colon >= 0 && text.indexOf(':') == colon;
        String host = withPort ? text.substring(0, colon) : text;
        if (bracketed) {
            host = host.endsWith("]") ? host.substring(1, host.length() - 1) : "";
        }
        try {
            int port = withPort ? Integer.parseInt(text.substring(colon + 1)) : DEFAULT_PORT;
            if (!host.isEmpty() && port > 0 && port < 65536 && host.indexOf(' ') < 0 && host.indexOf('/') < 0) {
                return new Endpoint(host, port);
            }
        } catch (NumberFormatException e) {
            throw invalid(text);
        }
        throw invalid(text);
    }

    private static ApiException invalid(String text) {
        return new ApiException.Usage("not the address of a daemon: " + text, "HOST:PORT, for instance berlin:5433");
    }

    /** Whether it is this machine itself, whatever the network. */
    public boolean loopback() {
        try {
            return InetAddress.getByName(host).isLoopbackAddress();
        } catch (UnknownHostException e) {
            return false;
        }
    }

    @Override
    public String toString() {
        return (host.contains(":") ? "[" + host + "]" : host) + ":" + port;
    }
}
