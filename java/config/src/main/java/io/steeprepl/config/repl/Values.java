package io.steeprepl.config.repl;

import io.steeprepl.config.Document;
import io.steeprepl.config.Located;
import io.steeprepl.config.Problems;
import io.steeprepl.config.Section;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** What the file says at each key. */
final class Values {
    private static final String SECTION = "repl";

    private final Map<Key<?>, Located<?>> written;

    private Values(Map<Key<?>, Located<?>> written) {
        this.written = written;
    }

    /** Reads the section; what does not fit is a problem of the document. */
    static Values read(Document document) {
        Map<Key<?>, Located<?>> written = new LinkedHashMap<>();
        document.top().ifPresent(top -> top.noSlipOf(SECTION));
        document.top()
                .flatMap(top -> top.section(SECTION))
                .ifPresent(section -> read(section, "", written, document.problems()));
        Path file = document.path().path().toAbsolutePath();
        written.replaceAll((key, at) ->
                at.value() instanceof Path path ? new Located<>(file.resolveSibling(path), at.node(), at.key()) : at);
        return new Values(written);
    }

    private static void read(Section section, String parent, Map<Key<?>, Located<?>> written, Problems problems) {
        Set<String> known = new LinkedHashSet<>();
        Set<String> inner = new LinkedHashSet<>();
        String prefix = parent.isEmpty() ? "" : parent + ".";
        for (Key<?> key : Keys.all()) {
            if (key.parent().equals(parent)) {
                known.add(key.last());
                if (section.has(key.last())) {
                    key.kind().reader().read(section, key.last(), problems).ifPresent(value -> written.put(key, value));
                }
            } else if (key.name().startsWith(prefix)) {
                String rest = key.name().substring(prefix.length());
                inner.add(rest.substring(0, rest.indexOf('.')));
            }
        }
        known.addAll(inner);
        section.only(List.copyOf(known));
        for (String name : inner) {
            section.section(name).ifPresent(below -> read(below, prefix + name, written, problems));
        }
    }

    /** What the file says and where. */
    @SuppressWarnings("unchecked") // Only its key's reader puts a value there.
    <T> Optional<Located<T>> at(Key<T> key) {
        return Optional.ofNullable((Located<T>) written.get(key));
    }

    /** What the file says. */
    <T> Optional<T> find(Key<T> key) {
        return at(key).map(Located::value);
    }

    /** What counts. */
    <T> T get(Key<T> key) {
        return find(key).orElseGet(key::orDefault);
    }

    /** These, and what {@code next} says where a new value counts without a restart. */
    Values withLiveOf(Values next) {
        Map<Key<?>, Located<?>> both = new LinkedHashMap<>();
        written.forEach((key, at) -> {
            if (!key.live()) {
                both.put(key, at);
            }
        });
        next.written.forEach((key, at) -> {
            if (key.live()) {
                both.put(key, at);
            }
        });
        return new Values(both);
    }

    /** The keys at which the two say different things. */
    List<Key<?>> differing(Values other) {
        List<Key<?>> keys = new ArrayList<>();
        for (Key<?> key : Keys.all()) {
            if (!find(key).equals(other.find(key))) {
                keys.add(key);
            }
        }
        return keys;
    }
}
