package io.steeprepl.api;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** What taking tables anew would throw away, and what stands in its way. */
public record ReinitPlan(List<Loss> tables, List<Problem> problems) {
    /** The rows of one table here. */
    public record Loss(QualifiedName table, long rows) {}

    /** Something that stands in the way. {@code table} is null for what is of no table in particular. */
    public record Problem(
            @Nullable QualifiedName table,
            String problem,
            @Nullable String remedy) {}
}
