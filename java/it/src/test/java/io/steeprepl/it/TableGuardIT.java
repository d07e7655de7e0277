package io.steeprepl.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.steeprepl.testkit.Cluster;
import io.steeprepl.testkit.ClusterLogs;
import io.steeprepl.testkit.TestNode;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Properties;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What owners and superusers do by hand to replicated tables, and to what replication stands on. */
@ExtendWith(ClusterLogs.class)
class TableGuardIT {
    private static final String MODES =
            "SELECT string_agg(concat_ws(' ', tgrelid::regclass, tgname, tgenabled), ', ' ORDER BY tgrelid, tgname) FROM pg_trigger WHERE tgname ~ '^[!~]steep_repl'";

    private static Cluster cluster;
    private static TestNode a;
    private static TestNode b;

    @BeforeAll
    static void start() {
        cluster = Cluster.start(2).link(2);
        a = cluster.node(0);
        b = cluster.node(1);
        for (TestNode node : cluster.nodes()) {
            node.execute(
                    "CREATE TABLE kept (id int PRIMARY KEY, v text)",
                    "CREATE TABLE parted (id int PRIMARY KEY, v text) PARTITION BY HASH (id)",
                    "CREATE TABLE parted_0 PARTITION OF parted FOR VALUES WITH (MODULUS 1, REMAINDER 0)",
                    "CREATE TABLE loose (n int, v text)",
                    "CREATE TABLE lean (id int PRIMARY KEY, u int NOT NULL, CONSTRAINT lean_u UNIQUE (u))");
        }
        for (String table : new String[] {"kept", "parted", "loose"}) {
            a.execute("SELECT steep_repl.add_table('" + table + "')");
        }
        a.execute("SELECT steep_repl.add_table('lean', before_images => false)");
        cluster.nodes()
                .forEach(node -> Sql.await(
                        node, "SELECT count(*) FROM steep_repl.replicated_tables() WHERE state = 'ready'", "4"));
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            ALTER TABLE kept DROP CONSTRAINT kept_pkey                                   | SR047 | primary key
            ALTER TABLE kept DROP CONSTRAINT kept_pkey, ADD PRIMARY KEY (v)              | SR047 | primary key
            ALTER TABLE loose ADD PRIMARY KEY (n)                                        | SR047 | primary key
            ALTER TABLE kept FORCE ROW LEVEL SECURITY                                    | SR047 | FORCE ROW LEVEL SECURITY
            ALTER TABLE kept REPLICA IDENTITY DEFAULT                                    | SR047 | replica identity
            ALTER TABLE lean REPLICA IDENTITY USING INDEX lean_u                         | SR047 | replica identity
            ALTER TABLE kept ADD CONSTRAINT apart EXCLUDE (v WITH =)                     | SR047 | exclusion
            DROP TRIGGER "!steep_repl_decide" ON kept                                    | 2BP01 | trigger !steep_repl_decide
            ALTER TRIGGER "~steep_repl_deleted" ON kept RENAME TO mine                   | 2BP01 | trigger ~steep_repl_deleted
            DROP PUBLICATION steep_repl                                                  | 2BP01 | publication steep_repl
            ALTER PUBLICATION steep_repl DROP TABLE ONLY kept                            | 2BP01 | publication steep_repl
            ALTER PUBLICATION steep_repl SET (publish = 'insert')                        | 2BP01 | publication steep_repl
            ALTER PUBLICATION steep_repl RENAME TO mine                                  | 2BP01 | publication steep_repl
            """)
    void whatWouldEndReplicationInSilenceIsRefused(String statement, String sqlstate, String reason) {
        String before = a.query(MODES);
        assertThat(Sql.error(a, statement)).startsWith(sqlstate).contains(reason);
        assertThat(a.query(MODES)).isEqualTo(before);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SELECT 1; ALTER TABLE kept FORCE ROW LEVEL SECURITY",
                "SELECT 1; DROP PUBLICATION steep_repl",
                "DROP TRIGGER \"!steep_repl_decide\" ON kept; SELECT 1"
            })
    void whatComesInOneMessageWithOthersIsRefusedToo(String statements) throws SQLException {
        String separator = a.uri().contains("?") ? "&" : "?";
        String uri = "jdbc:" + a.uri().replaceFirst("//[^/]*@", "//");
        Properties account = new Properties();
        account.setProperty("user", a.query("SELECT session_user"));
        try (var connection = DriverManager.getConnection(uri + separator + "preferQueryMode=simple", account);
                var statement = connection.createStatement()) {
            assertThatThrownBy(() -> statement.execute(statements)).hasMessageContaining("replicat");
        }
        assertThat(a.query("SELECT relforcerowsecurity FROM pg_class WHERE relname = 'kept'"))
                .isEqualTo("f");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "ALTER SUBSCRIPTION %s SET PUBLICATION another WITH (refresh = false)",
                "ALTER SUBSCRIPTION %s SET (origin = any)",
                "ALTER SUBSCRIPTION %s ADD PUBLICATION another WITH (refresh = false)",
                "ALTER SUBSCRIPTION %s RENAME TO mine",
                "DROP SUBSCRIPTION %s"
            })
    void subscriptionsAreNotAlteredByHand(String statement) {
        String subscription = b.query("SELECT subname FROM pg_subscription");
        assertThat(Sql.error(b, statement.formatted(subscription)))
                .startsWith("2BP01")
                .contains("subscription " + subscription);
    }

    @Test
    void theKeyCanBeMadeAnewAsItWas() {
        a.execute("ALTER TABLE kept DROP CONSTRAINT kept_pkey, ADD CONSTRAINT kept_pkey PRIMARY KEY (id)");
        a.execute("INSERT INTO kept VALUES (70, 'x')");
        Sql.await(b, "SELECT v FROM kept WHERE id = 70", "x");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "ALTER TABLE kept DISABLE TRIGGER ALL",
                "ALTER TABLE kept ENABLE TRIGGER ALL",
                "ALTER TABLE kept DISABLE TRIGGER USER",
                "ALTER TABLE kept DISABLE TRIGGER \"!steep_repl_decide\"",
                "ALTER TABLE parted DISABLE TRIGGER ALL",
                "ALTER TABLE parted_0 ENABLE TRIGGER ALL"
            })
    void itsTriggersStayArmed(String statement) {
        String before = b.query(MODES);
        b.execute(statement);
        assertThat(b.query(MODES)).isEqualTo(before);
    }

    @Test
    void aPartitionKeepsTheReplicaIdentityOfItsTable() {
        a.execute("ALTER TABLE parted_0 REPLICA IDENTITY NOTHING");
        assertThat(a.query("SELECT relreplident FROM pg_class WHERE relname = 'parted_0'"))
                .isEqualTo("f");
    }

    @Test
    void aPartitionWithRowsIsNotAttached() {
        for (TestNode node : cluster.nodes()) {
            node.execute(
                    "CREATE TABLE days (day date, v text, PRIMARY KEY (day)) PARTITION BY RANGE (day)",
                    "CREATE TABLE january (day date NOT NULL, v text)",
                    "CREATE TABLE february (day date NOT NULL, v text)");
        }
        a.execute("SELECT steep_repl.add_table('days')", "INSERT INTO january VALUES ('2026-01-07', 'x')");
        Sql.await(b, "SELECT state FROM steep_repl.replicated_tables() WHERE table_name = 'days'", "ready");
        assertThat(Sql.error(
                        a,
                        "ALTER TABLE days ATTACH PARTITION january FOR VALUES FROM ('2026-01-01') TO ('2026-02-01')"))
                .startsWith("SR047")
                .contains("january holds rows");
        for (TestNode node : cluster.nodes()) {
            node.execute("ALTER TABLE days ATTACH PARTITION february FOR VALUES FROM ('2026-02-01') TO ('2026-03-01')");
        }
        a.execute("INSERT INTO days VALUES ('2026-02-07', 'y')");
        Sql.await(b, "SELECT v FROM february", "y");
    }

    @Test
    void ordinaryAlterationsGoThrough() {
        for (TestNode node : cluster.nodes()) {
            node.execute(
                    "ALTER TABLE kept ADD COLUMN w int DEFAULT 1, ADD CONSTRAINT positive CHECK (id > 0)",
                    "CREATE UNIQUE INDEX kept_w ON kept (w, id)",
                    "ALTER TABLE kept ALTER w SET NOT NULL",
                    "ALTER TABLE kept DROP CONSTRAINT positive");
        }
        a.execute("INSERT INTO kept VALUES (80, 'x', 2)");
        Sql.await(b, "SELECT v, w FROM kept WHERE id = 80", "x|2");
    }
}
