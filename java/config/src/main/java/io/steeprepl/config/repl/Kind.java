package io.steeprepl.config.repl;

import io.steeprepl.api.ApiException;
import io.steeprepl.config.Durations;
import io.steeprepl.config.Located;
import io.steeprepl.config.Problems;
import io.steeprepl.config.Section;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What may stand at a key.
 *
 * @param what it is, for the reference
 */
record Kind<T>(String what, Reader<T> reader) {
    /** Reads the value at a key; what does not fit is a problem and no value. */
    @FunctionalInterface
    interface Reader<T> {
        Optional<Located<T>> read(Section section, String key, Problems problems);
    }

    static Kind<String> text() {
        return new Kind<>(
                "text",
                (section, key, problems) -> section.text(key).filter(text -> {
                    if (text.value().isBlank()) {
                        problems.add(text, "it is empty", "write something, or leave the key out");
                    }
                    return !text.value().isBlank();
                }));
    }

    static Kind<List<String>> texts() {
        return new Kind<>(
                "list of texts",
                (section, key, problems) -> section.list(key)
                        .map(list -> new Located<>(
                                section.texts(key).stream().map(Located::value).toList(), list.node(), list.key())));
    }

    /** Names and texts, as many as wanted. */
    static Kind<Map<String, String>> map() {
        return new Kind<>(
                "texts by name",
                (section, key, problems) -> section.section(key).map(inner -> {
                    Map<String, String> values = new LinkedHashMap<>();
                    for (Section.Entry entry : inner.entries()) {
                        inner.text(entry.key().value())
                                .ifPresent(text -> values.put(entry.key().value(), text.value()));
                    }
                    return new Located<>(Map.copyOf(values), inner.node(), inner.path());
                }));
    }

    static Kind<Boolean> flag() {
        return new Kind<>("true or false", (section, key, problems) -> section.flag(key));
    }

    static Kind<Integer> number(int least, int most) {
        String range = "%d to %d".formatted(least, most);
        return new Kind<>(
                "number, " + range,
                (section, key, problems) -> section.number(key).flatMap(number -> {
                    if (number.value() < least || number.value() > most) {
                        problems.add(number, "%d is out of range".formatted(number.value()), range);
                        return Optional.empty();
                    }
                    return Optional.of(with(number, number.value().intValue()));
                }));
    }

    static Kind<Duration> duration(Duration least, Duration most) {
        String range = "%s to %s".formatted(Durations.text(least), Durations.text(most));
        return new Kind<>(
                "duration, " + range,
                (section, key, problems) -> section.text(key).flatMap(text -> {
                    try {
                        Duration value = Durations.parse(text.value());
                        if (value.compareTo(least) >= 0 && value.compareTo(most) <= 0) {
                            return Optional.of(with(text, value));
                        }
                        problems.add(text, "%s is out of range".formatted(text.value()), range);
                    } catch (ApiException.Usage e) {
                        problems.add(
                                text,
                                "not a duration: " + text.value(),
                                "a number and a unit: 500ms, 30s, 5m, 2h, 90d, 2y");
                    }
                    return Optional.empty();
                }));
    }

    static Kind<String> oneOf(String... words) {
        List<String> known = List.of(words);
        return new Kind<>(
                String.join(", ", known),
                (section, key, problems) -> section.text(key).filter(text -> {
                    if (!known.contains(text.value())) {
                        problems.add(
                                text,
                                "unknown value \"%s\"".formatted(text.value()),
                                Section.meant(text.value(), known) + "known: " + String.join(", ", known));
                    }
                    return known.contains(text.value());
                }));
    }

    /** A path; a tilde at its beginning is the user's home folder. */
    static Kind<Path> path() {
        return new Kind<>(
                "path",
                (section, key, problems) -> text().reader()
                        .read(section, key, problems)
                        .flatMap(text -> {
                            String value = text.value();
                            boolean atHome = value.equals("~") || value.startsWith("~/");
                            String home = System.getProperty("user.home", "/");
                            try {
                                return Optional.of(with(text, Path.of(atHome ? home + value.substring(1) : value)));
                            } catch (InvalidPathException e) {
                                problems.add(text, "not a path: " + e.getReason(), "write the path of a file");
                                return Optional.empty();
                            }
                        }));
    }

    private static <A, B> Located<B> with(Located<A> at, B value) {
        return new Located<>(value, at.node(), at.key());
    }
}
