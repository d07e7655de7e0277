package io.steeprepl.cli.config;

import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.cli.Main;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the commands do where there is no database. */
class ConfigCommandTest {
    private static final String NOBODY = "host=127.0.0.1 port=1 connect_timeout=5";
    private static final String GOOD = "replication: {conflicts: {tables: {orders: {strategy: manual}}}}\n";

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @TempDir
    private Path folder;

    private Path file(String text) throws IOException {
        return Files.writeString(folder.resolve("config.yaml"), text);
    }

    private int run(Path file, String... args) {
        String[] line = new String[args.length + 5];
        line[0] = "-c";
        line[1] = NOBODY;
        line[2] = "--config";
        line[3] = file.toString();
        line[4] = "config";
        System.arraycopy(args, 0, line, 5, args.length);
        return Main.commandLine()
                .setOut(new PrintWriter(out))
                .setErr(new PrintWriter(err))
                .execute(line);
    }

    @ParameterizedTest
    @ValueSource(strings = {"check", "apply"})
    void aGoodFileWithoutADatabaseIsSix(String command) throws IOException {
        assertThat(run(file(GOOD), command)).isEqualTo(6);
        assertThat(err.toString()).contains("cannot connect").doesNotContain("problem");
        assertThat(out.toString()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"check", "apply"})
    void aBadFileIsTwoAlsoWithoutADatabase(String command) throws IOException {
        assertThat(run(file("replication: {conflicts: {colour: red}}"), command))
                .isEqualTo(2);
        assertThat(err.toString())
                .contains(
                        "could not be looked up: cannot connect",
                        "config.yaml:1: replication.conflicts.colour: unknown key");
    }

    @ParameterizedTest
    @ValueSource(strings = {"show", "check", "apply", "check --file-only"})
    void whatCannotBeReadIsTwoAndNobodyIsAsked(String command) throws IOException {
        String[] args = command.split(" ");
        assertThat(run(folder.resolve("none.yaml"), args)).isEqualTo(2);
        assertThat(run(folder, args)).isEqualTo(2);
        assertThat(run(file("a: 'b"), args)).isEqualTo(2);
        Path latin = folder.resolve("latin.yaml");
        Files.write(latin, "a: b\nc: \u00e9\n".getBytes(StandardCharsets.ISO_8859_1));
        assertThat(run(latin, args)).isEqualTo(2);
        assertThat(err.toString())
                .contains(
                        "there is no such file", "it is a folder", "config.yaml:1: not YAML", "latin.yaml:2: not UTF-8")
                .doesNotContain("connect");
        assertThat(out.toString()).isEmpty();
    }

    @Test
    void theFileAloneNeedsNoDatabase() throws IOException {
        assertThat(run(file(GOOD), "check", "--file-only", "-o", "json")).isZero();
        assertThat(out.toString()).contains("\"problems\":[],\"compared\":false");
    }

    @Test
    void whatTheDaemonNeedsIsLookedAtByCheckAndByNothingElse() throws IOException {
        Path file = file("repl: {grpc: {tls: {cert_file: c.pem, key_file: k.pem, ca_file: a.pem}}}\n" + GOOD);
        assertThat(run(file, "show")).isZero();
        assertThat(run(file, "apply")).isEqualTo(6);
        assertThat(run(file, "check", "--file-only")).isEqualTo(2);
        assertThat(err.toString())
                .contains(
                        "has 3 problems",
                        "config.yaml:1: repl.grpc.tls.cert_file: cannot read a certificate from "
                                + folder.resolve("c.pem") + ": there is no such file",
                        "repl.grpc.tls.key_file",
                        "repl.grpc.tls.ca_file");
    }

    @Test
    void showNamesTheFileAndHidesSecrets() throws IOException {
        assertThat(run(file("repl: {postgresql: {password: geheim}}\n" + GOOD), "show"))
                .isZero();
        assertThat(out.toString())
                .startsWith("# " + folder.resolve("config.yaml") + " (named by --config)")
                .contains("password: \"****\"", "strategy: manual")
                .doesNotContain("geheim");
        assertThat(err.toString()).contains("No default_strategy");
        assertThat(run(file(GOOD), "show", "-o", "json")).isZero();
        assertThat(out.toString())
                .contains(
                        "\"source\":\"option\",\"exists\":true,\"config\":{\"replication\":{\"conflicts\":{\"tables\":");
    }
}
