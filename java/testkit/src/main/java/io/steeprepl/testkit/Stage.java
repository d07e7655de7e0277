package io.steeprepl.testkit;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;

/** The built extension, where a server can read it: a copy in the cache, named after its contents. */
public final class Stage {
    /** How long a copy stays that nobody starts a server with. */
    private static final Duration KEPT = Duration.ofDays(14);

    private Stage() {}

    /** The folder with {@code lib/} and {@code extension/}; a copy, so that a rebuild leaves running servers alone. */
    public static Path find() {
        Path built = Path.of(System.getProperty("steeprepl.stage", "extension/stage"))
                .toAbsolutePath();
        if (!Files.exists(built.resolve("extension/steep_repl.control"))) {
            throw new TestkitException(
                    "the extension is not built: nothing in " + built + "; run ./mvnw -pl extension compile");
        }
        try {
            List<Path> files;
            try (Stream<Path> walk = Files.walk(built)) {
                files = walk.filter(Files::isRegularFile).sorted().toList();
            }
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            for (Path file : files) {
                digest.update(Files.readAllBytes(file));
            }
            String hash = HexFormat.of().formatHex(digest.digest()).substring(0, 16);
            return Cache.used("extension-" + hash, copy -> {
                Cache.prune("extension-", KEPT);
                for (Path file : files) {
                    copy(file, copy.resolve(built.relativize(file).toString()));
                }
            });
        } catch (IOException | NoSuchAlgorithmException e) {
            throw new TestkitException("cannot read the built extension in " + built, e);
        }
    }

    private static void copy(Path from, Path to) {
        try {
            Files.createDirectories(to.resolveSibling("."));
            Files.copy(from, to);
        } catch (IOException e) {
            throw new TestkitException("cannot copy " + from, e);
        }
    }
}
