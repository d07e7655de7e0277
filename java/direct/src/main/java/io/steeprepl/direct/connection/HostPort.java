package io.steeprepl.direct.connection;

/**
 * One server of a connection.
 *
 * @param host as the user wrote it: a name, an address, or the folder of a socket; never empty
 * @param address where to connect to when that is not {@code host} (hostaddr), else the same
 */
public record HostPort(String host, String address, int port) {
    /** Whether the host is the folder of a socket in the file system (or, with @, an abstract one). */
    public boolean isSocket() {
        return host.startsWith("/") || host.startsWith("@");
    }

    @Override
    public String toString() {
        if (isSocket()) {
            return "socket %s/.s.PGSQL.%d".formatted(host, port);
        }
        return (host.contains(":") ? "[" + host + "]" : host) + ":" + port;
    }
}
