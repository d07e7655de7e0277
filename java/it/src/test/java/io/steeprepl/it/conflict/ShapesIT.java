package io.steeprepl.it.conflict;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Conflicts in tables of all shapes: filled before, wide, partitioned, of odd names, with keys of odd collations, without before-images. */
@ExtendWith(TwoNodes.class)
class ShapesIT {
    private final Mesh mesh;

    ShapesIT(Mesh mesh) {
        this.mesh = mesh;
    }

    @WhoeverIsFirst
    void rowsThatWereThereBeforeTheTableWasAddedConflictAsOthers(String first) {
        Table item = mesh.plain("CREATE TABLE item (id int PRIMARY KEY, v text)", "item");
        item.everywhere("INSERT INTO item VALUES (1, 'old'), (2, 'old'), (3, 'old')")
                .add(", existing => 'identical'");
        item.apart(
                        first,
                        "UPDATE item SET v = 'early' WHERE id IN (1, 2); DELETE FROM item WHERE id = 3",
                        "UPDATE item SET v = 'late' WHERE id IN (1, 3); DELETE FROM item WHERE id = 2")
                .holds("1|late", "3|late")
                .logged(
                        first,
                        Conflict.of("UPDATE-UPDATE")
                                .earlier("1|early")
                                .later("1|late")
                                .base("1|old"),
                        Conflict.of("UPDATE-DELETE").earlier("2|early").base("2|old"),
                        Conflict.of("UPDATE-DELETE").later("3|late").base("3|old"));
    }

    @WhoeverIsFirst
    void aWideColumnIsTakenFromTheRowThatWins(String first) {
        Table item = mesh.table(
                "id int PRIMARY KEY, v text STORAGE EXTERNAL, w text",
                "(1, repeat('old', 5000), 'old')",
                "(2, repeat('old', 5000), 'old')");
        item.apart(
                        first,
                        "UPDATE item SET v = repeat('early', 5000) WHERE id = 1; UPDATE item SET w = 'early' WHERE id = 2",
                        "UPDATE item SET w = 'late' WHERE id = 1; UPDATE item SET v = repeat('late', 5000) WHERE id = 2")
                .answers(
                        "SELECT id, left(v, 5), length(v), w FROM item ORDER BY id",
                        "1|oldol|15000|late",
                        "2|latel|20000|old")
                .answers(
                        "SELECT length(local_tuple->>'v') + length(remote_tuple->>'v') FROM steep_repl.conflict_log"
                                + " WHERE table_schema = current_schema() ORDER BY key::text",
                        "40000",
                        "35000")
                .proven();
    }

    @WhoeverIsFirst
    void aWideColumnThatWasNotTouchedComesBackWithTheRow(String first) {
        mesh.tableOf(
                        "CREATE TABLE item (id int PRIMARY KEY, v text, w text)",
                        "item",
                        "(1, (SELECT string_agg(md5(g::text), '') FROM generate_series(1, 400) g), 'old')")
                .apart(first, "DELETE FROM item", "UPDATE item SET w = 'late'")
                .answers("SELECT id, length(v), w FROM item", "1|12800|late")
                .proven();
    }

    @WhoeverIsFirst
    void aMoveToAnotherPartitionIsADeletionAndAnInsertion(String first) {
        String create = "CREATE TABLE item (id int, part int, v text, PRIMARY KEY (id, part)) PARTITION BY LIST (part);"
                + " CREATE TABLE item_1 PARTITION OF item FOR VALUES IN (1); CREATE TABLE item_2 PARTITION OF item FOR VALUES IN (2)";
        mesh.tableOf(create, "item", "(1, 1, 'old')", "(2, 1, 'old')", "(3, 1, 'old')", "(4, 1, 'old')")
                .apart(
                        first,
                        "UPDATE item SET part = 2 WHERE id IN (1, 3); UPDATE item SET v = 'early' WHERE id IN (2, 4)",
                        "UPDATE item SET v = 'late' WHERE id = 1; UPDATE item SET part = 2 WHERE id IN (2, 4)")
                .answers("SELECT part, v FROM item WHERE id = 1 AND part = 1", "1|late")
                .answers("SELECT id, part, v FROM item WHERE id <> 1 ORDER BY id", "2|2|old", "3|2|old", "4|2|old")
                .isEqual()
                .logged(
                        first,
                        Conflict.of("UPDATE-DELETE").later("1|1|late").base("1|1|old"),
                        Conflict.of("UPDATE-DELETE").earlier("2|1|early").base("2|1|old"),
                        Conflict.of("UPDATE-DELETE").earlier("4|1|early").base("4|1|old"));
    }

    @WhoeverIsFirst
    void partitionsThatAreNotPartOfTheKeyConflictAsOneTable(String first) {
        String create = "CREATE TABLE item (id int PRIMARY KEY, v text) PARTITION BY HASH (id);"
                + " CREATE TABLE item_0 PARTITION OF item FOR VALUES WITH (MODULUS 2, REMAINDER 0);"
                + " CREATE TABLE item_1 PARTITION OF item FOR VALUES WITH (MODULUS 2, REMAINDER 1)";
        mesh.tableOf(create, "item", "(1, 'old')", "(2, 'old')")
                .apart(
                        first,
                        "UPDATE item SET v = 'early'; INSERT INTO item VALUES (3, 'early')",
                        "DELETE FROM item WHERE id = 2; INSERT INTO item VALUES (3, 'late')")
                .holds("1|early", "3|late")
                .logged(
                        first,
                        Conflict.of("UPDATE-DELETE").earlier("2|early").base("2|old"),
                        Conflict.of("INSERT-INSERT").earlier("3|early").later("3|late"));
    }

    @WhoeverIsFirst
    void oddNamesAreNoObstacle(String first) {
        String umlauts = "ü".repeat(31);
        String name = "\"Tab.elle \"\"" + "ä".repeat(25) + "\"\"\"";
        mesh.tableOf(
                        "CREATE TABLE " + name + " (\"der Schlüssel\" int PRIMARY KEY, \"" + umlauts
                                + "\" text, \"it's $1 100%\" text UNIQUE)",
                        name,
                        "(1, 'old', 'x')")
                .apart(
                        first,
                        "UPDATE " + name + " SET \"" + umlauts + "\" = 'early'; INSERT INTO " + name
                                + " VALUES (2, 'y', 'z')",
                        "DELETE FROM " + name + "; INSERT INTO " + name + " VALUES (3, 'y', 'z')")
                .holds("3|y|z")
                .logged(
                        first,
                        Conflict.of("UPDATE-DELETE").earlier("1|early|x").base("1|old|x"),
                        Conflict.of("UNIQUE").earlier("2|y|z").later("3|y|z"));
    }

    @WhoeverIsFirst
    void columnsNamedLikeWhatOurStatementsUseAreNoObstacle(String first) {
        mesh.table("id int PRIMARY KEY, t text UNIQUE, key text, node text, state text", "(1, 'x', 'old', 'n', 's')")
                .apart(
                        first,
                        "UPDATE item SET key = 'early'; INSERT INTO item VALUES (2, 'y', 'k', 'n', 's')",
                        "UPDATE item SET key = 'late'; INSERT INTO item VALUES (3, 'y', 'k', 'n', 's')")
                .holds("1|x|late|n|s", "3|y|k|n|s")
                .proven()
                .apart(first, "TRUNCATE item", "INSERT INTO item VALUES (4, 'w', 'k', 'n', 's')")
                .holds("4|w|k|n|s")
                .proven();
    }

    @WhoeverIsFirst
    void keysThatTheirCollationTakesForOneAreOneKey(String first) {
        String create = "CREATE COLLATION caseless (provider = icu, locale = 'und-u-ks-level2', deterministic = false);"
                + " CREATE TABLE item (id text COLLATE caseless PRIMARY KEY, v text)";
        mesh.tableOf(create, "item", "('Old', 'old')", "('gone', 'old')")
                .apart(
                        first,
                        "INSERT INTO item VALUES ('Key', 'early'); UPDATE item SET v = 'early' WHERE id = 'OLD'; DELETE FROM item WHERE id = 'GONE'",
                        "INSERT INTO item VALUES ('KEY', 'late'); UPDATE item SET v = 'late', id = 'old' WHERE id = 'old'; UPDATE item SET v = 'late' WHERE id = 'gone'")
                .answers("SELECT id, v FROM item ORDER BY id", "gone|late", "KEY|late", "old|late")
                .proven();
    }

    @WhoeverIsFirst
    void keysOfSeveralColumnsAndTypes(String first) {
        mesh.table(
                        "v text, at timestamptz, b numeric, a char(3), PRIMARY KEY (a, b, at)",
                        "('old', '2024-01-01 00:00+00', 1.0, 'x')")
                .apart(first, "UPDATE item SET v = 'early', b = 1.000", "UPDATE item SET v = 'late'")
                .answers("SELECT v FROM item", "late")
                .proven();
    }

    @WhoeverIsFirst
    void valuesOfKeysThatLookLikePlacesOfParametersAreValues(String first) {
        mesh.table(
                        "a text, b text, c text, v text, u text UNIQUE, PRIMARY KEY (a, b, c)",
                        "(' OR pg_sleep(1) IS NULL OR b = ', 'p$1', '$2', 'old', 'k')")
                .apart(
                        first,
                        "UPDATE item SET v = 'early'; INSERT INTO item VALUES ('$2', '$3', '$1', 'early', 'q')",
                        "UPDATE item SET v = 'late'; INSERT INTO item VALUES ('$3', '$1', '$2', 'late', 'q')")
                .holds(" OR pg_sleep(1) IS NULL OR b = |p$1|$2|late|k", "$3|$1|$2|late|q")
                .proven();
    }

    /** Dropped before the table was added, and after; in another place on each node. */
    @ParameterizedTest
    @CsvSource({"a, last_write_wins", "b, last_write_wins", "a, column_merge", "b, column_merge"})
    void columnsThatWereDroppedAreNoObstacle(String first, String strategy) {
        Table item = mesh.plain("CREATE TABLE item (gone_a int, id int, u text, v text, w text, gone_b text)", "item");
        item.on("a", "ALTER TABLE item DROP COLUMN gone_a, ADD PRIMARY KEY (id), ADD UNIQUE (u), DROP COLUMN gone_b");
        item.on("b", "ALTER TABLE item DROP COLUMN gone_b, DROP COLUMN gone_a, ADD PRIMARY KEY (id), ADD UNIQUE (u)");
        item.everywhere(
                        "INSERT INTO item VALUES (1, 'x', 'old', 'old'), (2, 'y', 'old', 'old'), (3, 'z', 'old', 'old')")
                .add(", existing => 'identical'")
                .everywhere("ALTER TABLE item ADD COLUMN late int DEFAULT 7")
                .everywhere("ALTER TABLE item DROP COLUMN late");
        if (!strategy.equals("last_write_wins")) {
            item.strategy(strategy, "");
        }
        item.apart(
                        first,
                        "UPDATE item SET v = 'early', w = 'early' WHERE id = 1; DELETE FROM item WHERE id = 2;"
                                + " INSERT INTO item VALUES (4, 'q', 'early', '')",
                        "UPDATE item SET v = 'late' WHERE id = 1; UPDATE item SET v = 'late' WHERE id = 3;"
                                + " INSERT INTO item VALUES (5, 'q', 'late', '')")
                .holds(strategy.equals("column_merge") ? "1|x|late|early" : "1|x|late|old", "3|z|late|old", "5|q|late|")
                .proven();
    }

    @WhoeverIsFirst
    void eachTruncationOfAFunctionIsOne(String first) {
        mesh.table("id int PRIMARY KEY, v text", "(1, 'old')")
                .on(
                        first,
                        "DO $$ BEGIN TRUNCATE item; INSERT INTO item VALUES (2, 'between'); TRUNCATE item;"
                                + " INSERT INTO item VALUES (3, 'after'); END $$")
                .drained()
                .holds("3|after")
                .noConflict();
    }

    @Test
    void aPartitionIsNotTruncatedAloneInTheWakeOfTheWhole() {
        Table item = mesh.tableOf(
                "CREATE TABLE item (id int PRIMARY KEY) PARTITION BY HASH (id);"
                        + " CREATE TABLE item_0 PARTITION OF item FOR VALUES WITH (MODULUS 1, REMAINDER 0)",
                "item",
                "(1)");
        assertThat(item.error("a", "DO $$ BEGIN TRUNCATE item; INSERT INTO item VALUES (2); TRUNCATE item_0; END $$"))
                .startsWith("SR049");
        item.drained().holds("1");
    }

    @WhoeverIsFirst
    void whatATriggerWritesIntoItsOwnTableIsNotWhatArrives(String first) {
        Table item = mesh.table("id int PRIMARY KEY, v text", "(1, 'old')");
        String other = first.equals("a") ? "b" : "a";
        item.on(
                other,
                "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$ BEGIN UPDATE item SET v = 'noted' WHERE id = 1; RETURN NEW; END $$",
                "CREATE TRIGGER note BEFORE INSERT ON item FOR EACH ROW EXECUTE FUNCTION note()",
                "ALTER TABLE item ENABLE REPLICA TRIGGER note, ALTER v SET DEFAULT ''");
        item.on(first, "INSERT INTO item VALUES (2, 'new')").drained();
        assertThat(item.rows(mesh.node(other), "SELECT * FROM item ORDER BY id"))
                .containsExactly("1|noted", "2|new");
        item.noConflict();
    }

    @WhoeverIsFirst
    void withoutBeforeImagesTheLaterStaysAsWell(String first) {
        Table item = mesh.plain(
                "CREATE TABLE item (id int PRIMARY KEY, v text)",
                "item",
                "(1, 'old')",
                "(2, 'old')",
                "(3, 'old')",
                "(4, 'old')");
        item.add(", before_images => false")
                .apart(
                        first,
                        "UPDATE item SET v = 'early' WHERE id IN (1, 2); DELETE FROM item WHERE id = 3; UPDATE item SET id = 5 WHERE id = 4",
                        "UPDATE item SET v = 'late' WHERE id IN (1, 3); DELETE FROM item WHERE id = 2; UPDATE item SET id = 6 WHERE id = 4")
                .holds("1|late", "3|late", "6|old")
                .proven();
        assertThat(item.log("a")).hasSize(4);
    }

    @WhoeverIsFirst
    void withoutBeforeImagesALargeValueIsTakenFromTheRowThatWinsAsWell(String first) {
        Table item = mesh.plain(
                "CREATE TABLE item (id int PRIMARY KEY, v text STORAGE EXTERNAL, w text)",
                "item",
                "(1, repeat('old', 5000), 'old')");
        item.add(", before_images => false")
                .apart(first, "UPDATE item SET v = repeat('early', 5000)", "UPDATE item SET w = 'late'")
                .proven()
                .answers("SELECT id, left(v, 5), length(v), w FROM item", "1|oldol|15000|late");
    }

    @WhoeverIsFirst
    void aLargeValueThatWasNotSentIsFetchedFromThePeer(String first) {
        Table item = mesh.plain(
                "CREATE TABLE item (id int PRIMARY KEY, v text STORAGE EXTERNAL, w text)",
                "item",
                "(1, repeat('x', 9000), 'old')");
        item.add(", before_images => false")
                .apart(first, "DELETE FROM item", "UPDATE item SET w = 'late'")
                .proven()
                .answers("SELECT id, length(v), w FROM item", "1|9000|late");
    }

    @Test
    void replicaSessionsAndCopiesIntoAManagedTableReplicate() {
        mesh.table("id int PRIMARY KEY, v text", "(1, 'old')")
                .on(
                        "b",
                        "SET session_replication_role = replica; UPDATE item SET v = 'replica'; INSERT INTO item VALUES (2, 'replica'); DELETE FROM item WHERE id = 1")
                .drained()
                .holds("2|replica")
                .on(
                        "a",
                        "SET session_replication_role = replica; COPY item FROM PROGRAM 'seq -f \"%.0f\tcopied\" 10 1009'")
                .drained()
                .answers("SELECT count(*), sum(id) FROM item", "1001|509502")
                .apart(
                        "a",
                        "SET session_replication_role = replica; UPDATE item SET v = 'early' WHERE id = 2; DELETE FROM item WHERE id = 10",
                        "UPDATE item SET v = 'late' WHERE id IN (2, 10)")
                .answers("SELECT v FROM item WHERE id IN (2, 10)", "late", "late")
                .proven();
    }
}
