package io.steeprepl.it;

import io.steeprepl.testkit.TestNode;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/** Reads as one of the roles of a test. */
final class RoleReader {
    private RoleReader() {}

    /** What a role reads: rows, or the error. */
    static String read(TestNode node, String role, String query) {
        try (Connection connection = node.connect();
                var statement = connection.createStatement()) {
            statement.execute("SET ROLE " + role);
            List<String> rows = new ArrayList<>();
            try (var result = statement.executeQuery(query)) {
                while (result.next()) {
                    List<String> cells = new ArrayList<>();
                    for (int i = 1; i <= result.getMetaData().getColumnCount(); i++) {
                        cells.add(String.valueOf(result.getString(i)));
                    }
                    rows.add(String.join("|", cells));
                }
            }
            return String.join("\n", rows);
        } catch (SQLException e) {
            return String.valueOf(e.getMessage());
        }
    }
}
