package io.steeprepl.api;

import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Long work that the server does in the background, whoever is connected. All methods throw {@link ApiException}. */
public interface WorkApi {
    /**
     * What waits and runs, and what ended last.
     *
     * @param limit how much at most
     */
    List<Work> list(int limit);

    /**
     * How far a long operation is, work or a take-over, or all that wait, run, or ended within the last hour; empty when there
     * is none.
     */
    List<WorkProgress> progress(@Nullable Long id);

    /**
     * Ends work.
     *
     * @return cancelled when it had not begun, cancelling when it is being stopped
     */
    String cancel(long id);

    /** Has work that failed or was cancelled tried again, from where it can go on. */
    void retry(long id);

    /** Returns when the node says that some work has moved, or after {@code longest}; where nothing can be heard, soon. */
    void await(Duration longest);
}
