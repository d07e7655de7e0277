package io.steeprepl.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.testkit.Cluster;
import io.steeprepl.testkit.ClusterLogs;
import io.steeprepl.testkit.TestNode;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Who may compare the schema with whom, and peers that cannot answer. */
@ExtendWith(ClusterLogs.class)
class SchemaPeerIT {
    private static Cluster cluster;
    private static TestNode a;
    private static TestNode b;

    @BeforeAll
    static void start() {
        cluster = Cluster.start(2).link(2);
        a = cluster.node(0);
        b = cluster.node(1);
        cluster.nodes().forEach(node -> node.execute("CREATE TABLE shared (id int PRIMARY KEY)"));
        b.execute("ALTER TABLE shared ADD v text");
        a.execute(
                "CREATE ROLE vera LOGIN IN ROLE steep_repl_viewer",
                "CREATE ROLE otto LOGIN IN ROLE steep_repl_operator",
                "CREATE ROLE nobody LOGIN");
        b.execute(
                "CREATE ROLE vera LOGIN IN ROLE steep_repl_viewer",
                "CREATE ROLE nobody LOGIN",
                "CREATE DATABASE bare",
                "CREATE DATABASE old",
                "CREATE DATABASE other");
        new TestNode("old", b.server(), "old").execute("CREATE EXTENSION steep_repl VERSION '0.1.0'");
        new TestNode("other", b.server(), "other").create();
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    private static String at(String database) {
        return at(database, "postgres");
    }

    private static String at(String database, String role) {
        return "host=127.0.0.1 port=" + b.server().port() + " dbname=" + database + " user=" + role;
    }

    private static String as(String role, String call) {
        return Sql.error(a, "SET SESSION AUTHORIZATION " + role + "; SELECT * FROM steep_repl." + call);
    }

    private static String compare(String peer) {
        return Sql.error(a, "SELECT * FROM steep_repl.compare_fingerprints('" + peer + "')");
    }

    @Test
    void aPeerIsNamedByItsIdOrByAConnection() {
        for (String peer : List.of(
                "b",
                b.conninfo(),
                "postgresql://postgres@127.0.0.1:" + b.server().port() + "/test",
                at("test", "vera"))) {
            assertThat(a.rows(
                            "SELECT table_schema, table_name, status, local_fp <> remote_fp FROM steep_repl.compare_fingerprints('"
                                    + peer + "')"))
                    .containsExactly("public|shared|MISMATCH|t");
            assertThat(a.rows("SELECT difference FROM steep_repl.schema_diff('" + peer + "', 'public', 'shared')"))
                    .containsExactly("column v: none on a, text on b");
        }
    }

    @Test
    void peersThatCannotAnswerAreSaidWithWhatToDo() {
        assertThat(compare("c")).isEqualTo("SR004 node c is not known here / null");
        assertThat(Sql.error(a, "SELECT * FROM steep_repl.compare_fingerprints(NULL)"))
                .startsWith("SR004 node without an id");
        assertThat(compare("a")).startsWith("SR006 a is this node itself");
        assertThat(compare("host=127.0.0.1 port=1 dbname=test user=postgres"))
                .startsWith("SR090 the peer cannot be reached / cannot connect to the peer: ")
                .contains("Connection refused");
        assertThat(compare(at("nowhere"))).startsWith("SR090").contains("database \"nowhere\" does not exist");
        assertThat(compare(at("bare"))).isEqualTo("SR022 the peer does not have the extension / Its database is bare.");
        assertThat(compare(at("old")))
                .matches(
                        "SR091 the peer has no fingerprints yet / Its database old has steep_repl 0\\.1\\.0, this one [0-9.]+\\.");
        assertThat(compare(at("test", "nobody")))
                .isEqualTo("SR092 role nobody may not ask the peer for its schema / Its database is test.");
        a.execute("SELECT steep_repl.register_node('x', host => '127.0.0.1', port => "
                + b.server().port() + ", dbname => 'other', conninfo => '" + at("other") + "')");
        assertThat(compare("x")).startsWith("SR024 node other answers where x was expected");
        a.execute(
                "SELECT steep_repl.register_node('x', host => '127.0.0.1', port => 1, conninfo => 'host=127.0.0.1 port=1 user=postgres')");
        assertThat(compare("x")).startsWith("SR090 node x cannot be reached");
        a.execute("SELECT steep_repl.unregister_node('x')");
        assertThat(compare("x")).startsWith("SR004 node x is not known here");
        // An error of the peer's comes with its own words.
        b.execute("ALTER TABLE shared ADD w int");
        assertThat(a.rows("SELECT difference FROM steep_repl.schema_diff('b', 'public', 'shared')"))
                .containsExactly("column v: none on a, text on b", "column w: none on a, integer on b");
        b.execute("ALTER TABLE shared DROP w");
    }

    @Test
    void viewersComputeAndCompareOperatorsCapture() {
        assertThat(as("vera", "compute_fingerprint('public', 'shared')")).isEqualTo("no error");
        assertThat(as("vera", "schema_definitions()")).isEqualTo("no error");
        assertThat(as("vera", "schema_fingerprints")).isEqualTo("no error");
        // That of the link was checked when the link was made.
        assertThat(as("vera", "compare_fingerprints('b')")).isEqualTo("no error");
        assertThat(as("vera", "schema_diff('b', 'public', 'shared')")).isEqualTo("no error");
        assertThat(as("vera", "capture_fingerprints()")).startsWith("42501");
        assertThat(as("otto", "capture_fingerprints()")).isEqualTo("no error");
        assertThat(as("nobody", "compute_fingerprint('public', 'shared')")).startsWith("42501");
        assertThat(as("nobody", "compare_fingerprints('b')")).startsWith("42501");
        assertThat(as("vera", "_definition_differences(NULL, NULL)")).startsWith("42501");
    }

    @Test
    void whoIsNoSuperuserUsesNothingOfTheServers() {
        assertThat(as("vera", "compare_fingerprints('" + b.conninfo() + "')")).startsWith("SR017");
        assertThat(as("vera", "schema_diff('" + at("test") + " password=x', 'public', 'shared')"))
                .startsWith("SR017");
        a.execute("SELECT steep_repl.register_node('y', host => '127.0.0.1', port => "
                + b.server().port() + ", dbname => 'other', conninfo => '" + at("other") + "')");
        assertThat(as("vera", "compare_fingerprints('y')"))
                .startsWith("SR017 vera may not use the connection string that is registered for y");
        a.execute("SELECT steep_repl.unregister_node('y')");
    }
}
