package io.steeprepl.direct.connection;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.steeprepl.api.ApiException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ConnectionSpecTest {
    @TempDir
    private Path home;

    private Surroundings bare;

    @BeforeEach
    void nothingAround() {
        bare = around(Map.of());
    }

    private Surroundings around(Map<String, String> variables) {
        return new Surroundings(variables, home, "anna");
    }

    @Test
    void defaultsAreLibpqs() {
        var spec = ConnectionSpec.resolve("host=h", bare);
        assertThat(spec.user()).isEqualTo("anna");
        assertThat(spec.dbname()).isEqualTo("anna");
        assertThat(spec.hosts()).containsExactly(new HostPort("h", "h", 5432));
        assertThat(spec).hasToString("anna@h:5432/anna");
    }

    @Test
    void theDatabaseIsCalledAsTheUser() {
        assertThat(ConnectionSpec.resolve("postgresql://bert@h", bare).dbname()).isEqualTo("bert");
    }

    @Test
    void environmentGivesWhatTheTextLeavesOut() {
        var spec = ConnectionSpec.resolve(
                "postgresql://h/d",
                around(Map.of(
                        "PGHOST",
                        "other",
                        "PGPORT",
                        "77",
                        "PGUSER",
                        "u",
                        "PGSSLMODE",
                        "require",
                        "PGOPTIONS",
                        "-c a=b")));
        assertThat(spec).hasToString("u@h:77/d");
        assertThat(spec.get("sslmode")).contains("require");
        assertThat(spec.get("options")).contains("-c a=b");
    }

    @Test
    void environmentAlone() {
        var spec = ConnectionSpec.resolve(
                null, around(Map.of("PGHOST", "a,b", "PGPORT", "1,2", "PGDATABASE", "d", "PGUSER", "u")));
        assertThat(spec).hasToString("u@a:1,b:2/d");
    }

    @Test
    void onePortForAllHosts() {
        assertThat(ConnectionSpec.resolve("host=a,b port=7", bare).hosts())
                .containsExactly(new HostPort("a", "a", 7), new HostPort("b", "b", 7));
    }

    @Test
    void hostaddrIsWhereToGoAndHostTheName() {
        assertThat(ConnectionSpec.resolve("host=db hostaddr=10.0.0.1", bare).hosts())
                .containsExactly(new HostPort("db", "10.0.0.1", 5432));
        var spec = ConnectionSpec.resolve("host=db hostaddr=10.0.0.1 dbname=d sslmode=verify-full", bare);
        assertThat(DriverProperties.url(spec, spec.hosts().getFirst())).isEqualTo("jdbc:postgresql://db:5432/d");
        assertThat(DriverProperties.of(spec, spec.hosts().getFirst(), "any", ""))
                .containsEntry("socketFactoryArg", "10.0.0.1");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "host=a,b,c port=1,2",
                "host=a port=0",
                "host=a port=70000",
                "host=a port=x",
                "host=a,b hostaddr=1.1.1.1",
                "host=a sslmode=verify",
                "host=a connect_timeout=soon",
                "host=a target_session_attrs=master",
                "mysql://h/d",
                "shop",
                "service=none"
            })
    void refusesWhatCannotBe(String text) {
        assertThatThrownBy(() -> ConnectionSpec.resolve(text, bare)).isInstanceOf(ApiException.Usage.class);
    }

    @Test
    void serviceOfTheUsersFile() throws IOException {
        Files.writeString(
                home.resolve(".pg_service.conf"),
                "# offices\n[paris]\nhost=p\n[berlin]\nhost = b\nport=6000\nuser=steep\n\n[rom]\nhost=r\n");
        assertThat(ConnectionSpec.resolve("berlin", bare)).hasToString("steep@b:6000/steep");
        assertThat(ConnectionSpec.resolve("service=berlin port=1 dbname=d", bare))
                .hasToString("steep@b:1/d");
        assertThat(ConnectionSpec.resolve(null, around(Map.of("PGSERVICE", "rom", "PGHOST", "x"))))
                .hasToString("anna@r:5432/anna");
        assertThat(ConnectionSpec.resolve("postgresql:///d?service=paris", bare))
                .hasToString("anna@p:5432/d");
    }

    @Test
    void serviceFileByVariableThenOfTheSystem() throws IOException {
        Path own = Files.writeString(home.resolve("own"), "[a]\nhost=a\n");
        Files.writeString(Files.createDirectory(home.resolve("etc")).resolve("pg_service.conf"), "[b]\nhost=b\n");
        var around = around(Map.of(
                "PGSERVICEFILE",
                own.toString(),
                "PGSYSCONFDIR",
                home.resolve("etc").toString()));
        assertThat(ConnectionSpec.resolve("service=a", around)).hasToString("anna@a:5432/anna");
        assertThat(ConnectionSpec.resolve("service=b", around)).hasToString("anna@b:5432/anna");
        assertThatThrownBy(() -> ConnectionSpec.resolve("service=c", around))
                .isInstanceOfSatisfying(
                        ApiException.Usage.class, e -> assertThat(e.hint()).contains("etc"));
    }

    @Test
    void unknownNameInAServiceFileIsNamedWithItsFile() throws IOException {
        Files.writeString(home.resolve(".pg_service.conf"), "[a]\nhots=a\n");
        assertThatThrownBy(() -> ConnectionSpec.resolve("service=a", bare))
                .hasMessageContaining("hots")
                .hasMessageContaining(".pg_service.conf");
    }

    @Test
    void conninfoStandsOnItsOwn() {
        var spec = ConnectionSpec.resolve(
                "postgresql://o%27neil:p%20w@a,b:2/d?sslmode=require&application_name=me",
                around(Map.of("PGOPTIONS", "-c x=y")));
        assertThat(ConninfoParser.parse(spec.conninfo()))
                .isEqualTo(Map.of(
                        "user",
                        "o'neil",
                        "password",
                        "p w",
                        "host",
                        "a,b",
                        "port",
                        "5432,2",
                        "dbname",
                        "d",
                        "sslmode",
                        "require",
                        "options",
                        "-c x=y"));
    }

    @Test
    void neverShowsThePassword() {
        assertThat(ConnectionSpec.resolve("postgresql://u:geheim@h/d?sslpassword=geheim", bare)
                        .toString())
                .doesNotContain("geheim");
        assertThat(Secrets.mask("tried password = 'ge\\'heim' and password=geheim on postgresql://u:geheim@h/d"))
                .doesNotContain("heim")
                .contains("postgresql://u:****@h/d");
    }

    @Test
    void anotherNodeIsReachedAlike() {
        var spec = ConnectionSpec.resolve("postgresql://u:p@a:1/d?sslmode=require", bare)
                .at("b", 2, "e");
        assertThat(spec).hasToString("u@b:2/e");
        assertThat(spec.get("sslmode")).contains("require");
    }
}
