package io.steeprepl.it.history.oracle;

import java.util.Set;

/**
 * A breach of a rule.
 *
 * @param keys the keys that it is about, for the report
 */
public record Violation(String rule, String text, Set<Integer> keys) {
    @Override
    public String toString() {
        return rule + ": " + text;
    }
}
