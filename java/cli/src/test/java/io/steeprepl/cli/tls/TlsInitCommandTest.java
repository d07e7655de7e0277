package io.steeprepl.cli.tls;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.steeprepl.cli.Main;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code tls init}: what it makes, and what it leaves alone. */
class TlsInitCommandTest {
    @TempDir
    private Path folder = Path.of("");

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private int init(String... arguments) {
        String[] line = new String[arguments.length + 4];
        List.of("tls", "init", "--dir", folder.resolve("certs").toString()).toArray(line);
        System.arraycopy(arguments, 0, line, 4, arguments.length);
        return Main.commandLine()
                .setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(err, true))
                .execute(line);
    }

    private Path file(String name) {
        return folder.resolve("certs").resolve(name);
    }

    @Test
    void makesAnAuthorityAndCertificatesThatItHasSigned() throws Exception {
        assertThat(init("berlin=berlin.example.org,10.0.0.1", "paris"))
                .as(err.toString())
                .isZero();
        assertThat(out.toString()).contains("berlin", "node-key.pem");
        assertThat(err.toString()).contains("ca-key.pem to yourself").contains("key_file:");
        X509Certificate authority = Pem.certificate(file("ca-cert.pem"));
        X509Certificate berlin = Pem.certificate(file("berlin/node-cert.pem"));
        berlin.verify(authority.getPublicKey());
        assertThat(berlin.getSubjectX500Principal().getName()).isEqualTo("CN=berlin");
        assertThat(Objects.requireNonNull(berlin.getSubjectAlternativeNames()).toString())
                .contains("berlin.example.org", "10.0.0.1", "localhost");
        assertThat(berlin.getBasicConstraints()).isEqualTo(-1);
        assertThat(authority.getBasicConstraints()).isNotNegative();
        assertThat(Files.readString(file("paris/ca-cert.pem"))).isEqualTo(Files.readString(file("ca-cert.pem")));
        for (String name : List.of("ca-cert.pem", "ca-key.pem", "berlin/node-cert.pem", "berlin/node-key.pem")) {
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file(name))))
                    .as(name)
                    .isEqualTo("rw-------");
        }
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file("berlin"))))
                .isEqualTo("rwx------");
    }

    @Test
    void replacesNothingUnlessItIsTold() throws IOException {
        assertThat(init("a")).isZero();
        String authority = Files.readString(file("ca-key.pem"));
        String key = Files.readString(file("a/node-key.pem"));
        assertThat(init("b", "a")).isEqualTo(2);
        assertThat(err.toString()).contains("there are certificates already").contains("--force");
        assertThat(file("b")).doesNotExist();
        assertThat(init("b")).isZero();
        assertThat(Files.readString(file("a/node-key.pem"))).isEqualTo(key);
        assertThat(init("a", "--force")).isZero();
        assertThat(Files.readString(file("a/node-key.pem"))).isNotEqualTo(key);
        assertThat(Files.readString(file("ca-key.pem"))).isEqualTo(authority);
    }

    @Test
    void printsJson() throws IOException {
        assertThat(init("a", "-o", "json", "--days", "10")).isZero();
        JsonNode document = new ObjectMapper().readTree(out.toString());
        assertThat(document.get("ca_created").asBoolean()).isTrue();
        JsonNode made = document.get("certificates").get(0);
        assertThat(made.get("name").asText()).isEqualTo("a");
        assertThat(Path.of(made.get("cert_file").asText())).exists();
        assertThat(made.get("expires_at").asText()).startsWith("20");
    }

    @Test
    void refusesNamesThatAreNoFolders() {
        for (String name : List.of("../a", "a/b", "", ".a", "a=", "a=x y", "localhost")) {
            assertThat(init(name)).as(name).isEqualTo(2);
        }
        assertThat(init("a", "--days", "0")).isEqualTo(2);
        assertThat(folder.resolve("certs")).doesNotExist();
    }
}
