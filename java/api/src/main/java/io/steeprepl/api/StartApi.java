package io.steeprepl.api;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Initialising this node from another one and linking it with every member. All methods throw {@link ApiException}. */
public interface StartApi {
    /** Everything that stands in the way of a start, at once; empty when nothing does. */
    List<StartProblem> check(StartOptions options);

    /** Asks for the start; the server's worker does it. Asking twice changes nothing. Returns the id of the work. */
    long start(StartOptions options);

    /**
     * Makes this database, restored from a physical backup of a node, a node of its own. Asking twice goes on.
     *
     * @return the id of the start that tells the members
     */
    long complete(CompleteOptions options);

    /** The start that runs now in this server, whoever asked for it, empty when none does. */
    Optional<WorkProgress> running();

    /** How far the work with that id is, empty when the server does not know it. */
    Optional<WorkProgress> progress(long id);

    /** All starts of this node, the latest first. */
    List<WorkProgress> list();

    /**
     * Ends a start. Tables that have been taken over stay.
     *
     * @return cancelled
     */
    String cancel(long id);

    /**
     * Has this node, and all that it receives from, keep their streams for nodes that will be filled from a copy of it.
     *
     * @param expires for how long; null leaves to the server
     */
    Preparation prepare(@Nullable Duration expires);

    /** What this node keeps for nodes to come. */
    List<Preparation> preparations();

    /**
     * Ends a preparation, on its source also on the other nodes.
     *
     * @return the nodes that could not be asked: theirs expires
     */
    List<String> cancelPreparation(String id);
}
