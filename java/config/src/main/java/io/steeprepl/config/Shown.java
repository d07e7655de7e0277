package io.steeprepl.config;

import io.steeprepl.api.ApiException;
import io.steeprepl.direct.connection.Secrets;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.api.Dump;
import org.snakeyaml.engine.v2.api.DumpSettings;
import org.snakeyaml.engine.v2.api.StreamDataWriter;
import org.snakeyaml.engine.v2.common.FlowStyle;
import org.snakeyaml.engine.v2.common.ScalarStyle;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;
import org.snakeyaml.engine.v2.nodes.Tag;

/** The document with its aliases written out and its secrets masked. */
public final class Shown {
    private static final String STARS = "****";
    /** More than anybody writes by hand; aliases of aliases can stand for billions. */
    private static final int MOST = 100_000;

    private static final Pattern SECRET =
            Pattern.compile("pass|.*(password|passwd|passphrase|secret|token|webhook_?url)s?|.*_keys?|apikey");
    /** These are none, or say where it is. */
    private static final Set<String> PLACES = Set.of("_file", "_command", "_env", "_path", "public_key");

    private static final Pattern USER_INFO = Pattern.compile("([A-Za-z][A-Za-z0-9+.-]*://[^:@/?#\\s]*):[^@/\\s]*@");

    private int count;

    private Shown() {}

    /** A copy to be shown. Throws {@link ApiException.Usage} when it would be endless. */
    public static Node of(Node root) {
        return new Shown().copy(root, false);
    }

    private Node copy(Node node, boolean secret) {
        if (++count > MOST) {
            throw new ApiException.Usage(
                    "the file has more than %,d values when its aliases are written out".formatted(MOST),
                    "use fewer aliases");
        }
        return switch (node) {
            case MappingNode mapping ->
                new MappingNode(
                        mapping.getTag(),
                        mapping.getValue().stream()
                                .map(entry -> new NodeTuple(
                                        copy(entry.getKeyNode(), false),
                                        copy(entry.getValueNode(), secret || secret(entry.getKeyNode()))))
                                .toList(),
                        FlowStyle.BLOCK);
            case SequenceNode list ->
                new SequenceNode(
                        list.getTag(),
                        list.getValue().stream().map(item -> copy(item, secret)).toList(),
                        list.getFlowStyle());
            case ScalarNode scalar
            when secret && !scalar.getTag().equals(Tag.NULL) ->
                new ScalarNode(Tag.STR, STARS, ScalarStyle.DOUBLE_QUOTED);
            case ScalarNode scalar ->
                new ScalarNode(scalar.getTag(), masked(scalar.getValue()), scalar.getScalarStyle());
            default -> throw new IllegalStateException("a node of another kind: " + node.getNodeType());
        };
    }

    private static boolean secret(Node key) {
        if (!(key instanceof ScalarNode name)) {
            return false;
        }
        return secret(name.getValue());
    }

    /** Whether what stands at a key of that name must not be shown. */
    static boolean secret(String key) {
        String plain = key.toLowerCase(Locale.ROOT).replace('-', '_');
        return PLACES.stream().noneMatch(plain::endsWith)
                && SECRET.matcher(plain).matches();
    }

    private static String masked(String text) {
        if (text.contains("PRIVATE KEY-----")) {
            return STARS;
        }
        return USER_INFO.matcher(Secrets.mask(text)).replaceAll("$1:" + STARS + "@");
    }

    /** As YAML. */
    public static String yaml(Node node) {
        var text = new StringBuilder();
        var settings = DumpSettings.builder()
                .setUseUnicodeEncoding(true)
                .setSplitLines(false)
                .build();
        new Dump(settings).dumpNode(node, new StreamDataWriter() {
            @Override
            public void write(String part) {
                text.append(part);
            }

            @Override
            public void write(String part, int from, int length) {
                text.append(part, from, from + length);
            }
        });
        return text.toString();
    }

    /** As JSON has it. */
    public static @Nullable Object plain(Node node) {
        return switch (node) {
            case MappingNode mapping -> {
                Map<String, @Nullable Object> object = new LinkedHashMap<>();
                mapping.getValue().forEach(entry -> object.put(key(entry.getKeyNode()), plain(entry.getValueNode())));
                yield object;
            }
            case SequenceNode list -> {
                List<@Nullable Object> items = new ArrayList<>();
                list.getValue().forEach(item -> items.add(plain(item)));
                yield items;
            }
            case ScalarNode scalar -> value(scalar);
            default -> throw new IllegalStateException("a node of another kind: " + node.getNodeType());
        };
    }

    private static String key(Node node) {
        return node instanceof ScalarNode scalar ? scalar.getValue() : Objects.toString(plain(node));
    }

    private static @Nullable Object value(ScalarNode scalar) {
        String text = scalar.getValue();
        try {
            if (scalar.getTag().equals(Tag.INT)) {
                return new BigInteger(text);
            }
            if (scalar.getTag().equals(Tag.FLOAT)) {
                return new BigDecimal(text);
            }
        } catch (NumberFormatException e) {
            // .inf, .nan: JSON has no such numbers.
            return text;
        }
        if (scalar.getTag().equals(Tag.BOOL)) {
            return Boolean.valueOf(text);
        }
        return scalar.getTag().equals(Tag.NULL) ? null : text;
    }
}
