package io.steeprepl.it.conflict;

import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.testkit.TestNode;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Resolution by hand: what somebody decides on one node holds on all, and the entries end together. */
@ExtendWith(ThreeNodes.class)
class ResolveIT {
    private static final String ORDERS =
            "CREATE TABLE item (id int PRIMARY KEY, status text, price numeric NOT NULL DEFAULT 1)";

    private final Mesh mesh;

    ResolveIT(Mesh mesh) {
        this.mesh = mesh;
    }

    /** Node a said alice, then b said bob: bob's write stands on all nodes. */
    private Table aliceAndBob() {
        return mesh.tableOf(ORDERS, "item", "(1, 'new', 1)")
                .apart(
                        "a",
                        "UPDATE item SET status = 'alice', price = 2 WHERE id = 1",
                        "UPDATE item SET status = 'bob' WHERE id = 1")
                .holds("1|bob|1")
                .proven();
    }

    private static String resolve(Table item, String node, String arguments) {
        return item.call(node, "SELECT steep_repl.resolve_conflict(" + item.entry(node) + ", " + arguments + ")");
    }

    private static String resolutions(Table item) {
        return "SELECT string_agg(DISTINCT resolution || coalesce(' ' || winner, ''), ', ') FROM steep_repl.conflict_log"
                + " WHERE table_schema = '" + item.schema() + "'";
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            'LOCAL'                                         | 1,alice,2  | KEPT_LOCAL local      | APPLIED_REMOTE remote
            'REMOTE'                                        | 1,bob,1    | APPLIED_REMOTE remote | KEPT_LOCAL local
            'MERGED', '{"status": "both", "price": 2.50}'   | 1,both,2.50| MERGED                | MERGED
            'merged', '{"id": 1, "status": "default"}'      | 1,default,1| MERGED                | MERGED
            """)
    void aDecisionReachesAllNodesAlsoOneThatWasDown(String arguments, String row, String here, String there) {
        Table item = aliceAndBob();
        String entries = "SELECT count(*) FROM steep_repl.conflict_log WHERE table_schema = '" + item.schema() + "'";
        String before = mesh.node("c").query(entries);
        mesh.node("c").server().kill9();
        assertThat(resolve(item, "a", arguments)).isEqualTo("t");
        mesh.node("c").server().start();
        mesh.drain();
        item.holds(row.replace(',', '|')).proven();
        assertThat(mesh.node("a").query(resolutions(item))).isEqualTo(here);
        assertThat(mesh.node("b").query(resolutions(item))).isEqualTo(there);
        assertThat(mesh.node("c").query(resolutions(item)))
                .as("of its twin, if c has one")
                .isIn("", "MERGED", here, there);
        assertThat(mesh.node("c").query(entries)).as("no new conflict").isEqualTo(before);
        for (String node : new String[] {"a", "b"}) {
            assertThat(mesh.node(node)
                            .query("SELECT resolved_by, result->>'status' FROM steep_repl.conflict_log WHERE id = "
                                    + item.entry(node)))
                    .isEqualTo("postgres@127.0.0.1|" + row.split(",")[1]);
        }
    }

    @Test
    void whatStandsNowCanBeConfirmed() {
        Table item = aliceAndBob();
        assertThat(resolve(item, "b", "'LOCAL', p_reason => 'bob knows better'"))
                .isEqualTo("t");
        mesh.drain();
        item.holds("1|bob|1").proven();
        assertThat(mesh.node("a")
                        .query("SELECT resolution, reason FROM steep_repl.conflict_log WHERE id = " + item.entry("a")))
                .isEqualTo("APPLIED_REMOTE|bob knows better");
    }

    @Test
    void aRevertAndTheRevertOfThatReachAllNodes() {
        Table item = aliceAndBob();
        String reverted = item.call("a", "SELECT steep_repl.revert_resolution(" + item.entry("a") + ", 'alice asked')");
        mesh.drain();
        item.holds("1|alice|2").proven();
        for (String node : new String[] {"a", "b"}) {
            assertThat(mesh.node(node)
                            .query(
                                    "SELECT string_agg(concat_ws(' ', resolution, reason, local_tuple->>'status', remote_tuple->>'status'), ', ' ORDER BY id)"
                                            + " FROM steep_repl.conflict_log WHERE table_schema = '" + item.schema()
                                            + "'"))
                    .isIn(
                            "REVERTED alice asked alice bob, APPLIED_REMOTE alice asked bob alice",
                            "REVERTED alice asked bob alice, APPLIED_REMOTE alice asked bob alice");
        }
        String twin = mesh.node("b")
                .query("SELECT b.id FROM steep_repl.conflict_log b WHERE b.conflict_key = '"
                        + mesh.node("a")
                                .query("SELECT conflict_key FROM steep_repl.conflict_log WHERE id = " + reverted)
                        + "'");
        assertThat(item.call("b", "SELECT steep_repl.revert_resolution(" + twin + ") > " + twin))
                .isEqualTo("t");
        mesh.drain();
        item.holds("1|bob|1").proven();
        assertThat(mesh.node("a")
                        .query("SELECT resolution, reason FROM steep_repl.conflict_log WHERE id = " + reverted))
                .isEqualTo("REVERTED|alice asked; Manual revert");
        assertThat(item.error("a", "SELECT steep_repl.revert_resolution(" + reverted + ")"))
                .startsWith("SR062");
    }

    @Test
    void aRevertOfAMergeBringsBackWhatStoodThereBefore() {
        Table item = aliceAndBob();
        resolve(item, "b", "'MERGED', '{\"status\": \"both\", \"price\": 3}'");
        mesh.drain();
        item.holds("1|both|3");
        item.call("a", "SELECT steep_repl.revert_resolution(" + item.entry("a") + ")");
        mesh.drain();
        item.holds("1|bob|1").proven();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            UPDATE item SET status = 'late' WHERE id = 1 | DELETE FROM item WHERE id = 1                | REMOTE | 1,late,1
            DELETE FROM item WHERE id = 1                | UPDATE item SET status = 'late' WHERE id = 1 | LOCAL  | 1,late,1
            UPDATE item SET status = 'late' WHERE id = 1 | DELETE FROM item WHERE id = 1                | LOCAL  | ``
            DELETE FROM item WHERE id = 1                | UPDATE item SET status = 'late' WHERE id = 1 | REMOTE | ``
            """)
    void aDeletionIsASideLikeAnother(String onA, String onB, String side, String row) {
        Table item = mesh.tableOf(ORDERS, "item", "(1, 'new', 1)").apart("a", onA, onB);
        resolve(item, "b", "'" + side + "'");
        mesh.drain();
        item.holds(row.isEmpty() ? new String[0] : new String[] {row.replace(',', '|')})
                .proven();
        String revert = "SELECT steep_repl.revert_resolution(" + item.entry("b") + ") IS NOT NULL";
        assertThat(item.call("b", revert)).isEqualTo("t");
        mesh.drain();
        item.holds(row.isEmpty() ? new String[] {"1|late|1"} : new String[0]).proven();
    }

    @Test
    void aWriteThatTheDecisionHadSeenAndThatComesLateChangesNothing() {
        Table item = mesh.tableOf(ORDERS, "item", "(1, 'new', 1)");
        mesh.pause("c", "b");
        item.apartBut(
                "a",
                "UPDATE item SET status = 'alice' WHERE id = 1",
                "UPDATE item SET status = 'bob' WHERE id = 1",
                "c",
                "b");
        resolve(item, "a", "'LOCAL'");
        mesh.receive("c", "a");
        mesh.resume();
        item.holds("1|alice|1").proven();
        assertThat(item.log("c")).extracting(Entry::brief).isEmpty();
    }

    @Test
    void aRowThatHasChangedSinceIsNotOverwrittenUnlessToldSo() {
        Table item = aliceAndBob();
        item.on("c", "UPDATE item SET status = 'carol'");
        mesh.drain();
        String local = "SELECT steep_repl.resolve_conflict(" + item.entry("a") + ", 'LOCAL'";
        assertThat(item.error("a", local + ")"))
                .startsWith("SR061")
                .contains("written on c")
                .doesNotContain("carol");
        assertThat(item.error("a", "SELECT steep_repl.revert_resolution(" + item.entry("a") + ")"))
                .startsWith("SR061");
        item.on("c", "DELETE FROM item");
        mesh.drain();
        assertThat(item.error("a", local + ")")).startsWith("SR061").contains("no row");
        item.holds();
        item.call("a", local + ", p_force => true)");
        mesh.drain();
        item.holds("1|alice|2").proven();
    }

    private static final String REFUSED = """
            4711 | 'LOCAL'                                      | SR050 | no conflict with the id
            ID   | 'BOTH'                                       | SR060 | unknown resolution
            ID   | 'REVERT'                                     | SR060 | unknown resolution
            ID   | NULL                                         | SR060 | unknown resolution
            ID   | 'MERGED'                                     | SR060 | needs a row
            ID   | 'MERGED', '[1]'                              | SR060 | needs a row
            ID   | 'LOCAL', '{}'                                | SR060 | takes no row
            ID   | 'MERGED', '{"colour": "red", "price": 1}'    | SR064 | there is no column colour
            ID   | 'MERGED', '{"status": "x", "price": "dear"}' | SR065 | price is of type numeric
            ID   | 'MERGED', '{"status": "x", "price": null}'   | SR066 | price must not be NULL
            ID   | 'MERGED', '{"id": 2, "status": "x"}'         | SR067 | another value than the key
            ID   | 'MERGED', '{"id": "one", "status": "x"}'     | SR065 | id is of type integer
            """;

    @Test
    void whatCannotBeIsRefusedAndChangesNothing() {
        Table item = aliceAndBob();
        SoftAssertions softly = new SoftAssertions();
        REFUSED.lines().map(line -> line.split("\\s*\\|\\s*")).forEach(refused -> {
            String id = refused[0].replace("ID", item.entry("a"));
            String error = item.error("a", "SELECT steep_repl.resolve_conflict(" + id + ", " + refused[1] + ")");
            softly.assertThat(error).as(refused[1]).startsWith(refused[2]).contains(refused[3]);
            softly.assertThatCode(() -> Mesh.await(
                            mesh.node("a"),
                            "SELECT success, left(action, 8) FROM steep_repl.audit_log WHERE target_id = '" + id
                                    + "' ORDER BY id DESC LIMIT 1",
                            "f|conflict"))
                    .as(refused[1])
                    .doesNotThrowAnyException();
        });
        softly.assertAll();
        Mesh.await(
                mesh.node("a"),
                "SELECT count(*) FROM steep_repl.audit_log WHERE NOT success AND target_id = '" + item.entry("a") + "'",
                Long.toString(
                        REFUSED.lines().filter(line -> line.startsWith("ID")).count()));
        assertThat(mesh.node("a").query(resolutions(item))).isEqualTo("APPLIED_REMOTE remote");
        assertThat(mesh.node("a").query("SELECT count(*) FROM steep_repl.resolving"))
                .isEqualTo("0");
        mesh.drain();
        item.holds("1|bob|1");
    }

    @Test
    void whatIsDecidedIsNotDecidedTwice() {
        Table item = aliceAndBob();
        resolve(item, "a", "'LOCAL'");
        assertThat(item.error("a", "SELECT steep_repl.resolve_conflict(" + item.entry("a") + ", 'REMOTE')"))
                .startsWith("SR062");
        mesh.drain();
        assertThat(item.error(
                        "b", "SELECT steep_repl.resolve_conflict(" + item.entry("b") + ", 'REMOTE', p_force => true)"))
                .startsWith("SR062")
                .contains("APPLIED_REMOTE by postgres");
        item.holds("1|alice|2");
    }

    @Test
    void ofTwoDecisionsAtATimeTheLaterStandsOnAllNodes() {
        Table item = aliceAndBob();
        mesh.pause();
        resolve(item, "a", "'LOCAL'");
        resolve(item, "b", "'MERGED', '{\"status\": \"both\", \"price\": 7}'");
        mesh.resume();
        item.holds("1|both|7").proven();
        for (String node : new String[] {"a", "b"}) {
            assertThat(mesh.node(node)
                            .query("SELECT resolution FROM steep_repl.conflict_log WHERE id = " + item.entry(node)))
                    .isEqualTo("MERGED");
        }
    }

    @Test
    void aDecisionIsThereAfterACrash() {
        Table item = aliceAndBob();
        mesh.pause("b", "a");
        mesh.pause("c", "a");
        resolve(item, "a", "'LOCAL'");
        TestNode a = mesh.node("a");
        a.server().kill9();
        a.server().start();
        mesh.resume();
        item.holds("1|alice|2").proven();
        assertThat(mesh.node("b").query(resolutions(item))).isEqualTo("APPLIED_REMOTE remote");
    }

    @Test
    void theTablesTriggersRunAsForAnyWrite() {
        Table item = mesh.tableOf(
                        ORDERS + "; CREATE TABLE stamp (n int); INSERT INTO stamp VALUES (41);"
                                + " CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS"
                                + " 'BEGIN NEW.price := (SELECT n + 1 FROM stamp); RETURN NEW; END';"
                                + " CREATE TRIGGER stamp BEFORE UPDATE ON item FOR EACH ROW WHEN (NEW.status = ''stamped'') EXECUTE FUNCTION stamp()"
                                        .replace("''", "'"),
                        "item",
                        "(1, 'new', 1)")
                .apart("a", "UPDATE item SET status = 'alice'", "UPDATE item SET status = 'bob'");
        resolve(item, "a", "'MERGED', '{\"status\": \"stamped\", \"price\": 1}'");
        mesh.drain();
        item.holds("1|stamped|42").proven();
        for (String node : new String[] {"a", "b"}) {
            assertThat(mesh.node(node)
                            .query("SELECT result->>'price' FROM steep_repl.conflict_log WHERE id = "
                                    + item.entry(node)))
                    .isEqualTo("42");
        }
    }

    @Test
    void nobodyAnnouncesADecisionWithoutItsWrite() {
        Table item = aliceAndBob();
        String begin = "SELECT steep_repl._begin_resolution(" + item.entry("a") + ", 'LOCAL', NULL, false, NULL)";
        assertThat(item.error("a", begin)).startsWith("SR068");
        assertThat(item.error(
                        "a",
                        "BEGIN; SET CONSTRAINTS ALL IMMEDIATE; " + begin + "; SELECT steep_repl._end_resolution("
                                + item.entry("a") + ", 'LOCAL'); COMMIT"))
                .startsWith("SR068");
        item.on(
                "a",
                "BEGIN; SET CONSTRAINTS ALL IMMEDIATE; SELECT steep_repl.resolve_conflict(" + item.entry("a")
                        + ", 'LOCAL'); COMMIT");
        mesh.drain();
        item.holds("1|alice|2");
    }

    @Test
    void aRowOfAClockThatIsAheadIsWaitedForOrRefused() {
        Table item = aliceAndBob();
        String later =
                "UPDATE steep_repl.conflict_log SET local_xact_ts = clock_timestamp() + interval '%s' WHERE id = "
                        + item.entry("a");
        mesh.node("a").execute(later.formatted("1 hour"));
        String call = "SELECT steep_repl.resolve_conflict(" + item.entry("a") + ", 'LOCAL')";
        assertThat(item.error("a", call)).startsWith("SR069");
        mesh.node("a").execute(later.formatted("0.5 seconds"));
        assertThat(item.call("a", call)).isEqualTo("t");
        assertThat(mesh.node("a")
                        .query("SELECT clock_timestamp() > local_xact_ts FROM steep_repl.conflict_log WHERE id = "
                                + item.entry("a")))
                .isEqualTo("t");
        mesh.drain();
        item.holds("1|alice|2");
    }

    @ParameterizedTest
    @ValueSource(strings = {"UPDATE item SET status = 'human'", "DELETE FROM item"})
    void aDecisionGoesOverWhatItHadSeenWhateverTheRulesSay(String write) {
        // The rules have the later write stay; a person who says to have seen it overrules them.
        Table item = mesh.tableOf(ORDERS, "item", "(1, 'new', 1)");
        mesh.pause();
        item.on("a", """
                BEGIN;
                INSERT INTO steep_repl.resolutions (node_id, seq, resolved_by, conflict_key, table_schema, table_name, key, replaces, resolution)
                VALUES ('a', nextval('steep_repl.resolution_seq'), 'me', gen_random_uuid(), current_schema(), 'item', '{"id": 1}', '[[9000000000000000, "b"]]', 'MERGED');
                %s; COMMIT""".formatted(write));
        item.on("b", "UPDATE item SET status = 'later'");
        mesh.receive("b", "a");
        assertThat(item.rows(mesh.node("b"), "SELECT status FROM item"))
                .isEqualTo(write.startsWith("DELETE") ? java.util.List.of() : java.util.List.of("human"));
        assertThat(item.log("b")).isEmpty();
        mesh.resume();
        // A person cannot have seen a write that had not been made; here one has, so the nodes are brought together.
        item.on("a", "INSERT INTO item VALUES (1, 'end', 1) ON CONFLICT (id) DO UPDATE SET status = 'end'");
        mesh.drain();
        item.holds("1|end|1");
    }
}
