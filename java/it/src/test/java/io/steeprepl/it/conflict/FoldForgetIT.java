package io.steeprepl.it.conflict;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** The changes that folds are made of: what is forgotten of them, and what a copy takes along. */
@ExtendWith(TwoNodes.class)
class FoldForgetIT {
    private static final String KINDS =
            "SELECT coalesce(string_agg(kind::text, '' ORDER BY kind), '-') FROM steep_repl.row_changes WHERE relation = 'item'::regclass";

    private final Mesh mesh;

    FoldForgetIT(Mesh mesh) {
        this.mesh = mesh;
    }

    private Table stock() {
        return mesh.table("id int PRIMARY KEY, n int NOT NULL, v text", "(1, 100, 'old')")
                .strategy("column_merge", ", delta_columns => '{n}'")
                .drained();
    }

    private static String now(Table table, String node) {
        return table.value(node, "SELECT pg_snapshot_xmax(pg_current_snapshot())::xid");
    }

    private static Table forget(Table table, String node, String before) {
        return table.on(node, "SELECT steep_repl._forget_changes('" + before + "'::xid)");
    }

    @Test
    void whatIsForgottenIsTheBaseOfWhatComes() {
        Table table = stock();
        table.on("a", "UPDATE item SET n = n - 1", "UPDATE item SET n = n - 1, v = 'a'")
                .drained();
        String before = now(table, "a");
        mesh.pause();
        table.on("a", "UPDATE item SET n = n - 10");
        forget(table, "a", before);
        assertThat(table.value("a", KINDS)).isEqualTo("BU");
        table.on("b", "UPDATE item SET n = n + 5, v = 'b'");
        mesh.resume();
        table.holds("1|93|b").proven();
        for (String node : new String[] {"a", "b"}) {
            forget(table, node, now(table, node));
            assertThat(table.value(node, KINDS)).as(node).isEqualTo("-");
        }
        table.apart("b", "UPDATE item SET n = n - 1", "UPDATE item SET n = n - 1, v = 'last'")
                .holds("1|91|last")
                .proven();
    }

    @Test
    void aCopyKnowsTheChangesOfItsSource() {
        Table table = stock();
        table.apart(
                        "a",
                        "UPDATE item SET n = n - 1; UPDATE item SET v = 'a'",
                        "INSERT INTO item VALUES (2, 1, 'b'); UPDATE item SET n = n - 1 WHERE id = 1; DELETE FROM item WHERE id = 2")
                .proven();
        String known =
                "SELECT string_agg((v::jsonb - 'ordinal')::text, ' ' ORDER BY v::jsonb->>'micros', (v::jsonb->>'ordinal')::bigint)"
                        + " FROM steep_repl._recent_versions('" + table.schema()
                        + ".item') v WHERE v::jsonb ? 'change'";
        String there = table.value("a", known);
        assertThat(there).contains("\"change\": \"I\"", "\"change\": \"D\"");
        assertThat(table.value("b", known)).isEqualTo(there);
        String copied = table.value(
                "a",
                "SELECT jsonb_agg(v::jsonb) FROM steep_repl._recent_versions('" + table.schema()
                        + ".item') v WHERE v::jsonb ? 'change'");
        table.on(
                "b",
                "DELETE FROM steep_repl.row_changes WHERE relation = 'item'::regclass;"
                        + " SELECT steep_repl._init_take_versions(0, 'item'::regclass::oid::bigint, ARRAY[v::text], false) FROM jsonb_array_elements('"
                        + copied.replace("'", "''") + "') v");
        assertThat(table.value("b", known)).isEqualTo(there);
        table.apart("a", "UPDATE item SET n = n - 1", "UPDATE item SET n = n - 1, v = 'b'")
                .holds("1|96|b")
                .proven();
    }
}
