package io.steeprepl.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A server without the extension. */
class ServerTest {
    private final Folder folder = folder();
    private final Server server = Server.plain(folder.path().resolve("s"));

    @BeforeEach
    void start() {
        server.start();
    }

    @AfterEach
    void end() throws IOException {
        server.discard();
        folder.close();
    }

    @Test
    void keepsItsDataAndItsPortOverAStop() throws SQLException {
        run("CREATE TABLE kept AS SELECT 7 AS n");
        int port = server.port();
        server.stop();
        assertThat(server.pid()).isEmpty();
        server.start();
        assertThat(run("SELECT n FROM kept")).isEqualTo("7");
        assertThat(server.port()).isEqualTo(port);
    }

    @Test
    void startingWhatRunsChangesNothing() {
        var pid = server.pid();
        server.start();
        assertThat(server.pid()).isPresent().isEqualTo(pid);
    }

    @Test
    void recoversFromKill9AtOnce() throws SQLException {
        run("CREATE TABLE kept AS SELECT 7 AS n");
        server.kill9();
        assertThat(server.pid()).isEmpty();
        server.start();
        assertThat(run("SELECT n FROM kept")).isEqualTo("7");
        assertThat(server.logTail(50)).contains("not properly shut down");
    }

    @Test
    void leavesNoSharedMemoryBehindWhenDiscarded() throws IOException {
        // The seventh line: key and id (src/include/utils/pidfile.h).
        String memory = Files.readAllLines(server.dataDir().resolve("postmaster.pid"))
                .get(6)
                .strip()
                .split(" +")[1];
        assertThat(memories()).contains(memory);
        server.discard();
        assertThat(memories()).doesNotContain(memory);
    }

    /** The ids of System V shared memory, where the system shows them. */
    private static List<String> memories() throws IOException {
        Path shown = Path.of("/proc/sysvipc/shm");
        assumeThat(shown).exists();
        return Files.readAllLines(shown).stream()
                .map(line -> line.strip().split(" +")[1])
                .toList();
    }

    @Test
    void doesNotAnswerWhileFrozen() throws SQLException {
        server.freeze();
        assertThatThrownBy(() -> DriverManager.getConnection(server.jdbcUrl("postgres") + "&loginTimeout=1"))
                .isInstanceOf(SQLException.class);
        server.thaw();
        assertThat(run("SELECT 1")).isEqualTo("1");
    }

    @Test
    void canBeStoppedAndKilledWhileFrozen() {
        server.freeze();
        server.stop();
        assertThat(server.pid()).isEmpty();
        server.start().freeze();
        server.kill9();
        assertThat(server.pid()).isEmpty();
    }

    @Test
    void aPidFileWithTheNumberOfAnotherProcessIsNotOurs() throws IOException {
        server.stop();
        Files.writeString(
                server.dataDir().resolve("postmaster.pid"),
                ProcessHandle.current().pid() + "\n");
        assertThat(server.pid()).isEmpty();
        Files.delete(server.dataDir().resolve("postmaster.pid"));
    }

    private String run(String sql) throws SQLException {
        try (var connection = DriverManager.getConnection(server.jdbcUrl("postgres"));
                var statement = connection.createStatement()) {
            if (!statement.execute(sql)) {
                return "";
            }
            try (var rows = statement.getResultSet()) {
                return rows.next() ? rows.getString(1) : "";
            }
        }
    }

    private static Folder folder() {
        try {
            return new Folder();
        } catch (IOException e) {
            throw new TestkitException("no folder", e);
        }
    }
}
