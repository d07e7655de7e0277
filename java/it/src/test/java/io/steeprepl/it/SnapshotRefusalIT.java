package io.steeprepl.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.testkit.Cluster;
import io.steeprepl.testkit.ClusterLogs;
import io.steeprepl.testkit.TestNode;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What snapshots and work in the background refuse, and that they do nothing with more rights than those of who asked. */
@ExtendWith(ClusterLogs.class)
class SnapshotRefusalIT {
    private static final Cluster CLUSTER = Cluster.start(1);
    private static final TestNode A = CLUSTER.node(0);
    private static final SnapshotPlace PLACE = SnapshotPlace.beside(A);

    @BeforeAll
    static void rolesAndTables() {
        A.execute(
                "CREATE TABLE mine (id int PRIMARY KEY)",
                "CREATE TABLE secret (id int)",
                "INSERT INTO mine VALUES (1)",
                "CREATE ROLE vera LOGIN IN ROLE steep_repl_viewer",
                "CREATE ROLE otto LOGIN IN ROLE steep_repl_operator",
                // Names of their own, where everybody's are looked up first.
                "ALTER ROLE otto SET search_path = evil, pg_catalog, public",
                "CREATE SCHEMA evil AUTHORIZATION otto",
                "GRANT SELECT, INSERT ON mine TO otto",
                "GRANT USAGE, CREATE ON SCHEMA public TO otto");
        A.execute("ALTER ROLE otto SET default_transaction_read_only = on");
    }

    @AfterAll
    static void stop() {
        CLUSTER.close();
    }

    private static String as(String role, String sql) {
        return Sql.error(A, "SET SESSION AUTHORIZATION " + role + "; SET transaction_read_only = off; " + sql);
    }

    private static String start(String path, String more) {
        return "SELECT steep_repl.start_snapshot('" + path + "'" + more + ")";
    }

    @Test
    void allThatIsMissingIsSaidAtOnce() {
        assertThat(as("otto", start("/x", ", 'brotli', 99, slot => 's'")))
                .startsWith("SR110")
                .contains("compression 'brotli' is not known")
                .contains("parallel is 99")
                .contains("otto is not a member of pg_write_server_files")
                .contains("otto has no attribute REPLICATION")
                .contains("otto may not read public.secret");
        assertThat(as("vera", start("/x", ""))).startsWith("42501");
        assertThat(Sql.error(A, start("/x", ", tables => '{mine,nowhere,mine.*}'")))
                .contains("nowhere is no table")
                .contains("mine.* is no table");
        assertThat(Sql.error(A, "SELECT steep_repl.start_snapshot(NULL)")).contains("path is missing");
        assertThat(
                        A.query(
                                "SELECT count(*) FROM steep_repl.work_queue WHERE asked_by LIKE 'otto%' AND state <> 'complete'"))
                .isEqualTo("0");
    }

    @Test
    void placesWhereNoneMayLie() {
        String data = A.server().dataDir().toString();
        A.shell("ln -sfn " + data + " " + PLACE.path("link"));
        assertThat(Sql.error(A, start("monday", ""))).startsWith("22023").contains("not an absolute path");
        assertThat(Sql.error(A, start(data + "/monday", ""))).contains("data folder");
        assertThat(Sql.error(A, start(PLACE.path("link") + "/monday", ""))).contains("data folder");
        assertThat(Sql.error(A, start(PLACE.folder() + "/../data/monday", ""))).contains("data folder");
        assertThat(Sql.error(A, start(PLACE.folder() + "/nowhere/monday", ""))).startsWith("22023");
        assertThat(Sql.error(A, start(PLACE.folder().toString(), ""))).startsWith("SR111");
        assertThat(Sql.error(A, "SELECT steep_repl.start_apply('" + PLACE.path("none") + "')"))
                .startsWith("58P01");
        A.execute(
                "ALTER SYSTEM SET steep_repl.snapshot_directories = '" + PLACE.folder() + "'",
                "SELECT pg_reload_conf()");
        Sql.await(A, "SHOW steep_repl.snapshot_directories", PLACE.folder().toString());
        assertThat(Sql.error(A, start("/tmp/monday", ""))).startsWith("22023").contains("is not below");
        assertThat(Sql.error(A, start(PLACE.folder() + "/../monday", ""))).contains("is not below");
        A.execute("ALTER SYSTEM RESET steep_repl.snapshot_directories", "SELECT pg_reload_conf()");
        Sql.await(A, "SHOW steep_repl.snapshot_directories", "");
        A.shell("chmod 500 " + PLACE.folder());
        try {
            String id = PLACE.start(A, "readonly", "");
            SnapshotPlace.awaitState(A, id, "failed");
            assertThat(A.query("SELECT error FROM steep_repl.work_queue WHERE id = " + id))
                    .startsWith("cannot make")
                    .contains("Permission denied");
        } finally {
            A.shell("chmod 755 " + PLACE.folder());
        }
    }

    @Test
    void tablesThatCannotTakeASnapshot() {
        A.execute("CREATE TABLE target (id int, v text)", "CREATE TABLE parent (id int PRIMARY KEY)");
        PLACE.take(A, "shapes", ", tables => '{target}'");
        String apply = "SELECT steep_repl.start_apply('" + PLACE.path("shapes") + "')";
        A.execute("ALTER TABLE target ALTER v TYPE int USING NULL", "ALTER TABLE target ADD w int REFERENCES parent");
        A.execute("INSERT INTO target VALUES (1)");
        assertThat(Sql.error(A, apply))
                .startsWith("SR110")
                .contains("column v is integer here and text in the snapshot")
                .contains("column w is not in the snapshot")
                .contains("public.target holds rows")
                .contains("refers to public.parent, which is not in the snapshot");
        A.execute("DROP TABLE target", "CREATE TABLE target (id int, v text, UNIQUE (id), CHECK (id > 0))");
        assertThat(Sql.error(A, apply))
                .startsWith("SR110")
                .contains("UNIQUE (id) on this node, none on the snapshot")
                .contains("CHECK ((id > 0)) on this node, none on the snapshot");
        A.execute("CREATE TABLE self (id int PRIMARY KEY, up int)");
        PLACE.take(A, "self", ", tables => '{self}'");
        A.execute("ALTER TABLE self ADD FOREIGN KEY (up) REFERENCES self");
        String loose = "SELECT id FROM steep_repl.start_apply('" + PLACE.path("self") + "', strict => false)";
        assertThat(Sql.error(A, loose)).contains("self_up_fkey is not on the table of the snapshot");
        A.execute("ALTER TABLE self DROP CONSTRAINT self_up_fkey", "ALTER TABLE self ADD CHECK (up > 0)");
        SnapshotPlace.awaitState(A, A.query(loose), "complete");
        A.execute("DROP TABLE self", "DROP TABLE target");
        assertThat(Sql.error(A, apply)).contains("public.target does not exist here");
        A.execute("CREATE TABLE target (id int, v text)", "ALTER TABLE target ENABLE ROW LEVEL SECURITY");
        A.execute("GRANT pg_read_server_files TO otto");
        assertThat(as("otto", apply)).contains("otto may not insert").contains("row level security");
        A.execute("REVOKE pg_read_server_files FROM otto");
        assertThat(as("otto", apply)).startsWith("42501").contains("pg_read_server_files");
        A.execute("SELECT steep_repl.add_table('mine')", "CREATE TABLE other AS SELECT 1 AS id");
        PLACE.take(A, "replicated", ", tables => '{mine}'");
        assertThat(Sql.error(A, "SELECT steep_repl.start_apply('" + PLACE.path("replicated") + "')"))
                .contains("public.mine is replicated");
        A.execute("SELECT steep_repl.remove_table('mine')", "DROP TABLE target, other, parent");
    }

    @Test
    void workRunsAsWhoeverAskedWithNamesThatNobodyPlanted() {
        A.execute(
                "GRANT pg_write_server_files, pg_read_server_files TO otto",
                "CREATE TABLE log (who text)",
                "ALTER TABLE mine ADD COLUMN IF NOT EXISTS note text",
                "CREATE TABLE copied (id int, note text, CHECK (true))",
                "GRANT SELECT, INSERT ON copied, log TO otto",
                "SET ROLE otto; CREATE FUNCTION evil.pg_notify(text, text) RETURNS void LANGUAGE sql"
                        + " AS 'INSERT INTO public.log VALUES (current_user)'",
                "SET ROLE otto; CREATE DOMAIN evil.text AS pg_catalog.text CHECK (length(VALUE) < 1)",
                "RESET ROLE; CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS"
                        + " 'BEGIN INSERT INTO public.log VALUES (current_user); RETURN NEW; END'",
                "CREATE TRIGGER note BEFORE INSERT ON copied FOR EACH ROW EXECUTE FUNCTION note()",
                "ALTER TABLE copied ENABLE ALWAYS TRIGGER note",
                "INSERT INTO copied VALUES (1, 'x')",
                "DELETE FROM log");
        String path = PLACE.path("as-otto").toString();
        assertThat(as("otto", start(path, ", tables => '{copied}'"))).isEqualTo("no error");
        String id = A.query("SELECT max(id) FROM steep_repl.work_queue");
        SnapshotPlace.awaitState(A, id, "complete");
        A.execute("TRUNCATE copied");
        assertThat(as("otto", "SELECT steep_repl.start_apply('" + path + "')")).isEqualTo("no error");
        SnapshotPlace.awaitState(A, A.query("SELECT max(id) FROM steep_repl.work_queue"), "complete");
        assertThat(A.rows("SELECT DISTINCT who FROM log")).containsExactly("otto");
        assertThat(A.query("SELECT count(*) FROM copied")).isEqualTo("1");
        // Rights that went meanwhile are missed when it is tried again.
        A.execute("TRUNCATE copied", "REVOKE INSERT ON copied FROM otto");
        assertThat(as("otto", "SELECT steep_repl.start_apply('" + path + "')"))
                .contains("otto may not insert into public.copied");
        A.execute("REVOKE pg_write_server_files, pg_read_server_files FROM otto");
        assertThat(as("otto", "SELECT steep_repl.delete_snapshot(" + id + ")")).startsWith("42501");
        A.query("SELECT steep_repl.delete_snapshot(" + id + ")");
        A.execute("DROP TABLE copied, log", "DROP FUNCTION note()");
    }

    @Test
    void workThatIsNotThereOrHasEnded() {
        assertThat(Sql.error(A, "SELECT steep_repl.cancel_work(999999)")).startsWith("SR101");
        assertThat(Sql.error(A, "SELECT steep_repl.retry_work(NULL)")).startsWith("SR101");
        assertThat(Sql.error(A, "SELECT steep_repl.cancel_snapshot(999999)")).startsWith("SR112");
        assertThat(Sql.error(A, "SELECT steep_repl.delete_snapshot(999999)")).startsWith("SR112");
        String id = PLACE.take(A, "ended", ", tables => '{mine}'");
        assertThat(Sql.error(A, "SELECT steep_repl.retry_work(" + id + ")")).startsWith("SR102");
        assertThat(as("otto", "SELECT steep_repl.retry_work(" + id + ")")).startsWith("SR102");
        A.execute("UPDATE steep_repl.work_queue SET state = 'failed' WHERE id = " + id);
        assertThat(as("otto", "SELECT steep_repl.retry_work(" + id + ")")).startsWith("42501");
        A.execute("ALTER SYSTEM SET steep_repl.max_jobs = 0", "SELECT pg_reload_conf()");
        Sql.await(A, "SHOW steep_repl.max_jobs", "0");
        assertThat(Sql.error(A, start(PLACE.path("off").toString(), ""))).startsWith("SR100");
        A.execute("ALTER SYSTEM RESET steep_repl.max_jobs", "SELECT pg_reload_conf()");
        Sql.await(A, "SHOW steep_repl.max_jobs", "2");
        assertThat(A.query("SELECT steep_repl.health() #>> '{work,failed_last_day}'"))
                .isNotEqualTo("0");
    }
}
