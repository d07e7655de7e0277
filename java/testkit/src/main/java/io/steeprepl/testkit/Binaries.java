package io.steeprepl.testkit;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.tukaani.xz.XZInputStream;

/**
 * The programs of a PostgreSQL 18 server: those of the pg_config that PG_CONFIG names or that is on the path, else the embedded ones.
 *
 * @param bin the folder with initdb and postgres
 */
public record Binaries(Path bin) {
    private static final String VERSION = "18.6.0";

    /** Finds them, unpacking the embedded ones into the cache the first time. */
    public static Binaries find() {
        return named().or(Binaries::onPath).orElseGet(Binaries::embedded);
    }

    private static Optional<Binaries> named() {
        String config = System.getenv("PG_CONFIG");
        if (config == null || config.isEmpty()) {
            return Optional.empty();
        }
        if (!Processes.output(List.of(config, "--version")).startsWith("PostgreSQL 18")) {
            throw new TestkitException("PG_CONFIG=" + config + " is not a pg_config of PostgreSQL 18");
        }
        return Optional.of(new Binaries(Path.of(Processes.output(List.of(config, "--bindir")))));
    }

    /** A pg_config of another version, or one without a server, is not meant. */
    private static Optional<Binaries> onPath() {
        if (!Processes.output(List.of("pg_config", "--version")).startsWith("PostgreSQL 18")) {
            return Optional.empty();
        }
        Path bin = Path.of(Processes.output(List.of("pg_config", "--bindir")));
        return Optional.of(new Binaries(bin)).filter(found -> Files.isExecutable(bin.resolve("initdb")));
    }

    private static Binaries embedded() {
        String resource = resource();
        return new Binaries(Cache.once("postgres-" + VERSION + "-" + resource.replaceAll("\\W", "-"), folder -> {
                    try (InputStream packed = Binaries.class.getResourceAsStream("/" + resource)) {
                        if (packed == null) {
                            throw new TestkitException("there is no embedded server for this platform (" + resource
                                    + "); install PostgreSQL 18 and name its pg_config in PG_CONFIG");
                        }
                        unpack(packed, folder);
                    } catch (IOException e) {
                        throw new TestkitException("cannot unpack the embedded server", e);
                    }
                })
                .resolve("bin"));
    }

    private static String resource() {
        String os = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        String arch = System.getProperty("os.arch").toLowerCase(Locale.ROOT);
        boolean arm = arch.contains("aarch64") || arch.contains("arm64");
        if (os.contains("mac")) {
            return "postgres-darwin-" + (arm ? "arm_64" : "x86_64") + ".txz";
        }
        return os.contains("windows")
                ? "postgres-windows-x86_64.txz"
                : "postgres-linux-" + (arm ? "arm_64" : "x86_64") + ".txz";
    }

    private static void unpack(InputStream packed, Path folder) throws IOException {
        try (var tar = new TarArchiveInputStream(new XZInputStream(new BufferedInputStream(packed)))) {
            TarArchiveEntry entry;
            while ((entry = tar.getNextEntry()) != null) {
                Path target = folder.resolve(entry.getName()).normalize();
                if (!target.startsWith(folder)) {
                    throw new IOException("entry outside the folder: " + entry.getName());
                }
                if (entry.isDirectory()) {
                    Files.createDirectories(target);
                    continue;
                }
                Files.createDirectories(target.resolveSibling("."));
                if (entry.isSymbolicLink()) {
                    Files.createSymbolicLink(target, Path.of(entry.getLinkName()));
                } else {
                    Files.copy(tar, target);
                    if ((entry.getMode() & 0100) != 0 && !target.toFile().setExecutable(true, false)) {
                        throw new IOException("cannot make executable: " + target);
                    }
                }
            }
        }
    }
}
