package io.steeprepl.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.UUID;
import java.util.function.Supplier;
import java.util.stream.Stream;

/** The folder for what survives: unpacked servers and copies of the extension, readable by every user. */
public final class Cache {
    private Cache() {}

    /** The cache folder, made if need be: STEEP_REPL_CACHE, /var/cache for root, else the user's own cache. */
    public static Path root() {
        String set = System.getenv("STEEP_REPL_CACHE");
        String xdg = System.getenv("XDG_CACHE_HOME");
        // As the build's scripts see it; the account's own entry may name a folder that does not exist.
        String homeSet = System.getenv("HOME");
        Path home = Path.of(homeSet == null || homeSet.isEmpty() ? System.getProperty("user.home") : homeSet);
        Path root;
        if (set != null && !set.isEmpty()) {
            root = Path.of(set);
        } else if (Account.isRoot()) {
            root = Path.of("/var/cache/steep-repl");
        } else {
            root = (xdg == null || xdg.isEmpty() ? home.resolve(".cache") : Path.of(xdg)).resolve("steep-repl");
        }
        try {
            Files.createDirectories(root);
            return root.toRealPath();
        } catch (IOException e) {
            throw new TestkitException("cannot make the cache folder " + root, e);
        }
    }

    /** Makes a folder of the cache once, whoever else is doing the same: others wait for the one that began. */
    public static Path once(String name, java.util.function.Consumer<Path> fill) {
        Path done = root().resolve(name);
        if (Files.isDirectory(done)) {
            return done;
        }
        return locked(root().resolve(name + ".lock"), () -> {
            if (!Files.isDirectory(done)) {
                try {
                    Path work = Files.createTempDirectory(root(), name);
                    try {
                        fill.accept(work);
                        Permissions.readable(work);
                        Files.move(work, done);
                    } finally {
                        Permissions.remove(work);
                    }
                } catch (IOException e) {
                    throw new TestkitException("cannot make " + done, e);
                }
            }
            return done;
        });
    }

    /** The same for what {@link #prune} may remove: notes that it is used now. */
    public static Path used(String name, java.util.function.Consumer<Path> fill) {
        while (true) {
            Path done = once(name, fill);
            try {
                Files.setLastModifiedTime(done, FileTime.from(Instant.now()));
                return done;
            } catch (NoSuchFileException e) {
                // It is made anew.
            } catch (IOException e) {
                // Another account's, which keeps it as long as it uses it.
                return done;
            }
        }
    }

    /** Removes the folders whose name begins like that and that have not been used for so long, unless a server runs with them. */
    public static void prune(String prefix, Duration unused) {
        Instant limit = Instant.now().minus(unused);
        try (Stream<Path> files = Files.list(root())) {
            for (Path folder : (Iterable<Path>) files::iterator) {
                if (folder.getFileName().toString().startsWith(prefix)
                        && Files.isDirectory(folder)
                        && olderThan(limit, folder)
                        && !mapped(folder)) {
                    remove(folder, limit);
                }
            }
        } catch (IOException e) {
            throw new TestkitException("cannot list " + root(), e);
        }
    }

    /** Under the lock of its maker: away at once, under another name; back again if it was used meanwhile. */
    private static void remove(Path folder, Instant limit) {
        locked(folder.resolveSibling(folder.getFileName() + ".lock"), () -> {
            try {
                Path gone = folder.resolveSibling("removed-" + UUID.randomUUID());
                Files.move(folder, gone);
                if (olderThan(limit, gone)) {
                    Permissions.remove(gone);
                } else {
                    Files.move(gone, folder);
                }
            } catch (IOException e) {
                // Another account's, which stays; or gone already.
            }
            return folder;
        });
    }

    private static boolean olderThan(Instant limit, Path folder) throws IOException {
        try {
            return Files.getLastModifiedTime(folder).toInstant().isBefore(limit);
        } catch (NoSuchFileException e) {
            return false;
        }
    }

    /** Whether a process of ours runs with a library of that folder, as far as the system tells (Linux does). */
    private static boolean mapped(Path folder) {
        try (Stream<Path> processes = Files.list(Path.of("/proc"))) {
            return processes
                    .map(process -> process.resolve("maps"))
                    .filter(Files::isReadable)
                    .anyMatch(maps -> mentions(maps, folder + "/"));
        } catch (IOException e) {
            return false;
        }
    }

    private static boolean mentions(Path maps, String text) {
        try (Stream<String> lines = Files.lines(maps, StandardCharsets.ISO_8859_1)) {
            return lines.anyMatch(line -> line.contains(text));
        } catch (IOException | UncheckedIOException e) {
            // The process has ended.
            return false;
        }
    }

    private static <R> R locked(Path file, Supplier<R> body) {
        synchronized (Cache.class) {
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                    var lock = channel.lock()) {
                assert lock.isValid();
                return body.get();
            } catch (IOException e) {
                throw new TestkitException("cannot lock " + file, e);
            }
        }
    }
}
