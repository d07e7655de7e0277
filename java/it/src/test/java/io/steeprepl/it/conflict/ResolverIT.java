package io.steeprepl.it.conflict;

import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.testkit.TestNode;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A function of a user's that does on one node what it does not on the other: it must not, and yet the nodes end alike. */
@ExtendWith(TwoNodes.class)
class ResolverIT {
    private static final String FUNCTION =
            "CREATE FUNCTION average(local jsonb, remote jsonb, base jsonb, versions jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN %s"
                    + " RETURN remote || jsonb_build_object('n', ((local->>'n')::int + (remote->>'n')::int) / 2); END $$";

    /** What it does on b alone; SQLSTATE and error in the log there. */
    private static final String[][] ON_B = {
        {"RAISE EXCEPTION USING ERRCODE = 'MY001', MESSAGE = 'only here'", "MY001", "only here"},
        {"PERFORM pg_sleep(30)", "SR057", "average did not answer within steep_repl.resolver_timeout"},
        {"RETURN NULL", "SR057", "average gave no row"},
        {"RETURN '\"text\"'", "SR057", "average gave no row"},
        {"RETURN remote || '{\"id\": 77}'", "SR057", "average gave a row with another key"},
        {"RETURN remote || '{\"n\": \"many\"}'", "22P02", "invalid input syntax"},
        {"RETURN remote || '{\"n\": 5}'", "null", "null"},
        {"NULL", "null", "null"},
    };

    private final Mesh mesh;

    ResolverIT(Mesh mesh) {
        this.mesh = mesh;
    }

    @Test
    void whatFailsOnOneNodeOnlyIsLoggedThereAndBothEndAlike() {
        Table table = mesh.table(
                "id int PRIMARY KEY, n int NOT NULL", "(generate_series(0, " + (ON_B.length - 1) + "), 100)");
        StringBuilder cases = new StringBuilder("CASE (remote->>'id')::int ");
        for (int id = 0; id < ON_B.length; id++) {
            cases.append("WHEN ")
                    .append(id)
                    .append(" THEN ")
                    .append(ON_B[id][0])
                    .append("; ");
        }
        table.on("a", FUNCTION.formatted("")).on("b", FUNCTION.formatted(cases + "END CASE;"));
        // What stands beside it in the transactions, and comes after them, is not held up.
        table.strategy("function", ", resolver => 'average'")
                .apart(
                        "a",
                        "UPDATE item SET n = 0; INSERT INTO item VALUES (100, 1)",
                        "UPDATE item SET n = 8; INSERT INTO item VALUES (200, 2)")
                .proven();
        table.awaitHolds("0|8", "1|8", "2|8", "3|8", "4|8", "5|8", "6|5", "7|4", "100|1", "200|2");
        List<String> logged = table.rows(
                mesh.node("b"),
                "SELECT sqlstate, error FROM steep_repl.conflict_log WHERE table_schema = current_schema() AND remote_origin = 'a'"
                        + " ORDER BY (key->>'id')::int");
        assertThat(logged).hasSize(ON_B.length);
        for (int id = 0; id < ON_B.length; id++) {
            assertThat(logged.get(id))
                    .as(ON_B[id][0])
                    .startsWith(ON_B[id][1] + "|")
                    .contains(ON_B[id][2]);
        }
        for (TestNode node : mesh.nodes()) {
            assertThat(table.rows(
                            node,
                            "SELECT count(*) FROM steep_repl.conflict_log WHERE table_schema = current_schema()"
                                    + " AND (resolution = 'PENDING' OR converged_at IS NULL)"))
                    .as(node.id())
                    .containsExactly("0");
        }
        // What a had made of both is not gone in silence.
        assertThat(table.log("a"))
                .extracting(Entry::brief)
                .contains("UPDATE-UPDATE here 0|4 of b, arrived 0|8 of b, base -: remote APPLIED_REMOTE, possible");
    }
}
