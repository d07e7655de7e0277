package io.steeprepl.direct.connection;

import io.steeprepl.api.ApiException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Properties;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Makes connections: tries the servers of a {@link ConnectionSpec} in order, as libpq does. */
public final class Connector {
    private static final String INVALID_PASSWORD = "28P01";
    /** What the driver reports when a password is asked for and there is none. */
    private static final String REJECTED = "08004";

    private final PasswordPrompt prompt;
    private final Consumer<String> warnings;
    /** In bytes; 0 for any. */
    private final int largestResult;

    static {
        // The driver must not read a password file of its own accord: it would not check the file's mode.
        System.setProperty("org.postgresql.pgpassfile", "/dev/null/none");
    }

    /**
     * A way to connect.
     *
     * @param prompt asks for a password when a server wants one and none is known
     * @param warnings is told what the user should know although the connection may work
     */
    public Connector(PasswordPrompt prompt, Consumer<String> warnings) {
        this(prompt, warnings, 0);
    }

    private Connector(PasswordPrompt prompt, Consumer<String> warnings, int largestResult) {
        this.prompt = prompt;
        this.warnings = warnings;
        this.largestResult = largestResult;
    }

    /** The same with connections that refuse results of more bytes than that, for programs that many ask at once. */
    public Connector limited(int largestResult) {
        return new Connector(prompt, warnings, largestResult);
    }

    /** A connection, and the server that has taken it. */
    public record Reached(Connection connection, HostPort server) {}

    /** A connection to the first server that takes it. Throws {@link ApiException.CannotConnect} when none does. */
    public Connection connect(ConnectionSpec spec) {
        return reach(spec).connection();
    }

    /** As {@link #connect}, and says which of several servers it is. */
    public Reached reach(ConnectionSpec spec) {
        List<HostPort> servers = new ArrayList<>(spec.hosts());
        if (spec.get("load_balance_hosts").orElse("").equals("random")) {
            Collections.shuffle(servers);
        }
        String wanted = spec.get("target_session_attrs").orElse("any");
        List<String> types = wanted.equals("prefer-standby")
                ? List.of("secondary", "any")
                : List.of(DriverProperties.serverType(wanted));
        List<String> refusals = new ArrayList<>();
        SQLException last = null;
        for (String type : types) {
            refusals.clear();
            for (HostPort server : servers) {
                try {
                    return new Reached(connect(spec, server, type), server);
                } catch (SQLException e) {
                    last = e;
                    refusals.add("%s: %s".formatted(server, Secrets.mask(String.valueOf(e.getMessage()))));
                }
            }
        }
        throw failure(spec, refusals, last);
    }

    private Connection connect(ConnectionSpec spec, HostPort server, String type) throws SQLException {
        String password = spec.get("password").orElseGet(() -> fromFile(spec, server));
        try {
            return open(spec, server, type, password);
        } catch (SQLException e) {
            boolean wantsPassword = INVALID_PASSWORD.equals(e.getSQLState()) || REJECTED.equals(e.getSQLState());
            if (!password.isEmpty() || !wantsPassword) {
                throw e;
            }
            String asked = prompt.ask("Password for %s at %s: ".formatted(spec.user(), server))
                    .orElse("");
            if (asked.isEmpty()) {
                throw e;
            }
            return open(spec, server, type, asked);
        }
    }

    private Connection open(ConnectionSpec spec, HostPort server, String type, String password) throws SQLException {
        Properties properties = DriverProperties.of(spec, server, type, password);
        if (largestResult > 0) {
            properties.setProperty("maxResultBuffer", String.valueOf(largestResult));
        }
        // Server and database stand in the URL: what is missing there the driver fills in, whatever the properties say.
        return DriverManager.getConnection(DriverProperties.url(spec, server), properties);
    }

    private String fromFile(ConnectionSpec spec, HostPort server) {
        var file = new PasswordFile(spec.passwordFile(), warnings);
        // libpq looks sockets in the usual places up as localhost.
        String host = server.isSocket() ? "localhost" : server.host();
        return file.find(host, server.port(), spec.dbname(), spec.user()).orElse("");
    }

    private static ApiException.CannotConnect failure(
            ConnectionSpec spec, List<String> refusals, @Nullable SQLException cause) {
        String state = cause == null ? null : cause.getSQLState();
        String hint = switch (state == null ? "" : state) {
            case INVALID_PASSWORD, REJECTED, "28000" ->
                "set PGPASSWORD, or put the password into %s (mode 0600), and see the server's pg_hba.conf"
                        .formatted(spec.passwordFile());
            case "3D000" -> "create the database, or name another one";
            default -> "is the server up, and are host and port right? -c takes a URI, a conninfo string or a service";
        };
        return new ApiException.CannotConnect(
                state, "cannot connect to " + spec, String.join("\n", refusals), hint, cause);
    }
}
