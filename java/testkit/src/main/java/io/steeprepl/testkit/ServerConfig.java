package io.steeprepl.testkit;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The settings of a node's server.
 *
 * @param peers how many peers it must be able to have
 * @param durable whether it survives a crash of the machine; tests do without
 * @param stage the extension, or null for a server without it
 */
record ServerConfig(
        int peers,
        boolean durable,
        @org.jspecify.annotations.Nullable Path stage) {
    /** As lines of postgresql.conf. */
    String lines(int port, Path sockets) {
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put("listen_addresses", "127.0.0.1");
        settings.put("port", Integer.toString(port));
        settings.put(
                "unix_socket_directories",
                System.getProperty("os.name").startsWith("Windows") ? "" : sockets.toString());
        settings.put("log_line_prefix", "%m [%p] %b ");
        settings.put("timezone", "UTC");
        settings.put("log_timezone", "UTC");
        if (!durable) {
            settings.put("fsync", "off");
        }
        if (stage != null) {
            settings.put("wal_level", "logical");
            settings.put("track_commit_timestamp", "on");
            settings.put("max_replication_slots", Integer.toString(2 * peers + 4));
            settings.put("max_wal_senders", Integer.toString(2 * peers + 4));
            settings.put("max_active_replication_origins", Integer.toString(2 * peers + 4));
            settings.put("max_logical_replication_workers", Integer.toString(peers + 4));
            settings.put("max_worker_processes", Integer.toString(peers + 16));
            settings.put("shared_buffers", "32MB");
            settings.put("max_connections", "60");
            settings.put("shared_preload_libraries", "steep_repl");
            settings.put("extension_control_path", stage + ":$system");
            settings.put("dynamic_library_path", stage.resolve("lib") + ":$libdir");
        }
        StringBuilder text = new StringBuilder("\n# set by the test kit\n");
        settings.forEach((name, value) -> text.append(name)
                .append(" = '")
                .append(value.replace("'", "''"))
                .append("'\n"));
        return text.toString();
    }
}
