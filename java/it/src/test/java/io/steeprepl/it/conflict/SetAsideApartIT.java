package io.steeprepl.it.conflict;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Changes that one node sets aside under strategies that let the nodes differ: the strategy decides about them as about those that
 * arrive.
 */
@ExtendWith(TwoNodes.class)
class SetAsideApartIT {
    private static final String REFUSE =
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''not here''; END';"
                    + " CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON item FOR EACH ROW EXECUTE FUNCTION refuse();"
                    + " ALTER TABLE item ENABLE REPLICA TRIGGER refuse";
    private static final String ACCEPT = "DROP TRIGGER refuse ON item";
    private static final String EARLY =
            "UPDATE item SET v = 'early' WHERE id = 1; UPDATE item SET id = 20 WHERE id = 2; INSERT INTO item VALUES (30, 'early', '[3]', '{3}');"
                    + " UPDATE item SET v = 'early' WHERE id = 4; UPDATE item SET v = 'alone' WHERE id = 5; UPDATE item SET id = 60 WHERE id = 6";
    private static final String LATE =
            "UPDATE item SET v = 'late' WHERE id = 1; UPDATE item SET v = 'late' WHERE id = 2; INSERT INTO item VALUES (30, 'late');"
                    + " DELETE FROM item WHERE id = 4";
    private static final String OLD = "(generate_series(1, 6), 'old', '{\"k\": [1, null]}', '{1,2}')";
    private final Mesh mesh;

    SetAsideApartIT(Mesh mesh) {
        this.mesh = mesh;
    }

    /** Node b has set aside what a wrote early, and has then written some of these rows. */
    private Table setAside(String strategy) {
        Table item = mesh.table("id int PRIMARY KEY, v text, j jsonb, a int[]", OLD)
                .strategy(strategy, "")
                .drained()
                .on("b", REFUSE)
                .on("a", EARLY);
        Mesh.await(mesh.node("b"), count(item, "conflict_type = 'APPLY-ERROR' AND resolution = 'PENDING'"), "6");
        return item.on("b", LATE).drained();
    }

    private static String count(Table item, String which) {
        return "SELECT count(*) FROM steep_repl.conflict_log WHERE table_schema = '" + item.schema() + "' AND " + which;
    }

    private void awaitRows(Table item, String node, String rows) {
        Mesh.await(
                mesh.node(node),
                "SELECT string_agg(id || ' ' || v, ', ' ORDER BY id) FROM %s.item".formatted(item.schema()),
                rows);
    }

    /** While the cause is there, too: nothing has to be applied for that. */
    @Test
    void whatWasWrittenSinceStaysUnderKeepLocal() {
        Table item = setAside("keep_local");
        Mesh.await(mesh.node("b"), count(item, "strategy = 'keep_local' AND resolution = 'KEPT_LOCAL'"), "4");
        assertThat(item.log("b"))
                .extracting(Entry::brief)
                .contains(
                        "UPDATE-UPDATE here 1|late|{\"k\": [1, null]}|{1,2} of b, arrived 1|early|{\"k\": [1, null]}|{1,2} of a,"
                                + " base 1|old|{\"k\": [1, null]}|{1,2}: local KEPT_LOCAL",
                        "KEY-UPDATE here 2|late|{\"k\": [1, null]}|{1,2} of b, arrived 20|old|{\"k\": [1, null]}|{1,2} of a,"
                                + " base 2|old|{\"k\": [1, null]}|{1,2}: local KEPT_LOCAL",
                        "INSERT-INSERT here 30|late|null|null of b, arrived 30|early|[3]|{3} of a, base -: local KEPT_LOCAL",
                        "UPDATE-DELETE here - of b, arrived 4|early|{\"k\": [1, null]}|{1,2} of a,"
                                + " base 4|old|{\"k\": [1, null]}|{1,2}: local KEPT_LOCAL");
        // What nobody has written since waits until it can be applied.
        assertThat(mesh.node("b").query(count(item, "resolution = 'PENDING'"))).isEqualTo("2");
        item.on("b", ACCEPT);
        awaitRows(item, "b", "1 late, 2 late, 3 old, 5 alone, 30 late, 60 old");
        awaitRows(item, "a", "1 early, 3 old, 4 early, 5 alone, 20 old, 30 early, 60 old");
        Mesh.await(mesh.node("b"), count(item, "resolution = 'PENDING'"), "0");
        Mesh.await(mesh.node("b"), count(item, "converged_at IS NOT NULL AND conflict_type = 'APPLY-ERROR'"), "2");
        // What the strategy decided can be taken back.
        item.call("b", "SELECT steep_repl.revert_resolution(" + item.entry("b") + ")");
        mesh.drain();
        assertThat(item.value("b", "SELECT v FROM item WHERE id = 1")).isEqualTo("early");
    }

    @Test
    void whatWasWrittenSinceGivesWayUnderApplyRemoteOnceItCan() {
        Table item = setAside("apply_remote");
        awaitRows(item, "a", "1 late, 2 late, 3 old, 5 alone, 30 late, 60 old");
        item.on("b", ACCEPT);
        awaitRows(item, "b", "1 early, 3 old, 4 early, 5 alone, 20 old, 30 early, 60 old");
        Mesh.await(
                mesh.node("b"),
                count(item, "strategy = 'apply_remote' AND resolution = 'APPLIED_REMOTE' AND winner = 'remote'"),
                "4");
        // No entry says that the nodes agree where they do not.
        for (String node : new String[] {"a", "b"}) {
            Mesh.await(mesh.node(node), count(item, "converged_at IS NULL"), "4");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"a", "b"})
    void itWaitsForAPersonUnderManualAndIsResolvedLikeAnyOther(String by) {
        Table item = setAside("manual");
        String waiting = "resolution = 'PENDING' AND strategy = 'manual' AND conflict_type <> 'APPLY-ERROR'";
        for (String node : new String[] {"a", "b"}) {
            Mesh.await(mesh.node(node), count(item, waiting), "4");
        }
        String identities =
                "SELECT string_agg(conflict_type || key || conflict_key, ' ' ORDER BY conflict_key) FROM steep_repl.conflict_log WHERE "
                        + waiting + " AND table_schema = '" + item.schema() + "'";
        assertThat(mesh.node("a").query(identities)).isEqualTo(mesh.node("b").query(identities));
        // Also the row of a, once it can stand here.
        item.on("b", ACCEPT);
        String ids = "SELECT id FROM steep_repl.conflict_log WHERE " + waiting + " AND table_schema = '" + item.schema()
                + "' ORDER BY id";
        String side = by.equals("a") ? "LOCAL" : "REMOTE";
        for (String id : item.rows(mesh.node(by), ids)) {
            item.call(by, "SELECT steep_repl.resolve_conflict(" + id + ", '" + side + "')");
        }
        mesh.drain();
        for (String node : new String[] {"a", "b"}) {
            awaitRows(item, node, "1 early, 3 old, 4 early, 5 alone, 20 old, 30 early, 60 old");
        }
        for (String node : new String[] {"a", "b"}) {
            Mesh.await(mesh.node(node), count(item, "resolution = 'PENDING'"), "0");
        }
        item.proven();
    }

    /** What b had written before that a did not see; the server itself cannot take a's change, before anybody is asked. */
    @ParameterizedTest
    @CsvSource({
        "keep_local, KEPT_LOCAL, early",
        "manual, PENDING, early",
        "apply_remote, APPLIED_REMOTE, late",
        "last_write_wins, APPLIED_REMOTE, late"
    })
    void whatWasWrittenBeforeWithoutBeingSeen(String strategy, String resolution, String stays) {
        Table item = mesh.table("id int PRIMARY KEY, v text", "(1, 'old')", "(2, 'old')")
                .strategy(strategy, "")
                .drained()
                .on("a", "ALTER TABLE item ADD COLUMN more text");
        mesh.pause("a", "b");
        try {
            item.on("b", "UPDATE item SET v = 'early' WHERE id = 1")
                    .on(
                            "a",
                            "UPDATE item SET v = 'late', more = 'x' WHERE id = 1",
                            "UPDATE item SET v = 'seen', more = 'x' WHERE id = 2");
            Mesh.await(mesh.node("b"), count(item, "error IS NOT NULL"), "2");
            item.on("b", "ALTER TABLE item ADD COLUMN more text");
        } finally {
            mesh.resume("a", "b");
        }
        awaitRows(item, "b", "1 " + stays + ", 2 seen");
        Mesh.await(mesh.node("b"), count(item, "resolution = '" + resolution + "' AND key->>'id' = '1'"), "1");
        Mesh.await(mesh.node("b"), count(item, "resolution = 'APPLIED_REMOTE' AND key->>'id' = '2'"), "1");
        Mesh.await(mesh.node("b"), "SELECT more FROM " + item.schema() + ".item WHERE id = 2", "x");
    }

    /** Nobody wrote the row since. */
    @ParameterizedTest
    @CsvSource({"keep_local", "apply_remote", "manual"})
    void itIsAppliedByItselfOnceItCan(String strategy) {
        Table item = mesh.table("id int PRIMARY KEY, v text", "(1, 'old')", "(2, 'old')")
                .strategy(strategy, "")
                .drained()
                .on("b", REFUSE)
                .on("a", "UPDATE item SET v = 'new' WHERE id = 1; UPDATE item SET id = 20 WHERE id = 2");
        Mesh.await(mesh.node("b"), count(item, "resolution = 'PENDING'"), "2");
        item.on("b", ACCEPT);
        awaitRows(item, "b", "1 new, 20 old");
        Mesh.await(mesh.node("b"), count(item, "resolution = 'APPLIED_REMOTE' AND converged_at IS NOT NULL"), "2");
        item.holds("1|new", "20|old");
    }
}
