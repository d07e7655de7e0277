package io.steeprepl.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.testkit.Binaries;
import io.steeprepl.testkit.Cluster;
import io.steeprepl.testkit.TestNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/**
 * Runs every block of docs/guide/link-two-databases.md, in its order, on two servers of Debian's packages with
 * scram-sha-256, hostssl, password files, and certificates that are checked. What the prose asks for between the blocks
 * (restart, wait, a row that is refused, a dead server) is in {@link #before} and {@link #after}.
 */
class GuideIT {
    private static final Path FILE =
            Path.of(System.getProperty("steeprepl.home", "../.."), "docs/guide/link-two-databases.md");
    private static final Pattern FINISHED = Pattern.compile("finished at ([0-9A-F]+/[0-9A-F]+)");

    private Map<String, Machine> machines = Map.of();
    private String pgConfig = "";
    /** The node that Paris is: started anew it needs another id. */
    private String paris = "paris";

    @Test
    void everyBlockDoesWhatItSays() throws Exception {
        List<Guide.Block> blocks = Guide.read(FILE);
        assertThat(blocks).hasSizeGreaterThan(20);
        Binaries debian = Debian.postgres(18);
        pgConfig = debian.bin().resolve("pg_config").toString();
        try (Folder folder = new Folder()) {
            Path work = Files.createDirectories(folder.resolve("work"));
            machines = Map.of(
                    "berlin", new Machine("berlin", folder, work, debian),
                    "paris", new Machine("paris", folder, work, debian));
            node("berlin")
                    .execute(
                            "CREATE TABLE customers (id uuid PRIMARY KEY DEFAULT uuidv7(), name text NOT NULL)",
                            "CREATE TABLE orders (id bigserial PRIMARY KEY, customer uuid REFERENCES customers, what text)",
                            "INSERT INTO customers (name) SELECT 'customer ' || g FROM generate_series(1, 100) g",
                            "INSERT INTO orders (customer, what) SELECT id, name FROM customers");
            for (Guide.Block block : blocks) {
                before(block);
                run(block);
                after(block);
            }
        }
    }

    private void run(Guide.Block block) throws Exception {
        System.out.println("guide, line " + block.line() + ": " + block.heading());
        for (Guide.Part part : block.parts()) {
            Machine machine = machine(part.server());
            String text = substitute(part);
            switch (block.kind()) {
                case SH -> machine.sh(text);
                case SQL -> {
                    String rows = machine.sql(text);
                    if (text.contains("check_settings()")) {
                        assertThat(rows.strip()).isEqualTo("berlin");
                    }
                    assertThat(rows).doesNotContain("refused");
                }
                case INI -> {
                    machine.append("postgresql.conf", text);
                    machine.restart();
                }
                case PG_HBA -> machine.append("pg_hba.conf", text);
                case LAST_ERROR -> {
                    if (machine.name.equals("berlin")) {
                        assertThat(lastError(machine)).containsPattern(pattern(text));
                    }
                }
            }
        }
    }

    /** What stands for this test's names in the place of the guide's. */
    private String substitute(Guide.Part part) {
        String text = part.text()
                .replace("/usr/lib/postgresql/18/bin/pg_config", pgConfig)
                .replace(
                        "/var/lib/postgresql/18/main",
                        machine(part.server()).server().dataDir().toString())
                .replace("192.0.2.0/24", "127.0.0.1/32")
                .replace("*:5432:", "*:*:");
        // The names stay, as what certificates are checked against; where they lead is another port of this machine.
        for (Machine machine : machines.values()) {
            text = text.replace(
                    "host=" + machine.name + " ",
                    "host=%s hostaddr=127.0.0.1 port=%d "
                            .formatted(machine.name, machine.server().port()));
        }
        text = text.replaceAll("(unsubscribe|unregister_node)\\('paris'\\)", "$1('" + paris + "')");
        if (text.contains("SKIP (lsn")) {
            Machine machine = machine(part.server());
            text = text.replaceAll("steep_repl_paris_\\w+", machine.node.query("SELECT subname FROM pg_subscription"))
                    .replaceAll("'[0-9A-F]+/[0-9A-F]+'", "'" + position(machine) + "'");
        }
        return text;
    }

    private void before(Guide.Block block) throws Exception {
        switch (block.heading()) {
            case "When a stream has stopped" -> {
                if (block.kind() == Guide.Kind.LAST_ERROR) {
                    stop();
                }
            }
            case "Adding a table later" -> {
                node("berlin").execute("CREATE TABLE invoices (id int PRIMARY KEY)", "INSERT INTO invoices VALUES (1)");
                node("paris").execute("CREATE TABLE invoices (id int PRIMARY KEY)");
            }
            case "Taking tables anew" -> {
                Reinit.tamper(node("paris"), "UPDATE orders SET what = 'spoilt'");
                assertThat(node("berlin").query("SELECT count(*) FROM orders WHERE what = 'spoilt'"))
                        .isEqualTo("0");
            }
            case "Removing a dead peer" -> machine("paris").server().kill9();
            case "Starting a node anew" -> machine("paris").server().start();
            default -> {}
        }
    }

    private void after(Guide.Block block) throws Exception {
        switch (block.heading()) {
            case "Start Paris from Berlin" -> {
                Sql.await(node("paris"), "SELECT state FROM steep_repl.start_progress() LIMIT 1", "complete");
                linkedAndEqual();
            }
            case "Or link by hand", "Pausing", "When a node moves" -> linkedAndEqual();
            case "Keys that do not collide" -> bothWays();
            case "When a stream has stopped" -> {
                if (block.kind() == Guide.Kind.SQL) {
                    Sql.awaitStreaming(node("berlin"), "paris");
                    Sql.awaitStreaming(node("paris"), "berlin");
                    node("berlin").execute("ALTER TABLE orders DROP CONSTRAINT orders_what_check");
                    assertThat(node("berlin").query("SELECT count(*) FROM orders WHERE id = 900000"))
                            .isEqualTo("0");
                    node("paris").execute("DELETE FROM orders WHERE id = 900000");
                    bothWays();
                }
            }
            case "Adding a table later" -> {
                Sql.await(node("paris"), "SELECT count(*) FROM invoices", "1");
                linkedAndEqual();
            }
            case "Taking tables anew" -> {
                Sql.await(node("paris"), "SELECT state FROM steep_repl.reinit_progress() LIMIT 1", "complete");
                linkedAndEqual();
            }
            case "Starting a node anew" -> startAnew();
            case "Taking a living node out" -> {
                if (block.text().contains("unsubscribe")) {
                    for (Machine machine : machines.values()) {
                        Sql.await(machine.node, "SELECT count(*) FROM steep_repl.subscription_status()", "0");
                        Sql.await(machine.node, "SELECT count(*) FROM pg_replication_slots", "0");
                    }
                }
            }
            default -> {}
        }
    }

    /** A new database in Paris, the schema again, and the start in SQL, which the first time the command line did. */
    private void startAnew() throws Exception {
        Sql.await(node("paris"), "SELECT count(*) FROM steep_repl.subscription_status()", "0");
        TestNode administrator = new TestNode("paris", machine("paris").server(), "postgres");
        administrator.execute("DROP DATABASE shop", "CREATE DATABASE shop");
        paris = "paris2";
        for (Guide.Block block : Guide.read(FILE)) {
            if (block.heading().equals("Create the schema in Paris")) {
                run(block);
                node("paris")
                        .execute(
                                "CREATE EXTENSION steep_repl",
                                "SELECT steep_repl.create_node('paris2', host => 'paris')");
            } else if (block.heading().equals("Start Paris from Berlin") && block.kind() == Guide.Kind.SQL) {
                run(block);
                Sql.await(node("paris"), "SELECT state FROM steep_repl.start_progress() LIMIT 1", "complete");
            }
        }
        bothWays();
    }

    /** A row that Berlin does not take. */
    private void stop() {
        node("berlin").execute("ALTER TABLE orders ADD CHECK (what <> 'nonsense')");
        node("paris")
                .execute(
                        "SELECT steep_repl.enable_bypass('orders', interval '1 minute', 'an id of its own')",
                        "INSERT INTO orders VALUES (900000, NULL, 'nonsense')",
                        "SELECT steep_repl.disable_bypass('orders')");
        Awaitility.await("an error of the apply worker")
                .atMost(Duration.ofSeconds(60))
                .until(() -> FINISHED.matcher(lastError(machine("berlin"))).find());
    }

    private void bothWays() {
        node("berlin").execute("INSERT INTO orders (what) SELECT 'from berlin' FROM generate_series(1, 50)");
        node("paris").execute("INSERT INTO orders (what) SELECT 'from paris' FROM generate_series(1, 50)");
        linkedAndEqual();
        for (Machine machine : machines.values()) {
            assertThat(
                            machine.node.query(
                                    "SELECT count(*) FILTER (WHERE what = 'from berlin') >= 50 AND count(*) FILTER (WHERE what = 'from paris') >= 50 FROM orders"))
                    .isEqualTo("t");
        }
    }

    private void linkedAndEqual() {
        Sql.awaitStreaming(node("berlin"), paris);
        Sql.awaitStreaming(node("paris"), "berlin");
        Cluster.awaitEqual("customers", List.of(node("berlin"), node("paris")));
        Cluster.awaitEqual("orders", List.of(node("berlin"), node("paris")));
        for (Machine machine : machines.values()) {
            // Every connection of the other server is encrypted, and has given its password.
            assertThat(
                            machine.node.query(
                                    "SELECT count(*) > 0 AND bool_and(s.ssl) FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid) WHERE a.usename = 'steep_link'"))
                    .isEqualTo("t");
        }
    }

    private static String position(Machine machine) {
        Matcher matcher = FINISHED.matcher(lastError(machine));
        assertThat(matcher.find()).isTrue();
        return matcher.group(1);
    }

    private static String lastError(Machine machine) {
        return machine.node.query("SELECT last_error FROM steep_repl.subscription_status()");
    }

    /** An error as a pattern: … is anything, numbers and positions are any. */
    private static Pattern pattern(String text) {
        StringBuilder pattern = new StringBuilder("(?s)");
        Matcher variable =
                Pattern.compile("…|[0-9A-F]+/[0-9A-F]+|\\b\\d+\\b|\\s+").matcher(text.strip());
        int end = 0;
        while (variable.find()) {
            pattern.append(Pattern.quote(text.strip().substring(end, variable.start())));
            String found = variable.group();
            pattern.append(
                    found.equals("…") || found.contains("\n")
                            ? ".*?"
                            : found.isBlank() ? "\\s+" : found.contains("/") ? "[0-9A-F]+/[0-9A-F]+" : "\\d+");
            end = variable.end();
        }
        return Pattern.compile(pattern + Pattern.quote(text.strip().substring(end)));
    }

    private Machine machine(String name) {
        Machine machine = machines.get(name);
        if (machine == null) {
            throw new IllegalArgumentException(name);
        }
        return machine;
    }

    private TestNode node(String name) {
        return machine(name).node;
    }
}
