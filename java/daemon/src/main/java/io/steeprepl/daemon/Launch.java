package io.steeprepl.daemon;

import io.steeprepl.config.ConfigPath;
import io.steeprepl.direct.connection.Surroundings;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * What a daemon is started with, beside what its file says.
 *
 * @param config the file; it need not exist when it is the usual one
 * @param name tells several daemons of one machine apart
 * @param connection the database, instead of the one in the file
 */
public record Launch(
        ConfigPath config, String name, @Nullable String connection, Surroundings around) {
    /** The name of a daemon that was given none. */
    public static final String DEFAULT_NAME = "steep-repl";

    /** The usual socket of a daemon of that name. */
    public static Path socket(String name) {
        return Path.of("/tmp", file(name) + ".sock");
    }

    /** Where a daemon of that name says that it runs. */
    public static Path lock(String name) {
        return Path.of("/tmp", file(name) + ".lock");
    }

    private static String file(String name) {
        return name.equals(DEFAULT_NAME) ? name : DEFAULT_NAME + "-" + name;
    }
}
