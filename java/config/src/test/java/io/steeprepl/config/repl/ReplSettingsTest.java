package io.steeprepl.config.repl;

import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.config.ConfigPath;
import io.steeprepl.config.Document;
import io.steeprepl.direct.connection.Surroundings;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ReplSettingsTest {
    private static final ConfigPath AT = new ConfigPath(Path.of("config.yaml"), ConfigPath.Source.OPTION);

    private static Surroundings around(Map<String, String> variables) {
        return new Surroundings(variables, Path.of("/nowhere"), "ann");
    }

    private static ReplSettings read(String yaml) {
        Document document = Document.read(AT, yaml);
        ReplSettings settings = ReplSettings.read(document, around(Map.of()));
        assertThat(document.problems().all()).isEmpty();
        return settings;
    }

    private static List<String> problems(String yaml) {
        Document document = Document.read(AT, yaml);
        ReplSettings.read(document, around(Map.of()));
        return document.problems().all().stream()
                .map(problem -> problem.line() + " " + problem.key() + ": " + problem.message())
                .toList();
    }

    @Test
    void theExampleOfTheRequirementsIsRead() {
        ReplSettings settings = read("""
                repl:
                  enabled: true
                  node_id: "node-a"
                  node_name: "Primary Node"
                  postgresql:
                    host: localhost
                    port: 5432
                    database: postgres
                    user: steep_repl
                    password_command: "pass show steep/repl"
                  grpc:
                    port: 5433
                    tls:
                      cert_file: ~/.config/steep/certs/node-cert.pem
                      key_file: ~/.config/steep/certs/node-key.pem
                      ca_file: ~/.config/steep/certs/ca-cert.pem
                  http:
                    enabled: true
                    port: 8080
                  ipc:
                    enabled: true
                """);
        assertThat(settings.nodeId()).contains("node-a");
        assertThat(settings.database().passwordCommand()).contains("pass show steep/repl");
        assertThat(settings.grpc().enabled()).isTrue();
        assertThat(settings.grpc().tls().orElseThrow().key())
                .isEqualTo(Path.of(System.getProperty("user.home"), ".config/steep/certs/node-key.pem"));
        assertThat(settings.database().spec(around(Map.of()))).hasToString("steep_repl@localhost:5432/postgres");
    }

    @Test
    void withoutAFileEverythingHasADefault() {
        ReplSettings settings = read("");
        assertThat(settings.http()).isEqualTo(new HttpSettings(true, "127.0.0.1", 8080));
        assertThat(settings.grpc().enabled()).isFalse();
        assertThat(settings.audit().retention()).isEqualTo(Duration.ofDays(730));
        assertThat(settings.database().spec(around(Map.of()))).hasToString("ann@localhost:5432/ann");
    }

    @Test
    void theEnvironmentHasTheLastWord() {
        DatabaseSettings single = read("repl: {postgresql: {host: h, port: 1, database: d, user: u, password: p}}")
                .database();
        DatabaseSettings whole = read("repl: {postgresql: {connection: 'postgresql://u:p@h:1/d?sslmode=require'}}")
                .database();
        var variables =
                Map.of("PGHOST", "other", "PGPORT", "2", "PGDATABASE", "x", "PGUSER", "me", "PGPASSWORD", "secret");
        for (DatabaseSettings settings : List.of(single, whole)) {
            assertThat(settings.spec(around(Map.of()))).hasToString("u@h:1/d");
            assertThat(settings.spec(around(variables))).hasToString("me@other:2/x");
            assertThat(settings.spec(around(variables)).get("password")).contains("secret");
            assertThat(settings.toString()).doesNotContain("p@");
        }
    }

    @Test
    void allProblemsAreSaidAtOnce() {
        assertThat(problems("""
                repl:
                  nodeid: a
                  postgresql:
                    connection: "host=h"
                    port: 70000
                    password: x
                    password_command: y
                    reconnect_min: 1m
                    pool_size: "4"
                  grpc:
                    insecure: true
                  http: {enabled: yes, prot: 1}
                  ipc: {timeout: 5}
                  log: {level: verbose}
                  audit: {retention: 1s}
                  peers: {addresses: {b: nowhere}}
                """))
                .containsExactly(
                        "2 repl.nodeid: unknown key",
                        "5 repl.postgresql.port: 70000 is out of range",
                        "7 repl.postgresql.password_command: password in line 6 says it already",
                        "8 repl.postgresql.reconnect_min: reconnect_min is longer than reconnect_max",
                        "9 repl.postgresql.pool_size: a whole number is expected, not a text",
                        "11 repl.grpc.insecure: without certificates only a loopback address is served",
                        "12 repl.http.enabled: true or false is expected, not a text",
                        "12 repl.http.prot: unknown key",
                        "13 repl.ipc.timeout: a text is expected, not a number",
                        "14 repl.log.level: unknown value \"verbose\"",
                        "15 repl.audit.retention: 1s is out of range",
                        "16 repl.peers.addresses: the address of b is not host:port");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            repl: [a]                                                     | keys with values are expected
            rpl: {}                                                       | unknown key
            repl: {postgresql: {connection: 'host=h', host: x}}           | connection in line 1 says it already
            repl: {postgresql: {connection: 'hots=h'}}                    | unknown parameter "hots"
            repl: {grpc: {enabled: true}}                                 | there are no certificates
            repl: {grpc: {tls: {cert_file: a, key_file: b}}}              | ca_file is missing beside it
            repl: {node_id: 1}                                            | a text is expected, not a number
            repl: {node_id: ''}                                           | it is empty
            repl: {grpc: {allow: [a, localhost]}}                         | localhost is the name of nobody
            repl: {grpc: {allow_reading: [localhost]}}                    | localhost is the name of nobody
            repl: {http: {bind: 'a b'}}                                   | not an address
            repl: {grpc: {bind: '1.2.3.4:80'}}                            | not an address
            repl: {peers: {addresses: {b: 'h:0'}}}                        | is not host:port
            repl: {peers: {addresses: {b: '[::1:80'}}}                    | is not host:port
            repl: {ipc: {path: "a\\0b"}}                                  | not a path
            repl: {http: {port: 0x50}}                                    | a whole number is expected
            repl: {http: {port: 80.5}}                                    | not a number with a point: digits only
            repl: {http: {port: eighty}}                                  | not a text: digits only
            repl: {http: {enabled: perhaps}}                              | not a text: true or false, without quotes
            """)
    void whatCannotBeMeantIsRefused(String yaml, String message) {
        Document document = Document.read(AT, yaml);
        ReplSettings.read(document, around(Map.of()));
        assertThat(document.problems().all())
                .extracting(problem -> problem.message() + ": " + problem.remedy())
                .anyMatch(one -> one.contains(message));
    }

    /** Jazzer has found it: the parser raises what it does not declare. */
    @Test
    void aTagThatCannotBeOneIsSaidWithItsLine() {
        for (String value : List.of("!%20", "!%20 x", "!%09 [x]", "!%1")) {
            Document document = Document.read(AT, "repl:\n  node_id: a\n  node_name: " + value);
            assertThat(document.problems().all()).as(value).singleElement().satisfies(problem -> {
                assertThat(problem.line()).isEqualTo(3);
                assertThat(problem.message()).isEqualTo("not YAML: a tag that cannot be one");
            });
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "4711",
                "*4711",
                "!4711",
                "!4711!x",
                "!%20 4711",
                "!!4711 y",
                "&4711",
                "@4711",
                "[4711]",
                "{4711: x}",
                "%4711",
                "'4711",
                "|4711"
            })
    void aPasswordThatIsWrittenWrongIsNotTold(String written) {
        Document document = Document.read(AT, "repl:\n  postgresql:\n    password: " + written + "\n");
        ReplSettings.read(document, around(Map.of()));
        assertThat(document.problems().all())
                .isNotEmpty()
                .allSatisfy(problem ->
                        assertThat(problem.message() + problem.remedy()).doesNotContain("4711"));
    }

    @Test
    void changesSayWhatNeedsARestart() {
        ReplSettings before = read("repl: {log: {level: info}, http: {port: 8080}}");
        Changes changes = before.changes(read("repl: {log: {level: debug}, http: {port: 8081}}"));
        assertThat(changes.live()).containsExactly("log.level");
        assertThat(changes.restart()).containsExactly("http.port");
        assertThat(before.changes(before).none()).isTrue();
    }
}
