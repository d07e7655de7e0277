package io.steeprepl.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.testkit.Cluster;
import io.steeprepl.testkit.ClusterLogs;
import io.steeprepl.testkit.TestNode;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A third node joins two that are being written to. */
@ExtendWith(ClusterLogs.class)
class NodeStartIT {
    private Cluster cluster;
    private TestNode a;
    private TestNode b;
    private TestNode c;

    @BeforeEach
    void start() {
        cluster = Cluster.start(3).link(2);
        a = cluster.node(0);
        b = cluster.node(1);
        c = cluster.node(2);
        for (TestNode node : cluster.nodes()) {
            node.execute(
                    "CREATE TABLE t (id int PRIMARY KEY, v text)",
                    "CREATE TABLE big (id bigserial PRIMARY KEY, filler text, twice bigint GENERATED ALWAYS AS (id * 2) STORED)");
        }
        a.execute("INSERT INTO big (filler) SELECT repeat('x', 200) FROM generate_series(1, 60000)");
        a.execute("SELECT steep_repl.add_table('t')", "SELECT steep_repl.add_table('big')");
        Sql.await(b, "SELECT count(*) FROM big", "60000");
        Sql.await(a, "SELECT string_agg(DISTINCT state, ' ') FROM steep_repl.replicated_tables()", "ready");
    }

    @AfterEach
    void stop() {
        cluster.close();
    }

    private String startSql() {
        return "SELECT steep_repl.start_node('" + a.conninfo() + "', '" + c.conninfo() + "')";
    }

    private void awaitComplete() {
        Sql.await(c, "SELECT state, error FROM steep_repl.start_progress() LIMIT 1", "complete|");
        for (TestNode node : cluster.nodes()) {
            Sql.await(
                    node, "SELECT string_agg(state, ' ') FROM steep_repl.subscription_status()", "streaming streaming");
        }
    }

    private void assertEqualWhenDrained() {
        Cluster.awaitEqual("t", cluster.nodes());
        Cluster.awaitEqual("big", cluster.nodes());
    }

    @Test
    void underLoadNothingIsMissingOrDoubled() {
        try (Writers writers = Writers.on(a, b)) {
            Sql.await(a, "SELECT count(*) > 200 FROM t", "t");
            c.query(startSql());
            awaitComplete();
            assertThat(writers.written()).isPositive();
            try (Writers third = Writers.on(c)) {
                Sql.await(b, "SELECT count(*) > 50 FROM t WHERE v LIKE 'c%'", "t");
                assertThat(third.written()).isPositive();
            }
        }
        assertEqualWhenDrained();
        assertThat(c.query("SELECT nextval('big_id_seq') > 60000")).isEqualTo("t");
        String again = c.query(startSql());
        assertThat(again).isNotEmpty();
        awaitComplete();
        assertEqualWhenDrained();
    }

    @Test
    void aKilledTargetGoesOnWhereItWas() {
        try (Writers writers = Writers.on(a, b)) {
            c.query(startSql());
            c.server().kill9();
            c.server().start();
            c.query(startSql());
            awaitComplete();
            assertThat(writers.written()).isPositive();
        }
        assertEqualWhenDrained();
    }

    @Test
    void aKilledSourceIsWaitedFor() {
        try (Writers writers = Writers.on(a, b)) {
            c.query(startSql());
            a.server().kill9();
            a.server().start();
            Sql.await(c, "SELECT state IN ('complete', 'failed') FROM steep_repl.start_progress() LIMIT 1", "t");
            c.query(startSql());
            awaitComplete();
            assertThat(writers.written()).isPositive();
        }
        assertEqualWhenDrained();
    }

    @Test
    void allProblemsAreNamedAtOnce() {
        c.execute("INSERT INTO t VALUES (1, 'mine')", "DROP TABLE big");
        assertThat(Sql.error(c, startSql()))
                .contains("SR045")
                .contains("t holds rows here")
                .contains("big does not exist here");
        assertThat(c.query("SELECT count(*) FROM pg_subscription")).isEqualTo("0");
        assertThat(a.query("SELECT count(*) FROM pg_replication_slots")).isEqualTo("1");
    }

    @Test
    void columnsThatDifferAreNamedWhatElseDiffersIsNot() {
        c.execute(
                "ALTER TABLE t ALTER v TYPE varchar(10)",
                "ALTER TABLE t ADD w int",
                "ALTER TABLE big ALTER filler SET DEFAULT 'x', ADD UNIQUE (filler)");
        assertThat(c.rows("SELECT problem FROM steep_repl.check_start('" + a.conninfo() + "', '" + c.conninfo() + "')"))
                .containsExactly(
                        "table public.t has other columns here than on the source: column v type: character varying(10) on c, text on a; column w: integer on c, none on a");
    }

    @Test
    void theCommandWarnsOfWhatElseDiffers() {
        c.execute("ALTER TABLE big ALTER filler SET DEFAULT 'x'", "CREATE TABLE own (id int)");
        Commands.Ended started = Commands.run(c.uri(), "node", "start", c.uri(), "--from", a.uri());
        assertThat(started.code()).as(started.err()).isZero();
        assertThat(started.err())
                .contains("warning: table public.big differs: column filler default: 'x'::text on c, none on a")
                .doesNotContain("own");
        awaitComplete();
    }

    @Test
    void clocksThatDifferAreNamed() {
        String check =
                "SELECT problem || '; ' || remedy FROM steep_repl._clock_problem(now() + interval '%s', now(), now() + interval '%s')";
        String times = "the source says " + c.query("SELECT '2026-01-02 03:04:05.6+00'::timestamptz") + ", this node "
                + c.query("SELECT '2026-01-02 03:04:00+00'::timestamptz");
        assertThat(
                        c.query(
                                "SELECT problem FROM steep_repl._clock_problem('2026-01-02 03:04:05.6+00', '2026-01-02 03:03:59+00', '2026-01-02 03:04:01+00')"))
                .contains(times);
        assertThat(c.rows(check.formatted("-1 second", "0")))
                .singleElement()
                .asString()
                .contains("by NTP");
        // The answer took so long that the clocks may be equal.
        assertThat(c.rows(check.formatted("1 second", "1 second"))).isEmpty();
        assertThat(c.rows("SELECT problem FROM steep_repl.check_start('" + a.conninfo() + "', '" + c.conninfo() + "')"))
                .isEmpty();
    }
}
