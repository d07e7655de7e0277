package io.steeprepl.cli.output;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class OutputTest {
    private record Item(String name, @Nullable Long rows, String state) {}

    private static final List<Column<Item>> COLUMNS =
            List.of(Column.of("item_name", Item::name), Column.of("rows", Item::rows), Column.of("state", Item::state));

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private Output output(Format format, boolean colour) {
        return new Output(new PrintWriter(out), new PrintWriter(err), format, colour);
    }

    @Test
    void tablesAreAlignedWithNumbersToTheRight() {
        output(Format.TABLE, false)
                .list(
                        COLUMNS,
                        List.of(new Item("a", 7L, "ready"), new Item("böse", null, ""), new Item("c", 1234L, "x")),
                        "");
        assertThat(out.toString().lines())
                .containsExactly("ITEM NAME  ROWS  STATE", "a             7  ready", "böse", "c          1234  x");
    }

    @Test
    void whatTheDatabaseSaysCannotSteerTheTerminal() {
        output(Format.TABLE, false).list(COLUMNS, List.of(new Item("\u001b[2J\u202ex\n\u0007", 1L, "")), "");
        assertThat(out.toString()).contains("\\u001b[2J\\u202ex\\n\\u0007").doesNotContain("\u001b");
        output(Format.JSON, false).list(COLUMNS, List.of(new Item("\u009b1m", 1L, "")), "");
        assertThat(out.toString()).doesNotContain("\u009b");
        assertThat(Json.write(Json.Raw.of("{\"k\": \"\u202e\u009b ä\"}"))).isEqualTo("{\"k\": \"\\u202e\\u009b ä\"}");
    }

    @Test
    void coloursOnlyWhenAsked() {
        output(Format.TABLE, true).list(COLUMNS, List.of(new Item("a", 7L, "ready")), "");
        assertThat(out.toString()).contains("\u001b[32mready\u001b[0m");
    }

    @Test
    void barsAreGreenYellowAndRedAndGreyWhenOver() {
        List<Column<Bar>> columns = List.of(Column.of("used", bar -> bar));
        List<Bar> bars = List.of(
                new Bar(0, false),
                new Bar(79.9, false),
                new Bar(80, false),
                new Bar(95, false),
                new Bar(95.1, false),
                new Bar(100, true));
        output(Format.TABLE, true).list(columns, bars, "");
        assertThat(out.toString().lines().skip(1))
                .containsExactly(
                        "\u001b[32m░░░░░░░░░░   0.0%\u001b[0m",
                        "\u001b[32m████████░░  79.9%\u001b[0m",
                        "\u001b[33m████████░░  80.0%\u001b[0m",
                        "\u001b[33m██████████  95.0%\u001b[0m",
                        "\u001b[31m██████████  95.1%\u001b[0m",
                        "▒▒▒▒▒▒▒▒▒▒ 100.0%");
        output(Format.JSON, true).list(columns, List.of(new Bar(79.9, false)), "");
        assertThat(out.toString()).endsWith("[{\"used\":79.9}]" + System.lineSeparator());
    }

    @Test
    void nothingIsSaidToPeopleAndIsAnEmptyDocumentForPrograms() {
        output(Format.TABLE, false).list(COLUMNS, List.of(), "no items");
        assertThat(out.toString()).isEmpty();
        assertThat(err.toString()).isEqualToIgnoringNewLines("no items");
        output(Format.JSON, false).list(COLUMNS, List.of(), "no items");
        assertThat(out.toString()).isEqualToIgnoringNewLines("[]");
    }

    @Test
    void jsonIsOneDocumentWithStableKeys() {
        output(Format.JSON, true).list(COLUMNS, List.of(new Item("a\"\\\n", null, "ready")), "");
        assertThat(out.toString())
                .isEqualToIgnoringNewLines("[{\"item_name\":\"a\\\"\\\\\\n\",\"rows\":null,\"state\":\"ready\"}]");
    }

    @Test
    void jsonOfEveryKindOfValue() {
        Map<String, @Nullable Object> values = new LinkedHashMap<>();
        values.put("n", 1.5);
        values.put("nan", Double.NaN);
        values.put("b", true);
        values.put("t", Instant.EPOCH);
        values.put("raw", Json.Raw.of("{\"x\": 1}"));
        values.put("list", List.of(1, "a"));
        values.put("path", Path.of("/a/b"));
        values.put("none", Json.Raw.of(null));
        assertThat(Json.write(values))
                .isEqualTo("{\"n\":1.5,\"nan\":null,\"b\":true,\"t\":\"1970-01-01T00:00:00Z\",\"raw\":{\"x\": 1},"
                        + "\"list\":[1,\"a\"],\"path\":\"/a/b\",\"none\":null}");
    }

    @Test
    void keysHaveOneOrder() {
        assertThat(Json.write(Map.of("c", 1, "a", Map.of("z", 2, "y", 3), "b", 4)))
                .isEqualTo("{\"a\":{\"y\":3,\"z\":2},\"b\":4,\"c\":1}");
        var own = new LinkedHashMap<String, Object>();
        own.put("b", 1);
        own.put("a", 2);
        assertThat(Json.write(own)).isEqualTo("{\"b\":1,\"a\":2}");
    }
}
