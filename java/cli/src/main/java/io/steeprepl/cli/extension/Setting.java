package io.steeprepl.cli.extension;

import java.util.List;

/**
 * A line of postgresql.conf that a node needs.
 *
 * @param value as it stands in the file
 * @param why for the comment behind it
 */
record Setting(String name, String value, String why) {
    /**
     * What an untouched server lacks. Once the extension is there, {@code health} says what is missing, with the numbers
     * for the links that there are.
     */
    static final List<Setting> ALL = List.of(
            new Setting("shared_preload_libraries", "'steep_repl'", "added to what is there, with a comma"),
            new Setting("wal_level", "logical", "changes can be sent to peers only from a logical WAL"),
            new Setting("track_commit_timestamp", "on", "tells which of two writes came later"),
            new Setting("max_worker_processes", "16", "apply workers, launchers and workers; more for many peers"));

    /** The line to paste. */
    String line() {
        return "%-40s # %s".formatted(name + " = " + value, why);
    }
}
