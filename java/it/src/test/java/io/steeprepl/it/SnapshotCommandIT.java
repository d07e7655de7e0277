package io.steeprepl.it;

import static io.steeprepl.it.SnapshotArea.begin;
import static io.steeprepl.it.SnapshotArea.lines;
import static io.steeprepl.it.SnapshotArea.snapshot;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.steeprepl.cli.Main;
import io.steeprepl.it.remote.Ways;
import io.steeprepl.testkit.ClusterLogs;
import io.steeprepl.testkit.TestNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The commands of the nouns snapshot and work, as they are typed. */
@ExtendWith(ClusterLogs.class)
class SnapshotCommandIT {
    private static SnapshotArea area;
    private static TestNode full;
    private static TestNode empty;

    @BeforeAll
    static void start() {
        area = new SnapshotArea();
        full = area.full;
        empty = area.empty;
    }

    @AfterAll
    static void stop() {
        area.close();
    }

    private static Path taken(String name, Object... more) {
        Path folder = area.folder(name);
        Commands.Ended ended = snapshot(
                full,
                Stream.concat(Stream.of("generate", folder, "--parallel", 2), Stream.of(more))
                        .toArray());
        assertThat(ended.code()).as(ended.err()).isZero();
        return folder;
    }

    private static Commands.Ended work(TestNode node, Object... args) {
        return Commands.run(
                node.uri(),
                Stream.concat(Stream.of("work"), Stream.of(args).map(Object::toString))
                        .toArray(String[]::new));
    }

    private static JsonNode one(List<JsonNode> rows, long id) {
        return rows.stream()
                .filter(row -> row.get("id").asLong() == id)
                .findFirst()
                .orElseThrow();
    }

    private static List<JsonNode> rows(Commands.Ended ended) throws IOException {
        assertThat(ended.code()).as(ended.err()).isZero();
        return ended.json().valueStream().toList();
    }

    @Test
    void aSnapshotIsTakenListedVerifiedAndDeleted() throws IOException {
        Path folder = area.folder("whole");
        Commands.Ended ended = snapshot(full, "generate", folder, "--parallel", 2);
        assertThat(ended.code()).as(ended.err()).isZero();
        assertThat(ended.err())
                .containsPattern("work \\d+: 3 tables, .*/whole\\R")
                .doesNotContain("\u001b");
        assertThat(ended.out())
                .containsPattern("snapshot \\d+ is complete: 3 tables, 30,010 rows, [0-9.]+ MB in [0-9.]+ s");

        JsonNode listed = rows(snapshot(full, "list", "-o", "json")).stream()
                .filter(one -> one.get("path").asText().endsWith("/whole"))
                .findFirst()
                .orElseThrow();
        long id = listed.get("id").asLong();
        assertThat(listed.get("rows").asLong()).isEqualTo(SnapshotArea.ROWS);
        assertThat(snapshot(full, "list").out()).containsPattern(id + " +\\S+/whole +complete +20.* zstd +3 +30010 ");
        assertThat(snapshot(full, "progress", id).out())
                .containsPattern(id + " +snapshot +complete +complete +100.0 +3/3");
        assertThat(snapshot(full, "progress").out()).containsPattern("\\R *" + id + " +snapshot +complete");
        JsonNode row = one(rows(work(full, "list", "-o", "json")), id);
        assertThat(row.get("state").asText()).isEqualTo("complete");
        assertThat(row.get("role").asText()).isEqualTo("postgres");
        assertThat(row.get("parameters").get("compression").asText()).isEqualTo("zstd");
        assertThat(work(full, "list").out())
                .containsPattern(id + " +snapshot +complete +complete +100.0 +\\S+/whole +postgres");
        assertThat(snapshot(full, "verify", folder).out()).containsPattern("^whole: \\d+ files, ");

        assertThat(snapshot(full, "delete", id).out()).contains("snapshot %d is deleted: %s".formatted(id, folder));
        assertThat(folder).doesNotExist();
        assertThat(snapshot(full, "list").out()).doesNotContain("/whole ");
        assertThat(snapshot(full, "delete", id, "-o", "json").err()).contains("there is no snapshot " + id);
    }

    @Test
    void theSlotOfASnapshotIsNamedAndWhenItStaysThatIsSaid() throws Exception {
        taken("slotted", "--slot", "goes_on");
        String id = full.query("SELECT id FROM steep_repl.list_snapshots() WHERE slot_name = 'goes_on'");
        assertThat(snapshot(full, "list").out()).contains("SLOT NAME", " goes_on ");
        Commands.Ended deleted = snapshot(full, "delete", id, "-o", "json");
        assertThat(deleted.json().get("slot_name").asText()).isEqualTo("goes_on");
        assertThat(deleted.err())
                .contains("warning: its replication slot goes_on was not dropped, and holds WAL")
                .contains("SELECT pg_drop_replication_slot('goes_on')");
        full.query("SELECT pg_drop_replication_slot('goes_on')");

        Path plain = taken("plain");
        String other = full.query("SELECT id FROM steep_repl.list_snapshots() WHERE path = '" + plain + "'");
        assertThat(snapshot(full, "delete", other).err()).isEmpty();
    }

    @Test
    void jsonIsAnObjectALineAndTheLastSaysHowItEnded() throws Exception {
        CompletableFuture<Commands.Ended> running;
        try (var gate = area.shut()) {
            running = begin(full, "generate", area.folder("json"), "-o", "json", "--compression", "none");
            gate.awaitWork();
            gate.awaitLook();
        }
        List<JsonNode> lines = lines(running.get(60, TimeUnit.SECONDS));
        assertThat(lines).hasSizeGreaterThan(1);
        assertThat(lines.stream().map(line -> line.get("id").asLong()).distinct())
                .hasSize(1);
        assertThat(lines).anyMatch(line -> line.get("phase").asText().startsWith("waiting for one moment"));
        JsonNode last = lines.getLast();
        assertThat(last.get("state").asText()).isEqualTo("complete");
        assertThat(last.get("percent").asDouble()).isEqualTo(100);
        assertThat(last.get("rows_done").asLong()).isEqualTo(SnapshotArea.ROWS);
        assertThat(last.get("streams").isEmpty()).isTrue();
    }

    @Test
    void detachedWorkIsFollowedAndCancelledFromElsewhere() throws Exception {
        Path folder = area.folder("cancelled");
        long id;
        try (var gate = area.shut()) {
            Commands.Ended begun = snapshot(full, "generate", folder, "--detach", "-o", "json");
            assertThat(begun.code()).as(begun.err()).isZero();
            id = begun.json().get("id").asLong();
            assertThat(begun.json().get("table_count").asLong()).isEqualTo(SnapshotArea.TABLES);
            var following = begin(full, "progress", id, "--follow");
            assertThat(gate.awaitWork()).isEqualTo(id);
            assertThat(work(full, "cancel", id).out()).contains("work %d is being cancelled".formatted(id));
            Commands.Ended ended = following.get(20, TimeUnit.SECONDS);
            assertThat(ended.code()).as(ended.err()).isEqualTo(4);
            assertThat(ended.err()).contains("cancelled; nothing is left of it");
            assertThat(ended.out()).isEmpty();
            assertThat(snapshot(full, "cancel", id).err()).contains("work %d has ended".formatted(id));
        }
        try (Stream<Path> files = Files.list(folder.getParent())) {
            assertThat(files.map(file -> String.valueOf(file.getFileName())))
                    .noneMatch(name -> name.startsWith("cancelled"));
        }
        assertThat(work(full, "retry", id, "-o", "json").json().get("state").asText())
                .isEqualTo("pending");
        assertThat(snapshot(full, "progress", id, "--follow").code()).isZero();
        assertThat(folder.resolve("manifest.json")).exists();
    }

    @Test
    void aConnectionThatIsLostIsMadeAgain() throws Exception {
        var gate = area.shut();
        var running = begin(full, "generate", area.folder("lost"), "--parallel", 2);
        long id;
        try (gate) {
            id = gate.awaitWork();
            Sql.await(
                    full,
                    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name ="
                            + " 'steep-repl' AND query LIKE '%progress%'",
                    "1");
        }
        Commands.Ended ended = running.get(60, TimeUnit.SECONDS);
        assertThat(ended.code()).as(ended.err()).isZero();
        assertThat(ended.err())
                .contains("the connection was lost; the work goes on in the server")
                .contains("steep-repl snapshot progress %d --follow".formatted(id));
        assertThat(ended.out()).contains("snapshot %d is complete".formatted(id));
    }

    @Test
    void whoeverIsInterruptedLeavesTheWorkToTheServer() throws Exception {
        long id;
        try (var gate = area.shut()) {
            Process process = new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin", "java")
                                    .toString(),
                            "-XX:TieredStopAtLevel=1",
                            "-cp",
                            System.getProperty("java.class.path"),
                            Main.class.getName(),
                            "-c",
                            full.uri(),
                            "snapshot",
                            "generate",
                            area.folder("left").toString())
                    .redirectErrorStream(true)
                    .start();
            id = gate.awaitWork();
            var output = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
            // The work is followed when this is said, and not before.
            var said = new StringBuilder();
            String line = "";
            while (line != null && !line.contains("waiting for one moment")) {
                line = output.readLine();
                said.append(line).append('\n');
            }
            // SIGTERM goes the way of Ctrl-C. By its handle: the other way would close what it has said.
            process.toHandle().destroy();
            said.append(output.readAllAsString());
            assertThat(process.waitFor()).as("%s", said).isEqualTo(4);
            assertThat(said.toString())
                    .contains("detached: the work goes on", "steep-repl snapshot progress %d --follow".formatted(id));
        }
        assertThat(snapshot(full, "progress", id, "--follow").code()).isZero();
    }

    @Test
    void loadingGoesOnAfterADamagedFileIsMended() throws Exception {
        Path folder = taken("damaged", "--compression", "gzip");
        Path file;
        try (Stream<Path> files = Files.list(folder.resolve("data"))) {
            file = files.filter(one -> one.toFile().length() > 1000).findFirst().orElseThrow();
        }
        byte[] whole = Files.readAllBytes(file);
        byte[] damaged = whole.clone();
        damaged[500] ^= 1;
        Files.write(file, damaged);
        Commands.Ended verified = snapshot(empty, "verify", folder);
        assertThat(verified.code()).isEqualTo(1);
        assertThat(verified.out()).contains(String.valueOf(file.getFileName()));
        assertThat(verified.err()).contains("is damaged: 1 of", "take a new one");
        assertThat(snapshot(empty, "verify", folder, "-o", "json").json()).hasSizeGreaterThan(3);

        Commands.Ended failed = snapshot(empty, "apply", folder, "--parallel", 2, "-o", "json");
        assertThat(failed.code()).isEqualTo(1);
        JsonNode last = lines(failed).getLast();
        assertThat(last.get("state").asText()).isEqualTo("failed");
        assertThat(last.get("error").asText()).contains(String.valueOf(file.getFileName()));
        long id = last.get("id").asLong();
        assertThat(failed.err())
                .contains("loading the snapshot failed (work %d) [XX001]".formatted(id), "steep-repl work retry " + id);
        assertThat(empty.query("SELECT count(*) FROM shop.big")).isEqualTo("0");

        Files.write(file, whole);
        assertThat(work(empty, "retry", id).out()).contains("work %d is tried again".formatted(id));
        Commands.Ended ended = snapshot(empty, "progress", id, "--follow");
        assertThat(ended.code()).as(ended.err()).isZero();
        assertThat(ended.out()).contains("loaded: 3 tables, 30,010 rows");
        for (String table : List.of("shop.big", "shop.\"Odd Name\"")) {
            assertThat(empty.contents(table)).isEqualTo(full.contents(table));
        }
        assertThat(empty.query("SELECT nextval('shop.\"Odd Name_id_seq\"')")).isEqualTo("11");

        Commands.Ended again = snapshot(empty, "apply", folder);
        assertThat(again.code()).isEqualTo(1);
        assertThat(again.err())
                .contains("cannot be loaded [SR110]", "shop.big holds rows", "shop.\"Odd Name\" holds rows");
        empty.execute("TRUNCATE shop.big, shop.\"Odd Name\"");
        assertThat(snapshot(empty, "apply", folder, "--no-verify").out()).contains("loaded: 3 tables");
        empty.execute("TRUNCATE shop.big, shop.\"Odd Name\"");

        Files.write(file, damaged);
        Commands.Ended halfWay = snapshot(empty, "apply", folder, "--no-verify", "-o", "json");
        assertThat(halfWay.code()).isEqualTo(1);
        long half = lines(halfWay).getLast().get("id").asLong();
        assertThat(halfWay.err()).contains("steep-repl work cancel " + half);
        // Only where something had been loaded is there something to give up.
        work(empty, "cancel", half);
        assertThat(snapshot(empty, "progress", half, "--follow").code()).isIn(1, 4);
        for (String table : List.of("shop.big", "shop.\"Odd Name\"")) {
            assertThat(empty.query("SELECT count(*) FROM " + table)).isEqualTo("0");
        }
    }

    @Test
    void allWaysMakeTheSameSnapshot() throws Exception {
        Path sql = area.folder("by-sql");
        full.query("SELECT id FROM steep_repl.start_snapshot('" + sql + "', 'lz4', 2)");
        Sql.await(full, "SELECT state FROM steep_repl.list_snapshots() WHERE path = '" + sql + "'", "complete");
        Path direct = area.folder("by-direct");
        assertThat(Commands.run(List.of(
                                "snapshot",
                                "generate",
                                direct.toString(),
                                "--direct",
                                "-c",
                                full.uri(),
                                "--compression",
                                "lz4",
                                "--parallel",
                                "2"))
                        .code())
                .isZero();
        Path remote = area.folder("by-remote");
        try (Ways ways = new Ways(full)) {
            Commands.Ended ended = Commands.run(List.of(
                    "--remote",
                    ways.socket().toString(),
                    "snapshot",
                    "generate",
                    remote.toString(),
                    "--compression",
                    "lz4",
                    "--parallel",
                    "2"));
            assertThat(ended.code()).as(ended.err()).isZero();
            assertThat(ended.out()).contains("is complete: 3 tables, 30,010 rows");
        }
        assertThat(manifest(direct)).isEqualTo(manifest(sql));
        assertThat(manifest(remote)).isEqualTo(manifest(sql));
    }

    /** Without what names it, and when it was taken. */
    private static JsonNode manifest(Path folder) throws IOException {
        var manifest = (ObjectNode)
                new ObjectMapper().readTree(folder.resolve("manifest.json").toFile());
        assertThat(manifest.get("tables")).hasSize((int) SnapshotArea.TABLES);
        return manifest.without(List.of("snapshot_uid", "created_at", "lsn"));
    }

    @Test
    void allMissingRightsAreNamedAtOnce() {
        full.execute("CREATE ROLE clerk LOGIN IN ROLE steep_repl_operator");
        String uri = full.uri().replace("postgres@", "clerk@");
        Commands.Ended refused =
                Commands.run(uri, "snapshot", "generate", area.folder("clerk").toString());
        assertThat(refused.code()).isEqualTo(1);
        assertThat(refused.err())
                .contains("[SR110]")
                .contains("clerk is not a member of pg_write_server_files")
                .contains("clerk may not read shop.big")
                .contains("clerk may not read shop.\"Odd Name\"")
                .contains("clerk may not read shop.gate");
        assertThat(Commands.run(uri, "snapshot", "verify", "/").err()).contains("pg_read_server_files", "[42501]");
        assertThat(Commands.run(uri, "snapshot", "list").code()).isZero();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        2 | generate                                  | PATH                              | --help
        2 | generate /x --parallel many               | many                              | --help
        2 | progress --follow                         | needs the number of the work      | --follow
        2 | delete seven                              | seven                             | --help
        1 | generate monday                           | monday is not an absolute path    | [22023]
        1 | generate DATA/monday                      | data folder                       | [22023]
        1 | generate DATA                             | data folder                       | [22023]
        1 | generate /nowhere/monday                  | No such file or directory         | [22023]
        1 | generate /x --compression rar             | compression 'rar' is not known    | none, gzip, lz4 or zstd
        1 | generate /x --parallel 17 --table nowhere | parallel is 17                    | nowhere is no table
        1 | apply /nowhere/monday                     | /nowhere                          | hint
        1 | apply /tmp --parallel 0                   | parallel is 0                     | start_apply
        1 | verify /nowhere/monday                    | /nowhere                          | error
        1 | delete 9999                               | there is no snapshot 9999         | list_snapshots
        1 | cancel 9999                               | there is no snapshot 9999         | snapshot_progress
        1 | progress 9999                             | there is no snapshot 9999         | work list
        """)
    void badInputEndsWithTwoOrOneAndSaysWhatToDo(int code, String line, String message, String hint) {
        String[] args =
                line.strip().replace("DATA", full.server().dataDir().toString()).split(" +");
        Commands.Ended ended = snapshot(full, (Object[]) args);
        assertThat(ended.code()).as(ended.out() + ended.err()).isEqualTo(code);
        assertThat(ended.err()).contains(message).contains(hint);
        assertThat(ended.out()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        2 | list --limit 0 | --limit is 0          | --limit 50
        2 | cancel         | ID                    | --help
        1 | cancel 9999    | there is no work 9999 | work_queue
        1 | retry 9999     | there is no work 9999 | work_queue
        """)
    void badInputForWork(int code, String line, String message, String hint) {
        Commands.Ended ended = work(full, (Object[]) line.strip().split(" +"));
        assertThat(ended.code()).as(ended.out() + ended.err()).isEqualTo(code);
        assertThat(ended.err()).contains(message).contains(hint);
        assertThat(ended.out()).isEmpty();
    }
}
