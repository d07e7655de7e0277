package io.steeprepl.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.steeprepl.testkit.Cluster;
import io.steeprepl.testkit.ClusterLogs;
import io.steeprepl.testkit.TestNode;
import java.io.IOException;
import java.sql.SQLException;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The conflict log: who sees what of it, what is counted, what is pruned. */
@ExtendWith(ClusterLogs.class)
class ConflictLogIT {
    private static Cluster cluster;
    private static TestNode a;

    @BeforeAll
    static void start() {
        cluster = Cluster.start(1);
        a = cluster.node(0);
        a.execute(
                "CREATE TABLE orders (order_id int PRIMARY KEY, status text, updated_by text)",
                "CREATE TABLE secrets (id int PRIMARY KEY, word text)",
                "CREATE ROLE vera LOGIN IN ROLE steep_repl_viewer",
                "CREATE ROLE adam LOGIN IN ROLE steep_repl_admin",
                "GRANT SELECT ON orders TO vera");
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    @BeforeEach
    void emptyTheLog() {
        a.execute("TRUNCATE steep_repl.conflict_log RESTART IDENTITY");
    }

    /** An update of node b that beat one of node a, as it is logged on a. */
    private static void log(String table, int key, String age, String resolution, boolean proven) {
        a.execute("""
                INSERT INTO steep_repl.conflict_log (detected_at, subscription, table_schema, table_name, conflict_type,
                  local_tuple, remote_tuple, base_tuple, local_origin, remote_origin, local_xact_ts, remote_xact_ts, origin_xid,
                  resolution, peer, conflict_key, key, key_id, strategy, winner, remote_lsn, reason, converged_at, relation)
                SELECT at, 'steep_repl_b', 'public', '%1$s', 'UPDATE-UPDATE',
                  '{"order_id": %2$s, "status": "processing", "updated_by": "alice"}',
                  '{"order_id": %2$s, "status": "shipped", "updated_by": "bob"}',
                  '{"order_id": %2$s, "status": "new", "updated_by": "alice"}',
                  'a', 'b', at - interval '3 s', at - interval '1 s', 1234, '%4$s', 'b', md5(at::text)::uuid,
                  '{"order_id": %2$s}', md5('%2$s')::uuid, 'last_write_wins', 'remote', '0/16B3748', 'bob said so',
                  CASE WHEN %5$s THEN at END, '%1$s'::regclass
                FROM (SELECT clock_timestamp() - interval '%3$s' AS at) t""".formatted(table, key, age, resolution, proven));
    }

    private static Commands.Ended run(String role, String... args) {
        return Commands.run(a.uri().replace("postgres@", role + "@"), args);
    }

    private static String as(String role, String query) {
        return RoleReader.read(a, role, query);
    }

    private static String visible(String role) {
        return as(role, "SELECT tuples_visible, local_tuple->>'status' FROM steep_repl.conflict_list()");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            p_table => 'orders'                          | 5,4,2,1
            p_table => 'public.orders', p_limit => 2     | 5,4
            p_table => 'shop.orders'                     | ''
            p_table => '"Orders"'                        | ''
            p_resolution => 'pending'                    | 4
            p_unproven => true                           | 4,2
            p_since => now() - interval '90 minutes'     | 5,4,3
            p_kind => 'update-update', p_peer => 'b', p_table => 'secrets' | 3
            p_kind => 'insert-insert'                    | ''
            p_peer => 'c'                                | ''
            """)
    void theListIsFilteredAndNewestFirst(String filter, String ids) {
        log("orders", 1, "3 days", "APPLIED_REMOTE", true);
        log("orders", 2, "2 days", "APPLIED_REMOTE", false);
        log("secrets", 3, "1 hour", "KEPT_LOCAL", true);
        log("orders", 4, "1 hour", "PENDING", false);
        log("orders", 5, "1 minute", "MERGED", true);
        assertThat(a.query("SELECT string_agg(id::text, ',') FROM steep_repl.conflict_list(" + filter + ")"))
                .isEqualTo(ids);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            conflict_list(p_kind => 'quarrel')       | SR052 | unknown kind
            conflict_list(p_resolution => 'maybe')   | SR052 | unknown resolution
            conflict_list(p_table => 'a.b.c')        | SR052 | not the name of a table
            conflict_show(4711)                      | SR050 | no conflict with the id 4711
            prune_conflict_log('-1 day')             | SR051 | not be negative
            prune_conflict_log(NULL)                 | SR051 | not both NULL
            prune_conflict_log('1 day', -1)          | SR051 | not be negative
            """)
    void wrongCallsSayWhatIsWrong(String call, String state, String message) {
        assertThat(Sql.error(a, "SELECT steep_repl." + call)).startsWith(state).contains(message);
    }

    @Test
    void tuplesAreForThoseWhoMayReadTheTable() {
        log("orders", 1, "0", "APPLIED_REMOTE", true);
        log("secrets", 2, "0", "APPLIED_REMOTE", true);
        assertThat(as("vera", "SELECT id, local_tuple IS NOT NULL, key IS NOT NULL FROM steep_repl.conflict_list()"))
                .isEqualTo("2|f|f\n1|t|t");
        assertThat(as("vera", "SELECT count(*) FROM steep_repl.conflict_show(2)"))
                .isEqualTo("1");
        // All that could tell the row is hidden; that there was a conflict is not.
        assertThat(as("vera", """
                        SELECT num_nonnulls(local_tuple, remote_tuple, base_tuple, result, key, key_id, conflict_key, error, reason),
                               conflict_type, remote_origin, resolution, converged_at IS NOT NULL
                          FROM steep_repl.conflicts WHERE id = 2""")).isEqualTo("0|UPDATE-UPDATE|b|APPLIED_REMOTE|t");
        assertThat(as("vera", "SELECT count(*) FROM steep_repl.conflict_log")).contains("permission denied");
        assertThat(as("adam", "SELECT count(*) FROM steep_repl.conflict_log")).contains("permission denied");
        assertThat(visible("adam")).isEqualTo("f|null\nf|null");
        assertThat(visible("postgres")).isEqualTo("t|processing\nt|processing");
    }

    @Test
    void aFunctionThatAViewerOwnsReadsWithHisRightsWhoeverCallsIt() {
        log("secrets", 1, "0", "APPLIED_REMOTE", true);
        a.execute(
                "CREATE SCHEMA trap AUTHORIZATION vera",
                "CREATE FUNCTION trap.f() RETURNS text LANGUAGE sql SECURITY DEFINER AS 'SELECT local_tuple::text FROM steep_repl.conflict_list()'",
                "ALTER FUNCTION trap.f() OWNER TO vera");
        assertThat(a.query("SELECT trap.f() IS NULL")).isEqualTo("t");
        assertThat(a.query("SELECT local_tuple IS NULL FROM steep_repl.conflict_list()"))
                .isEqualTo("f");
    }

    @Test
    void rowLevelSecurityHidesTuples() {
        a.execute(
                "CREATE TABLE ledger (id int PRIMARY KEY, who text)",
                "GRANT SELECT ON ledger TO vera",
                "CREATE POLICY own ON ledger USING (who = current_user)");
        log("ledger", 1, "0", "APPLIED_REMOTE", true);
        assertThat(visible("vera")).isEqualTo("t|processing");
        a.execute("ALTER TABLE ledger ENABLE ROW LEVEL SECURITY");
        assertThat(visible("vera")).isEqualTo("f|null");
        a.execute("ALTER ROLE vera BYPASSRLS");
        assertThat(visible("vera")).isEqualTo("t|processing");
        a.execute("ALTER ROLE vera NOBYPASSRLS", "DROP TABLE ledger");
    }

    @Test
    void whoReadsAllDataSeesNoMoreInTheTableThanInTheView() {
        a.execute(
                "CREATE TABLE vault (id int PRIMARY KEY, who text)",
                "ALTER TABLE vault ENABLE ROW LEVEL SECURITY",
                "CREATE ROLE archivist LOGIN IN ROLE pg_read_all_data",
                "CREATE ROLE clerk LOGIN IN ROLE steep_repl_viewer",
                "GRANT SELECT ON steep_repl.conflict_log TO clerk");
        log("orders", 1, "0", "APPLIED_REMOTE", true);
        log("vault", 2, "0", "APPLIED_REMOTE", true);
        String read = "SELECT string_agg(table_name, ' ') FROM steep_repl.conflict_log";
        assertThat(as("clerk", read)).isEqualTo("null");
        a.execute("GRANT steep_repl_viewer TO archivist", "GRANT SELECT ON orders TO clerk");
        assertThat(as("archivist", read)).isEqualTo("orders");
        assertThat(as("clerk", read)).isEqualTo("orders");
        assertThat(as("archivist", "SELECT id, local_tuple IS NOT NULL FROM steep_repl.conflict_list()"))
                .isEqualTo("2|f\n1|t");
        assertThat(as("postgres", read)).isEqualTo("orders vault");
        a.execute("DROP TABLE vault", "DROP ROLE archivist", "DROP OWNED BY clerk", "DROP ROLE clerk");
    }

    @Test
    void allColumnsAreAsGoodAsTheTableAndOneIsNot() {
        a.execute("CREATE TABLE wages (id int PRIMARY KEY, amount int)", "GRANT SELECT (id) ON wages TO vera");
        log("wages", 1, "0", "APPLIED_REMOTE", true);
        assertThat(visible("vera")).isEqualTo("f|null");
        a.execute("GRANT SELECT (amount) ON wages TO vera");
        assertThat(visible("vera")).isEqualTo("t|processing");
        a.execute("ALTER TABLE wages DROP COLUMN amount");
        assertThat(visible("vera"))
                .as("the log still has what was in the column")
                .isEqualTo("f|null");
        a.execute("DROP TABLE wages");
    }

    @Test
    void anotherTableOfTheSameNameOpensNothing() {
        a.execute("CREATE TABLE plans (id int PRIMARY KEY)");
        log("plans", 1, "0", "APPLIED_REMOTE", true);
        a.execute("DROP TABLE plans", "CREATE TABLE plans (id int PRIMARY KEY)", "ALTER TABLE plans OWNER TO vera");
        assertThat(visible("vera")).isEqualTo("f|null");
        assertThat(visible("postgres")).isEqualTo("t|processing");
        a.execute("DROP TABLE plans");
    }

    @Test
    void theHistoryIsThatOfTheKeyOldestFirst() {
        log("orders", 7, "3 hours", "APPLIED_REMOTE", true);
        log("orders", 8, "2 hours", "APPLIED_REMOTE", true);
        log("secrets", 7, "2 hours", "APPLIED_REMOTE", true);
        log("orders", 7, "1 hour", "KEPT_LOCAL", true);
        log("orders", 7, "1 minute", "PENDING", false);
        assertThat(a.query("SELECT string_agg(id::text, ',') FROM steep_repl.conflict_show(4)"))
                .isEqualTo("1,4,5");
        assertThat(a.query("SELECT string_agg(id::text, ',') FROM steep_repl.conflict_show(1, 1)"))
                .isEqualTo("1,5");
    }

    @Test
    void conflictsAreCountedBesideWhatPostgresCounts() {
        log("orders", 1, "2 days", "APPLIED_REMOTE", true);
        log("orders", 2, "2 hours", "PENDING", false);
        log("orders", 3, "30 minutes", "APPLIED_REMOTE", false);
        log("orders", 4, "0", "APPLIED_REMOTE", true);
        log("secrets", 5, "0", "APPLIED_REMOTE", true);
        a.execute(
                "UPDATE steep_repl.conflict_log SET peer = 'nobody' WHERE id = 5",
                "SELECT steep_repl.register_node('b', 'b', 'b.example')",
                "CREATE SUBSCRIPTION s CONNECTION 'host=b.example' PUBLICATION p WITH (connect = false)",
                "INSERT INTO steep_repl.links (peer, conninfo, slot_name, subscription_name, subscription, next_try) SELECT 'b', 'host=b.example', 's', subname, oid, 'infinity' FROM pg_subscription");
        try {
            assertThat(as("vera", """
                            SELECT conflict_type, table_name, peer, total, last_hour, last_day, per_minute, pending, unproven,
                                   possible, last_at > now() - interval '1 minute', native_insert_exists, native_apply_errors
                              FROM steep_repl.conflict_stats()"""))
                    .isEqualTo("UPDATE-UPDATE|orders|b|4|2|3|0.2|1|2|0|t|0|0\n"
                            + "UPDATE-UPDATE|secrets|nobody|1|1|1|0.2|0|0|0|t|null|null");
        } finally {
            a.execute(
                    "DELETE FROM steep_repl.links",
                    "ALTER SUBSCRIPTION s SET (slot_name = NONE)",
                    "DROP SUBSCRIPTION s");
        }
    }

    @Test
    void healthSaysWhatIsPendingAndWhatIsNotProven() {
        String conflicts =
                "SELECT steep_repl.health() -> 'conflicts' ->> 'pending', steep_repl.health() -> 'conflicts' ->> 'unproven'";
        String reasons = "SELECT steep_repl.health() ->> 'reasons'";
        log("orders", 1, "0", "APPLIED_REMOTE", false);
        assertThat(a.query(conflicts)).isEqualTo("0|1");
        assertThat(a.query(reasons)).doesNotContain("conflicts");
        log("orders", 2, "2 minutes", "APPLIED_REMOTE", false);
        a.execute("UPDATE steep_repl.conflict_log SET not_converged_reason = 'c is away' WHERE id = 2");
        assertThat(a.query(reasons)).contains("alike on all nodes: 2, the oldest since", "c is away");
        log("orders", 3, "0", "PENDING", true);
        assertThat(a.query(conflicts)).isEqualTo("1|2");
        assertThat(a.query(reasons)).contains("conflicts that wait for a decision: 1");
        assertThat(a.query("SELECT steep_repl.health() ->> 'status'")).isEqualTo("degraded");
        log("secrets", 4, "2 hours", "PENDING", true);
        log("secrets", 5, "1 hour", "PENDING", true);
        assertThat(
                        a.query(
                                "SELECT string_agg(concat_ws(' ', p->>'table_name', p->>'pending', (p->>'oldest_seconds')::int / 3600), ', ')"
                                        + " FROM jsonb_array_elements(steep_repl.health() -> 'conflicts' -> 'pending_by_table') p"))
                .isEqualTo("secrets 2 2, orders 1 0");
        assertThat(a.query(reasons))
                .contains("conflicts that wait for a decision: 2 in public.secrets, the oldest since");
    }

    @Test
    void healthAndANotificationSpeakOfManyConflictsAtATime() throws SQLException {
        String reasons = "SELECT steep_repl.health() ->> 'reasons' LIKE '%conflicts: 2 a minute%'";
        try (Listener listener = Listener.on(a, "steep_repl_alarm")) {
            manyConflicts(reasons);
            List<String> heard = listener.hear(2);
            assertThat(heard).hasSize(2);
            assertThat(heard.getFirst()).contains("\"kind\": \"rate\"", "begun", "2 a minute");
            assertThat(heard.getLast()).contains("\"kind\": \"rate\"", "over");
        }
    }

    private static void manyConflicts(String reasons) {
        for (int key = 1; key <= 10; key++) {
            log("orders", key, "0", "APPLIED_REMOTE", true);
        }
        assertThat(a.query(reasons)).isEqualTo("f");
        a.execute("ALTER SYSTEM SET steep_repl.conflict_rate_alert = 1", "SELECT pg_reload_conf()");
        Sql.await(a, reasons, "t");
        assertThat(a.query("SELECT steep_repl.health() -> 'conflicts' ->> 'per_minute'"))
                .isEqualTo("2");
        Sql.await(a, "SELECT count(*) FROM steep_repl.alarms", "1");
        a.execute("ALTER SYSTEM SET steep_repl.conflict_rate_alert = 0", "SELECT pg_reload_conf()");
        Sql.await(a, reasons, "f");
        a.execute("ALTER SYSTEM RESET ALL", "SELECT pg_reload_conf()");
    }

    @Test
    void whoListensHearsOfPendingConflicts() throws SQLException {
        try (Listener listener = Listener.on(a, "steep_repl_conflict")) {
            log("orders", 1, "0", "APPLIED_REMOTE", true);
            log("orders", 2, "0", "PENDING", false);
            a.execute("UPDATE steep_repl.conflict_log SET resolution = 'PENDING' WHERE id = 1");
            a.execute("UPDATE steep_repl.conflict_log SET resolution = 'PENDING' WHERE id = 2");
            List<String> heard = listener.hear(2);
            assertThat(heard)
                    .hasSize(2)
                    .allSatisfy(payload -> assertThat(payload)
                            .contains("\"table\": \"public.orders\"", "\"conflict_type\": \"UPDATE-UPDATE\"", "PENDING")
                            .doesNotContain("alice", "order_id"));
            assertThat(heard.getFirst()).contains("\"id\": 2");
        }
    }

    @Test
    void pruningKeepsWhatIsPendingOrNotProven() {
        log("orders", 1, "2 hours", "APPLIED_REMOTE", true);
        log("orders", 2, "30 hours", "PENDING", true);
        log("orders", 3, "2 hours", "APPLIED_REMOTE", false);
        log("orders", 4, "11 hours", "APPLIED_REMOTE", false);
        log("orders", 5, "30 minutes", "APPLIED_REMOTE", true);
        assertThat(as("vera", "SELECT steep_repl.prune_conflict_log('1 hour')")).contains("permission denied");
        assertThat(as("adam", "SELECT steep_repl.prune_conflict_log('1 hour')")).isEqualTo("2");
        assertThat(a.query("SELECT string_agg(id::text, ',' ORDER BY id) FROM steep_repl.conflict_log"))
                .isEqualTo("2,3,5");
        assertThat(
                        a.query(
                                "SELECT new_value FROM steep_repl.audit_log WHERE action = 'conflict.prune' ORDER BY id DESC LIMIT 1"))
                .isEqualTo("{\"removed\": 2, \"keep_rows\": null, \"older_than\": \"01:00:00\"}");
        log("orders", 6, "0", "APPLIED_REMOTE", true);
        assertThat(a.query("SELECT steep_repl.prune_conflict_log(NULL, 1)")).isEqualTo("1");
        assertThat(a.query("SELECT string_agg(id::text, ',' ORDER BY id) FROM steep_repl.conflict_log"))
                .isEqualTo("2,3,6");
    }

    @Test
    void theWorkerPrunesByAgeAndByNumber() {
        String left = "SELECT string_agg(id::text, ',' ORDER BY id) FROM steep_repl.conflict_log";
        for (int i = 1; i <= 4; i++) {
            log("orders", i, (40 - i) + " days", "APPLIED_REMOTE", true);
        }
        a.execute("ALTER SYSTEM SET steep_repl.conflict_log_max_age = '37d'", "SELECT pg_reload_conf()");
        Sql.await(a, left, "4");
        log("orders", 5, "1 day", "APPLIED_REMOTE", true);
        a.execute("ALTER SYSTEM SET steep_repl.conflict_log_max_rows = 1", "SELECT pg_reload_conf()");
        Sql.await(a, left, "5");
        a.execute("ALTER SYSTEM RESET ALL", "SELECT pg_reload_conf()");
        assertThat(a.query("SELECT steep_repl.health() -> 'worker' ->> 'last_error'"))
                .isEmpty();
    }

    @Test
    void theCommandsShowIt() throws IOException {
        log("orders", 50432, "2 hours", "APPLIED_REMOTE", true);
        log("secrets", 9, "1 hour", "PENDING", false);
        log("orders", 50432, "1 minute", "APPLIED_REMOTE", true);

        Commands.Ended list = run("vera", "conflict", "list", "--since", "1d");
        assertThat(list.code()).as(list.err()).isZero();
        assertThat(list.out().lines().toList())
                .hasSize(4)
                .satisfies(
                        lines -> assertThat(lines.get(1))
                                .matches(" 3 .* UPDATE-UPDATE +public.orders +order_id=50432 .*"),
                        lines -> assertThat(lines.get(2)).contains("(no SELECT on public.secrets)", "PENDING"));
        assertThat(run("vera", "conflict", "list", "--resolution", "pending", "-o", "json")
                        .json())
                .singleElement()
                .satisfies(
                        entry -> assertThat(entry.get("tuples_visible").asBoolean())
                                .isFalse(),
                        entry -> assertThat(entry.get("remote_tuple").isNull()).isTrue());
        Commands.Ended unknown = run("vera", "conflict", "list", "--kind", "quarrel");
        assertThat(unknown.code()).isEqualTo(1);
        assertThat(unknown.err()).contains("SR052").contains("UPDATE-DELETE");

        Commands.Ended shown = run("vera", "conflict", "show", "3");
        assertThat(shown.code()).as(shown.err()).isZero();
        assertThat(shown.out())
                .startsWith("#3 UPDATE-UPDATE on public.orders, order_id=50432\n")
                .containsPattern("status +\\* processing +\\* shipped +new")
                .contains("APPLIED_REMOTE: the remote write stays by last_write_wins; remote is later by 2.000000 s")
                .contains("Reason    bob said so", "Proven    all nodes agree since", "Conflicts of this key: 2");
        assertThat(run("vera", "conflict", "show", "2").out())
                .contains("(no SELECT on public.secrets)")
                .doesNotContain("shipped")
                .doesNotContain("bob said so");
        JsonNode json = run("vera", "conflict", "show", "3", "-o", "json").json();
        assertThat(json.get("base_tuple").get("status").asText()).isEqualTo("new");
        assertThat(json.get("history"))
                .extracting(entry -> entry.get("id").asInt())
                .containsExactly(1, 3);
        assertThat(run("vera", "conflict", "show", "4711").code()).isEqualTo(1);

        assertThat(run("vera", "conflict", "stats").out()).containsPattern("UPDATE-UPDATE +public +orders +b +2 ");
        JsonNode stats = run("vera", "conflict", "stats", "-o", "json").json();
        assertThat(stats.get(0).get("per_minute").asDouble()).isEqualTo(0.2);
        assertThat(stats.get(0).get("native").isNull()).isTrue();
    }
}
