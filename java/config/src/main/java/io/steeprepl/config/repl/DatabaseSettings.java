package io.steeprepl.config.repl;

import io.steeprepl.direct.connection.ConnectionSpec;
import io.steeprepl.direct.connection.Surroundings;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * How to reach the node's database and how to watch it.
 *
 * @param parameters of the connection, by libpq's names
 * @param connection instead of them a URI, a conninfo string or a service
 * @param passwordCommand prints the password
 * @param reconnectMin the first wait between attempts to connect
 * @param checkInterval how often to look how the node is
 * @param checkTimeout how long such a look may take
 * @param poolTimeout how long a request waits for a connection
 */
public record DatabaseSettings(
        Map<String, String> parameters,
        Optional<String> connection,
        Optional<String> passwordCommand,
        Duration passwordTimeout,
        Duration connectTimeout,
        Duration reconnectMin,
        Duration reconnectMax,
        Duration checkInterval,
        Duration checkTimeout,
        int poolSize,
        Duration poolTimeout) {
    /** In a conninfo string or in the parameters of a URI, or before the host of one. */
    private static final Pattern PASSWORD = Pattern.compile("(^|[\\s?&])password\\s*=|://[^/@]*:[^/@]*@");

    static DatabaseSettings of(Values values) {
        return new DatabaseSettings(
                parameters(values),
                values.find(Keys.CONNECTION),
                values.find(Keys.PASSWORD_COMMAND),
                values.get(Keys.PASSWORD_TIMEOUT),
                values.get(Keys.CONNECT_TIMEOUT),
                values.get(Keys.RECONNECT_MIN),
                values.get(Keys.RECONNECT_MAX),
                values.get(Keys.CHECK_INTERVAL),
                values.get(Keys.CHECK_TIMEOUT),
                values.get(Keys.POOL_SIZE),
                values.get(Keys.POOL_TIMEOUT));
    }

    private static Map<String, String> parameters(Values values) {
        Map<String, String> parameters = new LinkedHashMap<>();
        values.find(Keys.HOST).ifPresent(host -> parameters.put("host", host));
        values.find(Keys.PORT).ifPresent(port -> parameters.put("port", Integer.toString(port)));
        values.find(Keys.DATABASE).ifPresent(database -> parameters.put("dbname", database));
        values.find(Keys.USER).ifPresent(user -> parameters.put("user", user));
        values.find(Keys.SSLMODE).ifPresent(mode -> parameters.put("sslmode", mode));
        values.find(Keys.PASSWORD).ifPresent(password -> parameters.put("password", password));
        return Map.copyOf(parameters);
    }

    /** Whether a password stands in the file itself. */
    public boolean holdsPassword() {
        return parameters.containsKey("password")
                || connection.filter(text -> PASSWORD.matcher(text).find()).isPresent();
    }

    /** The connection that is meant; the PG* environment overrides what the file says. */
    public ConnectionSpec spec(Surroundings around) {
        ConnectionSpec spec = ConnectionSpec.configured(connection.orElse(null), parameters, around);
        return spec.withDefault("connect_timeout", Long.toString(Math.max(1, connectTimeout.toSeconds())))
                .withDefault("fallback_application_name", "steep-repl daemon");
    }

    /** Without secrets. */
    @Override
    public String toString() {
        return "DatabaseSettings";
    }
}
