package io.steeprepl.it.conflict;

import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Conflicts in rows of all types, on nodes that write them in different forms: recognised, and whole in the log. */
@ExtendWith(TwoNodes.class)
class TypesIT {
    private static final String TYPES = "CREATE TYPE mood AS ENUM ('sad', 'glad'); CREATE TYPE pair AS (x int, y text);"
            + " CREATE DOMAIN positive AS int CHECK (VALUE > 0);";

    /** Type, value as SQL, value in the log as JSON. */
    private record Value(String type, String sql, String json) {}

    private static final List<Value> VALUES = """
            numeric       | 'NaN'                              | "NaN"
            numeric       | 'Infinity'                         | "Infinity"
            numeric       | 1.500                              | 1.500
            float8        | '-0'                               | "-0"
            float8        | 'NaN'                              | "NaN"
            float8        | '-Infinity'                        | "-Infinity"
            float8        | 0.1::float8 + 0.2::float8          | 0.30000000000000004
            real          | 1.1                                | 1.1
            timestamptz   | '2024-03-31 01:30:00.123456+00'    | "2024-03-31 01:30:00.123456+00"
            timestamptz   | 'infinity'                         | "infinity"
            timestamp     | '2024-03-31 02:30:00'              | "2024-03-31 02:30:00"
            date          | '2024-05-06'                       | "2024-05-06"
            date          | '-infinity'                        | "-infinity"
            interval      | '1 year 2 mons -3 days 04:05:06.7' | "1 year 2 mons -3 days +04:05:06.7"
            timetz        | '12:00:00+05:30'                   | "12:00:00+05:30"
            bytea         | '\\xdeadbeef00'                    | "\\\\xdeadbeef00"
            mood          | 'glad'                             | "glad"
            pair          | (1, 'it''s, "so"')                 | "(1,\\"it's, \\"\\"so\\"\\"\\")"
            positive      | 5                                  | 5
            text[]        | ARRAY['a', NULL, 'b c', '{}']      | "{a,NULL,\\"b c\\",\\"{}\\"}"
            int[]         | '[0:1]={1,2}'                      | "[0:1]={1,2}"
            jsonb         | '{"b": [1, null], "a": 1.0}'       | {"a": 1.0, "b": [1, null]}
            jsonb         | 'null'                             | null
            json          | '{"b": 1,  "a": 2, "b": 3}'        | "{\\"b\\": 1,  \\"a\\": 2, \\"b\\": 3}"
            uuid          | '00000000-0000-0000-0000-00000000000a' | "00000000-0000-0000-0000-00000000000a"
            int4range     | '[1,5)'                            | "[1,5)"
            tstzmultirange| '{[2024-01-01 00:00+00,)}'         | "{[\\"2024-01-01 00:00:00+00\\",)}"
            bit(5)        | B'10101'                           | "10101"
            tsvector      | 'a:1 b:2'                          | "'a':1 'b':2"
            inet          | '10.0.0.1/8'                       | "10.0.0.1/8"
            char(5)       | 'ab'                               | "ab   "
            xml           | '<a>1</a>'                         | "<a>1</a>"
            """.lines()
            .map(line -> line.split("\\|", 3))
            .map(p -> new Value(p[0].strip(), p[1].strip(), p[2].strip()))
            .toList();

    private final Mesh mesh;

    TypesIT(Mesh mesh) {
        this.mesh = mesh;
    }

    /** The databases of both nodes show times, intervals, bytes and numbers in different forms. */
    private void differentForms() {
        setAll(
                "a",
                "datestyle = 'SQL, DMY'",
                "timezone = 'Asia/Kolkata'",
                "intervalstyle = 'iso_8601'",
                "bytea_output = 'escape'");
        setAll(
                "b",
                "datestyle = 'German'",
                "timezone = 'America/St_Johns'",
                "intervalstyle = 'sql_standard'",
                "extra_float_digits = 0");
    }

    private void setAll(String node, String... settings) {
        for (String setting : settings) {
            mesh.node(node).execute("ALTER DATABASE test SET " + setting);
        }
        // The workers that run were started with the settings of before.
        mesh.pause(node, mesh.other(node).id());
        mesh.resume(node, mesh.other(node).id());
    }

    @Test
    void valuesOfAllTypesAreRecognisedAndKeptWhole() {
        differentForms();
        String columns = IntStream.range(0, VALUES.size())
                .mapToObj(i -> "v" + i + " " + VALUES.get(i).type())
                .collect(Collectors.joining(", "));
        String values = VALUES.stream().map(Value::sql).collect(Collectors.joining(", "));
        Table item = mesh.tableOf(TYPES + "CREATE TABLE item (id int PRIMARY KEY, w text, " + columns + ")", "item")
                .on("a", "INSERT INTO item VALUES (1, 'old', " + values + ")");
        mesh.drain();
        // Seen by the next one, each time from the other side.
        for (String writer : List.of("b", "a", "b")) {
            item.on(writer, "UPDATE item SET w = 'turn of " + writer + "'");
            mesh.drain();
        }
        item.noConflict();
        item.apart("a", "UPDATE item SET w = 'early'", "UPDATE item SET w = 'late'")
                .answers("SELECT w FROM item", "late")
                .answers(
                        "SELECT conflict_type, possible FROM steep_repl.conflict_log WHERE table_schema = current_schema()",
                        "UPDATE-UPDATE|f");
        SoftAssertions softly = new SoftAssertions();
        for (int i = 0; i < VALUES.size(); i++) {
            Value value = VALUES.get(i);
            for (String tuple : List.of("local_tuple", "remote_tuple", "base_tuple")) {
                String sql =
                        "SELECT %s->'v%d' = $x$%s$x$::jsonb, %1$s->'v%2$d' FROM steep_repl.conflict_log WHERE table_schema = current_schema()"
                                .formatted(tuple, i, value.json());
                mesh.nodes()
                        .forEach(node -> softly.assertThat(item.rows(node, sql).getFirst())
                                .as(
                                        "%s %s in %s on %s, to be %s",
                                        value.type(), value.sql(), tuple, node.id(), value.json())
                                .startsWith("t|"));
            }
        }
        softly.assertAll();
        item.proven().isEqualByHash();
    }

    @Test
    void generatedAndIdentityColumnsAreComputedAgain() {
        mesh.table("id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v int, g int GENERATED ALWAYS AS (v * 2) STORED,"
                        + " virtual int GENERATED ALWAYS AS (v * 3)")
                .on("a", "INSERT INTO item (v) VALUES (1)")
                .drained()
                .apart("b", "UPDATE item SET v = 10", "UPDATE item SET v = 20")
                .holds("1|20|40|60")
                .apart("a", "DELETE FROM item", "UPDATE item SET v = 30")
                .holds("1|30|60|90")
                .proven();
    }
}
