package io.steeprepl.it.conflict;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Transactions of very many rows. */
@ExtendWith(TwoNodes.class)
class LargeIT {
    private static final Duration SECONDS = Duration.ofSeconds(60);

    private final Mesh mesh;

    LargeIT(Mesh mesh) {
        this.mesh = mesh;
    }

    @Test
    void conflictsInsideOfATransactionOf100000RowsTakeSeconds() {
        Table item = mesh.tableOf("CREATE TABLE item (id int PRIMARY KEY, v text, u text UNIQUE)", "item")
                .on("a", "INSERT INTO item SELECT g, 'old', g::text FROM generate_series(1, 100000) g")
                .drained();
        mesh.pause();
        item.on("b", "UPDATE item SET v = 'early' WHERE id = 50000", "DELETE FROM item WHERE id = 60000");
        item.on("a", "UPDATE item SET v = 'late'");
        item.on("b", "UPDATE item SET v = 'latest' WHERE id = 70000");
        Instant begin = Instant.now();
        mesh.resume();
        assertThat(Duration.between(begin, Instant.now())).isLessThan(SECONDS);
        item.isEqualByHash()
                .answers("SELECT v, count(*) FROM item GROUP BY v ORDER BY v", "late|99999", "latest|1")
                .proven();
        assertThat(item.log("a"))
                .extracting(Entry::local, Entry::remote, Entry::winner)
                .containsExactlyInAnyOrder(
                        tuple("50000|late|50000", "50000|early|50000", "local"),
                        tuple("60000|late|60000", "-", "local"),
                        tuple("70000|late|70000", "70000|latest|70000", "remote"));
        assertThat(item.log("b"))
                .extracting(Entry::local, Entry::remote, Entry::winner)
                .containsExactlyInAnyOrder(
                        tuple("50000|early|50000", "50000|late|50000", "remote"),
                        tuple("-", "60000|late|60000", "remote"),
                        tuple("70000|latest|70000", "70000|late|70000", "local"));
    }
}
