package io.steeprepl.api;

import java.util.List;
import java.util.Optional;

/** Initialising this node from another one and linking it with every member. All methods throw {@link ApiException}. */
public interface StartApi {
    /**
     * Everything that stands in the way of a start, at once; empty when nothing does.
     *
     * @param sourceConninfo how this server reaches the node to copy from
     * @param ownConninfo how the other members reach this server
     */
    List<StartProblem> check(String sourceConninfo, String ownConninfo);

    /** Asks for the start; the server's worker does it. Asking twice changes nothing. Returns the id of the work. */
    long start(String sourceConninfo, String ownConninfo);

    /** The start that runs now in this server, whoever asked for it, empty when none does. */
    Optional<StartProgress> running();

    /** How far the work with that id is, empty when the server does not know it. */
    Optional<StartProgress> progress(long id);
}
