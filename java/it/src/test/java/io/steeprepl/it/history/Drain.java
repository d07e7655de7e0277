package io.steeprepl.it.history;

import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;

/** Waits until all that the nodes have written so far has arrived on all: a mark of each comes after it in its stream. */
final class Drain {
    static final String CREATE = "CREATE TABLE mark (node int, n int, PRIMARY KEY (node, n))";
    static final String ADD = "SELECT steep_repl.add_table('mark', before_images => false)";

    private final Mesh mesh;
    private int last;

    Drain(Mesh mesh) {
        this.mesh = mesh;
    }

    /** Whether all has arrived within that time. */
    boolean within(Duration patience) {
        Instant deadline = Instant.now().plus(patience);
        last++;
        int written = 0;
        while (Instant.now().isBefore(deadline)) {
            try {
                for (; written < mesh.size(); written++) {
                    mesh.eye(written)
                            .execute("INSERT INTO mark VALUES (" + written + ", " + last + ") ON CONFLICT DO NOTHING");
                }
                if (arrived()) {
                    flush();
                    return true;
                }
            } catch (SQLException e) {
                // A server that was killed begins anew.
            }
            Pause.briefly();
        }
        return false;
    }

    /** Apply workers commit asynchronously: without this, what has arrived could arrive once more after a crash. */
    private void flush() throws SQLException {
        for (int i = 0; i < mesh.size(); i++) {
            mesh.eye(i).execute("SELECT pg_logical_emit_message(true, 'mark', '')");
        }
    }

    private boolean arrived() throws SQLException {
        for (int i = 0; i < mesh.size(); i++) {
            String marks = mesh.eye(i).value("SELECT count(*) FROM mark WHERE n = " + last);
            if (!Integer.toString(mesh.size()).equals(marks)) {
                return false;
            }
        }
        return true;
    }
}
