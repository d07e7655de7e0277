package io.steeprepl.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.testkit.Cluster;
import io.steeprepl.testkit.ClusterLogs;
import io.steeprepl.testkit.TestNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A member of steep_repl_admin who is no superuser makes the server do nothing in the name of the user that runs it. */
@ExtendWith(ClusterLogs.class)
class PrivilegesIT {
    private static final Cluster CLUSTER = Cluster.start(2);
    private static final TestNode A = CLUSTER.node(0);
    private static final TestNode B = CLUSTER.node(1);

    @BeforeAll
    static void roles() throws IOException {
        A.execute("CREATE ROLE anna LOGIN IN ROLE steep_repl_admin");
        B.execute("CREATE ROLE link LOGIN SUPERUSER PASSWORD 'geheim'");
        Path rules = B.server().dataDir().resolve("pg_hba.conf");
        Files.writeString(rules, "host all link 127.0.0.1/32 scram-sha-256\n" + Files.readString(rules));
        B.query("SELECT pg_reload_conf()");
    }

    @AfterAll
    static void stop() {
        CLUSTER.close();
    }

    private static String asAnna(String sql) {
        return Sql.error(A, "SET SESSION AUTHORIZATION anna; " + sql);
    }

    @Test
    void whatUsesTheServersOwnRightsIsRefusedWhereverItIsGiven() {
        String tcp = "host=127.0.0.1 port=" + B.server().port() + " dbname=test ";
        List<String> refused = List.of(
                B.conninfo(),
                tcp + "user=link passfile=/etc/passwd",
                tcp + "user=link password=geheim sslkey=/etc/passwd",
                "host=/tmp dbname=test user=link password=geheim",
                "postgresql://link:geheim@%2Ftmp/test",
                // The peer lets postgres in without a password, so it is the machine that is trusted.
                tcp + "user=postgres password=anything");
        for (String conninfo : refused) {
            assertThat(asAnna("SELECT steep_repl.subscribe('" + conninfo + "')"))
                    .startsWith("SR017");
            assertThat(asAnna("SELECT steep_repl._peer_identity('" + conninfo + "')"))
                    .startsWith("SR017");
            assertThat(asAnna("SELECT steep_repl.start_node('" + conninfo + "', '" + A.conninfo() + "')"))
                    .startsWith("SR045")
                    .contains("may not use this connection string");
        }
        assertThat(asAnna("SELECT steep_repl.register_node('x', host => '/tmp')"))
                .startsWith("SR017");
        assertThat(asAnna("SELECT steep_repl.register_node('x', host => 'x', conninfo => 'host=x service=s')"))
                .startsWith("SR017");
        A.execute("SELECT steep_repl.register_node('c', host => '127.0.0.1', port => "
                + B.server().port() + ", dbname => 'test')");
        assertThat(asAnna("SELECT steep_repl.subscribe('c')")).startsWith("SR017");
        assertThat(A.query("SELECT count(*) FROM steep_repl.links")).isEqualTo("0");
        A.execute("SELECT steep_repl.unregister_node('c')");
    }

    @Test
    void aPasswordThatThePeerAsksForIsEnough() {
        String conninfo = "host=127.0.0.1 port=" + B.server().port() + " dbname=test user=link password=geheim";
        assertThat(asAnna("SELECT steep_repl.subscribe('" + conninfo + "')")).isEqualTo("no error");
        Sql.awaitStreaming(A, "b");
        A.execute("SELECT steep_repl.unsubscribe('b')");
        Sql.await(A, "SELECT count(*) FROM steep_repl.subscription_status()", "0");
        A.execute("SELECT steep_repl.unregister_node('b')");
    }

    /** What belongs to the server is not opened either by the strings that a source gives to the node which it starts. */
    @Test
    void aSourceNamesNoMembersThatTheCallerMayNotName() {
        String password = "host=127.0.0.1 port=" + B.server().port() + " dbname=test user=link password=geheim";
        B.execute("SELECT steep_repl.subscribe('" + A.conninfo() + "')");
        Sql.awaitStreaming(B, "a");
        TestNode third = new TestNode("third", A.server(), "third").create();
        third.execute("SET SESSION AUTHORIZATION anna; SELECT steep_repl.start_node('" + password + "', '"
                + third.conninfo() + "')");
        Sql.await(
                third,
                "SELECT state, split_part(error, ' (', 1) FROM steep_repl.start_progress()",
                "failed|anna may not use the connection string that the source has for a");
        assertThat(third.query("SELECT count(*) FROM steep_repl.links")).isEqualTo("0");
        assertThat(B.query("SELECT string_agg(peer, ' ') FROM steep_repl.links"))
                .isEqualTo("a");
        B.execute("SELECT steep_repl.unsubscribe('a')");
        Sql.await(B, "SELECT count(*) FROM steep_repl.subscription_status()", "0");
        B.execute("SELECT steep_repl.unregister_node('a')");
    }

    @Test
    void aPeerSpeaksForItselfOnlyAndPasswordsAreNotDumped() {
        A.execute("SELECT steep_repl.subscribe('" + B.conninfo() + " password=geheim')");
        Sql.awaitStreaming(A, "b");
        A.execute("CREATE TABLE t (id int PRIMARY KEY)");
        B.execute(
                "CREATE TABLE t (id int PRIMARY KEY)",
                "INSERT INTO steep_repl.table_events (node_id, seq, table_schema, table_name, action) VALUES ('z', 1, 'public', 't', 'join')");
        Sql.await(
                A,
                "SELECT new_value->>'sender', new_value->>'node_id' FROM steep_repl.audit_log WHERE action = 'table.event_refused'",
                "b|z");
        assertThat(A.query("SELECT count(*) FROM steep_repl.table_events WHERE node_id = 'z'"))
                .isEqualTo("0");
        String dumped = A.query(
                "SELECT extcondition[array_position(extconfig, 'steep_repl.nodes'::regclass::oid)] FROM pg_extension WHERE extname = 'steep_repl'");
        assertThat(A.query("SELECT count(*) FROM steep_repl.nodes WHERE conninfo LIKE '%geheim%'"))
                .isEqualTo("1");
        assertThat(A.rows("SELECT node_id FROM steep_repl.nodes " + dumped)).containsExactly("a");
        B.execute("SELECT steep_repl.add_table('t')");
        Sql.await(A, "SELECT state FROM steep_repl.replicated_tables()", "ready");
        Sql.await(
                A,
                "SELECT count(*), string_agg(state || source_conninfo || coalesce(own_conninfo, ''), ', ') FROM steep_repl.initialisations",
                "1|complete");
        A.execute("SELECT steep_repl.remove_table('t')");
        A.execute("SELECT steep_repl.unsubscribe('b')");
        Sql.await(A, "SELECT count(*) FROM steep_repl.subscription_status()", "0");
        A.execute("SELECT steep_repl.unregister_node('b')");
    }
}
