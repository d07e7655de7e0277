package io.steeprepl.it.conflict;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Checks of domains and expressions of unique indexes are code of the table's owner: whatever is done with a row, it runs
 * with no more than the owner's rights.
 */
@ExtendWith(TwoNodes.class)
class OwnersCodeIT {
    private static final String AS_OWNER = "SET ROLE keeper; ";

    private final Mesh mesh;

    OwnersCodeIT(Mesh mesh) {
        this.mesh = mesh;
    }

    /** A table of a role without any rights, whose code does not bear a superuser. */
    private Table table(String create) {
        String code = "DO $$BEGIN IF to_regrole('keeper') IS NULL THEN CREATE ROLE keeper; END IF;"
                + " EXECUTE format('GRANT USAGE, CREATE ON SCHEMA %I TO keeper', current_schema); END $$; "
                + as("CREATE FUNCTION mine(v text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$BEGIN"
                        + " IF (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user) THEN RAISE 'this ran with the rights of %', current_user; END IF;"
                        + " RETURN v; END $$;"
                        + " CREATE DOMAIN d AS text NOT NULL CHECK (mine(VALUE) <> '');"
                        + create)
                + "; GRANT SELECT ON item TO steep_link; RESET ROLE";
        return mesh.tableOf(code, "item");
    }

    private Table item() {
        return table("CREATE TABLE item (k d PRIMARY KEY, v d, w text, ks d[] DEFAULT '{x}');"
                + " CREATE UNIQUE INDEX item_w ON item (mine(w)) WHERE mine(w) <> 'free'");
    }

    private void clean(Table item) {
        item.proven();
        mesh.nodes()
                .forEach(node -> assertThat(
                                node.query("SELECT string_agg(DISTINCT error, '; ') FROM steep_repl.conflict_log"
                                        + " WHERE table_schema = '" + item.schema() + "' AND error LIKE '%rights%'"))
                        .as(node.id())
                        .isEmpty());
    }

    private static String as(String sql) {
        return AS_OWNER + sql;
    }

    @Test
    void ofConflicts() {
        Table item = item().on(
                        "a",
                        as(
                                "INSERT INTO item (k, v, w) VALUES ('1', 'old', 'w1'), ('2', 'old', 'w2'), ('3', 'old', 'w3')"))
                .drained();
        item.apart(
                "a",
                as(
                        "UPDATE item SET v = 'a' WHERE k = '1'; DELETE FROM item WHERE k = '2'; INSERT INTO item (k, v, w) VALUES ('4', 'a', 'same')"),
                as(
                        "UPDATE item SET v = 'b' WHERE k = '1'; UPDATE item SET v = 'b' WHERE k = '2'; INSERT INTO item (k, v, w) VALUES ('5', 'b', 'same')"));
        item.awaitHolds("1|b|w1|{x}", "2|b|w2|{x}", "3|old|w3|{x}", "5|b|same|{x}");
        clean(item);
    }

    @Test
    void ofChangesThatAreTriedAgain() {
        Table item = item().on("a", as("INSERT INTO item (k, v, w) VALUES ('1', 'old', 'w1')"))
                .drained()
                .on("b", "ALTER TABLE item ADD CONSTRAINT short CHECK (length(v) < 5)")
                .on("a", as("UPDATE item SET k = '9', v = 'too long', w = 'same' WHERE k = '1'"));
        Mesh.await(
                mesh.node("b"),
                "SELECT count(*) FROM steep_repl.conflict_log WHERE resolution = 'PENDING' AND table_schema = '"
                        + item.schema() + "'",
                "1");
        item.drained().on("b", "ALTER TABLE item DROP CONSTRAINT short").awaitHolds("9|too long|same|{x}");
        clean(item);
    }

    @Test
    void ofForeignKeys() {
        Table item = table(
                "CREATE TABLE item (k d PRIMARY KEY); CREATE TABLE child (id int PRIMARY KEY, k d REFERENCES item)");
        item.everywhere("GRANT SELECT ON child TO steep_link")
                .on("a", "SELECT steep_repl.add_table('child')")
                .awaitReady()
                .on("a", as("INSERT INTO item VALUES ('1'), ('2'); INSERT INTO child VALUES (2, '2')"))
                .drained()
                .apart("a", as("DELETE FROM item WHERE k = '1'"), as("INSERT INTO child VALUES (1, '1')"));
        Mesh.await(
                mesh.node("a"),
                "SELECT string_agg(key::text || resolution, ', ') FROM steep_repl.conflict_log WHERE conflict_type = 'FK-ORPHAN' AND table_schema = '"
                        + item.schema() + "'",
                "{\"id\": 1}PENDING");
        item.on("a", as("DELETE FROM child WHERE id = 1"));
        clean(item);
    }
}
