package io.steeprepl.direct.connection;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.steeprepl.api.ApiException;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class UriParserTest {
    /** The examples of libpq's documentation, section "Connection URIs". */
    @Test
    void examplesOfTheManual() {
        assertThat(UriParser.parse("postgresql://")).isEmpty();
        assertThat(UriParser.parse("postgresql://localhost")).isEqualTo(Map.of("host", "localhost"));
        assertThat(UriParser.parse("postgresql://localhost:5433"))
                .isEqualTo(Map.of("host", "localhost", "port", "5433"));
        assertThat(UriParser.parse("postgresql://localhost/mydb"))
                .isEqualTo(Map.of("host", "localhost", "dbname", "mydb"));
        assertThat(UriParser.parse("postgresql://user@localhost"))
                .isEqualTo(Map.of("user", "user", "host", "localhost"));
        assertThat(UriParser.parse("postgresql://user:secret@localhost"))
                .isEqualTo(Map.of("user", "user", "password", "secret", "host", "localhost"));
        assertThat(UriParser.parse("postgresql://other@localhost/otherdb?connect_timeout=10&application_name=myapp"))
                .isEqualTo(Map.of(
                        "user",
                        "other",
                        "host",
                        "localhost",
                        "dbname",
                        "otherdb",
                        "connect_timeout",
                        "10",
                        "application_name",
                        "myapp"));
        assertThat(UriParser.parse("postgresql://host1:123,host2:456/somedb?target_session_attrs=any"))
                .isEqualTo(Map.of(
                        "host", "host1,host2", "port", "123,456", "dbname", "somedb", "target_session_attrs", "any"));
        assertThat(UriParser.parse("postgresql:///mydb?host=localhost&port=5433"))
                .isEqualTo(Map.of("dbname", "mydb", "host", "localhost", "port", "5433"));
        assertThat(UriParser.parse("postgresql://[2001:db8::1234]/database"))
                .isEqualTo(Map.of("host", "2001:db8::1234", "dbname", "database"));
        assertThat(UriParser.parse("postgresql:///dbname?host=/var/lib/postgresql"))
                .isEqualTo(Map.of("dbname", "dbname", "host", "/var/lib/postgresql"));
        assertThat(UriParser.parse("postgresql://%2Fvar%2Flib%2Fpostgresql/dbname"))
                .isEqualTo(Map.of("host", "/var/lib/postgresql", "dbname", "dbname"));
        assertThat(UriParser.parse("postgresql://user@localhost:5433/mydb?options=-c%20synchronous_commit%3Doff"))
                .containsEntry("options", "-c synchronous_commit=off");
    }

    @Test
    void decodesPercentSequencesAsUtf8() {
        assertThat(UriParser.parse("postgres://j%C3%BCrgen:p%40ss%2Fw%3Ard@h/Gro%C3%9Fe%20Daten"))
                .isEqualTo(Map.of("user", "jürgen", "password", "p@ss/w:rd", "host", "h", "dbname", "Große Daten"));
    }

    @Test
    void portsOfSomeHostsOnly() {
        assertThat(UriParser.parse("postgresql://a,b:1,[::1]:2")).isEqualTo(Map.of("host", "a,b,::1", "port", ",1,2"));
    }

    @Test
    void sslTrueIsRequire() {
        assertThat(UriParser.parse("postgresql://h/d?ssl=true")).containsEntry("sslmode", "require");
    }

    @ParameterizedTest
    @CsvSource({
        "sslMode,sslmode",
        "applicationName,application_name",
        "targetServerType,target_session_attrs",
        "sslrootcrt,sslrootcert",
        "conect_timeout,connect_timeout"
    })
    void unknownParameterNamesTheNearestOne(String wrong, String right) {
        assertThatThrownBy(() -> UriParser.parse("postgresql://u:geheim@h/d?" + wrong + "=x"))
                .isInstanceOfSatisfying(ApiException.Usage.class, e -> {
                    assertThat(e.message()).contains("\"" + wrong + "\"").doesNotContain("geheim");
                    assertThat(e.hint()).contains(right);
                });
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "postgresql://u:geh@eim@h/d",
                "postgresql://u:geheim%4@h/d",
                "postgresql://u:geheim%00@h/d",
                "postgresql://u:geheim@h/d?x",
                "postgresql://u:geheim@[::1/d",
                "postgresql://u:geheim@h:12x/d",
                "postgresql://u:geheim%FF@h/d"
            })
    void refusesWhatIsNoUriWithoutShowingThePassword(String uri) {
        assertThatThrownBy(() -> UriParser.parse(uri))
                .isInstanceOfSatisfying(
                        ApiException.Usage.class,
                        e -> assertThat(e.message() + e.hint()).doesNotContain("geh"));
    }

    @Test
    void refusesWhatTheDriverCannotHonour() {
        assertThatThrownBy(() -> UriParser.parse("postgresql://h/d?sslcrl=/x"))
                .isInstanceOf(ApiException.Usage.class)
                .hasMessageContaining("sslcrl");
    }
}
