package io.steeprepl.config;

import org.snakeyaml.engine.v2.nodes.Node;

/**
 * A value and where it stands.
 *
 * @param key the keys from the top joined by dots
 */
public record Located<T>(T value, Node node, String key) {
    public int line() {
        return Yaml.line(node);
    }
}
