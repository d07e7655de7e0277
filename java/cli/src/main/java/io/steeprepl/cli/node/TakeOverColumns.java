package io.steeprepl.cli.node;

import io.steeprepl.api.WorkProgress;
import io.steeprepl.cli.output.Column;
import io.steeprepl.cli.work.WorkColumns;
import java.util.List;
import java.util.stream.Stream;

/** What is printed of starts, and of tables that are taken anew: what is printed of all work, and what is theirs alone. */
final class TakeOverColumns {
    private static final Column<WorkProgress> SOURCE = Column.of("source", WorkProgress::source);
    private static final Column<WorkProgress> EMPTIED = Column.of("emptied", WorkProgress::emptied);

    /** Of starts, for programs. */
    static final List<Column<WorkProgress>> START =
            Stream.concat(WorkColumns.PROGRESS.stream(), Stream.of(SOURCE)).toList();

    /** Of tables that are taken anew, for programs. */
    static final List<Column<WorkProgress>> REINIT =
            Stream.concat(START.stream(), Stream.of(EMPTIED)).toList();

    /** Of both, for people. */
    static final List<Column<WorkProgress>> TEXT = Stream.concat(
                    WorkColumns.PROGRESS_TEXT.stream(), Stream.of(SOURCE, EMPTIED))
            .toList();

    private TakeOverColumns() {}
}
