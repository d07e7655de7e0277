package io.steeprepl.daemon.watch;

import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.api.ConflictCount;
import io.steeprepl.api.QualifiedName;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A count of conflicts that never falls, whatever becomes of the log. */
class CountsTest {
    private static ConflictCount count(String kind, long total) {
        return new ConflictCount(kind, QualifiedName.parse("s.t"), "b", total, 0, 0, 0, 0, 0, 0, Instant.EPOCH, null);
    }

    private static long seen(Counts counts, String kind) {
        return counts.seen().getOrDefault(new Counts.Of("s.t", kind, "b"), -1L);
    }

    @Test
    void pruningTheLogDoesNotMakeItFallOrRise() {
        Counts counts = Counts.NONE.next(Instant.EPOCH, List.of(count("UU", 100), count("UD", 1)));
        assertThat(seen(counts, "UU")).isEqualTo(100);
        counts = counts.next(Instant.EPOCH, List.of(count("UU", 103)));
        assertThat(seen(counts, "UU")).isEqualTo(103);
        counts = counts.next(Instant.EPOCH, List.of(count("UU", 3)));
        assertThat(seen(counts, "UU")).isEqualTo(103);
        counts = counts.next(Instant.EPOCH, List.of(count("UU", 5), count("UD", 2)));
        assertThat(seen(counts, "UU")).isEqualTo(105);
        assertThat(seen(counts, "UD")).isEqualTo(3);
        assertThat(counts.conflicts()).hasSize(2);
    }
}
