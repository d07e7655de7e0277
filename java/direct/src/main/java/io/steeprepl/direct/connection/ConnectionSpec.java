package io.steeprepl.direct.connection;

import io.steeprepl.api.ApiException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Which server and database is meant and how to get there: every parameter resolved by libpq's rules. Immutable. */
public final class ConnectionSpec {
    /** What says something about this client rather than about the server. */
    private static final Set<String> CLIENT_ONLY =
            Set.of("service", "passfile", "application_name", "fallback_application_name", "client_encoding");

    /** Where Debian and PostgreSQL itself put the sockets. */
    private static final List<String> SOCKET_FOLDERS = List.of("/var/run/postgresql", "/tmp");

    private final Map<String, String> values;
    private final Surroundings around;

    private ConnectionSpec(Map<String, String> values, Surroundings around) {
        this.values = Collections.unmodifiableMap(values);
        this.around = around;
    }

    /**
     * Resolves what a user wrote.
     *
     * @param text a URI, a conninfo string, the name of a service, or null for the PG* environment alone
     * @throws ApiException.Usage when it cannot be meant
     */
    public static ConnectionSpec resolve(@Nullable String text, Surroundings around) {
        Map<String, String> values = text == null || text.isBlank() ? new LinkedHashMap<>() : explicit(text, around);
        String service =
                values.getOrDefault("service", around.variable("PGSERVICE").orElse(""));
        fromService(service, values, around);
        for (Keyword keyword : Keyword.all()) {
            if (keyword.variable() != null && keyword.support() != Keyword.Support.REFUSED) {
                around.variable(keyword.variable()).ifPresent(value -> values.putIfAbsent(keyword.name(), value));
            }
        }
        values.values().removeIf(String::isEmpty);
        values.putIfAbsent("user", around.userName());
        values.putIfAbsent("dbname", values.getOrDefault("user", ""));
        var spec = new ConnectionSpec(values, around);
        Checks.check(values);
        spec.hosts();
        return spec;
    }

    /**
     * Resolves what a configuration file says, over which the PG* environment has the last word.
     *
     * @param text a URI, a conninfo string or the name of a service, or null
     * @param parameters more of them by libpq's names
     * @throws ApiException.Usage when it cannot be meant
     */
    public static ConnectionSpec configured(
            @Nullable String text, Map<String, String> parameters, Surroundings around) {
        Map<String, String> values = text == null ? new LinkedHashMap<>() : explicit(text, around);
        values.putAll(parameters);
        String service = values.getOrDefault("service", "");
        fromService(service, values, around);
        around.variable("PGHOST").ifPresent(host -> values.remove("hostaddr"));
        for (Keyword keyword : Keyword.all()) {
            if (keyword.variable() != null && keyword.support() != Keyword.Support.REFUSED) {
                around.variable(keyword.variable()).ifPresent(value -> values.put(keyword.name(), value));
            }
        }
        return resolve(ConninfoParser.render(values, Set.of("service")), around);
    }

    private static void fromService(String service, Map<String, String> values, Surroundings around) {
        if (!service.isEmpty()) {
            var files = new ServiceFile(around);
            files.find(service)
                    .orElseThrow(() -> new ApiException.Usage(
                            "service \"%s\" is not defined".formatted(service), "looked in " + files.places()))
                    .forEach(values::putIfAbsent);
        }
    }

    private static Map<String, String> explicit(String text, Surroundings around) {
        if (UriParser.isUri(text)) {
            return UriParser.parse(text);
        }
        if (text.contains("=")) {
            return ConninfoParser.parse(text);
        }
        if (text.contains("://")) {
            throw new ApiException.Usage(
                    "the URI does not begin with postgresql://", "postgresql://user@host:port/dbname");
        }
        if (isService(text, around)) {
            return new LinkedHashMap<>(Map.of("service", text));
        }
        throw new ApiException.Usage(
                "\"%s\" is neither a URI, nor a conninfo string, nor a known service".formatted(text),
                "postgresql://user@host:port/dbname, \"host=… dbname=…\", or a service of "
                        + new ServiceFile(around).places());
    }

    /** Whether a word is the name of a service in the user's or the system's service file. */
    public static boolean isService(String word, Surroundings around) {
        return new ServiceFile(around).find(word).isPresent();
    }

    /** Whether a text can only be a URI or a conninfo string, not a name. */
    public static boolean isConnectionString(String text) {
        return text.contains("=") || text.contains("://");
    }

    /** The servers to try, in order. */
    public List<HostPort> hosts() {
        String[] hosts = values.getOrDefault("host", "").split(",", -1);
        String[] addresses = values.getOrDefault("hostaddr", "").split(",", -1);
        String[] ports = values.getOrDefault("port", "").split(",", -1);
        int count = Math.max(hosts.length, addresses.length);
        if (ports.length > 1 && ports.length != count) {
            throw new ApiException.Usage(
                    "%d ports for %d hosts".formatted(ports.length, count), "give one port, or one a host");
        }
        if (values.containsKey("host") && values.containsKey("hostaddr") && hosts.length != addresses.length) {
            throw new ApiException.Usage(
                    "%d host addresses for %d hosts".formatted(addresses.length, hosts.length),
                    "give one hostaddr a host");
        }
        List<HostPort> found = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int port = Checks.port(ports.length == 1 ? ports[0] : ports[i]);
            String address = i < addresses.length ? addresses[i].strip() : "";
            String host = i < hosts.length ? hosts[i].strip() : "";
            String name = !host.isEmpty() ? host : !address.isEmpty() ? address : localHost(port);
            found.add(new HostPort(name, address.isEmpty() ? name : address, port));
        }
        return found;
    }

    private static String localHost(int port) {
        return SOCKET_FOLDERS.stream()
                .filter(folder -> Files.exists(Path.of(folder, ".s.PGSQL." + port)))
                .findFirst()
                .orElse("localhost");
    }

    /** The value of a parameter by libpq's name. */
    public Optional<String> get(String keyword) {
        return Optional.ofNullable(values.get(keyword));
    }

    /** The database. */
    public String dbname() {
        return values.getOrDefault("dbname", "");
    }

    /** The role. */
    public String user() {
        return values.getOrDefault("user", "");
    }

    /** Where passwords are looked up. */
    Path passwordFile() {
        return get("passfile").map(Path::of).orElse(around.home().resolve(".pgpass"));
    }

    /** Where the user's certificates are. */
    Path home() {
        return around.home();
    }

    /** All parameters by libpq's names. */
    Map<String, String> values() {
        return values;
    }

    /** The same with one server and database in place of the others, for another node that is reached alike. */
    public ConnectionSpec at(String host, int port, String dbname) {
        var changed = new LinkedHashMap<>(values);
        changed.remove("hostaddr");
        changed.put("host", host);
        changed.put("port", Integer.toString(port));
        changed.put("dbname", dbname);
        return new ConnectionSpec(changed, around);
    }

    /** The same with one of its servers only. */
    public ConnectionSpec only(HostPort server) {
        var changed = new LinkedHashMap<>(values);
        changed.put("host", server.host());
        changed.remove("hostaddr");
        if (!server.address().equals(server.host())) {
            changed.put("hostaddr", server.address());
        }
        changed.put("port", Integer.toString(server.port()));
        return new ConnectionSpec(changed, around);
    }

    /** The same, with a parameter that counts when nobody has set it. */
    public ConnectionSpec withDefault(String keyword, String value) {
        var changed = new LinkedHashMap<>(values);
        changed.putIfAbsent(keyword, value);
        return new ConnectionSpec(changed, around);
    }

    /**
     * A conninfo string for libpq that stands on its own: for handing to a server, which has another environment. Holds
     * the password if the user gave one in the string or in PGPASSWORD, not one from a password file.
     */
    public String conninfo() {
        var whole = new LinkedHashMap<>(values);
        List<HostPort> hosts = hosts();
        whole.put("host", String.join(",", hosts.stream().map(HostPort::host).toList()));
        whole.put(
                "port",
                String.join(
                        ",", hosts.stream().map(h -> Integer.toString(h.port())).toList()));
        return ConninfoParser.render(whole, CLIENT_ONLY);
    }

    /** For people: who, where, which database; without any secret. */
    @Override
    public String toString() {
        return "%s@%s/%s"
                .formatted(
                        user(),
                        String.join(
                                ",", hosts().stream().map(HostPort::toString).toList()),
                        dbname());
    }
}
