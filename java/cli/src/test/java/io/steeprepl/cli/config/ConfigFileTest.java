package io.steeprepl.cli.config;

import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.config.ConfigPath;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ConfigFileTest {
    private static final ConfigPath AT = new ConfigPath(Path.of("config.yaml"), ConfigPath.Source.OPTION);

    private static List<String> problems(String yaml) {
        return ConfigFile.read(AT, yaml).problems().all().stream()
                .map(problem ->
                        problem.line() + ":" + problem.column() + " " + problem.key() + ": " + problem.message())
                .toList();
    }

    @Test
    void theShapeOfTheGuideIsRead() {
        ConflictSettings read = ConfigFile.read(AT, """
                        replication:
                          conflicts:
                            default_strategy: last_write_wins
                            tables:
                              orders:
                                strategy: manual
                              '"Shop"."Big Orders"':
                                strategy: node_priority
                                priority: &sites [node_a, node_b]
                              shop.customer_preferences: {strategy: node_priority, priority: *sites}
                        """).conflicts();
        assertThat(read.byDefault().orElseThrow().choice()).hasToString("last_write_wins");
        assertThat(read.tables().stream()
                        .map(table -> table.table().line() + " " + table.table().value() + " "
                                + table.setting().choice())
                        .collect(Collectors.joining(", ")))
                .isEqualTo("5 orders manual, 7 Shop.Big Orders node_priority [node_a, node_b], "
                        + "10 shop.customer_preferences node_priority [node_a, node_b]");
    }

    @Test
    void theExampleOfTheGuideHasNoProblems() throws IOException {
        Path guide = Path.of(System.getProperty("steeprepl.home", "../.."), "docs/guide/configuration.md");
        Matcher block = Pattern.compile("```yaml\n(.*?)```", Pattern.DOTALL).matcher(Files.readString(guide));
        assertThat(block.find()).isTrue();
        ConfigFile example = ConfigFile.read(AT, block.group(1));
        assertThat(example.problems().all()).isEmpty();
        assertThat(example.conflicts().tables()).hasSize(6);
        assertThat(example.ranges().tables()).hasSize(2);
    }

    @Test
    void whatBelongsToOthersIsNotJudged() {
        assertThat(problems("tui: 7\napplication: {grpc: [1, {x: ~}]}\nreplication: {ddl: 3, made_up: {}}"))
                .isEmpty();
        assertThat(problems("")).isEmpty();
        assertThat(problems("# nothing\nreplication:\n")).isEmpty();
        assertThat(ConfigFile.read(AT, "replication: {conflicts: }").conflicts().present())
                .isFalse();
    }

    @Test
    void aSlipOfThePenIsNoSectionOfOthers() {
        assertThat(problems("replicaton: {conflicts: {}}")).containsExactly("1:1 replicaton: unknown key");
        assertThat(problems("replication:\n  conflict: {}")).containsExactly("2:3 replication.conflict: unknown key");
    }

    @Test
    void whatTheDaemonWouldRefuseIsSaidHereToo() {
        assertThat(problems("repl:\n  node_id: 3\n  http: {prot: 1}"))
                .containsExactly(
                        "2:12 repl.node_id: a text is expected, not a number", "3:10 repl.http.prot: unknown key");
    }

    @Test
    void aKeyTwiceIsAProblemWhereverItIs() {
        assertThat(problems("tui:\n  port: 1\n  port: 2\ntui: {}"))
                .containsExactly("3:3 tui.port: the key stands here twice", "4:1 tui: the key stands here twice");
    }

    @Test
    void whatCannotBeReadIsSaidAndTheRestIsReadOn() {
        assertThat(problems("""
                        replication:
                          conflicts:
                            default_priority: [a, a]
                            tables:
                              t: {strategy: no, priority: [a, [b]]}
                              u:
                              v: {strategy: ~}
                              w: {strategy: node_priority, priority: []}
                              x: {strategy: true}
                              y: {strategy: node_priority, priority: {a: b}}
                              [z]: {strategy: manual}
                        """))
                .containsExactly(
                        "3:23 replication.conflicts.default_priority: there is no default_strategy",
                        "3:27 replication.conflicts.default_priority: node \"a\" stands in the list more than once",
                        "5:39 replication.conflicts.tables.t.priority: a text is expected, not a list",
                        "6:7 replication.conflicts.tables.u: strategy is missing",
                        "7:21 replication.conflicts.tables.v.strategy: a text is expected, not nothing",
                        "8:21 replication.conflicts.tables.w.strategy: node_priority needs a list of nodes, the first wins",
                        "9:21 replication.conflicts.tables.x.strategy: a text is expected, not true or false",
                        "10:46 replication.conflicts.tables.y.priority: a list is expected, not keys with values",
                        "11:7 replication.conflicts.tables: a key cannot be a list");
    }

    @Test
    void whatAStrategyOfSumsOrAFunctionNeedsIsRead() {
        assertThat(problems("""
                        replication:
                          conflicts:
                            default_strategy: function
                            tables:
                              t: {strategy: function}
                              u: {strategy: function, resolver: merge}
                              v: {strategy: manual, resolver: shop.merge}
                              w: {strategy: column_merge, delta_columns: [a, a]}
                              x: {strategy: column_merge, delta_columns: a}
                              y: {strategy: function, resolver: '"Shop".merge', delta_columns: [a, b]}
                        """))
                .containsExactly(
                        "3:23 replication.conflicts.default_strategy: function needs a resolver, which differs by table",
                        "5:21 replication.conflicts.tables.t.strategy: function needs a resolver",
                        "6:41 replication.conflicts.tables.u.resolver: not the name of a function with its schema",
                        "7:39 replication.conflicts.tables.v.resolver: manual takes no resolver",
                        "8:54 replication.conflicts.tables.w.delta_columns: column \"a\" stands in the list more than once",
                        "9:50 replication.conflicts.tables.x.delta_columns: a list is expected, not a text");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "a: b\\n\\tc: d|2",
                "a: 'b|2",
                "a: b: c|1",
                "a: [b|2",
                "a: *b|1",
                "a: b\\n---\\nc: d|2",
                "a: b\\nc: \\u0001|2",
                "a: b\\n  c: d|2"
            })
    void whatIsNoYamlIsOneProblemWithItsLine(String yaml, int line) {
        String text = yaml.replace("\\n", "\n").replace("\\t", "\t").replace("\\u0001", "\u0001") + "\n";
        ConfigFile file = ConfigFile.read(AT, text);
        assertThat(file.readable()).isFalse();
        assertThat(file.problems().all()).singleElement().satisfies(problem -> {
            assertThat(problem.line()).isEqualTo(line);
            assertThat(problem.message()).startsWith("not YAML: ");
        });
    }

    @Test
    void endlessAndBottomlessDocumentsEnd() {
        assertThat(problems("a: &x [b, *x]")).containsExactly("1:4 a: an alias stands within what it stands for");
        assertThat(problems("a: " + "[".repeat(200) + "]".repeat(200)))
                .singleElement()
                .asString()
                .endsWith("a: nested too deep");
        assertThat(problems("a: " + "[".repeat(100_000) + "]".repeat(100_000)))
                .containsExactly("0:0 : nested too deep to be read");
    }
}
