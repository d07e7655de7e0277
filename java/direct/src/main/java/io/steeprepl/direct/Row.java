package io.steeprepl.direct;

import io.steeprepl.api.Lsn;
import java.sql.Array;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Reads columns by name: {@code text} where there must be a value, {@code textOrNull} where there may be none. */
record Row(ResultSet row) {
    String text(String column) throws SQLException {
        String value = row.getString(column);
        return value == null ? "" : value;
    }

    @Nullable
    String textOrNull(String column) throws SQLException {
        return row.getString(column);
    }

    int number(String column) throws SQLException {
        return row.getInt(column);
    }

    @Nullable
    Integer numberOrNull(String column) throws SQLException {
        int value = row.getInt(column);
        return row.wasNull() ? null : value;
    }

    long big(String column) throws SQLException {
        return row.getLong(column);
    }

    @Nullable
    Long bigOrNull(String column) throws SQLException {
        long value = row.getLong(column);
        return row.wasNull() ? null : value;
    }

    @Nullable
    Double floatOrNull(String column) throws SQLException {
        double value = row.getDouble(column);
        return row.wasNull() ? null : value;
    }

    double real(String column) throws SQLException {
        return row.getDouble(column);
    }

    boolean flag(String column) throws SQLException {
        return row.getBoolean(column);
    }

    @Nullable
    Boolean flagOrNull(String column) throws SQLException {
        boolean value = row.getBoolean(column);
        return row.wasNull() ? null : value;
    }

    Instant time(String column) throws SQLException {
        Instant value = timeOrNull(column);
        return value == null ? Instant.EPOCH : value;
    }

    @Nullable
    Instant timeOrNull(String column) throws SQLException {
        OffsetDateTime value = row.getObject(column, OffsetDateTime.class);
        return value == null ? null : value.toInstant();
    }

    @Nullable
    Lsn lsnOrNull(String column) throws SQLException {
        String value = row.getString(column);
        return value == null ? null : Lsn.parse(value);
    }

    List<String> texts(String column) throws SQLException {
        Array value = row.getArray(column);
        return value == null ? List.of() : List.of((String[]) value.getArray());
    }

    List<Long> bigs(String column) throws SQLException {
        Array value = row.getArray(column);
        return value == null ? List.of() : List.of((Long[]) value.getArray());
    }
}
