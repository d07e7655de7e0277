package io.steeprepl.config.repl;

import io.steeprepl.api.ApiException;
import io.steeprepl.config.Located;
import io.steeprepl.config.Problems;
import io.steeprepl.direct.connection.Surroundings;
import java.net.InetAddress;
import java.time.Duration;
import java.util.List;
import java.util.Set;

/** What must fit together. */
record Checks(Values values, Problems problems, Surroundings around) {
    private static final Set<String> LOOPBACK = Set.of("localhost", "127.0.0.1", "::1", "[::1]");
    private static final List<Key<?>> PARTS = List.of(Keys.HOST, Keys.PORT, Keys.DATABASE, Keys.USER, Keys.SSLMODE);
    private static final List<Key<?>> FILES = List.of(Keys.CERT_FILE, Keys.KEY_FILE, Keys.CA_FILE);

    void all() {
        connection();
        passwords();
        order(Keys.RECONNECT_MIN, Keys.RECONNECT_MAX);
        certificates();
        addresses();
        allowed(Keys.GRPC_ALLOW);
        allowed(Keys.GRPC_ALLOW_READING);
        listening(Keys.GRPC_BIND);
        listening(Keys.HTTP_BIND);
    }

    private void connection() {
        values.at(Keys.CONNECTION).ifPresent(text -> {
            for (Key<?> part : PARTS) {
                values.at(part)
                        .ifPresent(value -> problems.add(
                                value,
                                "connection in line %d says it already".formatted(text.line()),
                                "keep connection, or the single keys"));
            }
            meant(text);
        });
        if (values.at(Keys.CONNECTION).isEmpty()) {
            values.at(Keys.HOST).ifPresent(this::meant);
        }
    }

    /** Whether it can be meant; the environment is asked too, as it will be. */
    private void meant(Located<?> at) {
        try {
            DatabaseSettings.of(values).spec(around);
        } catch (ApiException.Usage e) {
            problems.add(at, e.message(), String.valueOf(e.hint()));
        }
    }

    private void passwords() {
        values.at(Keys.PASSWORD)
                .ifPresent(password -> values.at(Keys.PASSWORD_COMMAND)
                        .ifPresent(command -> problems.add(
                                command,
                                "password in line %d says it already".formatted(password.line()),
                                "keep one of them")));
    }

    private void order(Key<Duration> less, Key<Duration> more) {
        if (values.get(less).compareTo(values.get(more)) > 0) {
            values.at(less)
                    .or(() -> values.at(more))
                    .ifPresent(value -> problems.add(
                            value,
                            "%s is longer than %s".formatted(less.last(), more.last()),
                            "make %s the longer one".formatted(more.last())));
        }
    }

    private void certificates() {
        List<Key<?>> given =
                FILES.stream().filter(key -> values.at(key).isPresent()).toList();
        if (!given.isEmpty() && given.size() < FILES.size()) {
            for (Key<?> key : FILES) {
                if (!given.contains(key)) {
                    values.at(given.getFirst())
                            .ifPresent(value -> problems.add(
                                    value, key.last() + " is missing beside it", "all three belong together"));
                }
            }
        }
        boolean insecure = values.get(Keys.GRPC_INSECURE);
        if (insecure && !LOOPBACK.contains(values.get(Keys.GRPC_BIND))) {
            values.at(Keys.GRPC_INSECURE)
                    .ifPresent(value -> problems.add(
                            value,
                            "without certificates only a loopback address is served",
                            "add bind: 127.0.0.1, or make certificates: steep-repl tls init"));
        }
        if (!insecure && given.isEmpty() && values.find(Keys.GRPC_ENABLED).orElse(false)) {
            values.at(Keys.GRPC_ENABLED)
                    .ifPresent(value -> problems.add(
                            value,
                            "there are no certificates",
                            "add tls.cert_file, tls.key_file and tls.ca_file (steep-repl tls init makes them)"));
        }
    }

    private void addresses() {
        values.at(Keys.PEER_ADDRESSES)
                .ifPresent(map -> map.value().forEach((peer, address) -> {
                    int colon = address.lastIndexOf(':');
                    if (colon < 0 || !isPort(address.substring(colon + 1)) || !isHost(address.substring(0, colon))) {
                        problems.add(
                                map,
                                "the address of %s is not host:port".formatted(peer),
                                "for instance: b.example.org:5433, [::1]:5433");
                    }
                }));
    }

    private void listening(Key<String> key) {
        values.at(key).ifPresent(bind -> {
            if (!isHost(bind.value()) && !isAddress(bind.value())) {
                problems.add(bind, "not an address", "an address of this machine: 127.0.0.1, 0.0.0.0");
            }
        });
    }

    /** What stands for every machine stands for nobody. */
    private void allowed(Key<List<String>> key) {
        values.at(key)
                .filter(names -> names.value().contains("localhost"))
                .ifPresent(names -> problems.add(
                        names,
                        "localhost is the name of nobody",
                        "the common name of a certificate, such as alice: steep-repl tls init alice"));
    }

    private static boolean isPort(String text) {
        return text.matches("[0-9]{1,5}") && Integer.parseInt(text) > 0 && Integer.parseInt(text) < 65_536;
    }

    /** A name, or an address as it is written before a port. */
    private static boolean isHost(String text) {
        return text.startsWith("[")
                ? text.endsWith("]") && isAddress(text.substring(1, text.length() - 1))
                : text.matches("[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9_.])?");
    }

    private static boolean isAddress(String text) {
        try {
            InetAddress.ofLiteral(text);
            return true;
        } catch (IllegalArgumentException e) {
            return false;
        }
    }
}
