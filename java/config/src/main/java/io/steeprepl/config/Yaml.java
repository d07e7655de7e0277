package io.steeprepl.config;

import java.util.Collections;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.api.lowlevel.Compose;
import org.snakeyaml.engine.v2.api.lowlevel.Parse;
import org.snakeyaml.engine.v2.events.CollectionStartEvent;
import org.snakeyaml.engine.v2.events.Event;
import org.snakeyaml.engine.v2.events.ScalarEvent;
import org.snakeyaml.engine.v2.exceptions.Mark;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.ReaderException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;
import org.snakeyaml.engine.v2.schema.CoreSchema;

/** YAML 1.2 as a tree that knows its lines. Texts of the parser that quote the file are left out: it may hold secrets. */
public final class Yaml {
    private static final String ONE_ERROR = "mend it first: what follows cannot be read";

    /** What the parser refuses without a line is let in, and refused by those who read it. */
    private static final LoadSettings SETTINGS = LoadSettings.builder()
            .setSchema(new CoreSchema())
            .setAllowNonScalarKeys(true)
            .build();

    /** Deeper than any configuration, and far from the end of the stack. */
    private static final int DEEPEST = 100;

    private final Problems problems;
    private final Set<Node> open = Collections.newSetFromMap(new IdentityHashMap<>());
    private final Set<Node> seen = Collections.newSetFromMap(new IdentityHashMap<>());

    private Yaml(Problems problems) {
        this.problems = problems;
    }

    /** The one document of a text; empty when there is none, or when it cannot be read. */
    public static Optional<Node> read(String text, Problems problems) {
        try {
            Optional<Node> root = new Compose(SETTINGS).composeString(text);
            root.ifPresent(node -> new Yaml(problems).check(node, ""));
            return root;
        } catch (MarkedYamlEngineException e) {
            Optional<Mark> mark = e.getProblemMark().or(e::getContextMark);
            String context = Objects.requireNonNullElse(e.getContext(), "");
            problems.add(
                    mark.map(Mark::getLine).orElse(-1) + 1,
                    mark.map(Mark::getColumn).orElse(-1) + 1,
                    "not YAML: " + unnamed((context.isEmpty() ? "" : context + ": ") + e.getProblem()),
                    ONE_ERROR);
        } catch (ReaderException e) {
            String before = text.substring(
                    0, text.offsetByCodePoints(0, Math.min(e.getPosition(), text.codePointCount(0, text.length()))));
            problems.add(
                    (int) before.chars().filter(c -> c == '\n').count() + 1,
                    before.length() - before.lastIndexOf('\n'),
                    "not YAML: the character U+%04X".formatted(e.getCodePoint()),
                    ONE_ERROR);
        } catch (YamlEngineException e) {
            problems.add("not YAML: " + e.getMessage(), ONE_ERROR);
        } catch (IllegalArgumentException e) {
            // A tag that ends in an escaped blank, such as !%20: the library itself does not expect it.
            problems.add(badTag(text), 0, "not YAML: a tag that cannot be one", "put the value in quotes");
        } catch (StackOverflowError e) {
            problems.add("nested too deep to be read", "at most %d levels".formatted(DEEPEST));
        }
        return Optional.empty();
    }

    /** In which line it stands, from 1; 0 when that cannot be said. */
    private static int badTag(String text) {
        for (Event event : new Parse(SETTINGS).parseString(text)) {
            Optional<String> tag = switch (event) {
                case ScalarEvent scalar -> scalar.getTag();
                case CollectionStartEvent start -> start.getTag();
                default -> Optional.empty();
            };
            if (tag.filter(name -> !name.strip().equals(name) || !name.trim().equals(name))
                    .isPresent()) {
                return event.getStartMark().map(Mark::getLine).orElse(-1) + 1;
            }
        }
        return 0;
    }

    /** Without names that the parser quotes: a password that begins with a star is an alias to it. */
    private static String unnamed(String text) {
        return text.replaceAll("(?s)\\b(alias|anchor|handle|tag) .*", "$1");
    }

    /** From 1. */
    public static int line(Node node) {
        return node.getStartMark().map(Mark::getLine).orElse(-1) + 1;
    }

    /** From 1. */
    public static int column(Node node) {
        return node.getStartMark().map(Mark::getColumn).orElse(-1) + 1;
    }

    /** What the parser lets pass: a key twice, an alias within what it stands for. */
    private void check(Node node, String path) {
        if (open.contains(node)) {
            problems.add(node, path, "an alias stands within what it stands for", "write it out");
            return;
        }
        if (open.size() == DEEPEST) {
            problems.add(node, path, "nested too deep", "at most %d levels".formatted(DEEPEST));
            return;
        }
        if (!seen.add(node)) {
            return;
        }
        open.add(node);
        switch (node) {
            case MappingNode mapping -> {
                Map<String, Node> keys = new HashMap<>();
                for (NodeTuple entry : mapping.getValue()) {
                    String key = entry.getKeyNode() instanceof ScalarNode scalar ? scalar.getValue() : "?";
                    String inner = path.isEmpty() ? key : path + "." + key;
                    Node first = keys.putIfAbsent(key, entry.getKeyNode());
                    if (entry.getKeyNode() instanceof ScalarNode && first != null) {
                        problems.add(
                                entry.getKeyNode(),
                                inner,
                                "the key stands here twice",
                                "it already stands in line " + line(first) + "; keep one of them");
                    }
                    check(entry.getKeyNode(), inner);
                    check(entry.getValueNode(), inner);
                }
            }
            case SequenceNode sequence -> sequence.getValue().forEach(item -> check(item, path));
            default -> {}
        }
        open.remove(node);
    }
}
