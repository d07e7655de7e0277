package io.steeprepl.direct.connection;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.postgresql.Driver;
import org.postgresql.PGProperty;

class DriverPropertiesTest {
    @TempDir
    private Path home;

    private Properties properties(String text) {
        var spec = ConnectionSpec.resolve(text, new Surroundings(Map.of(), home, "anna"));
        return DriverProperties.of(spec, spec.hosts().getFirst(), "any", "geheim");
    }

    @Test
    void everyPropertyIsOneThatTheDriverKnows() {
        List<String> known =
                Arrays.stream(PGProperty.values()).map(PGProperty::getName).toList();
        for (Keyword keyword : Keyword.all()) {
            if (keyword.property() != null) {
                assertThat(known).contains(keyword.property());
            }
        }
        assertThat(known).containsAll(properties("host=h keepalives=0").stringPropertyNames());
        assertThat(known).containsAll(properties("host=/tmp").stringPropertyNames());
        assertThat(known).containsAll(properties("host=h sslrootcert=system").stringPropertyNames());
    }

    @ParameterizedTest
    @ValueSource(strings = {"disable", "allow", "prefer", "require", "verify-ca", "verify-full"})
    void everySslmodeReachesTheDriver(String mode) {
        assertThat(properties("host=h sslmode=" + mode)).containsEntry("sslmode", mode);
    }

    @Test
    void requireChecksWhereThereIsARootCertificate() throws IOException {
        Path root = Files.createFile(home.resolve("ca.crt"));
        assertThat(properties("host=h sslmode=require sslrootcert=" + root)).containsEntry("sslmode", "verify-ca");
        Files.createFile(Files.createDirectory(home.resolve(".postgresql")).resolve("root.crt"));
        assertThat(properties("host=h sslmode=require")).containsEntry("sslmode", "verify-ca");
    }

    @Test
    void certificatesTimeoutsAndNames() {
        assertThat(properties(
                        "host=h sslcert=c sslkey=k sslrootcert=r connect_timeout=7 dbname=d user=u options='-c a=b'"))
                .contains(
                        Map.entry("sslcert", "c"),
                        Map.entry("sslkey", "k"),
                        Map.entry("sslrootcert", "r"),
                        Map.entry("connectTimeout", "7"),
                        Map.entry("loginTimeout", "7"),
                        Map.entry("user", "u"),
                        Map.entry("options", "-c a=b"),
                        Map.entry("password", "geheim"),
                        Map.entry("ApplicationName", "steep-repl"));
    }

    @Test
    void urlsNameServerAndDatabaseWhateverTheyAreCalled() {
        var spec = ConnectionSpec.resolve("host=a,::1,/run dbname='x /?&ä'", new Surroundings(Map.of(), home, "anna"));
        assertThat(spec.hosts().stream().map(host -> DriverProperties.url(spec, host)))
                .containsExactly(
                        "jdbc:postgresql://a:5432/x+%2F%3F%26%C3%A4",
                        "jdbc:postgresql://[::1]:5432/x+%2F%3F%26%C3%A4",
                        "jdbc:postgresql://localhost:5432/x+%2F%3F%26%C3%A4")
                .allSatisfy(url ->
                        assertThat(Driver.parseURL(url, new Properties())).containsEntry("PGDBNAME", "x /?&ä"));
    }

    @Test
    void socketsInTheFileSystem() {
        assertThat(properties("host=/run/x port=7 sslmode=require"))
                .contains(Map.entry("socketFactoryArg", "/run/x/.s.PGSQL.7"), Map.entry("sslmode", "disable"));
    }

    @Test
    void kindsOfServers() {
        assertThat(List.of("any", "read-write", "primary", "read-only", "standby").stream()
                        .map(DriverProperties::serverType))
                .containsExactly("any", "primary", "primary", "secondary", "secondary");
    }
}
