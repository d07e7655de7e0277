package io.steeprepl.it.history;

import io.steeprepl.it.history.oracle.Write;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Turns operations into SQL, runs them, and notes which write had read which. */
final class Writer {
    private final Connection connection;
    private final Attempt attempt;

    Writer(Connection connection, Attempt attempt) {
        this.connection = connection;
        this.attempt = attempt;
    }

    void write(Operation operation) throws SQLException {
        Shape shape = operation.shape();
        switch (operation) {
            case Operation.Insert i -> insert(i.id(), Write.Kind.INSERT, shape, i.key(), i.unique(), null);
            case Operation.Update u -> {
                String sets = shape.folds()
                        ? fold(u)
                        : "note = 'n" + u.id() + "'"
                                + (u.changesUnique() ? ", u = " + literal(u.unique()) : "")
                                + (u.changesWide() && shape.toasted() ? ", wide = " + wide(u.id()) : "");
                if (!update(u.id(), Write.Kind.UPDATE, shape, u.key(), u.key(), sets)) {
                    insert(u.id(), Write.Kind.INSERT, shape, u.key(), u.unique(), null);
                }
            }
            case Operation.Move m ->
                update(
                        m.id(),
                        m.key() == m.to() ? Write.Kind.UPDATE : Write.Kind.MOVE,
                        shape,
                        m.key(),
                        m.to(),
                        "id = " + m.to());
            case Operation.Delete d -> {
                Long read = read(shape, d.key());
                if (read != null) {
                    delete(shape, d.key());
                    note(new Attempt.Draft(d.id(), Write.Kind.DELETE, shape, read, d.key(), null, null));
                }
            }
            case Operation.Replace r -> {
                Long read = read(shape, r.key());
                if (read != null) {
                    delete(shape, r.key());
                    insert(r.id(), Write.Kind.REPLACE, shape, r.key(), r.unique(), read);
                }
            }
            case Operation.Truncate t -> truncate(t);
        }
    }

    /** One of two columns, and always something more. */
    private static String fold(Operation.Update u) {
        return (u.changesUnique() ? "u = " + literal(u.unique()) : "note = 'n" + u.id() + "'") + ", n = n + "
                + (1 + u.id() % 7);
    }

    private @Nullable Long read(Shape shape, int key) throws SQLException {
        String sql = "SELECT write_id FROM " + shape.table() + " WHERE id = " + key + " FOR UPDATE";
        String value = value(sql);
        attempt.lines.add(sql + " → " + value);
        return value == null ? null : Long.valueOf(value);
    }

    private void insert(long id, Write.Kind kind, Shape shape, int key, @Nullable String unique, @Nullable Long read)
            throws SQLException {
        String row = value(say("INSERT INTO " + shape.table() + " AS t VALUES (" + key + ", " + literal(unique) + ", 'n"
                + id + "', " + id + ", " + read + (shape.toasted() ? ", " + wide(id) : "")
                + ") RETURNING to_jsonb(t)::text"));
        note(new Attempt.Draft(id, kind, shape, read, read == null ? null : (Integer) key, key, row));
    }

    /** False when there is no such row. */
    private boolean update(long id, Write.Kind kind, Shape shape, int key, int to, String sets) throws SQLException {
        Long read = read(shape, key);
        if (read == null) {
            return false;
        }
        String was =
                shape.folds() ? value("SELECT to_jsonb(t)::text FROM " + shape.table() + " t WHERE id = " + key) : null;
        String row = value(say("UPDATE " + shape.table() + " AS t SET " + sets + ", write_id = " + id + ", read_id = "
                + read + " WHERE id = " + key + " RETURNING to_jsonb(t)::text"));
        note(new Attempt.Draft(id, kind, shape, read, key, to, row, was));
        return true;
    }

    private void delete(Shape shape, int key) throws SQLException {
        value(say("DELETE FROM " + shape.table() + " WHERE id = " + key + " RETURNING id"));
    }

    private void truncate(Operation.Truncate t) throws SQLException {
        int first = (int) (t.id() / 1000) * Plan.KEYS;
        try (var statement = connection.createStatement()) {
            statement.execute(say("LOCK TABLE " + t.shape().table() + " IN ACCESS EXCLUSIVE MODE"));
            List<Attempt.Draft> gone = new ArrayList<>();
            try (var rows = statement.executeQuery("SELECT id, write_id FROM "
                    + t.shape().table() + " WHERE id BETWEEN " + first + " AND " + (first + Plan.KEYS - 1))) {
                while (rows.next()) {
                    gone.add(new Attempt.Draft(
                            t.id() + gone.size(),
                            Write.Kind.DELETE,
                            t.shape(),
                            rows.getLong(2),
                            rows.getInt(1),
                            null,
                            null));
                }
            }
            statement.execute(say("TRUNCATE " + t.shape().table()));
            gone.forEach(this::note);
            attempt.truncated.add(t.shape());
        }
    }

    private void note(Attempt.Draft draft) {
        attempt.drafts.add(draft);
    }

    private String say(String sql) {
        attempt.lines.add(sql.replace(" RETURNING to_jsonb(t)::text", ""));
        return sql;
    }

    /** The first value of a statement's first row, null when there is none. */
    @Nullable
    String value(String sql) throws SQLException {
        try (var statement = connection.createStatement();
                var rows = statement.executeQuery(sql)) {
            return rows.next() ? rows.getString(1) : null;
        }
    }

    private static String literal(@Nullable String value) {
        return value == null ? "NULL" : "'" + value + "'";
    }

    private static String wide(long id) {
        return "repeat(md5('" + id + "'), 200)";
    }
}
