package io.steeprepl.cli.conflict;

import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.api.Conflict;
import io.steeprepl.api.QualifiedName;
import io.steeprepl.cli.output.Text;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** How {@code conflict show} prints. */
class ShownConflictTest {
    private static final Instant ON_A = Instant.parse("2025-12-03T14:32:10.000001Z");
    private static final Instant ON_B = Instant.parse("2025-12-03T14:32:12.000003Z");
    private static final String LOCAL = """
            {"order_id": 50432, "status": "processing", "notes": null, "total": 12.50}""";
    private static final String REMOTE = """
            {"order_id": 50432, "status": "shipped", "notes": "", "total": 12.50}""";
    private static final String BASE = """
            {"order_id": 50432, "status": "new", "notes": null, "total": 12.50}""";

    private static Conflict conflict(
            @Nullable String local, @Nullable String remote, @Nullable String base, boolean visible) {
        return conflict(local, remote, base, visible, "APPLIED_REMOTE", new Conflict.Proof(null, null, 0, null));
    }

    private static Conflict conflict(
            @Nullable String local,
            @Nullable String remote,
            @Nullable String base,
            boolean visible,
            String resolution,
            Conflict.Proof proof) {
        return conflict(local, remote, base, visible, resolution, proof, remote);
    }

    private static Conflict conflict(
            @Nullable String local,
            @Nullable String remote,
            @Nullable String base,
            boolean visible,
            String resolution,
            Conflict.Proof proof,
            @Nullable String result) {
        return new Conflict(
                7,
                ON_B,
                "steep_repl_b",
                new QualifiedName("public", "orders"),
                "UPDATE-UPDATE",
                "b",
                new Conflict.Side(local, "a", ON_A),
                new Conflict.Side(remote, "b", ON_B),
                base,
                1234L,
                null,
                visible ? "{\"order_id\": 50432}" : null,
                null,
                null,
                visible,
                new Conflict.Decision(
                        resolution, ON_B, "steep_repl", "last_write_wins", "remote", result, false, null, null, null),
                proof);
    }

    private static List<String> lines(Conflict conflict, boolean full, boolean colour) {
        return new SideBySide(full, colour).lines(conflict);
    }

    @Test
    void cellsThatDifferHaveAStar() {
        assertThat(lines(conflict(LOCAL, REMOTE, BASE, true), false, false))
                .containsExactly(
                        "              LOCAL (a, %s)    REMOTE (b, %s)    BASE"
                                .formatted(Text.timeOfDay(ON_A), Text.timeOfDay(ON_B)),
                        "              ───────────────────────    ────────────────────────    ─────",
                        "  order_id    50432                      50432                       50432",
                        "  status    * processing               * shipped                     new",
                        "  notes     * NULL                     * \"\"                          NULL",
                        "  total       12.50                      12.50                       12.50");
    }

    @Test
    void withColourTheyAreColouredAndAlignedAlike() {
        List<String> lines = lines(conflict(LOCAL, REMOTE, BASE, true), false, true);
        assertThat(lines.get(3)).contains("\u001b[1;33mprocessing\u001b[0m", "\u001b[1;33mshipped\u001b[0m");
        assertThat(lines.get(2)).doesNotContain("\u001b").doesNotContain("*");
        assertThat(lines.get(3).replaceAll("\u001b\\[[0-9;]*m", "").indexOf("new"))
                .isEqualTo(lines.get(5).lastIndexOf("12.50"));
    }

    @Test
    void whereOneSideDeletedTheChangesOfTheOtherAreMarked() {
        List<String> lines = lines(conflict(LOCAL, null, BASE, true), false, false);
        assertThat(lines.get(3)).matches(" +status +\\* processing +\\(no row\\) +new");
        assertThat(lines.get(4)).matches(" +notes +NULL +\\(no row\\) +NULL");
    }

    @Test
    void withoutAnyRowThereIsStillSomethingToSee() {
        assertThat(lines(conflict(null, null, null, true), false, false))
                .hasSize(3)
                .last()
                .asString()
                .contains("(no row)");
        assertThat(lines(conflict(LOCAL, REMOTE, null, true), false, false).getFirst())
                .endsWith("BASE (not known)");
    }

    @Test
    void longValuesAreCutUnlessAskedForWhole() {
        String text = "0123456789".repeat(7);
        Conflict conflict = conflict("{\"t\": \"" + text + "\"}", "{\"t\": \"" + text + "x\"}", null, true);
        assertThat(String.join("\n", lines(conflict, false, false)))
                .contains("* 012345678901234567890123456…  ")
                .doesNotContain("x");
        List<String> whole = lines(conflict, true, false);
        assertThat(whole).hasSize(5);
        assertThat(whole.get(4)).matches(" +\\* 67890123456789 +\\* 67890123456789x");
    }

    @Test
    void theRowThatStayedIsShownWhereItIsNeitherSides() {
        String merged = "{\"order_id\": 50432, \"status\": \"merged\"}";
        var proof = new Conflict.Proof(null, null, 0, null);
        assertThat(lines(conflict(LOCAL, REMOTE, BASE, true, "MERGED", proof, merged), false, false))
                .satisfies(lines -> assertThat(lines.getFirst()).endsWith("RESULT"))
                .anySatisfy(line -> assertThat(line).matches(" +status .* new +merged"));
    }

    @Test
    void columnsThatWereNotSentAreNotNull() {
        String part = "{\"order_id\": 50432, \"status\": \"shipped\"}";
        assertThat(String.join("\n", lines(conflict(LOCAL, part, BASE, true), false, false)))
                .contains("(not sent)");
    }

    @Test
    void numbersKeepTheirDigits() {
        String number = "{\"n\": 1234567890123456789.000000010, \"m\": 0.0000001, \"o\": {\"x\": [1, 2.50]}}";
        assertThat(String.join("\n", lines(conflict(number, null, null, true), true, false)))
                .contains("1234567890123456789.00000001")
                .contains("0.0000001")
                .contains("{\"x\":[1,2.50]}");
    }

    @Test
    void valuesCannotSteerTheTerminal() {
        Conflict conflict = conflict("{\"a\\u001bb\": \"\\u001b[2J\\u202e\"}", null, null, true);
        assertThat(String.join("\n", lines(conflict, false, false)))
                .doesNotContain("\u001b")
                .doesNotContain("\u202e")
                .contains("\\u001b[2J");
    }

    @Test
    void whoMayNotReadTheTableSeesThatAndNothingElse() {
        Conflict hidden = conflict(null, null, null, false);
        assertThat(lines(hidden, false, false)).containsExactly("(no SELECT on public.orders)");
        assertThat(ConflictColumns.key(hidden)).isEqualTo("(no SELECT on public.orders)");
        assertThat(Explanation.title(hidden).getFirst()).isEqualTo("#7 UPDATE-UPDATE on public.orders");
    }

    @Test
    void whatWasDecidedAndWhy() {
        Conflict conflict = conflict(LOCAL, REMOTE, BASE, true);
        assertThat(Explanation.title(conflict))
                .startsWith(
                        "#7 UPDATE-UPDATE on public.orders, order_id=50432",
                        "Detected " + Text.precise(ON_B) + ", from b, its transaction 1234");
        assertThat(Explanation.lines(conflict))
                .containsExactly(
                        "Local     written " + Text.precise(ON_A) + " on a",
                        "Remote    written " + Text.precise(ON_B) + " on b",
                        "Decided   APPLIED_REMOTE: the remote write stays by last_write_wins; remote is later by 2.000002 s",
                        "          " + Text.precise(ON_B) + ", by steep_repl",
                        "Proven    not yet; nodes compared 0 times");
    }

    @Test
    void whetherAllNodesAgree() {
        var proven = new Conflict.Proof(ON_B, null, 1, null);
        var away = new Conflict.Proof(null, "node c does not answer", 4, ON_B);
        assertThat(Explanation.lines(conflict(LOCAL, REMOTE, BASE, true, "KEPT_LOCAL", proven)))
                .contains("Proven    all nodes agree since " + Text.precise(ON_B));
        assertThat(Explanation.lines(conflict(LOCAL, REMOTE, BASE, true, "PENDING", away)))
                .contains("Proven    not yet: node c does not answer; nodes compared 4 times, next "
                        + Text.precise(ON_B));
    }
}
