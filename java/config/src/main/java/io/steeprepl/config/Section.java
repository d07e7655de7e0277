package io.steeprepl.config;

import io.steeprepl.direct.connection.Nearest;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;
import org.snakeyaml.engine.v2.nodes.Tag;

/** A mapping that is read by key and type; what does not fit is a problem, and reading goes on. */
public final class Section {
    private final MappingNode mapping;
    private final String path;
    private final Problems problems;

    private Section(MappingNode mapping, String path, Problems problems) {
        this.mapping = mapping;
        this.path = path;
        this.problems = problems;
    }

    /** A key and what stands there. */
    public record Entry(Located<String> key, Node value) {}

    /** Empty when nothing stands there, or something else than a mapping; {@code remedy} is for that. */
    public static Optional<Section> of(Node node, String path, Problems problems, String remedy) {
        if (node instanceof MappingNode mapping) {
            return Optional.of(new Section(mapping, path, problems));
        }
        if (!node.getTag().equals(Tag.NULL)) {
            problems.add(node, path, "keys with values are expected, not " + kind(node), remedy);
        }
        return Optional.empty();
    }

    /** What stands there, as it stands. */
    public List<Entry> entries() {
        List<Entry> entries = new ArrayList<>();
        for (NodeTuple entry : mapping.getValue()) {
            if (entry.getKeyNode() instanceof ScalarNode key) {
                entries.add(new Entry(new Located<>(key.getValue(), key, inner(key.getValue())), entry.getValueNode()));
            } else {
                problems.add(entry.getKeyNode(), path, "a key cannot be " + kind(entry.getKeyNode()), "write a name");
            }
        }
        return entries;
    }

    private List<Located<String>> keys() {
        return entries().stream().map(Entry::key).toList();
    }

    /** Takes every other key for a mistake. */
    public void only(List<String> known) {
        for (Located<String> key : keys()) {
            if (!known.contains(key.value())) {
                problems.add(key, "unknown key", meant(key.value(), known) + "known: " + String.join(", ", known));
            }
        }
    }

    /** Takes a key for a mistake when one letter makes it {@code known}; others belong to somebody else. */
    public void noSlipOf(String known) {
        for (Located<String> key : keys()) {
            if (!key.value().equals(known)
                    && Nearest.slip(key.value(), List.of(known), 1).isPresent()) {
                problems.add(key, "unknown key", "did you mean " + known + "?");
            }
        }
    }

    /** {@code did you mean …? }, or nothing. */
    public static String meant(String text, List<String> known) {
        return Nearest.slip(text, known, 2)
                .map(word -> "did you mean " + word + "? ")
                .orElse("");
    }

    /** The mapping below a key. */
    public Optional<Section> section(String key) {
        return value(key).flatMap(node -> of(node, inner(key), problems, "indent them below it: key: value"));
    }

    /** The text at a key. */
    public Optional<Located<String>> text(String key) {
        return value(key).flatMap(node -> text(node, inner(key)));
    }

    /** The list of texts at a key, those of them that are texts. */
    public List<Located<String>> texts(String key) {
        Node node = value(key).orElse(null);
        if (node instanceof SequenceNode sequence) {
            return sequence.getValue().stream()
                    .flatMap(item -> text(item, inner(key)).stream())
                    .toList();
        }
        if (node != null) {
            problems.add(
                    node, inner(key), "a list is expected, not " + kind(node), "for instance: " + key + ": [a, b]");
        }
        return List.of();
    }

    /** The whole number at a key. */
    public Optional<Located<Long>> number(String key) {
        return value(key).flatMap(node -> {
            try {
                if (node instanceof ScalarNode scalar && scalar.getTag().equals(Tag.INT)) {
                    return Optional.of(new Located<>(Long.valueOf(scalar.getValue()), node, inner(key)));
                }
            } catch (NumberFormatException e) {
                // Octal, hexadecimal, or larger than anything meant here.
            }
            problems.add(
                    node, inner(key), "a whole number is expected, not " + kind(node), "digits only, without quotes");
            return Optional.empty();
        });
    }

    /** The true or false at a key. */
    public Optional<Located<Boolean>> flag(String key) {
        return value(key).flatMap(node -> {
            if (node instanceof ScalarNode scalar && scalar.getTag().equals(Tag.BOOL)) {
                return Optional.of(new Located<>(Boolean.valueOf(scalar.getValue()), node, inner(key)));
            }
            problems.add(
                    node, inner(key), "true or false is expected, not " + kind(node), "true or false, without quotes");
            return Optional.empty();
        });
    }

    /** Where the list at a key stands; {@link #texts} reads it. */
    public Optional<Located<String>> list(String key) {
        return value(key).map(node -> new Located<>("", node, inner(key)));
    }

    /** The mapping itself. */
    public Node node() {
        return mapping;
    }

    /** The keys that lead to it, joined by dots. */
    public String path() {
        return path;
    }

    /** Whether something stands at a key, of whatever type. */
    public boolean has(String key) {
        return value(key).isPresent();
    }

    /** A problem with what stands at a key. */
    public void problem(String key, String message, String remedy) {
        value(key).ifPresent(node -> problems.add(node, inner(key), message, remedy));
    }

    private Optional<Located<String>> text(Node node, String where) {
        if (node instanceof ScalarNode scalar && scalar.getTag().equals(Tag.STR)) {
            return Optional.of(new Located<>(scalar.getValue(), scalar, where));
        }
        problems.add(
                node,
                where,
                "a text is expected, not " + kind(node),
                node instanceof ScalarNode scalar && !scalar.getTag().equals(Tag.NULL)
                        ? "if it is meant as a text, put it into quotes"
                                + (Shown.secret(where.substring(where.lastIndexOf('.') + 1))
                                        ? ""
                                        : ": \"" + scalar.getValue() + "\"")
                        : "write a single text");
        return Optional.empty();
    }

    private Optional<Node> value(String key) {
        return mapping.getValue().stream()
                .filter(entry -> entry.getKeyNode() instanceof ScalarNode name
                        && name.getValue().equals(key))
                .map(NodeTuple::getValueNode)
                .findFirst();
    }

    private String inner(String key) {
        return path.isEmpty() ? key : path + "." + key;
    }

    private static String kind(Node node) {
        return switch (node) {
            case MappingNode _ -> "keys with values";
            case SequenceNode _ -> "a list";
            case ScalarNode scalar when scalar.getTag().equals(Tag.NULL) -> "nothing";
            case ScalarNode scalar when scalar.getTag().equals(Tag.BOOL) -> "true or false";
            case ScalarNode scalar when scalar.getTag().equals(Tag.INT) -> "a number";
            case ScalarNode scalar when scalar.getTag().equals(Tag.FLOAT) -> "a number with a point";
            case ScalarNode scalar when scalar.getTag().equals(Tag.STR) -> "a text";
            // Not the tag: a password that begins with an exclamation mark is one.
            default -> "a value with a tag";
        };
    }
}
