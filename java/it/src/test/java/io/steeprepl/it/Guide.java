package io.steeprepl.it;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The fenced blocks of a guide, in their order. */
final class Guide {
    private static final Pattern MARK = Pattern.compile("^(?:--|#) on (berlin|paris)\\b.*");

    /** What can be done with a block, by its language tag. */
    enum Kind {
        SH,
        SQL,
        INI,
        PG_HBA,
        LAST_ERROR
    }

    /**
     * A block.
     *
     * @param heading of the section that it stands in
     * @param line where it begins in the guide
     */
    record Block(String heading, int line, Kind kind, String text) {
        /** The parts with the server that each is for: a line {@code -- on berlin} begins one; without, it is for both. */
        List<Part> parts() {
            List<Part> parts = new ArrayList<>();
            String server = "";
            StringBuilder text = new StringBuilder();
            for (String line : this.text.lines().toList()) {
                Matcher mark = MARK.matcher(line);
                if (mark.matches()) {
                    add(parts, server, text);
                    server = mark.group(1);
                } else {
                    text.append(line).append('\n');
                }
            }
            add(parts, server, text);
            return parts;
        }

        private static void add(List<Part> parts, String server, StringBuilder text) {
            if (!text.isEmpty()) {
                (server.isEmpty() ? List.of("berlin", "paris") : List.of(server))
                        .forEach(name -> parts.add(new Part(name, text.toString())));
                text.setLength(0);
            }
        }
    }

    /** What is to be run on one server. */
    record Part(String server, String text) {}

    private Guide() {}

    /** Reads a guide; a block with another tag than those of {@link Kind} is an error. */
    static List<Block> read(Path file) throws IOException {
        List<Block> blocks = new ArrayList<>();
        String heading = "";
        List<String> lines = Files.readAllLines(file);
        for (int i = 0; i < lines.size(); i++) {
            if (lines.get(i).startsWith("#")) {
                heading = lines.get(i).replaceFirst("^#+ (\\d+\\. )?", "");
            } else if (lines.get(i).strip().startsWith("```")) {
                int begin = i;
                StringBuilder text = new StringBuilder();
                while (!lines.get(++i).strip().equals("```")) {
                    text.append(lines.get(i)).append('\n');
                }
                blocks.add(new Block(heading, begin + 1, kind(file, begin, lines.get(begin)), text.toString()));
            }
        }
        return blocks;
    }

    private static Kind kind(Path file, int line, String fence) {
        return switch (fence.strip().substring(3).toLowerCase(Locale.ROOT)) {
            case "sh" -> Kind.SH;
            case "sql" -> Kind.SQL;
            case "ini" -> Kind.INI;
            case "pg_hba.conf" -> Kind.PG_HBA;
            case "last_error" -> Kind.LAST_ERROR;
            default ->
                throw new AssertionError(
                        "%s:%d: nothing is known to do with a block %s".formatted(file, line + 1, fence));
        };
    }
}
