package io.steeprepl.testkit;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/**
 * A node: a database with the extension on a server.
 *
 * @param id its node id
 * @param server the server, not shared with other nodes
 * @param database the database
 */
public record TestNode(String id, Server server, String database) {
    /** Makes database, extension and node where they are missing. */
    public TestNode create() {
        try (Connection connection = DriverManager.getConnection(server.jdbcUrl("postgres"));
                var statement = connection.createStatement();
                var found = statement.executeQuery("SELECT 1 FROM pg_database WHERE datname = '" + database + "'")) {
            if (!found.next()) {
                statement.execute("CREATE DATABASE " + database);
            }
        } catch (SQLException e) {
            throw new TestkitException("cannot make database " + database + " on " + server, e);
        }
        execute("SET client_min_messages = warning; CREATE EXTENSION IF NOT EXISTS steep_repl");
        query("SELECT node_id FROM steep_repl.create_node('" + id + "', '" + id + "', '127.0.0.1', " + server.port()
                + ")");
        return this;
    }

    /** How others reach it, for libpq. */
    public String conninfo() {
        return "host=127.0.0.1 port=" + server.port() + " dbname=" + database + " user=postgres";
    }

    public String uri() {
        return "postgresql://postgres@127.0.0.1:" + server.port() + "/" + database;
    }

    public Connection connect() throws SQLException {
        return DriverManager.getConnection(server.jdbcUrl(database));
    }

    /** Runs statements in one connection, each in a transaction of its own. */
    public void execute(String... statements) {
        try (Connection connection = connect();
                var statement = connection.createStatement()) {
            for (String sql : statements) {
                statement.execute(sql);
            }
        } catch (SQLException e) {
            throw new TestkitException("on node " + id, e);
        }
    }

    /** Runs a shell command as the account of the server. */
    public void shell(String command) {
        // The server counts it as an error when what it writes to is gone before it has written.
        execute("COPY (SELECT 1) TO PROGRAM '" + command + " && cat > /dev/null'");
    }

    /** All rows of a query, columns joined by {@code |}, NULL as an empty string. */
    public List<String> rows(String sql) {
        try (Connection connection = connect();
                var statement = connection.createStatement();
                var result = statement.executeQuery(sql)) {
            List<String> rows = new ArrayList<>();
            while (result.next()) {
                List<String> columns = new ArrayList<>();
                for (int c = 1; c <= result.getMetaData().getColumnCount(); c++) {
                    String value = result.getString(c);
                    columns.add(value == null ? "" : value);
                }
                rows.add(String.join("|", columns));
            }
            return rows;
        } catch (SQLException e) {
            throw new TestkitException("on node " + id, e);
        }
    }

    /** The first row of a query; an empty string when there is none. */
    public String query(String sql) {
        List<String> rows = rows(sql);
        return rows.isEmpty() ? "" : rows.getFirst();
    }

    /** Row count and hash of a table's rows, independent of their order. */
    public String contents(String table) {
        return query("SELECT steep_repl._content_hash('" + table + "'::regclass)");
    }
}
