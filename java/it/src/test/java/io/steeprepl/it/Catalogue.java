package io.steeprepl.it;

import io.steeprepl.testkit.TestNode;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * What a database's catalogue says.
 *
 * @param lines a line a thing, as {@code catalogue.sql} writes it
 */
record Catalogue(SortedSet<String> lines) {
    static Catalogue of(TestNode node) {
        return new Catalogue(new TreeSet<>(node.rows(query())));
    }

    /** What is different in another one: {@code -} is only here, {@code +} only there. */
    List<String> difference(Catalogue other) {
        SortedSet<String> difference = new TreeSet<>();
        lines.stream().filter(line -> !other.lines.contains(line)).forEach(line -> difference.add("- " + line));
        other.lines.stream().filter(line -> !lines.contains(line)).forEach(line -> difference.add("+ " + line));
        // By the thing, so that both forms of one stand together.
        return difference.stream()
                .sorted((x, y) -> x.substring(2).compareTo(y.substring(2)))
                .toList();
    }

    private static String query() {
        try (InputStream text = Objects.requireNonNull(Catalogue.class.getResourceAsStream("catalogue.sql"))) {
            return new String(text.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
