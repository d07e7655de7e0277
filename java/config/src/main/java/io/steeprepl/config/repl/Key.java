package io.steeprepl.config.repl;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A key of the section.
 *
 * @param name below {@code repl}, with dots
 * @param byDefault null when it may be missing
 * @param defaultText the default as it would be written, or what happens without the key
 * @param live whether a new value counts without a restart
 * @param text what it is for
 */
record Key<T>(String name, Kind<T> kind, @Nullable T byDefault, String defaultText, boolean live, String text) {
    /** The value that counts when the file has none. */
    T orDefault() {
        return Objects.requireNonNull(byDefault);
    }

    /** Where it stands: the name before the last dot, empty at the top. */
    String parent() {
        int dot = name.lastIndexOf('.');
        return dot < 0 ? "" : name.substring(0, dot);
    }

    /** The name after the last dot. */
    String last() {
        return name.substring(name.lastIndexOf('.') + 1);
    }
}
