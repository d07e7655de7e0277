package io.steeprepl.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.testkit.Cluster;
import io.steeprepl.testkit.ClusterLogs;
import io.steeprepl.testkit.TestNode;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Peers that accept a connection and then say nothing. */
@ExtendWith(ClusterLogs.class)
class PeerIT {
    private static Cluster cluster;
    private static TestNode a;
    private static TestNode b;

    @BeforeAll
    static void start() {
        cluster = Cluster.start(2).link(2);
        a = cluster.node(0);
        b = cluster.node(1);
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            host=127.0.0.1 port=PORT user=u                                           | 5
            host=127.0.0.1 port=PORT user=u connect_timeout=1                         | 1
            host=127.0.0.1 port=PORT user=u application_name='connect_timeout=900'    | 5
            postgresql://u:p?connect_timeout=900@127.0.0.1:PORT/d?connect_timeout=1   | 1
            """)
    void connectingToASilentServerEnds(String conninfo, int seconds) throws IOException {
        try (ServerSocket silent = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
            String there = conninfo.replace("PORT", String.valueOf(silent.getLocalPort()));
            assertThat(Sql.error(
                            a,
                            "SET statement_timeout = '30s'; SELECT steep_repl._peer_value(" + "'"
                                    + there.replace("'", "''") + "', 'SELECT 1::text')"))
                    .startsWith("08001")
                    .contains("no answer within " + seconds + " s");
        }
    }

    @Test
    void aQueryThatAPeerDoesNotAnswerEnds() {
        assertThat(Sql.error(
                        a,
                        "SELECT steep_repl._peer_rows_within('" + b.conninfo() + "', 'SELECT pg_sleep(60)::text', 1)"))
                .startsWith("38000")
                .contains("did not answer within 1 s");
        assertThat(a.query("SELECT steep_repl._peer_value('" + b.conninfo() + "', 'SELECT 1::text')"))
                .isEqualTo("1");
    }

    @Test
    void aPeerThatHangsIsNoticedAndComesBack() {
        Sql.await(a, "SELECT status FROM steep_repl.nodes WHERE node_id = 'b'", "online");
        b.server().freeze();
        try {
            Sql.await(a, "SELECT status FROM steep_repl.nodes WHERE node_id = 'b'", "unavailable");
        } finally {
            b.server().thaw();
        }
        Sql.awaitStreaming(a, "b");
        Sql.awaitStreaming(b, "a");
    }

    @Test
    void aPeerWhoseDaemonIsSilentIsUnavailableAlthoughItsDatabaseAnswers() {
        String status = "SELECT status FROM steep_repl.nodes WHERE node_id = 'b'";
        Sql.await(a, status, "online");
        assertThat(a.query("SELECT steep_repl.observe_node('b', false, '1 hour')"))
                .isEqualTo("unavailable");
        String seen = a.query("SELECT last_seen FROM steep_repl.nodes WHERE node_id = 'b'");
        Sql.await(a, "SELECT last_seen > '" + seen + "' FROM steep_repl.nodes WHERE node_id = 'b'", "t");
        assertThat(a.query(status)).isEqualTo("unavailable");
        assertThat(a.query("SELECT steep_repl.observe_node('b', true)")).isEqualTo("online");

        // What nobody repeats is not believed for ever.
        assertThat(a.query("SELECT steep_repl.observe_node('b', false, '2 seconds')"))
                .isEqualTo("unavailable");
        Sql.await(a, status, "online");

        // The other way round: a daemon that answers does not make up for a database that does not.
        b.server().freeze();
        try {
            Sql.await(a, status, "unavailable");
            assertThat(a.query("SELECT steep_repl.observe_node('b', true)")).isEqualTo("unavailable");
        } finally {
            b.server().thaw();
        }
        Sql.await(a, status, "online");
    }
}
