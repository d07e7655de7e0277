package io.steeprepl.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.testkit.Cluster;
import io.steeprepl.testkit.ClusterLogs;
import io.steeprepl.testkit.TestNode;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** {@code node reinit}. */
@ExtendWith(ClusterLogs.class)
class ReinitCommandIT {
    private static Cluster cluster;
    private static TestNode a;
    private static TestNode b;

    @BeforeAll
    static void start() {
        cluster = Cluster.start(2).link(2);
        a = cluster.node(0);
        b = cluster.node(1);
        for (String table : new String[] {"item", "other"}) {
            cluster.nodes().forEach(node -> node.execute("CREATE TABLE " + table + " (id int PRIMARY KEY, v text)"));
            a.execute(
                    "INSERT INTO " + table + " SELECT g, 'old' FROM generate_series(1, 1500) g",
                    "SELECT steep_repl.add_table('" + table + "')");
            Reinit.awaitReady(cluster.nodes(), "public." + table);
        }
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    @Test
    void saysWhatIsThrownAwayAndAsks() {
        Reinit.tamper(b, "UPDATE item SET v = 'spoilt'", "DELETE FROM item WHERE id = 7");
        Commands.Ended unasked = Commands.run(b.uri(), "node", "reinit", "--from", "a", "--table", "item");
        assertThat(unasked.code()).isEqualTo(2);
        assertThat(unasked.err()).contains("nobody to ask", "1,499 rows of table public.item on node b", "--yes");
        assertThat(b.query("SELECT count(*) FROM item WHERE v = 'spoilt'")).isEqualTo("1499");
        Commands.Ended done = Commands.run(b.uri(), "node", "reinit", "--from", "a", "--table", "item", "--yes");
        assertThat(done.code()).as(done.err()).isZero();
        assertThat(done.err()).contains("1,499 rows of table public.item on node b are thrown away");
        assertThat(done.out()).startsWith("taken anew: 1 tables, 1,500 rows");
        Cluster.awaitEqual("item", cluster.nodes());
    }

    @Test
    void anotherNodeByItsIdAndAsJson() throws Exception {
        Reinit.tamper(b, "UPDATE other SET v = 'spoilt'");
        Commands.Ended done = Commands.run(
                a.uri(), "node", "reinit", "b", "--from", "a", "--schema", "public", "--yes", "-o", "json");
        assertThat(done.code()).as(done.err()).isZero();
        String last = done.out().strip().lines().reduce((_, line) -> line).orElseThrow();
        assertThat(new Commands.Ended(0, last, "").json().get("state").asText()).isEqualTo("complete");
        assertThat(new Commands.Ended(0, last, "").json().get("tables_done").asInt())
                .isEqualTo(2);
        Cluster.awaitEqual("other", cluster.nodes());
    }

    @Test
    void listsAllProblemsAndEndsWithOne() {
        Commands.Ended refused = Commands.run(
                b.uri(), "node", "reinit", "--from", "nobody", "--table", "item", "--table", "no.such", "--yes");
        assertThat(refused.code()).isEqualTo(1);
        assertThat(refused.out()).contains("does not receive from nobody", "no.such");
        assertThat(refused.err()).contains("2 problems");
        Commands.Ended both =
                Commands.run(b.uri(), "node", "reinit", "--from", "a", "--table", "item", "--schema", "public");
        assertThat(both.code()).isEqualTo(2);
    }

    @Test
    void isCancelledByItsNumberAndShownWithAllWork() throws Exception {
        a.execute("SELECT steep_repl.pause('b')");
        b.execute("UPDATE other SET v = 'by b' WHERE id = 1");
        String id = Reinit.ask(b, "a", "other");
        Reinit.await(b, id, "phase LIKE 'waiting for a to receive%'");
        Commands.Ended listed = Commands.run(b.uri(), "work", "list");
        assertThat(listed.out()).containsPattern(id + " .*reinit .*running .*waiting for a to receive");
        Commands.Ended cancelled = Commands.run(b.uri(), "node", "cancel", id);
        assertThat(cancelled.code()).as(cancelled.err()).isZero();
        assertThat(cancelled.out()).contains("reinit " + id + " is cancelled; its tables replicate on");
        a.execute("SELECT steep_repl.resume('b')");
        var last = Commands.run(b.uri(), "node", "progress", "-o", "json")
                .json()
                .get("reinits")
                .get(0);
        assertThat(last.get("kind").asText()).isEqualTo("reinit");
        assertThat(last.get("state").asText()).isEqualTo("cancelled");
        assertThat(last.get("source").asText()).isEqualTo("a");
        assertThat(last.get("emptied").asBoolean()).isFalse();
        assertThat(Commands.run(b.uri(), "node", "cancel", id).err()).contains("reinit " + id + " has ended");
        Cluster.awaitEqual("other", cluster.nodes());
    }
}
