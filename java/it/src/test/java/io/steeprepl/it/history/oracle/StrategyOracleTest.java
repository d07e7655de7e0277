package io.steeprepl.it.history.oracle;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

/** What the oracle expects of tables with a strategy of their own. */
class StrategyOracleTest {
    @Test
    void aWinnerThatLosesToSomebodyWhoHadSeenTheLoserIsLoggedAgain() {
        Story story = new Story()
                .insert("a", 1, 1)
                .delete("a", 2, 1, 1)
                .update("b", 3, 1, 1)
                .update("c", 4, 3, 1)
                .ends(1, 4)
                .logs("b", "UPDATE-DELETE", 1, 3L, null, 1L, "remote");
        assertThat(story.provisional().judged()).containsExactly("LOST");
        assertThat(story.logs("a", "UPDATE-DELETE", 1, null, 4L, 1L, "remote").judged())
                .isEmpty();
    }

    @Test
    void theEntryOfTheInsertionAfterADeletionDoesNotHaveTheDeletion() {
        Story story = new Story()
                .insert("a", 1, 1)
                .move("b", 2, 1, 1, 2)
                .delete("a", 3, 1, 1)
                .insert("a", 4, 1)
                .ends(2, 2);
        assertThat(story.provisional()
                        .logs("a", "INSERT-INSERT", 1, 4L, 2L, 1L, "remote")
                        .judged())
                .containsExactly("LOST");
        assertThat(story.logs("a", "UPDATE-DELETE", 1, null, 2L, 1L, "remote").judged())
                .isEmpty();
    }

    @Test
    void aProofMayBringBackWhatMovedAwayWhereTheEarlierStays() {
        Story story = new Story()
                .insert("a", 1, 1)
                .update("a", 2, 1, 1)
                .move("c", 3, 1, 1, 2)
                .ends(1, 2)
                .ends(2, 3)
                .provisional();
        assertThat(story.judged()).containsExactly("DOUBLED", "DOUBLED");
        assertThat(story.logs("a", "k", "KEY-UPDATE", 1, Story.side(1, 2L), Story.side(2, 3L), 1L, "remote", true)
                        .judged())
                .isEmpty();
    }

    @Test
    void whatTheStrategyLetsStayHasToStand() {
        for (long winner : new long[] {2, 3}) {
            Story story = new Story()
                    .insert("a", 1, 1)
                    .calm()
                    .update("a", 2, 1, 1)
                    .update("b", 3, 1, 1)
                    .ends(1, winner)
                    .logs("a", "UPDATE-UPDATE", 1, 2L, 3L, 1L, winner == 2 ? "local" : "remote");
            List<String> wrong = List.of("NOT-BY-STRATEGY", "NOT-BY-STRATEGY");
            assertThat(story.provisional().judged()).isEqualTo(winner == 2 ? List.of() : wrong);
            assertThat(story.provisional("b").judged()).isEqualTo(winner == 3 ? List.of() : wrong);
            // Of nodes that are not in the list the later write.
            assertThat(story.provisional("c").judged()).isEqualTo(winner == 3 ? List.of() : wrong);
            // What came after is a longer quarrel.
            assertThat(story.update("b", 4, winner, 1).provisional().judged()).doesNotContain("NOT-BY-STRATEGY");
        }
    }

    @Test
    void whatWasAddedToAFoldCountsAndEachColumnIsItsLastWritersOrTheRowTheLatest() {
        for (boolean byColumn : new boolean[] {true, false}) {
            Story story = new Story()
                    .begins("a", 1, 1, "old", 10)
                    .changes("a", 2, 1, "old", 10, "new", 13)
                    .changes("b", 3, 1, "old", 10, "old", 14);
            assertThat(story.folded(byColumn)
                            .ends(1, 3, byColumn ? "new" : "old", 17)
                            .judged())
                    .isEmpty();
            assertThat(story.changes("b", 4, 1, "old", 14, "old", 15).judged())
                    .containsExactly("NOT-FOLDED", "NOT-FOLDED");
        }
    }
}
