package io.steeprepl.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.testkit.Cluster;
import io.steeprepl.testkit.ClusterLogs;
import io.steeprepl.testkit.TestNode;
import java.sql.Connection;
import java.sql.SQLException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Pieces of a snapshot that must not be loaded at once: the streams are one group to the lock manager, and of two that clean up
 * the pending entries of one GIN index neither would wait for the other.
 */
@ExtendWith(ClusterLogs.class)
class LoadInTurnIT {
    private static final Cluster CLUSTER = Cluster.start(2);
    private static final TestNode A = CLUSTER.node(0);
    private static final TestNode B = CLUSTER.node(1);
    private static final SnapshotPlace PLACE = SnapshotPlace.beside(A);
    private static final int ROWS = 65_000;

    @BeforeAll
    static void threePiecesEach() {
        // Pieces have 32 MB or more, a page seven rows. The second table has the longer rows: its pieces are the first
        // to be given out.
        CLUSTER.nodes()
                .forEach(node -> node.execute(
                        "CREATE TABLE plain (id int PRIMARY KEY, filler text STORAGE PLAIN)",
                        "CREATE TABLE words (id int, numbers int[], filler text STORAGE PLAIN)",
                        "CREATE INDEX words_gin ON words USING gin (numbers) WITH (gin_pending_list_limit = 64)"));
        A.execute(
                "INSERT INTO plain SELECT i, repeat('p', 1050) FROM generate_series(1, " + ROWS + ") i",
                "INSERT INTO words SELECT i, ARRAY[i % 100, i % 1000, i], repeat('w', 1050) FROM generate_series(1, "
                        + ROWS + ") i");
        PLACE.take(A, "both", ", parallel => 3");
    }

    @AfterAll
    static void stop() {
        CLUSTER.close();
    }

    @Test
    void aTableWithGinThatKeepsItsIndexesIsLoadedPieceByPiece() throws SQLException {
        String id;
        try (Connection writer = B.connect();
                Connection holder = B.connect()) {
            // Whoever writes to a table has its indexes kept up to date.
            writer.setAutoCommit(false);
            writer.createStatement().execute("DELETE FROM words");
            // Each stream comes to the end of its first piece, and no further.
            B.execute(
                    "CREATE FUNCTION gate() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_catalog.pg_advisory_xact_lock_shared(7); RETURN NEW; END'",
                    "CREATE TRIGGER gate BEFORE INSERT ON steep_repl.loaded_pieces FOR EACH ROW EXECUTE FUNCTION gate()",
                    "ALTER TABLE steep_repl.loaded_pieces ENABLE ALWAYS TRIGGER gate");
            holder.createStatement().execute("SELECT pg_advisory_lock(7)");
            id = PLACE.startApply(B, "both", ", 3");
            Sql.await(
                    B, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 7 AND NOT granted", "3");
            assertThat(B.query("SELECT string_agg(DISTINCT indisready::text, ' ') FROM pg_index"
                            + " WHERE indrelid = 'plain'::regclass"))
                    .isEqualTo("false");
            assertThat(B.query("SELECT indisready FROM pg_index WHERE indrelid = 'words'::regclass"))
                    .isEqualTo("t");
            assertThat(B.rows("SELECT l.relation::regclass, count(*) FROM pg_locks l"
                            + " JOIN pg_stat_activity a ON a.pid = l.pid AND a.backend_type = 'steep_repl stream'"
                            + " WHERE l.relation IN ('plain'::regclass, 'words'::regclass) AND l.mode = 'RowExclusiveLock' AND l.granted"
                            + " GROUP BY 1 ORDER BY 1::text"))
                    .containsExactly("plain|2", "words|1");
            assertThat(B.query("SELECT jsonb_agg(s->>'table' ORDER BY s->>'table') FROM steep_repl.work_progress(" + id
                            + "), jsonb_array_elements(streams) s"))
                    .isEqualTo("[\"public.plain\", \"public.plain\", \"public.words\"]");
        }
        SnapshotPlace.awaitState(B, id, "complete");
        B.execute("DROP TRIGGER gate ON steep_repl.loaded_pieces", "DROP FUNCTION gate");
        for (String table : new String[] {"plain", "words"}) {
            assertThat(B.contents(table)).isEqualTo(A.contents(table));
        }
        B.execute("CREATE EXTENSION amcheck", "SELECT gin_index_check('words_gin')");
        // By the index, and by reading all rows.
        String byIndex = "SELECT count(*) FROM words w WHERE w.numbers @> ARRAY[n]";
        assertThat(B.rows("EXPLAIN SELECT (" + byIndex + ") FROM generate_series(0, 999) n"))
                .anyMatch(line -> line.contains("words_gin"));
        assertThat(
                        B.query(
                                "SELECT count(*), count(*) FILTER (WHERE rows <> (" + byIndex + ")) FROM"
                                        + " (SELECT n, count(DISTINCT id) AS rows FROM words, unnest(numbers) n WHERE n < 1000 GROUP BY n) read"))
                .isEqualTo("1000|0");
    }
}
