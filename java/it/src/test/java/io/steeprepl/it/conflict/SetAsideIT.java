package io.steeprepl.it.conflict;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Whatever keeps a row from being applied: the rest of its transaction and all that follows are applied, and it comes by itself later. */
@ExtendWith(TwoNodes.class)
class SetAsideIT {
    private static final String BAD = "(SELECT 'bad' || string_agg(md5(g::text), '') FROM generate_series(1, 400) g)";

    private final Mesh mesh;

    SetAsideIT(Mesh mesh) {
        this.mesh = mesh;
    }

    /** So many changes wait on b. */
    private void awaitPending(Table item, String count) {
        Mesh.await(
                mesh.node("b"),
                "SELECT count(*) FROM steep_repl.conflict_log WHERE resolution = 'PENDING' AND table_schema = '"
                        + item.schema() + "'",
                count);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            MY001 | CREATE TRIGGER no BEFORE INSERT ON item FOR EACH ROW WHEN (NEW.v LIKE 'bad%') EXECUTE FUNCTION no('MY001'); ALTER TABLE item ENABLE ALWAYS TRIGGER no | DROP TRIGGER no ON item
            P0001 | CREATE TRIGGER no BEFORE INSERT ON item FOR EACH ROW WHEN (NEW.v LIKE 'bad%') EXECUTE FUNCTION no('P0001'); ALTER TABLE item ENABLE REPLICA TRIGGER no | DROP TRIGGER no ON item
            23514 | ALTER TABLE item ADD COLUMN extra timestamptz DEFAULT clock_timestamp(), ADD CONSTRAINT short CHECK (length(v) < 10) | ALTER TABLE item DROP COLUMN extra, DROP CONSTRAINT short
            54000 | CREATE INDEX large ON item (v) | DROP INDEX large
            22001 | ALTER TABLE item ALTER v TYPE varchar(10) | ALTER TABLE item ALTER v TYPE text
            """)
    void whatStandsInTheWayOfARowStandsInTheWayOfNothingElse(String sqlstate, String cause, String remedy) {
        Table item = mesh.table("id int PRIMARY KEY, v text");
        item.on(
                "b",
                "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not at %', clock_timestamp() USING ERRCODE = TG_ARGV[0]; END $$",
                cause);
        item.on(
                "a",
                "INSERT INTO item VALUES (1, 'good'); INSERT INTO item VALUES (2, " + BAD
                        + "); INSERT INTO item VALUES (3, 'good'); INSERT INTO item VALUES (4, " + BAD + ")");
        item.on("a", "INSERT INTO item VALUES (5, 'later')");
        String entries =
                "SELECT string_agg(format('%s %s %s', key->>'id', sqlstate, resolution), ', ' ORDER BY key->>'id')"
                        + " FROM steep_repl.conflict_log WHERE conflict_type = 'APPLY-ERROR' AND table_schema = '"
                        + item.schema()
                        + "'";
        Mesh.await(mesh.node("b"), entries, "2 %1$s PENDING, 4 %1$s PENDING".formatted(sqlstate));
        mesh.drain();
        assertThat(item.rows(mesh.node("b"), "SELECT id, v FROM item ORDER BY id"))
                .containsExactly("1|good", "3|good", "5|later");
        assertThat(item.rows(mesh.node("a"), "SELECT count(*) FROM item")).containsExactly("5");
        item.on("b", remedy);
        awaitPending(item, "0");
        item.isEqual().proven();
    }

    /** In one transaction with what is set aside; the other side writes to the same rows, before or after. */
    @WhoeverIsFirst
    void theRestOfItsTransactionIsDecidedAsEver(String first) {
        Table item = mesh.plain(
                "CREATE TABLE item (id int PRIMARY KEY, v text, wide text STORAGE EXTERNAL); CREATE TABLE loose (n int, w text)",
                "item");
        item.add("")
                .awaitReady()
                .on("a", "SELECT steep_repl.add_table('loose')")
                .awaitReady();
        item.on(
                "a",
                "INSERT INTO item SELECT g, 'old', repeat('wide', 3000) FROM generate_series(1, 9) g; INSERT INTO loose VALUES (1, 'x'), (1, 'x'), (2, 'y')");
        mesh.drain();
        item.on("b", "ALTER TABLE item ADD CONSTRAINT short CHECK (v <> 'bad')");
        String ofA =
                "INSERT INTO item VALUES (99, 'bad', ''); UPDATE item SET v = 'of a' WHERE id = 1; DELETE FROM item WHERE id = 2;"
                        + " UPDATE item SET id = 30, v = 'of a' WHERE id = 3; UPDATE item SET id = 40 WHERE id = 4; INSERT INTO item VALUES (50, 'of a', '');"
                        + " UPDATE item SET v = 'of a' WHERE id = 6; UPDATE item SET v = 'of a' WHERE id = 7; DELETE FROM item WHERE id = 8;"
                        + " INSERT INTO loose VALUES (3, 'z'); DELETE FROM loose WHERE n = 2;"
                        + " UPDATE loose SET w = 'xx' WHERE ctid = (SELECT min(ctid) FROM loose WHERE n = 1)";
        String ofB = "UPDATE item SET v = 'of b' WHERE id = 1; UPDATE item SET v = 'of b' WHERE id = 2;"
                + " UPDATE item SET v = 'of b' WHERE id = 3; INSERT INTO item VALUES (50, 'of b', ''); DELETE FROM item WHERE id = 7";
        item.apart(first, first.equals("a") ? ofA : ofB, first.equals("a") ? ofB : ofA);
        awaitPending(item, "1");
        item.on("b", "ALTER TABLE item DROP CONSTRAINT short");
        awaitPending(item, "0");
        item.proven()
                .answers(
                        "SELECT id || ' ' || v || ' ' || length(wide) FROM item ORDER BY id",
                        first.equals("a")
                                ? new String[] {
                                    "1 of b 12000",
                                    "2 of b 12000",
                                    "3 of b 12000",
                                    "5 old 12000",
                                    "6 of a 12000",
                                    "9 old 12000",
                                    "40 old 12000",
                                    "50 of b 0",
                                    "99 bad 0"
                                }
                                : new String[] {
                                    "1 of a 12000",
                                    "5 old 12000",
                                    "6 of a 12000",
                                    "7 of a 12000",
                                    "9 old 12000",
                                    "30 of a 12000",
                                    "40 old 12000",
                                    "50 of a 0",
                                    "99 bad 0"
                                })
                .answers("SELECT n, w FROM loose ORDER BY n, w", "1|x", "1|xx", "3|z");
    }

    /** The worker would stop at each of its rows. */
    @Test
    void rowsOfATableThatLacksAColumnAreAllSetAside() {
        Table item = mesh.table("id int PRIMARY KEY, v text, w text");
        item.on("b", "ALTER TABLE item DROP COLUMN w");
        item.on("a", "INSERT INTO item VALUES (1, 'one', 'first'), (2, 'two', 'second')");
        awaitPending(item, "2");
        assertThat(item.rows(mesh.node("b"), "SELECT * FROM item")).isEmpty();
        item.on("b", "ALTER TABLE item ADD COLUMN w text");
        awaitPending(item, "0");
        item.holds("1|one|first", "2|two|second").proven();
    }
}
