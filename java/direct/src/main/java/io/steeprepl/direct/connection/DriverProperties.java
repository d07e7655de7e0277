package io.steeprepl.direct.connection;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Properties;

/** Translates libpq's parameters into the JDBC driver's, whose URLs silently ignore what they do not know. */
final class DriverProperties {
    /** How long, in seconds, making a connection may take when the user does not say. */
    private static final String DEFAULT_TIMEOUT = "15";

    private static final Map<String, String> SERVER_TYPES = Map.of(
            "any", "any",
            "read-write", "primary",
            "primary", "primary",
            "read-only", "secondary",
            "standby", "secondary");

    private DriverProperties() {}

    /** The driver's URL: server and database, nothing else. */
    static String url(ConnectionSpec spec, HostPort server) {
        String host = server.isSocket() ? "localhost" : server.host();
        String bracketed = host.contains(":") ? "[" + host + "]" : host;
        String database = URLEncoder.encode(spec.dbname(), StandardCharsets.UTF_8);
        return "jdbc:postgresql://%s:%d/%s".formatted(bracketed, server.port(), database);
    }

    /** The properties for one server; {@code password} may be empty when there is none. */
    static Properties of(ConnectionSpec spec, HostPort server, String serverType, String password) {
        var properties = new Properties();
        Map<String, String> values = spec.values();
        for (Keyword keyword : Keyword.all()) {
            String value = values.get(keyword.name());
            if (keyword.property() != null && value != null) {
                properties.setProperty(keyword.property(), value);
            }
        }
        properties.putIfAbsent("ApplicationName", values.getOrDefault("fallback_application_name", "steep-repl"));
        properties.setProperty("targetServerType", serverType);
        properties.setProperty("tcpKeepAlive", Boolean.toString(!"0".equals(values.get("keepalives"))));
        if (!password.isEmpty()) {
            properties.setProperty("password", password);
        }
        timeouts(values.getOrDefault("connect_timeout", DEFAULT_TIMEOUT), properties);
        if (server.isSocket()) {
            properties.setProperty("socketFactory", UnixSocketFactory.class.getName());
            properties.setProperty("socketFactoryArg", server.address() + "/.s.PGSQL." + server.port());
            properties.setProperty("sslmode", "disable");
            properties.setProperty("gssEncMode", "disable");
        } else {
            if (!server.address().equals(server.host())) {
                properties.setProperty("socketFactory", AddressSocketFactory.class.getName());
                properties.setProperty("socketFactoryArg", server.address());
            }
            certificates(spec, properties);
        }
        return properties;
    }

    /** The driver's name for a kind of server; prefer-standby is two passes of the caller's. */
    static String serverType(String targetSessionAttrs) {
        return SERVER_TYPES.getOrDefault(targetSessionAttrs, "any");
    }

    private static void timeouts(String seconds, Properties properties) {
        String value = Integer.toString(Math.max(0, Integer.parseInt(seconds.strip())));
        properties.setProperty("connectTimeout", value);
        // The whole of it: a frozen server accepts and then says nothing.
        properties.setProperty("loginTimeout", value);
    }

    private static void certificates(ConnectionSpec spec, Properties properties) {
        Path folder = spec.home().resolve(".postgresql");
        String root = spec.get("sslrootcert").orElse("");
        if (root.equals("system")) {
            properties.setProperty("sslfactory", "org.postgresql.ssl.DefaultJavaSSLFactory");
            properties.setProperty("sslmode", "verify-full");
            return;
        }
        if (!root.isEmpty()) {
            properties.setProperty("sslrootcert", root);
        }
        // As libpq: where there is a root certificate, require checks the server's certificate against it.
        boolean hasRoot = Files.exists(root.isEmpty() ? folder.resolve("root.crt") : Path.of(root));
        if (hasRoot && "require".equals(properties.getProperty("sslmode"))) {
            properties.setProperty("sslmode", "verify-ca");
        }
        // The driver's own default is a key in another format.
        Path key = folder.resolve("postgresql.key");
        if (!properties.containsKey("sslkey") && Files.exists(key)) {
            properties.setProperty("sslkey", key.toString());
        }
    }
}
