package io.steeprepl.cli.extension;

import io.steeprepl.api.ApiException;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A PostgreSQL installation.
 *
 * @param version as pg_config prints it, such as {@code PostgreSQL 18.1}
 * @param libraries where its loadable libraries are
 * @param extensions where its extensions' control files are
 */
record Server(Path pgConfig, String version, Path libraries, Path extensions) {
    private static final int MAJOR = 18;
    private static final Pattern VERSION = Pattern.compile("PostgreSQL (\\d+).*");
    private static final List<String> USUAL = List.of(
            "/usr/lib/postgresql/18/bin/pg_config",
            "/usr/pgsql-18/bin/pg_config",
            "/usr/local/pgsql/bin/pg_config",
            "/opt/homebrew/opt/postgresql@18/bin/pg_config",
            "/usr/local/opt/postgresql@18/bin/pg_config");

    /** The installation that a pg_config belongs to, or the first suitable one. Throws {@link ApiException}. */
    static Server find(@Nullable Path pgConfig, Map<String, String> environment) {
        String named = environment.getOrDefault("PG_CONFIG", "");
        if (pgConfig != null || !named.isEmpty()) {
            return of(pgConfig != null ? pgConfig : Path.of(named));
        }
        List<String> others = new ArrayList<>();
        for (Path candidate : candidates(environment)) {
            if (Files.isExecutable(candidate)) {
                String version = PgConfig.ask(candidate, "--version");
                if (major(version) == MAJOR) {
                    return of(candidate);
                }
                others.add("%s is of %s".formatted(candidate, version));
            }
        }
        throw new ApiException.Failed(
                null,
                "no pg_config of PostgreSQL %d found".formatted(MAJOR),
                others.isEmpty() ? null : String.join("\n", others),
                "name it with --pg-config PATH; on Debian it comes with postgresql-client-18 or libpq-dev",
                null);
    }

    private static List<Path> candidates(Map<String, String> environment) {
        List<Path> candidates = new ArrayList<>();
        USUAL.forEach(path -> candidates.add(Path.of(path)));
        for (String folder : environment.getOrDefault("PATH", "").split(File.pathSeparator, -1)) {
            candidates.add(Path.of(folder.isEmpty() ? "." : folder, "pg_config"));
        }
        return candidates;
    }

    private static Server of(Path pgConfig) {
        if (!Files.isExecutable(pgConfig)) {
            throw new ApiException.Usage(
                    "%s is not a program".formatted(pgConfig), "--pg-config wants the path of the program pg_config");
        }
        String version = PgConfig.ask(pgConfig, "--version");
        if (major(version) != MAJOR) {
            throw new ApiException.Failed(
                    null,
                    "PostgreSQL %d is required, found %s".formatted(MAJOR, version),
                    "by " + pgConfig,
                    "name the pg_config of a PostgreSQL %d with --pg-config".formatted(MAJOR),
                    null);
        }
        Path share = Path.of(PgConfig.ask(pgConfig, "--sharedir"));
        return new Server(
                pgConfig, version, Path.of(PgConfig.ask(pgConfig, "--pkglibdir")), share.resolve("extension"));
    }

    private static int major(String version) {
        Matcher matcher = VERSION.matcher(version);
        return matcher.matches() ? Integer.parseInt(matcher.group(1)) : 0;
    }
}
