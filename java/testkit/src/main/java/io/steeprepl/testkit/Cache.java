package io.steeprepl.testkit;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.function.Supplier;

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
