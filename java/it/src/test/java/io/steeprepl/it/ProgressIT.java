package io.steeprepl.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.testkit.Cluster;
import io.steeprepl.testkit.ClusterLogs;
import io.steeprepl.testkit.TestNode;
import java.io.IOException;
import java.nio.file.Files;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** How far take-overs are, as whoever looks or listens is told. */
@ExtendWith(ClusterLogs.class)
class ProgressIT {
    /** Of what is told of a snapshot, too (src/job/progress.rs). */
    private static final String KEYS =
            "bytes_done,bytes_per_second,bytes_total,current_table,id,kind,percent,phase,rows_done,rows_total,seconds_left,state,streams,tables_done,tables_total";

    private static Cluster cluster;
    private static TestNode b;

    @BeforeAll
    static void start() {
        cluster = Cluster.start(2);
        Reinit.link(cluster, 2, 6000);
        b = cluster.node(1);
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    @Test
    void whoListensHearsOfACopyWhileItsTransactionIsOpen() throws SQLException {
        List<String> told = new ArrayList<>();
        String id;
        try (Listener listener = Listener.on(b, "steep_repl_progress")) {
            try (var _ = Reinit.halfWay(b)) {
                id = Reinit.ask(b, "a", "t");
                hear(listener, told, "\"current_table\": \"public.t\"");
                assertThat(b.query(
                                "SELECT kind, state, phase, current_table FROM steep_repl.work_progress(" + id + ")"))
                        .isEqualTo("reinit|running|copying|public.t");
            }
            hear(listener, told, "\"state\": \"complete\"");
        } finally {
            b.execute("DROP TRIGGER IF EXISTS slow ON t", "DROP FUNCTION IF EXISTS slow");
        }
        for (String one : told) {
            assertThat(b.query(
                            "SELECT o->>'id', o->>'kind', (SELECT string_agg(k, ',' ORDER BY k) FROM jsonb_object_keys(o) k) FROM (SELECT '"
                                    + one.replace("'", "''") + "'::jsonb AS o) x"))
                    .isEqualTo(id + "|reinit|" + KEYS);
        }
        assertThat(told).anyMatch(one -> one.contains("\"phase\": \"emptying the tables\""));
        assertThat(told)
                .filteredOn(one -> one.contains("\"state\": \"complete\""))
                .allSatisfy(last ->
                        assertThat(last).contains("\"percent\": 100.0", "\"rows_done\": 6000,", "\"tables_done\": 1,"));
        assertThat(b.query("SELECT percent, rows_done = rows_total, bytes_done = bytes_total, bytes_per_second IS NULL"
                        + " FROM steep_repl.work_progress(" + id + ")"))
                .isEqualTo("100.0|t|t|t");
        // The table came to b by such an operation, too.
        assertThat(
                        b.query(
                                "SELECT kind, state, tables_done, rows_done FROM steep_repl.work_progress() ORDER BY id LIMIT 1"))
                .isEqualTo("join|complete|1|6000");
        assertThat(Sql.error(b, "SELECT steep_repl.cancel_work(" + id + ")")).startsWith("SR101");
    }

    @Test
    void whatKeepsItFromTellingIsLoggedOnce() throws SQLException, IOException {
        String tell = b.query("SELECT pg_get_functiondef('steep_repl._init_tell(bigint, text)'::regprocedure)");
        b.execute("CREATE SEQUENCE looks");
        try (var _ = Reinit.halfWay(b)) {
            String id = Reinit.ask(b, "a", "t");
            Reinit.await(b, id, "phase = 'copying' AND rows_done > 0");
            b.execute(
                    "CREATE OR REPLACE FUNCTION steep_repl._init_tell(id bigint, told text) RETURNS text LANGUAGE plpgsql AS $$BEGIN PERFORM nextval('public.looks'); RAISE 'cannot tell'; END$$");
            Sql.await(b, "SELECT last_value >= 4 FROM looks", "t");
            b.execute(tell, "DROP SEQUENCE looks");
        }
        Sql.await(b, "SELECT string_agg(DISTINCT state, ' ') FROM steep_repl.reinit_progress()", "complete");
        b.execute("DROP TRIGGER slow ON t", "DROP FUNCTION slow");
        assertThat(Files.readString(b.server().log()).lines().filter(line -> line.endsWith(": cannot tell")))
                .hasSize(1);
    }

    private static void hear(Listener listener, List<String> told, String awaited) throws SQLException {
        do {
            List<String> heard = listener.hear(1);
            assertThat(heard).as("after " + told).isNotEmpty();
            told.addAll(heard);
        } while (told.stream().noneMatch(one -> one.contains(awaited)));
    }

    @Test
    void allKindsHaveOneShape() {
        String columns =
                "SELECT string_agg(a.n || ' ' || a.t::regtype, ',' ORDER BY o) FROM pg_proc p, unnest(p.proargnames, p.proallargtypes, p.proargmodes) WITH ORDINALITY a(n, t, m, o) WHERE a.m = 't' AND p.oid = 'steep_repl.";
        String shape = b.query(columns + "work_progress(bigint)'::regprocedure");
        assertThat(b.query(columns + "snapshot_progress(bigint)'::regprocedure"))
                .isEqualTo(shape);
        assertThat(b.query(columns + "start_progress()'::regprocedure")).isEqualTo(shape + ",source text");
        assertThat(b.query(columns + "reinit_progress()'::regprocedure"))
                .isEqualTo(shape + ",source text,emptied boolean");
    }
}
