package io.steeprepl.it.history.oracle;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

/** The oracle finds each kind of breach, and nothing where nothing is wrong. */
class OracleTest {
    @Test
    void whatWasReadByALaterWriteIsNotLost() {
        assertThat(new Story()
                        .insert("a", 1, 1)
                        .update("b", 2, 1, 1)
                        .ends(1, 2)
                        .ordered()
                        .judged())
                .isEmpty();
        assertThat(new Story().insert("a", 1, 1).delete("b", 2, 1, 1).ordered().judged())
                .isEmpty();
        assertThat(new Story()
                        .insert("a", 1, 1)
                        .replace("b", 2, 1, 1)
                        .ends(1, 2)
                        .judged())
                .isEmpty();
    }

    @Test
    void aDeletionBesideAMoveIsLostUnlessTheServerKnowsNoMove() {
        for (String table : new String[] {"t", OneRowOneKey.PARTED}) {
            Story story = new Story(table)
                    .insert("a", 1, 1)
                    .delete("b", 2, 1, 1)
                    .move("a", 3, 1, 1, 2)
                    .ends(2, 3);
            assertThat(story.judged()).isEqualTo(table.equals("t") ? List.of("LOST") : List.of());
        }
        assertThat(new Story(OneRowOneKey.PARTED)
                        .insert("a", 1, 1)
                        .delete("b", 2, 1, 1)
                        .update("a", 3, 1, 1)
                        .ends(1, 3)
                        .judged())
                .containsExactly("LOST");
    }

    @Test
    void nodesThatDifferAreFound() {
        Story story = new Story()
                .insert("a", 1, 1)
                .insert("b", 2, 1)
                .endsOn("a", 1, 2, null)
                .endsOn("b", 1, 1, null);
        assertThat(story.judged()).containsExactly("DIVERGED");
        assertThat(new Story().insert("a", 1, 1).endsOn("a", 1, 1, null).judged())
                .containsExactly("DIVERGED");
    }

    @Test
    void aWriteThatNobodySawAndNoLogHasIsLost() {
        Story story = new Story().insert("a", 1, 1).insert("b", 2, 1).ends(1, 2);
        assertThat(story.judged()).containsExactly("LOST");
        assertThat(story.logs("b", "INSERT-INSERT", 1, 2L, 1L, null, "local").judged())
                .isEmpty();
    }

    @Test
    void aLogInWhichTheLostWriteWonDoesNotCount() {
        Story story = new Story()
                .insert("a", 1, 1)
                .insert("b", 2, 1)
                .ends(1, 2)
                .logs("b", "INSERT-INSERT", 1, 2L, 1L, null, "remote");
        assertThat(story.judged()).containsExactly("LOST");
    }

    @Test
    void aLogMustHaveTheWholeRow() {
        Story story = new Story()
                .insert("a", 1, 1)
                .insert("b", 2, 1)
                .ends(1, 2)
                .logs(
                        "b",
                        "x",
                        "INSERT-INSERT",
                        1,
                        Story.side(1, 2L),
                        new Entry.Side(1L, "{\"write_id\": 1}"),
                        null,
                        "local",
                        false);
        assertThat(story.judged()).containsExactly("LOST");
    }

    @Test
    void ofTwoWritesThatReadTheSameOneMustBeLogged() {
        Story story = new Story()
                .insert("a", 1, 1)
                .update("a", 2, 1, 1)
                .update("b", 3, 1, 1)
                .ends(1, 3);
        assertThat(story.judged()).containsExactly("LOST");
        assertThat(story.logs("a", "UPDATE-UPDATE", 1, 2L, 3L, 1L, "remote").judged())
                .isEmpty();
    }

    @Test
    void aDeletionIsLostWhenWhatItDeletedLivesOn() {
        Story story = new Story()
                .insert("a", 1, 1)
                .delete("a", 2, 1, 1)
                .update("b", 3, 1, 1)
                .ends(1, 3);
        assertThat(story.judged()).containsExactly("LOST");
        assertThat(story.logs("a", "UPDATE-DELETE", 1, null, 3L, 1L, "remote").judged())
                .isEmpty();
    }

    @Test
    void theLogOfAnotherDeletionDoesNotCount() {
        Story story = new Story()
                .insert("a", 1, 1)
                .update("a", 2, 1, 1)
                .delete("a", 3, 2, 1)
                .update("b", 4, 2, 1)
                .ends(1, 4)
                .logs("a", "UPDATE-DELETE", 1, null, 4L, 1L, "remote");
        assertThat(story.judged()).contains("LOST");
    }

    @Test
    void withoutBeforeImagesTheKeyOfALoggedDeletionMustDo() {
        Story story = new Story()
                .insert("a", 1, 1)
                .delete("a", 2, 1, 1)
                .update("b", 3, 1, 1)
                .ends(1, 3)
                .logs("a", "UPDATE-DELETE", 1, null, 3L, null, "remote");
        assertThat(story.judged()).isEmpty();
    }

    @Test
    void theRowThatALoggedDeletionMetMayHaveBeenChangedAndMovedSince() {
        Story story = new Story()
                .insert("a", 1, 1)
                .update("a", 2, 1, 1)
                .delete("b", 3, 1, 1)
                .move("a", 4, 2, 1, 2)
                .ends(2, 4);
        assertThat(story.judged()).containsExactly("LOST");
        assertThat(story.logs("a", "KEY-UPDATE", 1, null, null, 2L, "local").judged())
                .isEmpty();
    }

    @Test
    void aRowInsertedAfterADeletionDoesNotMakeTheDeletionLost() {
        Story story = new Story()
                .insert("a", 1, 1)
                .delete("a", 2, 1, 1)
                .insert("b", 3, 1)
                .ends(1, 3)
                .ordered();
        assertThat(story.judged()).isEmpty();
    }

    @Test
    void anEarlierWriteThatStandsIsFound() {
        Story story = new Story()
                .insert("a", 1, 1)
                .insert("b", 2, 1)
                .ends(1, 1)
                .logs("a", "INSERT-INSERT", 1, 1L, 2L, null, "local")
                .ordered();
        assertThat(story.judged()).containsExactly("NOT-LATEST", "NOT-LATEST");
    }

    @Test
    void aRowThatCameBackAfterItsDeletionIsFound() {
        assertThat(new Story()
                        .insert("a", 1, 1)
                        .delete("a", 2, 1, 1)
                        .ends(1, 1)
                        .ordered()
                        .judged())
                .contains("LOST", "NOT-LATEST");
    }

    @Test
    void aRowThatMovedBetweenPartitionsMayComeBackUnderItsOldKeyIfTheLogSaysSo() {
        Story story = new Story(OneRowOneKey.PARTED)
                .insert("a", 1, 1)
                .move("a", 2, 1, 1, 2)
                .update("b", 3, 1, 1)
                .ends(2, 2)
                .ends(1, 3);
        assertThat(story.judged()).containsExactly("DOUBLED", "DOUBLED");
        assertThat(story.logs("a", "UPDATE-DELETE", 1, null, 3L, 1L, "remote").judged())
                .doesNotContain("DOUBLED");
    }

    @Test
    void aRowUnderTwoKeysIsFound() {
        Story story = new Story()
                .insert("a", 1, 1)
                .move("a", 2, 1, 1, 2)
                .move("b", 3, 1, 1, 3)
                .ends(2, 2)
                .ends(3, 3)
                .ordered();
        assertThat(story.judged()).containsExactly("DOUBLED", "DOUBLED");
        assertThat(story.pending("a", "KEY-UPDATE", 2).judged()).isEmpty();
    }

    @Test
    void twoRowsThatOneTransactionSawAndWroteAreTwo() {
        Story story = new Story()
                .insert("a", 1, 1)
                .move("a", 2, 1, 1, 2)
                .move("b", 3, 1, 1, 3)
                .update("c", 4, 2, 2)
                .update("c", 5, 3, 3)
                .ends(2, 4)
                .ends(3, 5)
                .ordered();
        assertThat(story.judged()).contains("DOUBLED");
        assertThat(story.together().judged()).doesNotContain("DOUBLED");
    }

    @Test
    void theDoubleOfAMovedRowMayGoWhenThatIsLogged() {
        Story story = new Story()
                .insert("a", 1, 1)
                .move("a", 2, 1, 1, 2)
                .move("b", 3, 1, 1, 3)
                .ends(3, 3)
                .ordered();
        assertThat(story.judged()).containsExactly("LOST", "NOT-LATEST", "NOT-LATEST");
        assertThat(story.logs("b", "KEY-UPDATE", 1, 3L, null, null, "local")
                        .logs("a", "x", "KEY-UPDATE", 1, Story.side(2, 2L), Story.side(3, 3L), 1L, "remote", false)
                        .judged())
                .isEmpty();
    }

    @Test
    void aRowDeletedAndInsertedAgainIsNotTheOneThatWasMoved() {
        Story story = new Story()
                .insert("a", 1, 1)
                .replace("a", 2, 1, 1)
                .move("b", 3, 1, 1, 3)
                .ends(1, 2)
                .ends(3, 3);
        assertThat(story.judged()).isEmpty();
    }

    @Test
    void rowsThatShareAUniqueValueAreFound() {
        Story story = new Story()
                .insert("a", 1, 1)
                .insert("b", 2, 2)
                .endsOn("a", 1, 1, "x")
                .endsOn("a", 2, 2, "x")
                .endsOn("b", 1, 1, "x")
                .endsOn("b", 2, 2, "x");
        assertThat(story.judged()).containsExactly("NOT-UNIQUE", "NOT-UNIQUE");
    }

    @Test
    void aMixtureOfTwoRowsAndARowOfNobodyAreFound() {
        Story mixed = new Story().insert("a", 1, 1);
        assertThat(mixed.ends(2, 1).judged()).contains("MIXED");
        assertThat(new Story().ends(1, 7).judged()).containsExactly("UNWRITTEN", "UNWRITTEN");
    }

    @Test
    void aConflictThatANodeLogsTwiceIsFound() {
        Story story = new Story()
                .insert("a", 1, 1)
                .insert("b", 2, 1)
                .ends(1, 2)
                .logs("b", "INSERT-INSERT", 1, 2L, 1L, null, "local")
                .logs("a", "INSERT-INSERT", 1, 2L, 1L, null, "local");
        assertThat(story.judged()).isEmpty();
        assertThat(story.logs("b", "INSERT-INSERT", 1, 2L, 1L, null, "local").judged())
                .containsExactly("TWICE");
    }

    @Test
    void twoConflictsOfOneIdentityAreFound() {
        Story story = new Story()
                .insert("a", 1, 1)
                .insert("b", 2, 1)
                .insert("b", 3, 1)
                .ends(1, 3)
                .logs("b", "x", "INSERT-INSERT", 1, Story.side(1, 1L), Story.side(1, 3L), null, "remote", false)
                .logs("b", "x", "INSERT-INSERT", 1, Story.side(1, 2L), Story.side(1, 3L), null, "remote", false);
        assertThat(story.judged()).containsExactly("SAME-IDENTITY");
    }

    @Test
    void aConflictWithAWriteThatHadBeenSeenIsFalse() {
        Story story = new Story().insert("a", 1, 1).update("b", 2, 1, 1).ends(1, 2);
        assertThat(story.logs("a", "UPDATE-UPDATE", 1, 1L, 2L, null, "remote").judged())
                .containsExactly("FALSE-CONFLICT");
        Story deleted = new Story().insert("a", 1, 1).delete("b", 2, 1, 1);
        assertThat(deleted.logs("a", "UPDATE-DELETE", 1, 1L, null, 1L, "remote").judged())
                .containsExactly("FALSE-CONFLICT");
    }

    @Test
    void aConflictWithWhatHadArrivedEverywhereIsFalse() {
        Story story = new Story()
                .insert("a", 1, 1)
                .delete("a", 2, 1, 1)
                .calm()
                .insert("b", 3, 1)
                .ends(1, 3);
        assertThat(story.judged()).isEmpty();
        assertThat(story.logs("a", "DELETE-INSERT", 1, null, 3L, 1L, "remote").judged())
                .containsExactly("FALSE-CONFLICT");
        assertThat(story.provisional().judged()).doesNotContain("FALSE-CONFLICT");
    }

    @Test
    void aTruncationRemovesWhatItsWriterNeverSaw() {
        Story story = new Story().insert("a", 1, 1).truncate("b", 2).ordered();
        assertThat(story.judged()).containsExactly("LOST");
        assertThat(story.logs("a", "TRUNCATE-WRITE", 1, 1L, null, null, "remote")
                        .judged())
                .isEmpty();
        assertThat(new Story().insert("a", 2, 1).truncate("b", 1).ordered().judged())
                .containsExactly("LOST", "NOT-LATEST", "NOT-LATEST");
    }

    @Test
    void aPossibleConflictMayBeNone() {
        Story story = new Story().insert("a", 1, 1).update("b", 2, 1, 1).ends(1, 2);
        story.logs("a", "x", "UPDATE-UPDATE", 1, Story.side(1, 2L), Story.side(1, 1L), null, "local", true);
        assertThat(story.judged()).isEmpty();
    }

    @Test
    void aPendingConflictIsFoundUnlessItAsksWhichKeyStays() {
        assertThat(new Story().pending("a", "APPLY-ERROR", 1).proofsJudged()).containsExactly("UNPROVEN");
        assertThat(new Story().pending("a", "KEY-UPDATE", 1).proofsJudged()).isEmpty();
    }
}
