package io.steeprepl.it.conflict;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** The strategy that was set last counts, also where it was set on a node whose clock is behind. */
@ExtendWith(TwoNodes.class)
class StrategyClockIT {
    private final Mesh mesh;

    StrategyClockIT(Mesh mesh) {
        this.mesh = mesh;
    }

    @Test
    void aStrategyThatIsSetOnANodeWithASlowClockCounts() {
        Table item = mesh.table("id int PRIMARY KEY, v text").strategy("manual", "");
        // As if a, where both were said, had a clock that is an hour ahead.
        item.everywhere("UPDATE steep_repl.table_events SET at = at + interval '1 hour' WHERE table_schema = '"
                + item.schema() + "'");
        item.on("b", "SELECT steep_repl.set_conflict_strategy('item', 'first_write_wins')");
        String now = "SELECT strategy FROM steep_repl.tables WHERE table_schema = '" + item.schema() + "'";
        mesh.nodes().forEach(node -> Mesh.await(node, now, "first_write_wins"));
    }
}
