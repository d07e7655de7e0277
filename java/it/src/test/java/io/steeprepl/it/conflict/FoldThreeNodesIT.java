package io.steeprepl.it.conflict;

import java.util.List;
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
