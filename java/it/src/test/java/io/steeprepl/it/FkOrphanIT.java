package io.steeprepl.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.testkit.Cluster;
import io.steeprepl.testkit.ClusterLogs;
import io.steeprepl.testkit.TestNode;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Rows whose parent is deleted on another node: apply workers do not enforce foreign keys. */
@ExtendWith(ClusterLogs.class)
class FkOrphanIT {
    private static Cluster cluster;
    private static TestNode a;
    private static TestNode b;
    private static TestNode c;

    @BeforeAll
    static void start() {
        cluster = Cluster.start(3).link(3);
        a = cluster.node(0);
        b = cluster.node(1);
        c = cluster.node(2);
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    private static void replicated(String name, String definition) {
        cluster.nodes().forEach(n -> n.execute("CREATE TABLE " + name + " " + definition));
        a.query("SELECT steep_repl.add_table('" + name + "')");
        everywhere("SELECT state FROM steep_repl.replicated_tables() WHERE table_name = '" + name + "'", "ready");
    }

    private static void everywhere(String query, String expected) {
        cluster.nodes().forEach(n -> Sql.await(n, query, expected));
    }

    private static void pause(TestNode node, TestNode from) {
        node.query("SELECT steep_repl.pause('" + from.id() + "')");
    }

    private static void resume(TestNode node, TestNode from) {
        node.query("SELECT steep_repl.resume('" + from.id() + "')");
    }

    /** What a node has logged about a table, oldest first. */
    private static String entries(String table) {
        return "SELECT string_agg(concat_ws(' ', key, resolution, resolved_by), ', ' ORDER BY id) FROM steep_repl.conflict_log"
                + " WHERE conflict_type = 'FK-ORPHAN' AND table_name = '" + table + "'";
    }

    private static String unlooked(String table) {
        return "SELECT (SELECT count(*) FROM steep_repl.orphan_checks) + count(*) FROM steep_repl.orphan_suspects s"
                + " JOIN pg_constraint k ON k.oid = s.constraint_id WHERE k.conrelid = '" + table + "'::regclass";
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aChildOfADeletedParentIsLoggedOnAllNodesInWhicheverOrderTheyCome(boolean deletionFirst) {
        String parent = deletionFirst ? "customers" : "suppliers";
        String child = deletionFirst ? "orders" : "deliveries";
        replicated(parent, "(id int PRIMARY KEY, name text)");
        replicated(child, "(id int PRIMARY KEY, of bigint CONSTRAINT belongs REFERENCES " + parent + ", what text)");
        a.execute("INSERT INTO " + parent + " VALUES (1, 'Ann'), (2, 'Bo')");
        everywhere("SELECT count(*) FROM " + parent, "2");
        pause(a, b);
        pause(b, a);
        pause(c, a);
        pause(c, b);
        a.execute("DELETE FROM " + parent + " WHERE id = 1");
        b.execute("INSERT INTO " + child + " VALUES (7, 1, 'one'), (8, 2, 'two'), (9, NULL, 'none')");
        resume(c, deletionFirst ? a : b);
        if (deletionFirst) {
            Sql.await(c, "SELECT count(*) FROM " + parent, "1");
        } else {
            Sql.await(c, "SELECT count(*) FROM " + child, "3");
        }
        resume(c, deletionFirst ? b : a);
        resume(a, b);
        resume(b, a);
        everywhere(entries(child), "{\"id\": 7} PENDING");
        everywhere(
                "SELECT local_tuple, base_tuple FROM steep_repl.conflict_log WHERE table_name = '" + child + "'",
                "{\"id\": 7, \"of\": 1, \"what\": \"one\"}|{\"id\": 1, \"name\": \"Ann\"}");
        String identity = "SELECT conflict_key FROM steep_repl.conflict_log WHERE table_name = '" + child + "'";
        assertThat(List.of(b.query(identity), c.query(identity))).containsOnly(a.query(identity));
        assertThat(a.query("SELECT reason FROM steep_repl.conflict_log WHERE table_name = '" + child + "'"))
                .contains("belongs", "public." + parent, "{\"id\": 1}", "delete this row", "base_tuple");
        assertThat(a.query("SELECT (steep_repl.health()->'orphans'->>'pending')::int > 0"))
                .isEqualTo("t");

        a.execute("DELETE FROM " + child + " WHERE id = 7");
        everywhere(entries(child), "{\"id\": 7} APPLIED_REMOTE proof");
        everywhere(unlooked(child), "0");
    }

    @Test
    void aParentThatIsOnlyLateLeavesNoEntry() {
        replicated("albums", "(id int PRIMARY KEY)");
        replicated("songs", "(id int PRIMARY KEY, album int REFERENCES albums)");
        a.execute("INSERT INTO albums VALUES (1)", "DELETE FROM albums");
        b.execute("INSERT INTO songs VALUES (1, NULL)");
        everywhere("SELECT count(*) FROM songs", "1");
        Sql.await(c, "SELECT count(*) > 0 FROM steep_repl.tombstones WHERE relation = 'albums'::regclass", "t");
        pause(c, a);
        a.execute("INSERT INTO albums VALUES (20)");
        Sql.await(b, "SELECT count(*) FROM albums", "1");
        b.execute("INSERT INTO songs VALUES (5, 20)");
        Sql.await(c, "SELECT album FROM songs WHERE id = 5", "20");
        // It has been looked at, more than once.
        Sql.await(
                c,
                "SELECT bool_and(next_look > seen_at + interval '2 seconds') FROM steep_repl.orphan_suspects s"
                        + " JOIN pg_constraint k ON k.oid = s.constraint_id WHERE k.conrelid = 'songs'::regclass",
                "t");
        assertThat(c.query("SELECT (steep_repl.health()->'orphans'->>'suspected')::int > 0"))
                .isEqualTo("t");
        resume(c, a);
        everywhere("SELECT count(*) FROM albums", "1");
        everywhere(unlooked("songs"), "0");
        cluster.nodes().forEach(n -> assertThat(n.query(entries("songs"))).isEmpty());
    }

    @Test
    void aParentThatComesBackClosesTheEntryAlsoOfTheSameTable() {
        replicated("folders", "(id text PRIMARY KEY, up varchar(20) REFERENCES folders)");
        a.execute("INSERT INTO folders VALUES ('top', NULL)", "INSERT INTO folders VALUES ('mine', 'mine')");
        everywhere("SELECT count(*) FROM folders", "2");
        pause(a, b);
        pause(b, a);
        a.execute("DELETE FROM folders WHERE id = 'top'", "DELETE FROM folders WHERE id = 'mine'");
        b.execute("INSERT INTO folders VALUES ('below', 'top')", "INSERT INTO folders VALUES ('alone', 'alone')");
        resume(a, b);
        resume(b, a);
        everywhere(entries("folders"), "{\"id\": \"below\"} PENDING");
        b.execute("INSERT INTO folders VALUES ('top', NULL)");
        everywhere(entries("folders"), "{\"id\": \"below\"} APPLIED_REMOTE proof");
        Cluster.awaitEqual("folders", cluster.nodes());
    }

    @Test
    void aKeyOfSeveralColumnsMovesAwayFromAPartitionsChild() {
        replicated("places", "(x int, y text, PRIMARY KEY (x, y)) PARTITION BY LIST (x)");
        cluster.nodes()
                .forEach(n -> n.execute(
                        "CREATE TABLE places_1 PARTITION OF places FOR VALUES IN (1)",
                        "CREATE TABLE places_2 (y text NOT NULL, x int NOT NULL)",
                        "ALTER TABLE places ATTACH PARTITION places_2 FOR VALUES IN (2)"));
        replicated(
                "visits",
                "(id int PRIMARY KEY, y text, x int, FOREIGN KEY (x, y) REFERENCES places) PARTITION BY HASH (id)");
        cluster.nodes()
                .forEach(n -> n.execute(
                        "CREATE TABLE visits_0 PARTITION OF visits FOR VALUES WITH (MODULUS 1, REMAINDER 0)"));
        a.execute("INSERT INTO places VALUES (1, 'k'), (2, 'k'), (2, 'stays')");
        everywhere("SELECT count(*) FROM places", "3");
        pause(a, b);
        pause(b, a);
        a.execute("UPDATE places SET y = 'l' WHERE x = 2 AND y = 'k'", "DELETE FROM places WHERE x = 1");
        b.execute("INSERT INTO visits (id, x, y) VALUES (1, 1, NULL), (2, 2, 'k'), (3, 2, 'stays'), (4, NULL, 'k')");
        resume(a, b);
        resume(b, a);
        everywhere(entries("visits"), "{\"id\": 2} PENDING");
        b.execute("UPDATE visits SET y = 'stays' WHERE id = 2");
        everywhere(entries("visits"), "{\"id\": 2} APPLIED_REMOTE proof");
        everywhere(unlooked("visits"), "0");
    }

    @Test
    void aSessionThatIsDeletingTheParentDoesNotSeeTheChildArrive() throws SQLException {
        replicated("teams", "(id int PRIMARY KEY)");
        replicated("players", "(id int PRIMARY KEY, team int REFERENCES teams)");
        a.execute("INSERT INTO teams VALUES (1)");
        everywhere("SELECT count(*) FROM teams", "1");
        try (Connection connection = b.connect();
                Statement session = connection.createStatement()) {
            connection.setAutoCommit(false);
            session.execute("DELETE FROM teams");
            a.execute("INSERT INTO players VALUES (1, 1)");
            Sql.await(b, "SELECT count(*) FROM players", "1");
            connection.commit();
        }
        everywhere(entries("players"), "{\"id\": 1} PENDING");
        a.execute("INSERT INTO teams VALUES (1)");
        everywhere(entries("players"), "{\"id\": 1} APPLIED_REMOTE proof");
    }

    @Test
    void deletionsThatTakeTheirChildrenAlongLeaveNoEntry() {
        replicated("books", "(id int PRIMARY KEY)");
        replicated("pages", "(id int PRIMARY KEY, book int REFERENCES books ON DELETE CASCADE)");
        a.execute(
                "INSERT INTO books SELECT generate_series(1, 50)",
                "INSERT INTO pages SELECT g, g % 50 + 1 FROM generate_series(1, 500) g");
        everywhere("SELECT count(*) FROM pages", "500");
        b.execute("DELETE FROM books WHERE id > 10");
        everywhere("SELECT count(*) FROM pages", "100");
        everywhere("SELECT count(*) FROM books", "10");
        everywhere(unlooked("pages"), "0");
        cluster.nodes().forEach(n -> assertThat(n.query(entries("pages"))).isEmpty());
    }
}
