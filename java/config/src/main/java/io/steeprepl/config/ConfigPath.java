package io.steeprepl.config;

import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Which file holds the configuration.
 *
 * @param source who says so
 */
public record ConfigPath(Path path, Source source) {
    /** The variable that names the file. */
    public static final String VARIABLE = "STEEP_REPL_CONFIG";

    /** Who names the file; the first that does counts. */
    public enum Source {
        OPTION,
        ENVIRONMENT,
        DEFAULT;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** That of this process. */
    public static ConfigPath ofProcess(@Nullable String option) {
        return of(option, System.getProperty("os.name", ""), System.getenv(), System.getProperty("user.home", "/"));
    }

    /** {@code system}: the operating system, as Java calls it. */
    public static ConfigPath of(@Nullable String option, String system, Map<String, String> environment, String home) {
        if (option != null) {
            return new ConfigPath(Path.of(option), Source.OPTION);
        }
        String named = environment.getOrDefault(VARIABLE, "");
        if (!named.isEmpty()) {
            return new ConfigPath(Path.of(named), Source.ENVIRONMENT);
        }
        Path folder = settings(system.toLowerCase(Locale.ROOT), environment, Path.of(home));
        return new ConfigPath(folder.resolve("steep").resolve("config.yaml"), Source.DEFAULT);
    }

    private static Path settings(String system, Map<String, String> environment, Path home) {
        if (system.startsWith("windows")) {
            String roaming = environment.getOrDefault("APPDATA", "");
            return roaming.isEmpty() ? home.resolve("AppData").resolve("Roaming") : Path.of(roaming);
        }
        if (system.startsWith("mac")) {
            return home.resolve("Library").resolve("Application Support");
        }
        String xdg = environment.getOrDefault("XDG_CONFIG_HOME", "");
        // The specification of XDG says that a relative one is to be ignored.
        return xdg.startsWith("/") ? Path.of(xdg) : home.resolve(".config");
    }

    @Override
    public String toString() {
        return path.toString();
    }
}
