package io.steeprepl.cli.node;

import io.steeprepl.api.Preparation;
import io.steeprepl.cli.output.Column;
import java.util.List;

/** How preparations are shown. */
final class PreparationColumns {
    static final List<Column<Preparation>> ALL = List.of(
            Column.of("id", Preparation::id),
            Column.of("source", Preparation::source),
            Column.of("state", Preparation::state),
            Column.of("made_at", Preparation::madeAt),
            Column.of("expires_at", Preparation::expiresAt),
            Column.of("retained_wal_bytes", Preparation::retainedWalBytes),
            Column.of("members", Preparation::members));

    private PreparationColumns() {}
}
