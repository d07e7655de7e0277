package io.steeprepl.api;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How a node is.
 *
 * @param status healthy, degraded or unhealthy
 * @param reasons why it is not healthy, as sentences
 * @param nodeId null when the database is not a node
 * @param sections the document's parts as lines of text, for people
 * @param document everything, as JSON
 */
public record Health(
        String status,
        List<String> reasons,
        String version,
        @Nullable String nodeId,
        List<Fact> sections,
        String document) {

    /** One line of the document: its part, which entry of it, and what it says. */
    public record Fact(String section, String name, String value) {}
}
