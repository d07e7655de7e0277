package io.steeprepl.direct.connection;

import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/**
 * What the process finds around it and connection parameters depend on.
 *
 * @param variables the environment
 * @param home the user's home folder
 * @param userName the operating system's name for the user
 */
public record Surroundings(Map<String, String> variables, Path home, String userName) {
    /** Those of this process. */
    public static Surroundings ofProcess() {
        return new Surroundings(
                Map.copyOf(System.getenv()),
                Path.of(System.getProperty("user.home", "/")),
                System.getProperty("user.name", "postgres"));
    }

    /** A variable; one that is set to nothing counts as unset, as in libpq's files and defaults. */
    Optional<String> variable(String name) {
        return Optional.ofNullable(variables.get(name)).filter(value -> !value.isEmpty());
    }
}
