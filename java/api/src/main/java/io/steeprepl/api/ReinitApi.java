package io.steeprepl.api;

import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Throwing tables of this node away and taking them anew from a peer. All methods throw {@link ApiException}. */
public interface ReinitApi {
    /**
     * The tables that would be thrown away, and everything that stands in the way.
     *
     * @param source a peer, by node id or connection string
     */
    ReinitPlan check(String source, Choice choice);

    /** Asks for it; the server's worker does it. The same again goes on. Returns the id of the work. */
    long start(String source, Choice choice);

    /** The one that runs now in this server, whoever asked for it, empty when none does. */
    Optional<WorkProgress> running();

    /** How far the work with that id is, empty when the server does not know it. */
    Optional<WorkProgress> progress(long id);

    /** All of this node, the latest first. */
    List<WorkProgress> list();

    /** Ends one; what is being copied ends at once. Tables that were taken anew already stay. */
    Cancelled cancel(long id);

    /**
     * What is left of one that was cancelled.
     *
     * @param state cancelled
     * @param closed the tables that were emptied and are not there again: they take no writes until they are taken anew
     */
    record Cancelled(String state, List<QualifiedName> closed) {}

    /**
     * Which tables.
     *
     * @param tables these; all that replicate when empty
     * @param schema only those of one schema
     */
    record Choice(List<QualifiedName> tables, @Nullable String schema) {}
}
