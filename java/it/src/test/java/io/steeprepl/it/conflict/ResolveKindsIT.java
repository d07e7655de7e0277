package io.steeprepl.it.conflict;

import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.it.Listener;
import io.steeprepl.testkit.TestNode;
import java.sql.SQLException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Resolution by hand of conflicts that are about more than one row, of many at once, and by whom. */
@ExtendWith(TwoNodes.class)
class ResolveKindsIT {
    private final Mesh mesh;

    ResolveKindsIT(Mesh mesh) {
        this.mesh = mesh;
    }

    private static String resolve(Table item, String node, String arguments) {
        return "SELECT steep_repl.resolve_conflict(" + item.entry(node) + ", " + arguments + ")";
    }

    private String ended(Table item, String node) {
        return mesh.node(node)
                .query(
                        "SELECT string_agg(resolution, ',' ORDER BY id) FROM steep_repl.conflict_log WHERE table_schema = '"
                                + item.schema() + "'");
    }

    @Test
    void aRowThatLostAUniqueValueComesBackWithAnother() {
        Table item = mesh.table("id int PRIMARY KEY, u text UNIQUE, v text")
                .apart("a", "INSERT INTO item VALUES (1, 'x', 'alice')", "INSERT INTO item VALUES (2, 'x', 'bob')")
                .holds("2|x|bob")
                .proven();
        // On a the row that lost is the local one.
        assertThat(item.error("a", resolve(item, "a", "'LOCAL'")))
                .startsWith("SR068")
                .contains("item_u_key");
        item.call("a", resolve(item, "a", "'MERGED', '{\"u\": \"y\", \"v\": \"alice\"}'"));
        mesh.drain();
        item.holds("1|y|alice", "2|x|bob").proven();
        assertThat(ended(item, "b")).isEqualTo("MERGED");
    }

    @Test
    void aRowThatLostAUniqueValueComesBackOnceThatIsFree() {
        Table item = mesh.table("id int PRIMARY KEY, u text UNIQUE")
                .apart("a", "INSERT INTO item VALUES (1, 'x')", "INSERT INTO item VALUES (2, 'x')");
        item.on("b", "UPDATE item SET u = 'z' WHERE id = 2");
        mesh.drain();
        assertThat(item.call("b", "SELECT steep_repl.revert_resolution(" + item.entry("b") + ") > 0"))
                .isEqualTo("t");
        mesh.drain();
        item.holds("1|x", "2|z").proven();
        assertThat(ended(item, "a")).isEqualTo("REVERTED,APPLIED_REMOTE");
    }

    @Test
    void theWinnerOfAUniqueValueCanBeConfirmed() {
        Table item = mesh.table("id int PRIMARY KEY, u text UNIQUE")
                .apart("a", "INSERT INTO item VALUES (1, 'x')", "INSERT INTO item VALUES (2, 'x')");
        item.call("a", resolve(item, "a", "'REMOTE'"));
        mesh.drain();
        item.holds("2|x").proven();
        assertThat(ended(item, "a") + " " + ended(item, "b")).isEqualTo("APPLIED_REMOTE KEPT_LOCAL");
    }

    @Test
    void aChangeOfTheKeyIsTakenBack() {
        Table item = mesh.table("id int PRIMARY KEY, v text", "(1, 'one')")
                .apart("a", "UPDATE item SET v = 'alice'", "UPDATE item SET id = 7, v = 'bob'")
                .holds("7|bob");
        item.call("a", resolve(item, "a", "'LOCAL'"));
        mesh.drain();
        item.holds("1|alice").proven();
        assertThat(ended(item, "a")).isEqualTo("KEPT_LOCAL");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            REMOTE | 1 |        | APPLIED_REMOTE
            LOCAL  |   | 1,long | KEPT_LOCAL
            """)
    void aChangeThatWasSetAsideIsTriedOnceMoreOrLeftOut(String side, String fixed, String row, String resolution) {
        Table item = mesh.table("id int PRIMARY KEY, v text, doc jsonb, n int", "(1, 'long', '{\"k\": 1}', 1)");
        String there =
                "SELECT resolution FROM steep_repl.conflict_log WHERE conflict_type = 'APPLY-ERROR' AND table_schema = '"
                        + item.schema() + "'";
        item.on("b", "ALTER TABLE item ADD CONSTRAINT short CHECK (length(v) < 5)");
        item.on("a", "UPDATE item SET v = 'much too long', doc = '{\"k\": [2, null]}', n = NULL");
        Mesh.await(mesh.node("b"), there, "PENDING");
        if (fixed == null) {
            item.call("b", resolve(item, "b", "'LOCAL'"));
            assertThat(mesh.node("b").query(there)).isEqualTo("KEPT_LOCAL");
            assertThat(item.rows(mesh.node("b"), "SELECT v FROM item")).containsExactly("long");
            assertThat(item.error("b", resolve(item, "b", "'REMOTE'"))).startsWith("SR062");
            assertThat(item.error("b", "SELECT steep_repl.revert_resolution(" + item.entry("b") + ")"))
                    .startsWith("SR070");
            return;
        }
        // As long as the cause is there the change fails again, and says so.
        item.call("b", resolve(item, "b", "'REMOTE'"));
        Mesh.await(mesh.node("b"), "SELECT count(*) FROM steep_repl.retries", "0");
        assertThat(mesh.node("b")
                        .query(
                                "SELECT resolution, error LIKE '%short%tried again by postgres@%' FROM steep_repl.conflict_log WHERE id = "
                                        + item.entry("b")))
                .isEqualTo("PENDING|t");
        mesh.pause();
        item.on("b", "ALTER TABLE item DROP CONSTRAINT short");
        // The proof may have been quicker.
        assertThat(item.error("b", resolve(item, "b", "'REMOTE'"))).matches("no error|(?s)SR062 .*");
        Mesh.await(mesh.node("b"), there, resolution);
        mesh.resume();
        item.holds("1|much too long|{\"k\": [2, null]}|null").proven();
        String version =
                "SELECT v.micros, v.node FROM item t CROSS JOIN LATERAL steep_repl._row_version('item'::regclass::oid, steep_repl._key_id('item'::regclass, '{\"id\": 1}'), t.xmin) v";
        assertThat(item.rows(mesh.node("b"), version))
                .as("its original version")
                .isEqualTo(item.rows(mesh.node("a"), version));
    }

    @Test
    void anApplyWorkerTellsThoseWhoListen() throws SQLException {
        Table item = mesh.table("id int PRIMARY KEY, v text");
        item.on("b", "ALTER TABLE item ADD CONSTRAINT short CHECK (length(v) < 5)");
        try (Listener listener = Listener.on(mesh.node("b"), "steep_repl_conflict")) {
            item.on("a", "INSERT INTO item VALUES (1, 'much too long')");
            String payload = "";
            while (!payload.contains(item.schema() + ".item")) {
                List<String> heard = listener.hear(1);
                assertThat(heard).isNotEmpty();
                payload = heard.stream()
                        .filter(text -> text.contains(item.schema() + ".item"))
                        .findFirst()
                        .orElse("");
            }
            assertThat(payload)
                    .contains("APPLY-ERROR", "\"id\": " + item.entry("b"))
                    .doesNotContain("much too long");
        }
    }

    @Test
    void aRowThatWasSetAsideCanBeMerged() {
        Table item = mesh.table("id int PRIMARY KEY, v text");
        item.on("b", "ALTER TABLE item ADD CONSTRAINT short CHECK (length(v) < 5)");
        item.on("a", "INSERT INTO item VALUES (1, 'much too long')");
        Mesh.await(
                mesh.node("b"),
                "SELECT count(*) FROM steep_repl.conflict_log WHERE resolution = 'PENDING' AND table_schema = '"
                        + item.schema() + "'",
                "1");
        item.call("b", resolve(item, "b", "'MERGED', '{\"v\": \"fits\"}'"));
        mesh.drain();
        item.holds("1|fits").proven();
    }

    @ParameterizedTest
    @CsvSource({"manual", "keep_local", "apply_remote", "first_write_wins"})
    void aDecisionIsAboveTheStrategyOfTheTable(String strategy) {
        Table item = mesh.table("id int PRIMARY KEY, v text", "(1, 'new')");
        item.on("a", "SELECT steep_repl.set_conflict_strategy('item', '" + strategy + "')");
        Mesh.await(
                mesh.node("b"),
                "SELECT strategy FROM steep_repl.replicated_tables() WHERE table_schema = '" + item.schema() + "'",
                strategy);
        item.apart("a", "UPDATE item SET v = 'alice'", "UPDATE item SET v = 'bob'");
        // Later than both, so the first of them would win against it.
        item.call("b", resolve(item, "b", "'MERGED', '{\"v\": \"both\"}', p_force => true"));
        mesh.drain();
        item.holds("1|both").proven();
        assertThat(List.of(ended(item, "a"), ended(item, "b"))).containsOnly("MERGED");
        item.call("a", "SELECT steep_repl.revert_resolution(" + item.entry("a") + ")");
        mesh.drain();
        item.isEqual().proven();
    }

    @ParameterizedTest
    @ValueSource(strings = {"LOCAL", "REMOTE", "MERGED"})
    void aRowWithoutItsParentGoesOrGetsItBackOrAnother(String side) {
        Table child = mesh.tableOf(
                        "CREATE TABLE parent (id int PRIMARY KEY, name text);"
                                + " CREATE TABLE child (id int PRIMARY KEY, of int REFERENCES parent)",
                        "child")
                .everywhere("SELECT 1");
        child.on("a", "SELECT steep_repl.add_table('parent')");
        child.awaitReady().on("a", "INSERT INTO parent VALUES (1, 'Ann'), (2, 'Bo')");
        mesh.drain();
        child.apart("a", "DELETE FROM parent WHERE id = 1", "INSERT INTO child VALUES (10, 1)");
        String pending =
                "SELECT count(*) FROM steep_repl.conflict_log WHERE conflict_type = 'FK-ORPHAN' AND resolution = 'PENDING' AND table_schema = '"
                        + child.schema() + "'";
        mesh.nodes().forEach(node -> Mesh.await(node, pending, "1"));
        child.call("b", resolve(child, "b", "'" + side + "'" + (side.equals("MERGED") ? ", '{\"of\": 2}'" : "")));
        mesh.drain();
        mesh.nodes().forEach(node -> Mesh.await(node, pending, "0"));
        child.holds(
                        side.equals("LOCAL")
                                ? new String[] {"10|1"}
                                : side.equals("MERGED") ? new String[] {"10|2"} : new String[0])
                .answers(
                        "SELECT id FROM parent ORDER BY id",
                        side.equals("LOCAL") ? new String[] {"1", "2"} : new String[] {"2"});
        String expected = side.equals("LOCAL") ? "KEPT_LOCAL" : side.equals("MERGED") ? "MERGED" : "APPLIED_REMOTE";
        assertThat(List.of(ended(child, "a"), ended(child, "b"))).containsOnly(expected);
        child.proven();
    }

    /** Two rows that node a changed in one transaction and node b later, pending on both nodes as if nobody had decided. */
    private Table pending(int rows) {
        Table item = mesh.tableOf(
                        "CREATE TABLE item (id int PRIMARY KEY, v text)",
                        "item",
                        "(generate_series(1, " + rows + "), 'new')")
                .apart("a", "UPDATE item SET v = 'alice'", "UPDATE item SET v = 'bob'");
        item.proven();
        mesh.nodes()
                .forEach(node -> node.execute(
                        "UPDATE steep_repl.conflict_log SET resolution = 'PENDING', resolved_at = NULL, resolved_by = NULL"
                                + " WHERE table_schema = '" + item.schema() + "'"));
        return item;
    }

    private static String bulk(String arguments) {
        return "SELECT steep_repl.resolve_conflicts_bulk(" + arguments + ")";
    }

    @Test
    void manyConflictsAreResolvedAtOnceOrNotAtAll() {
        Table item = pending(5);
        String all = "'REMOTE', p_filter_table => '" + item.schema() + ".item'";
        // On b the row of b stands, on which nobody has decided.
        String xid = mesh.node("b")
                .query("SELECT DISTINCT origin_xid FROM steep_repl.conflict_log WHERE table_schema = '" + item.schema()
                        + "'");
        assertThat(item.call("b", bulk(all + ", p_dry_run => true"))).isEqualTo("5");
        assertThat(ended(item, "b")).isEqualTo("PENDING,PENDING,PENDING,PENDING,PENDING");
        item.on("b", "UPDATE item SET v = 'carol' WHERE id = 3");
        assertThat(item.error("b", bulk(all))).startsWith("SR061");
        assertThat(item.error("b", bulk(all + ", p_dry_run => true"))).startsWith("SR061");
        assertThat(ended(item, "b")).isEqualTo("PENDING,PENDING,PENDING,PENDING,PENDING");
        mesh.drain();
        item.holds("1|bob", "2|bob", "3|carol", "4|bob", "5|bob");
        item.on(
                "b",
                "UPDATE steep_repl.conflict_log SET resolution = 'KEPT_LOCAL' WHERE table_schema = current_schema() AND key = '{\"id\": 3}'");
        assertThat(item.call("b", bulk("'REMOTE', " + xid + ", p_filter_origin => 'b'")))
                .isEqualTo("0");
        assertThat(item.call(
                        "b", bulk("'remote', " + xid + ", 'item', now() - interval '1 hour', clock_timestamp(), 'a'")))
                .isEqualTo("4");
        mesh.drain();
        item.holds("1|alice", "2|alice", "3|carol", "4|alice", "5|alice").proven();
        assertThat(ended(item, "a").split(",")).containsOnly("KEPT_LOCAL", "PENDING");
        assertThat(item.call("b", bulk(all))).isEqualTo("0");
    }

    @Test
    void aTransactionIdOfTwoNodesIsAmbiguous() {
        Table item = pending(2);
        item.on(
                "b",
                "UPDATE steep_repl.conflict_log SET origin_xid = 99, remote_origin = CASE key->>'id' WHEN '1' THEN 'a' ELSE 'z' END WHERE table_schema = current_schema()");
        assertThat(item.error("b", bulk("'LOCAL', 99"))).startsWith("SR072").contains("a, z");
        assertThat(item.call("b", bulk("'LOCAL', 99, p_filter_origin => 'a'"))).isEqualTo("1");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            'LOCAL'                      | SR071
            'MERGED', 1                  | SR060
            NULL, 1                      | SR060
            'LOCAL', NULL, 'a.b.c'       | SR052
            """)
    void manyConflictsNeedAFilterAndASide(String arguments, String state) {
        Table item = mesh.table("id int PRIMARY KEY");
        assertThat(item.error("a", bulk(arguments))).startsWith(state);
    }

    @Test
    void aWholeRowIsAppliedByItsKey() {
        Table item = mesh.table(
                "id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v text DEFAULT 'none', n int NOT NULL, twice int GENERATED ALWAYS AS (n * 2) STORED");
        String apply = "SELECT steep_repl.apply_tuple('" + item.schema() + "', 'item', '%s')";
        assertThat(item.call("a", apply.formatted("{\"id\": 5, \"v\": \"one\", \"n\": 1, \"twice\": 77}")))
                .isEqualTo("t");
        assertThat(item.call("a", apply.formatted("{\"id\": 5, \"n\": 2}"))).isEqualTo("t");
        mesh.drain();
        item.holds("5|none|2|4");
        assertThat(item.error("a", apply.formatted("{\"id\": 5}"))).startsWith("SR066");
        assertThat(item.error("a", apply.formatted("{\"n\": 5}")))
                .startsWith("SR066")
                .contains("id");
        assertThat(item.error("a", apply.formatted("{\"id\": 5, \"n\": 1, \"x\": 1}")))
                .startsWith("SR064");
        assertThat(item.error("a", apply.formatted("[]"))).startsWith("SR060");
        assertThat(item.error("a", "SELECT steep_repl.apply_tuple('nowhere', 'item', '{}')"))
                .startsWith("42P01");
        assertThat(mesh.node("a")
                        .query(
                                "SELECT count(*) FROM steep_repl.audit_log WHERE action = 'table.apply_tuple' AND success AND target_id = '"
                                        + item.schema() + ".item'"))
                .isEqualTo("2");
    }

    @Test
    void whoResolvesNeedsTheRoleAndTheRightsOnTheTable() {
        Table item = mesh.table("id int PRIMARY KEY, word text", "(1, 'old')")
                .apart("a", "UPDATE item SET word = 'secret of alice'", "UPDATE item SET word = 'secret of bob'");
        TestNode a = mesh.node("a");
        String grants = "GRANT USAGE ON SCHEMA " + item.schema() + " TO vera, otto; ";
        item.on(
                "a",
                "CREATE ROLE vera LOGIN IN ROLE steep_repl_viewer; CREATE ROLE otto LOGIN IN ROLE steep_repl_operator; "
                        + grants);
        String local = resolve(item, "a", "'LOCAL'");
        String revert = "SELECT steep_repl.revert_resolution(" + item.entry("a") + ")";
        assertThat(item.error("a", "SET ROLE vera", local)).startsWith("42501");
        // What the public functions call can be called by itself.
        String end = "SELECT steep_repl._end_resolution(" + item.entry("a") + ", 'LOCAL')";
        assertThat(item.error("a", "SET ROLE otto", end)).startsWith("42501");
        for (String call : List.of(local, revert, resolve(item, "a", "'MERGED', '{\"word\": 1}'"))) {
            assertThat(item.error("a", "SET ROLE otto", call))
                    .startsWith("42501")
                    .doesNotContain("secret");
        }
        item.on("a", "GRANT UPDATE ON item TO otto");
        assertThat(item.error("a", "SET ROLE otto", local)).startsWith("42501").doesNotContain("secret");
        item.on("a", "REVOKE UPDATE ON item FROM otto; GRANT SELECT ON item TO otto");
        assertThat(item.error("a", "SET ROLE otto", local)).startsWith("42501");
        assertThat(item.error("a", "SET ROLE otto", "SELECT * FROM steep_repl.resolutions"))
                .startsWith("42501");
        assertThat(ended(item, "a")).isEqualTo("APPLIED_REMOTE");
        item.on("a", "GRANT UPDATE (word) ON item TO otto");
        item.on("a", "SET ROLE otto", local);
        mesh.drain();
        item.holds("1|secret of alice");
        Mesh.await(
                a,
                "SELECT count(*) FROM steep_repl.audit_log WHERE action = 'conflict.resolve' AND NOT success AND target_id = '"
                        + item.entry("a") + "' AND error_message LIKE '%42501%'",
                "4");
        assertThat(a.query("SELECT count(*) FROM steep_repl.audit_log l WHERE l::text LIKE '%secret of%'"))
                .isEqualTo("0");
        assertThat(a.query(
                        "SELECT success FROM steep_repl.audit_log WHERE action = 'conflict.resolve' AND target_id = '"
                                + item.entry("a") + "' ORDER BY occurred_at DESC LIMIT 1"))
                .isEqualTo("t");
        item.on("a", "ALTER TABLE item ENABLE ROW LEVEL SECURITY; CREATE POLICY own ON item USING (true)");
        assertThat(item.error("a", "SET ROLE otto", revert)).startsWith("42501");
    }
}
