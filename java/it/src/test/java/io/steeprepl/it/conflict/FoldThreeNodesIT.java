package io.steeprepl.it.conflict;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Three nodes write apart; what they wrote arrives in different orders, and all end with the same. */
@ExtendWith(ThreeNodes.class)
class FoldThreeNodesIT {
    private final Mesh mesh;

    FoldThreeNodesIT(Mesh mesh) {
        this.mesh = mesh;
    }

    /** Who receives from whom first, at a, b and c. */
    @ParameterizedTest
    @ValueSource(strings = {"b c, a c, a b", "c b, c a, b a", "c b, a c, b a", "b c, c a, a b"})
    void theOrderOfArrivalDoesNotMatter(String orders) {
        Table table = mesh.table(
                "id int PRIMARY KEY, n numeric NOT NULL, a text, b text, c text",
                "(1, 100, '', '', '')",
                "(2, 100, '', '', '')",
                "(3, 100, '', '', '')");
        table.everywhere(
                "CREATE FUNCTION average(local jsonb, remote jsonb, base jsonb, versions jsonb) RETURNS jsonb"
                        + " LANGUAGE sql AS $$ SELECT remote || jsonb_build_object('n', trim_scale(((local->>'n')::numeric + (remote->>'n')::numeric) / 2)) $$");
        table.strategy("function", ", resolver => 'average'").drained();
        write(
                table,
                "UPDATE item SET n = 0 WHERE id = 1",
                "UPDATE item SET n = 4 WHERE id = 1",
                "UPDATE item SET n = 8 WHERE id = 1");
        arrive(orders);
        table.answers("SELECT n FROM item WHERE id = 1", "5").proven();

        table.strategy("column_merge", ", delta_columns => '{n}'").drained();
        write(
                table,
                "UPDATE item SET n = n - 1, a = 'a' WHERE id > 1",
                "UPDATE item SET n = n - 10, b = 'b' WHERE id = 2; DELETE FROM item WHERE id = 3; INSERT INTO item VALUES (3, 500, 'b', 'b', 'b')",
                "UPDATE item SET n = n + 100, a = 'c' WHERE id = 2; UPDATE item SET n = n + 3, c = 'c' WHERE id = 3");
        arrive(orders);
        table.answers("SELECT * FROM item WHERE id > 1 ORDER BY 1", "2|189|c|b|", "3|500|b|b|c")
                .proven();
    }

    /** One of three cannot apply it; its row goes on without, and nobody takes that for the whole. */
    @Test
    void whatOneNodeSetAsideIsLostOnNone() {
        Table table = mesh.table("id int PRIMARY KEY, n int NOT NULL, note text, w text", "(1, 100, 'old', 'old')")
                .strategy("column_merge", ", delta_columns => '{n}'")
                .drained()
                .on("c", "ALTER TABLE item ADD CONSTRAINT short CHECK (length(note) < 5)")
                .on("a", "UPDATE item SET n = n - 10, note = 'too long'");
        String entry =
                "SELECT resolution FROM steep_repl.conflict_log WHERE conflict_type = 'APPLY-ERROR' AND table_schema = '"
                        + table.schema() + "'";
        Mesh.await(mesh.node("c"), entry, "PENDING");
        table.drained();
        write(
                table,
                "UPDATE item SET n = n - 1",
                "UPDATE item SET n = n - 2, w = 'b'",
                "UPDATE item SET n = n - 20, w = 'late'");
        arrive("c b, a c, b a");
        for (String node : List.of("a", "b")) {
            Mesh.await(
                    mesh.node(node),
                    "SELECT string_agg(DISTINCT not_converged_reason, '; ') FROM steep_repl.conflict_log WHERE table_schema = '"
                            + table.schema() + "'",
                    "the row of c lacks a change that was set aside there");
            assertThat(table.rows(mesh.node(node), "SELECT * FROM item")).containsExactly("1|67|too long|late");
        }
        // What all three have made of it breaks the constraint: there the latest row stands whole, for the time being.
        assertThat(table.rows(mesh.node("c"), "SELECT * FROM item")).containsExactly("1|80|old|late");
        table.on("c", "ALTER TABLE item DROP CONSTRAINT short");
        Mesh.await(mesh.node("c"), entry, "MERGED");
        table.proven().holds("1|67|too long|late");
    }

    private void write(Table table, String... statements) {
        mesh.pause();
        for (int place = 0; place < statements.length; place++) {
            table.on(mesh.nodes().get(place).id(), statements[place]);
        }
    }

    private void arrive(String orders) {
        List<String> receivers = List.of("a", "b", "c");
        String[] senders = orders.split(", ");
        for (int place = 0; place < senders.length; place++) {
            for (String sender : senders[place].split(" ")) {
                mesh.receive(receivers.get(place), sender);
            }
        }
        mesh.resume();
    }
}
