package io.steeprepl.direct.connection;

import io.steeprepl.api.ApiException;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The values that some parameters can have. */
final class Checks {
    private static final Map<String, List<String>> CHOICES = Map.of(
            "sslmode", List.of("disable", "allow", "prefer", "require", "verify-ca", "verify-full"),
            "sslnegotiation", List.of("postgres", "direct"),
            "channel_binding", List.of("disable", "prefer", "require"),
            "gssencmode", List.of("disable", "prefer", "require"),
            "load_balance_hosts", List.of("disable", "random"),
            "target_session_attrs", List.of("any", "read-write", "read-only", "primary", "standby", "prefer-standby"));

    private Checks() {}

    /** Throws {@link ApiException.Usage} for the first value that cannot be. */
    static void check(Map<String, String> values) {
        CHOICES.forEach((name, choices) -> {
            String value = values.get(name);
            if (value != null && !choices.contains(value)) {
                throw new ApiException.Usage(
                        "invalid %s \"%s\", did you mean \"%s\"?".formatted(name, value, Nearest.of(value, choices)),
                        "one of " + String.join(", ", choices));
            }
        });
        number("connect_timeout", values.get("connect_timeout"));
        number("keepalives", values.get("keepalives"));
    }

    private static void number(String name, @Nullable String value) {
        try {
            if (value != null) {
                Integer.parseInt(value.strip());
            }
        } catch (NumberFormatException e) {
            throw new ApiException.Usage("%s must be a whole number, not \"%s\"".formatted(name, value), null);
        }
    }

    /** A port, 5432 when the text is empty. */
    static int port(String text) {
        try {
            int port = text.isBlank() ? 5432 : Integer.parseInt(text.strip());
            if (port > 0 && port < 65536) {
                return port;
            }
        } catch (NumberFormatException e) {
            // said below
        }
        throw new ApiException.Usage(
                "invalid port \"%s\"".formatted(text.strip()), "a port is a number from 1 to 65535");
    }
}
