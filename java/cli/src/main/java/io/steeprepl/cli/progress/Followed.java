package io.steeprepl.cli.progress;

import io.steeprepl.api.ApiException;
import io.steeprepl.api.SteepRepl;
import io.steeprepl.api.WorkState;
import io.steeprepl.cli.output.Column;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** Work that can be followed; {@code P} says how far it is. */
public interface Followed<P> {
    /** Looks. Throws {@link ApiException}. */
    P look(SteepRepl node);

    /** How long nobody need look where nothing is heard. */
    Duration pause();

    /** Whether it goes on. */
    WorkState state(P now);

    /** For people. */
    Glance glance(P now);

    /** For programs. */
    List<Column<P>> columns();

    /** What was done, in a sentence. */
    String summary(P complete);

    /** Why it failed, and what to do. */
    ApiException failure(P failed);

    /** What is left of it, now that it was cancelled. */
    String cancelled();

    /** What to run to look at it later. */
    String again();

    /** How to cancel it; empty where that is not possible. */
    Optional<Cancel> cancel();
}
