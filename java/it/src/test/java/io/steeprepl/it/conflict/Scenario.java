package io.steeprepl.it.conflict;

import java.util.List;

/** One of the scenarios of docs/guide/conflict-scenarios.md: rows, then a write on a, then a later one on b, then both meet. */
record Scenario(String name, String columns, List<String> rows, String a, String b, String shown) {
    private static final String PLAIN = "id int PRIMARY KEY, v text, w text";
    private static final List<String> ONE = List.of("(1, 'v', 'w')");
    private static final String ALL = "SELECT * FROM item ORDER BY 1";

    private static Scenario of(String name, List<String> rows, String a, String b) {
        return new Scenario(name, PLAIN, rows, a, b, ALL);
    }

    static final List<Scenario> ALL_OF_THEM = List.of(
            of("One column updated on A, then on B", ONE, "UPDATE item SET v = 'A'", "UPDATE item SET v = 'B'"),
            of("Different columns updated", ONE, "UPDATE item SET v = 'A'", "UPDATE item SET w = 'B'"),
            of("Updated on A, then deleted on B", ONE, "UPDATE item SET v = 'A'", "DELETE FROM item"),
            of("Deleted on A, then updated on B", ONE, "DELETE FROM item", "UPDATE item SET v = 'B'"),
            of(
                    "One key inserted on A, then on B",
                    List.of(),
                    "INSERT INTO item VALUES (1, 'A')",
                    "INSERT INTO item VALUES (1, 'B')"),
            new Scenario(
                    "Different keys with one unique value inserted",
                    "id int PRIMARY KEY, v text UNIQUE",
                    List.of(),
                    "INSERT INTO item VALUES (1, 'x')",
                    "INSERT INTO item VALUES (2, 'x')",
                    ALL),
            of(
                    "Deleted on A; deleted and inserted again on B",
                    ONE,
                    "DELETE FROM item",
                    "DELETE FROM item; INSERT INTO item VALUES (1, 'B')"),
            of("Key 1 made 2 on A, then made 3 on B", ONE, "UPDATE item SET id = 2", "UPDATE item SET id = 3"),
            new Scenario(
                    "A large column updated on A, another column on B",
                    "id int PRIMARY KEY, v text STORAGE EXTERNAL, w text",
                    List.of("(1, repeat('o', 9000), 'w')"),
                    "UPDATE item SET v = repeat('A', 9000)",
                    "UPDATE item SET w = 'B'",
                    "SELECT id, left(v, 1) || '…', w FROM item ORDER BY 1"),
            new Scenario(
                    "A counter of 100: 10 taken on A, 20 on B",
                    "id int PRIMARY KEY, n int",
                    List.of("(1, 100)"),
                    "UPDATE item SET n = n - 10",
                    "UPDATE item SET n = n - 20",
                    ALL),
            of("Truncated on A, then a row inserted on B", ONE, "TRUNCATE item", "INSERT INTO item VALUES (2, 'B')"),
            new Scenario(
                    "100 rows counted up on A, then on B",
                    "id int PRIMARY KEY, n int",
                    List.of("(generate_series(1, 100), 0)"),
                    "UPDATE item SET n = n + 1",
                    "UPDATE item SET n = n + 2",
                    "SELECT count(*) || ' × ' || n FROM item GROUP BY n ORDER BY n"));
}
