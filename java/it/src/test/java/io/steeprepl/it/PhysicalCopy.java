package io.steeprepl.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.testkit.Server;
import io.steeprepl.testkit.TestNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Copies of a node's files, made while it is written to, as base backups are made. */
final class PhysicalCopy {
    private PhysicalCopy() {}

    /** Ends the server of a copy, if there is one, and shows what it said last. */
    static void end(@Nullable TestNode copy) {
        if (copy != null) {
            System.err.println("--- log of the copy\n" + copy.server().logTail(40));
            copy.server().kill9();
        }
    }

    /** Makes a copy beside the node, which holds its WAL up to the end, and does not start it. */
    static TestNode of(TestNode node, String name, boolean archiveRecovery) {
        Path data = node.server().dataDir();
        Path folder = data.resolve("../../" + name).normalize();
        Path copy = folder.resolve("data");
        try (var connection = node.connect();
                var statement = connection.createStatement()) {
            Files.createDirectories(folder);
            statement.execute("SELECT pg_backup_start('copy', true)");
            // Files come and go meanwhile.
            run("cp", "-a", data.toString(), copy.toString());
            try (var row = statement.executeQuery("SELECT labelfile FROM pg_backup_stop(false)")) {
                assertThat(row.next()).isTrue();
                // With the owner of the others, who moves it away.
                run(
                        "cp",
                        "-a",
                        copy.resolve("PG_VERSION").toString(),
                        copy.resolve("backup_label").toString());
                Files.writeString(copy.resolve("backup_label"), row.getString(1));
            }
            run("cp", "-a", data.resolve("pg_wal").toString(), copy.toString());
            run(
                    "sh",
                    "-c",
                    "rm -rf '" + copy + "'/pg_replslot/* '" + copy + "'/postmaster.* '" + copy + "'/testkit.conf");
            if (archiveRecovery) {
                Files.createFile(copy.resolve("recovery.signal"));
                Files.writeString(
                        copy.resolve("postgresql.conf"),
                        "\nrestore_command = 'false'\n",
                        java.nio.file.StandardOpenOption.APPEND);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
        return new TestNode(name, Server.at(folder, 4, false), node.database());
    }

    /** The same copy once more, as another server: of one that was never started. */
    static TestNode again(TestNode copy, String name) {
        Path folder = copy.server().dataDir().resolve("../../" + name).normalize();
        try {
            Files.createDirectories(folder);
            run(
                    "cp",
                    "-a",
                    copy.server().dataDir().toString(),
                    folder.resolve("data").toString());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return new TestNode(name, Server.at(folder, 4, false), copy.database());
    }

    /** Starts a copy and waits until it has noted where it ends. */
    static void start(TestNode copy) {
        copy.server().start();
        Sql.await(copy, "SELECT pg_is_in_recovery()", "f");
        Sql.await(copy, "SELECT count(*) FROM steep_repl.copy_ends", "1");
    }

    /** What {@code complete_node} is asked. */
    static String complete(TestNode copy, TestNode source) {
        return "SELECT steep_repl.complete_node('" + copy.id() + "', '" + source.conninfo() + "', '" + copy.conninfo()
                + "', host => '127.0.0.1', port => " + copy.server().port() + ")";
    }

    static void run(String... command) throws IOException {
        try {
            new ProcessBuilder(List.of(command))
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start()
                    .waitFor();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
