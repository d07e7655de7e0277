package io.steeprepl.config;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.util.Optional;
import org.snakeyaml.engine.v2.nodes.Node;

/**
 * The file as a tree of values.
 *
 * @param root empty when the file is empty, or cannot be read
 * @param top the keys at the top; empty also when something else stands there
 */
public record Document(ConfigPath path, Optional<Node> root, Optional<Section> top, Problems problems) {
    private static final int NEW_LINE = '\n';

    /** Reads it. What is wrong stands in {@link #problems()}. */
    public static Document read(ConfigPath path) {
        var problems = new Problems();
        return read(path, text(path, problems), problems);
    }

    /** Reads a text as if it stood in the file. */
    public static Document read(ConfigPath path, String text) {
        return read(path, Optional.of(text), new Problems());
    }

    private static Document read(ConfigPath path, Optional<String> text, Problems problems) {
        Optional<Node> root = text.flatMap(yaml -> Yaml.read(yaml, problems));
        Optional<Section> top = root.flatMap(node -> Section.of(node, "", problems, "for instance: replication: {}"));
        return new Document(path, root, top, problems);
    }

    /** Whether a document was read: then names in it can be looked up although there are problems. */
    public boolean readable() {
        return root.isPresent() || problems.none();
    }

    private static Optional<String> text(ConfigPath path, Problems problems) {
        try {
            return decoded(Files.readAllBytes(path.path()), problems);
        } catch (NoSuchFileException e) {
            problems.add(
                    "there is no such file", "make it, or name another one with --config or $" + ConfigPath.VARIABLE);
        } catch (AccessDeniedException e) {
            problems.add("you may not read it", "name another one with --config or $" + ConfigPath.VARIABLE);
        } catch (IOException e) {
            problems.add(
                    Files.isDirectory(path.path()) ? "it is a folder" : "cannot be read: " + e.getMessage(),
                    "name a file with --config or $" + ConfigPath.VARIABLE);
        }
        return Optional.empty();
    }

    private static Optional<String> decoded(byte[] bytes, Problems problems) {
        ByteBuffer in = ByteBuffer.wrap(bytes);
        CharBuffer out = CharBuffer.allocate(bytes.length);
        CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
        CoderResult result = decoder.decode(in, out, true);
        if (result.isError()) {
            int line = 1;
            int start = 0;
            for (int i = 0; i < in.position(); i++) {
                if (bytes[i] == NEW_LINE) {
                    line++;
                    start = i + 1;
                }
            }
            problems.add(line, in.position() - start + 1, "not UTF-8", "save it as UTF-8");
            return Optional.empty();
        }
        String text = out.flip().toString();
        return Optional.of(text.startsWith("\ufeff") ? text.substring(1) : text);
    }
}
