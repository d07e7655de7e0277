package io.steeprepl.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.testkit.Cluster;
import io.steeprepl.testkit.ClusterLogs;
import io.steeprepl.testkit.TestNode;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Tables that cannot be taken anew keep their rows, and all that speaks against it is said at once. */
@ExtendWith(ClusterLogs.class)
class ReinitRefusalIT {
    private static Cluster cluster;
    private static TestNode a;
    private static TestNode b;

    @BeforeAll
    static void start() {
        cluster = Cluster.start(2).link(2);
        a = cluster.node(0);
        b = cluster.node(1);
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    private static void both(String... sql) {
        cluster.nodes().forEach(node -> node.execute(sql));
    }

    private static void add(String table, String... create) {
        both(create);
        a.execute("SELECT steep_repl.add_table('" + table + "')");
        Reinit.awaitReady(cluster.nodes(), "public." + table);
    }

    @Test
    void allProblemsAtOnce() {
        add("shape", "CREATE TABLE shape (id int PRIMARY KEY, v text)");
        add("parent", "CREATE TABLE parent (id int PRIMARY KEY)");
        add("child", "CREATE TABLE child (id int PRIMARY KEY, parent int REFERENCES parent)");
        add("noisy", "CREATE TABLE noisy (id int PRIMARY KEY)");
        add("only_here", "CREATE TABLE only_here (id int PRIMARY KEY)");
        b.execute(
                "CREATE TABLE local_child (parent int REFERENCES parent)",
                "INSERT INTO parent VALUES (1)",
                "INSERT INTO child VALUES (1, 1)",
                "INSERT INTO local_child VALUES (1)",
                "CREATE FUNCTION cry() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
                "CREATE TRIGGER crier BEFORE TRUNCATE ON noisy EXECUTE FUNCTION cry()",
                "ALTER TABLE noisy ENABLE ALWAYS TRIGGER crier");
        Sql.await(a, "SELECT count(*) FROM child", "1");
        a.execute("ALTER TABLE shape ADD w int", "DELETE FROM steep_repl.tables WHERE table_name = 'only_here'");
        String error =
                Sql.error(b, "SELECT steep_repl.reinit_tables('a', '{shape,parent,public.noisy,only_here,nowhere}')");
        assertThat(error)
                .startsWith("SR120")
                .contains("nowhere is no replicated table here")
                .contains("public.shape: other columns than on a: column w")
                .contains(
                        "public.parent: table public.child refers to it (child_parent_fkey) and holds rows. Take public.child anew")
                .contains("public.parent: table public.local_child refers to it")
                .contains("public.noisy: trigger crier fires at TRUNCATE")
                .contains("public.only_here: a does not replicate it");
        assertThat(Sql.error(b, "SELECT steep_repl.reinit_tables('c')")).contains("SR120", "does not receive from c");
        assertThat(Sql.error(b, "SELECT steep_repl.reinit_tables('a', schema => 'bare')"))
                .contains("no table here replicates in schema bare");
        assertThat(b.query("SELECT count(*) FROM parent, child")).isEqualTo("1");
        assertThat(b.query("SELECT count(*) FROM steep_repl.reinit_progress()")).isEqualTo("0");
        Sql.await(b, "SELECT count(*) > 2 FROM steep_repl.audit_log WHERE action = 'node.reinit'", "t");
        // Together, and with the trigger as others are, they can be.
        b.execute("DROP TABLE local_child", "ALTER TABLE noisy ENABLE TRIGGER crier");
        Reinit.awaitComplete(b, b.query("SELECT steep_repl.reinit_tables('a', '{parent,child,noisy}')"));
        assertThat(b.query("SELECT count(*) FROM parent, child")).isEqualTo("1");
    }

    @Test
    void aSourceThatDoesNotAnswerIsNamedBesideTheOtherProblems() {
        add("alone", "CREATE TABLE alone (id int PRIMARY KEY)");
        b.execute("INSERT INTO alone VALUES (1)");
        Sql.await(a, "SELECT count(*) FROM alone", "1");
        a.server().kill9();
        try {
            assertThat(Sql.error(b, "SELECT steep_repl.reinit_tables('a', '{alone,nowhere}')"))
                    .contains("SR120", "nowhere is no replicated table", "a cannot be asked");
        } finally {
            a.server().start();
        }
        assertThat(b.query("SELECT count(*) FROM alone")).isEqualTo("1");
        Sql.awaitStreaming(b, "a");
        Sql.awaitStreaming(a, "b");
    }

    @Test
    void ownersOnly() {
        add("owned", "CREATE TABLE owned (id int PRIMARY KEY)");
        b.execute("CREATE ROLE anna IN ROLE steep_repl_admin");
        String asAnna = "SET SESSION AUTHORIZATION anna; SELECT steep_repl.reinit_tables('a', '{owned}')";
        assertThat(Sql.error(b, asAnna)).contains("SR120", "public.owned: it belongs to postgres");
        b.execute("ALTER TABLE owned OWNER TO anna");
        b.execute(asAnna);
        Sql.await(b, "SELECT state FROM steep_repl.reinit_progress() LIMIT 1", "complete");
    }

    @Test
    void oneAtATimeAndTheSameAgainGoesOn() {
        add("first", "CREATE TABLE first (id int PRIMARY KEY)");
        add("second", "CREATE TABLE second (id int PRIMARY KEY)");
        a.execute("SELECT steep_repl.pause('b')");
        b.execute("INSERT INTO first VALUES (1)");
        String id = Reinit.ask(b, "a", "first");
        Reinit.await(b, id, "phase LIKE 'waiting for a to receive%'");
        assertThat(Reinit.ask(b, "a", "public.first")).isEqualTo(id);
        assertThat(Sql.error(b, "SELECT steep_repl.reinit_tables('a', '{second}')"))
                .contains("SR120", "another take-over is under way");
        a.execute("SELECT steep_repl.resume('b')");
        Reinit.awaitComplete(b, id);
        assertThat(b.query("SELECT id FROM first")).isEqualTo("1");
    }

    @Test
    void aTableInUseKeepsItsRows() throws Exception {
        add("busy", "CREATE TABLE busy (id int PRIMARY KEY)");
        a.execute("INSERT INTO busy VALUES (1)");
        Sql.await(b, "SELECT count(*) FROM busy", "1");
        b.execute("ALTER SYSTEM SET steep_repl.lock_timeout = '200ms'", "SELECT pg_reload_conf()");
        String id;
        try (var connection = b.connect();
                var statement = connection.createStatement()) {
            connection.setAutoCommit(false);
            statement.execute("INSERT INTO busy VALUES (2)");
            id = Reinit.ask(b, "a", "busy");
            Reinit.await(b, id, "error LIKE '%busy is being used%' AND NOT emptied");
            assertThat(b.query("SELECT count(*) FROM busy")).isEqualTo("1");
            assertThat(a.query("SELECT state FROM steep_repl.replicated_tables() WHERE table_name = 'busy'"))
                    .isEqualTo("ready");
            connection.commit();
        } finally {
            b.execute("ALTER SYSTEM RESET steep_repl.lock_timeout", "SELECT pg_reload_conf()");
        }
        Reinit.awaitComplete(b, id);
        Sql.await(a, "SELECT count(*) FROM busy", "2");
        assertThat(b.query("SELECT count(*) FROM busy")).isEqualTo("2");
    }

    @Test
    void whatCannotBeTakenOverStaysEmptyRefusesWritesAndSaysSo() {
        add("limited", "CREATE TABLE limited (id int PRIMARY KEY, v int)");
        a.execute("INSERT INTO limited VALUES (1, 5)");
        Sql.await(b, "SELECT count(*) FROM limited", "1");
        Reinit.tamper(a, "INSERT INTO limited VALUES (2, 1000)");
        b.execute("ALTER TABLE limited ADD CONSTRAINT small CHECK (v < 10)");
        String id = Reinit.ask(b, "a", "limited");
        Sql.await(b, "SELECT state FROM steep_repl.reinit_progress() WHERE id = " + id, "failed");
        String failed = "SELECT state FROM steep_repl.replicated_tables() WHERE table_name = 'limited'";
        assertThat(b.query(failed)).isEqualTo("failed");
        Sql.await(a, failed, "failed");
        for (String write : new String[] {
            "INSERT INTO limited VALUES (3, 3)", "UPDATE limited SET v = 1", "DELETE FROM limited", "TRUNCATE limited"
        }) {
            assertThat(Sql.error(b, write)).contains("SR121", "yet to be taken anew from a", "small");
        }
        assertThat(b.query("SELECT count(*) FROM limited")).isEqualTo("0");
        assertThat(b.query("SELECT steep_repl.health()->>'reasons'")).contains("public.limited", "small");
        b.execute("ALTER TABLE limited RENAME TO hidden");
        assertThat(Sql.error(b, "INSERT INTO hidden VALUES (3, 3)")).contains("SR121", "another name");
        b.execute("ALTER TABLE hidden RENAME TO limited");
        // What others write is not lost: it comes with the next attempt.
        a.execute("INSERT INTO limited VALUES (4, 4)");
        b.execute("ALTER TABLE limited DROP CONSTRAINT small");
        Reinit.awaitComplete(b, b.query("SELECT steep_repl.reinit_tables('a', '{limited}')"));
        Cluster.awaitEqual("limited", cluster.nodes());
        Reinit.awaitReady(cluster.nodes(), "public.limited");
        b.execute("INSERT INTO limited VALUES (5, 5)");
        Sql.await(a, "SELECT string_agg(id::text, ' ' ORDER BY id) FROM limited", "1 2 4 5");
    }

    @Test
    void aTableThatLeavesInsteadTakesWritesAgain() {
        add("given_up", "CREATE TABLE given_up (id int PRIMARY KEY, v int)");
        Reinit.tamper(a, "INSERT INTO given_up VALUES (2, 1000)");
        b.execute("ALTER TABLE given_up ADD CONSTRAINT small CHECK (v < 10)");
        String id = Reinit.ask(b, "a", "given_up");
        Sql.await(b, "SELECT state FROM steep_repl.reinit_progress() WHERE id = " + id, "failed");
        a.execute("SELECT steep_repl.remove_table('given_up')");
        Sql.await(b, "SELECT count(*) FROM pg_trigger WHERE tgname = '!steep_repl_reinit'", "0");
        b.execute("INSERT INTO given_up VALUES (1, 1)");
        assertThat(b.query("SELECT count(*) FROM steep_repl.replicated_tables() WHERE table_name = 'given_up'"))
                .isEqualTo("0");
    }
}
