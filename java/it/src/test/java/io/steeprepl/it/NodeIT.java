package io.steeprepl.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.testkit.Cluster;
import io.steeprepl.testkit.ClusterLogs;
import io.steeprepl.testkit.TestNode;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A node by itself: registry, audit log, worker, rights. */
@ExtendWith(ClusterLogs.class)
class NodeIT {
    private static Cluster cluster;
    private static TestNode a;

    @BeforeAll
    static void start() {
        cluster = Cluster.start(1);
        a = cluster.node(0);
        a.execute(
                "CREATE TABLE item (id int PRIMARY KEY); SELECT steep_repl.add_table('item')",
                "CREATE TABLE small (id int PRIMARY KEY); SELECT steep_repl.add_table('small', before_images => false)",
                "CREATE TABLE keyless (id int); SELECT steep_repl.add_table('keyless')",
                "CREATE TABLE fresh (id int PRIMARY KEY)");
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            create_node('other')                              | SR002 | already node a
            unregister_node('a')                              | SR003 | this node itself
            unregister_node('nobody')                         | SR004 | not known here
            observe_node('a', true)                           | SR003 | this node itself
            observe_node('nobody', false)                     | SR004 | not known here
            observe_node('b', false, '1 day')                 | SR009 | cannot hold for 1 day
            observe_node('b', false, '-1 minute')             | SR009 | cannot hold for -00:01:00
            observe_node('b', false, NULL)                    | SR009 | cannot hold for NULL
            pause('nobody')                                   | SR005 | does not receive from
            subscribe('a')                                    | SR006 | not receive from itself
            register_node('', 'n', '', 0, 5000)               | SR007 | without an id
            register_node('a', 'n', 'elsewhere')              | SR008 | this node itself
            add_table('pg_class', 'magic')                    | SR041 | unknown strategy
            set_conflict_strategy('pg_class', 'manual')       | SR043 | is not replicated
            set_conflict_strategy('item', 'magic')            | SR041 | unknown strategy
            set_conflict_strategy('item', 'node_priority')    | SR053 | needs a list of nodes
            set_conflict_strategy('item', 'node_priority', '{a,x}') | SR053 | unknown node "x"
            set_conflict_strategy('item', 'node_priority', '{a,a}') | SR053 | more than once
            set_conflict_strategy('item', 'node_priority', '{NULL}') | SR053 | unknown node NULL
            set_conflict_strategy('item', 'manual', '{a}')    | SR053 | takes no list of nodes
            set_conflict_strategy('small', 'keep_local')      | SR054 | needs before-images
            set_conflict_strategy('keyless', 'manual')        | SR054 | needs a primary key
            add_table('fresh', 'node_priority')               | SR053 | needs a list of nodes
            prune_audit_log('-1 day')                         | SR031 | not negative
            record_event(now(), 'node.create')                | SR032 | only what the daemon did
            remove_table('pg_class')                          | SR043 | is not replicated
            subscribe('host=127.0.0.1 port=1 connect_timeout=2') | 08001 | cannot connect
            """)
    void wrongCallsSayWhatIsWrongAndAreAudited(String call, String state, String message) {
        String before = a.query("SELECT count(*) FROM steep_repl.audit_log WHERE NOT success");
        assertThat(Sql.error(a, "SELECT steep_repl." + call)).startsWith(state).contains(message);
        if (call.startsWith("register") || call.startsWith("subscribe") || call.startsWith("unregister")) {
            Sql.await(a, "SELECT count(*) > " + before + " FROM steep_repl.audit_log WHERE NOT success", "t");
        }
    }

    @Test
    void theAuditLogIsAppendOnly() {
        assertThat(Sql.error(a, "DELETE FROM steep_repl.audit_log")).startsWith("SR030");
        assertThat(Sql.error(a, "UPDATE steep_repl.audit_log SET actor = 'me'")).startsWith("SR030");
        assertThat(Sql.error(a, "TRUNCATE steep_repl.audit_log")).startsWith("SR030");
        assertThat(Sql.error(a, "SET session_replication_role = replica; DELETE FROM steep_repl.audit_log"))
                .startsWith("SR030");
        a.execute(
                "SELECT steep_repl.register_node('old', 'old', 'old.example')",
                "SELECT steep_repl.unregister_node('old')");
        assertThat(
                        a.query(
                                "SELECT actor, client_ip FROM steep_repl.audit_log WHERE action = 'node.unregister' AND target_id = 'old'"))
                .isEqualTo("postgres@127.0.0.1|127.0.0.1");
        assertThat(a.query("SELECT steep_repl.prune_audit_log('0') > 0")).isEqualTo("t");
        assertThat(a.query("SELECT action FROM steep_repl.audit_log ORDER BY id DESC LIMIT 1"))
                .isEqualTo("audit.prune");
    }

    @Test
    void changedSettingsAreAudited() {
        a.execute("ALTER SYSTEM SET steep_repl.worker_interval = '500ms'", "SELECT pg_reload_conf()");
        Sql.await(
                a,
                "SELECT old_value, new_value FROM steep_repl.audit_log WHERE action = 'settings.change' AND target_id = 'steep_repl.worker_interval'",
                "\"1000\"|\"500\"");
    }

    @Test
    void aPasswordIsNeverShown() {
        a.query("SELECT steep_repl.register_node('secret', 'n', 'h', 1, 50, 'd', 'host=h password=Canary1')");
        Sql.error(a, "SELECT steep_repl.register_node('secret', '', 'h', 1, 50, 'd', 'host=h password=Canary1')");
        Sql.error(a, "SELECT steep_repl.subscribe('postgresql://u:Canary1@127.0.0.1:1/d?connect_timeout=2')");
        Sql.await(a, "SELECT count(*) > 0 FROM steep_repl.audit_log WHERE target_id LIKE '%***%'", "t");
        assertThat(a.query("SELECT count(*) FROM steep_repl.audit_log l WHERE l::text LIKE '%Canary1%'"))
                .isEqualTo("0");
        assertThat(a.query("SELECT steep_repl.health()::text")).doesNotContain("Canary1");
        assertThat(a.rows("SELECT * FROM steep_repl.node_status()").toString()).doesNotContain("Canary1");
    }

    @Test
    void rolesSeeAndDoWhatTheyMay() {
        a.execute("CREATE ROLE watcher LOGIN IN ROLE steep_repl_viewer", "CREATE ROLE stranger LOGIN");
        String asWatcher = "SET ROLE watcher; ";
        assertThat(a.rows("SELECT steep_repl.node_id()")).containsExactly("a");
        assertThat(Sql.error(a, asWatcher + "SELECT steep_repl.health()")).isEqualTo("no error");
        assertThat(Sql.error(a, asWatcher + "SELECT node_id FROM steep_repl.nodes"))
                .isEqualTo("no error");
        assertThat(Sql.error(a, asWatcher + "SELECT conninfo FROM steep_repl.nodes"))
                .startsWith("42501");
        assertThat(Sql.error(a, asWatcher + "SELECT steep_repl.pause('b')")).startsWith("42501");
        assertThat(Sql.error(a, asWatcher + "SELECT steep_repl.register_node('x')"))
                .startsWith("42501");
        assertThat(Sql.error(a, "SET ROLE stranger; SELECT steep_repl.version()"))
                .startsWith("42501");
        // But for what stands in a constraint, and runs as whoever inserts.
        assertThat(a.query(
                        "SELECT string_agg(p.oid::regprocedure::text, ' ' ORDER BY p.oid::regprocedure::text) FROM pg_proc p WHERE pronamespace = 'steep_repl'::regnamespace"
                                + " AND has_function_privilege('stranger', p.oid, 'EXECUTE')"))
                .isEqualTo("steep_repl.check_id_range(oid,bigint) steep_repl.check_id_range(oid,integer)"
                        + " steep_repl.check_id_range(oid,smallint)");
    }

    @Test
    void theWorkerIsRestartedAndLetsTheDatabaseGo() {
        a.execute("CREATE DATABASE other");
        TestNode other = new TestNode("other", a.server(), "other");
        other.create();
        Sql.await(other, "SELECT steep_repl._worker_state()->>'running'", "true");
        String pid = other.query("SELECT steep_repl._worker_state()->>'pid'");
        a.execute("SELECT pg_terminate_backend(" + pid + ")");
        Sql.await(other, "SELECT steep_repl._worker_state()->>'pid' <> '" + pid + "'", "t");
        a.execute("CREATE DATABASE copy TEMPLATE other");
        TestNode copy = new TestNode("copy", a.server(), "copy");
        assertThat(copy.query("SELECT steep_repl.node_id() IS NULL")).isEqualTo("t");
        other.execute("DROP EXTENSION steep_repl", "CREATE EXTENSION steep_repl");
        Sql.await(other, "SELECT steep_repl._worker_state()->>'running'", "true");
        a.execute("DROP DATABASE other", "DROP DATABASE copy");
    }

    @Test
    void compareAndSetHasOneWinner() {
        assertThat(a.query("SELECT steep_repl.coordinator_compare_and_set('term', NULL, '1')"))
                .isEqualTo("t");
        assertThat(a.query("SELECT steep_repl.coordinator_compare_and_set('term', NULL, '2')"))
                .isEqualTo("f");
        assertThat(a.query("SELECT steep_repl.coordinator_compare_and_set('term', '1', '2')"))
                .isEqualTo("t");
        assertThat(a.query("SELECT steep_repl.coordinator_compare_and_set('term', '1', '3')"))
                .isEqualTo("f");
    }
}
