package io.steeprepl.daemon;

import io.steeprepl.api.ApiException;
import io.steeprepl.remote.windows.ThisSystem;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;

/** A file that one daemon holds while it lives, with its process id. The system lets go of it, however the daemon ends. */
final class LockFile implements AutoCloseable {
    private final FileChannel channel;

    private final CountDownLatch ending = new CountDownLatch(1);

    private LockFile(FileChannel channel, Path path) {
        this.channel = channel;
        Thread.ofVirtual().name("lock").start(() -> keepFresh(path));
    }

    /** What nobody has touched for days is cleared away in folders for temporary files. */
    private void keepFresh(Path path) {
        try {
            while (!ending.await(1, TimeUnit.HOURS)) {
                Files.setLastModifiedTime(path, FileTime.from(Instant.now()));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (IOException e) {
            LoggerFactory.getLogger(LockFile.class).warn("the lock file {} is gone: {}", path, e.toString());
        }
    }

    /** Takes it. Throws {@link ApiException.Failed} when another daemon of that name runs. */
    static LockFile take(Path path, String name) {
        FileChannel channel = null;
        try {
            Path folder = path.toAbsolutePath().getParent();
            if (folder != null) {
                Files.createDirectories(folder);
            }
            channel = FileChannel.open(
                    path,
                    Set.of(
                            StandardOpenOption.CREATE,
                            StandardOpenOption.READ,
                            StandardOpenOption.WRITE,
                            LinkOption.NOFOLLOW_LINKS),
                    attributes());
            FileLock lock = lock(channel);
            if (lock == null) {
                String pid = read(channel);
                channel.close();
                throw new ApiException.Failed(
                        null,
                        "a daemon called %s runs already, process %s".formatted(name, pid),
                        "it holds " + path,
                        "steep-repl stop%s ends it; --name tells several on one machine apart"
                                .formatted(name.equals(Launch.DEFAULT_NAME) ? "" : " --name " + name),
                        null);
            }
            channel.truncate(0);
            channel.write(
                    ByteBuffer.wrap((ProcessHandle.current().pid() + "\n").getBytes(StandardCharsets.US_ASCII)), 0);
            return new LockFile(channel, path);
        } catch (IOException e) {
            close(channel);
            throw new ApiException.Failed(
                    null,
                    "cannot write the lock file " + path,
                    e.toString(),
                    "does it belong to another account? then that one runs the daemon; or use another --name",
                    e);
        }
    }

    private static FileAttribute<?>[] attributes() {
        return ThisSystem.isWindows()
                ? new FileAttribute<?>[0]
                : new FileAttribute<?>[] {
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"))
                };
    }

    private static @Nullable FileLock lock(FileChannel channel) throws IOException {
        try {
            // Far behind the text: what is locked on Windows, nobody else can read.
            return channel.tryLock(Long.MAX_VALUE - 1, 1, false);
        } catch (OverlappingFileLockException e) {
            return null;
        }
    }

    private static String read(FileChannel channel) throws IOException {
        ByteBuffer text = ByteBuffer.allocate(32);
        channel.read(text, 0);
        String pid = new String(text.array(), 0, text.position(), StandardCharsets.US_ASCII).strip();
        return pid.isEmpty() ? "unknown" : pid;
    }

    private static void close(@Nullable FileChannel channel) {
        if (channel != null) {
            try {
                channel.close();
            } catch (IOException e) {
                throw new java.io.UncheckedIOException(e);
            }
        }
    }

    @Override
    public void close() {
        ending.countDown();
        // The file stays: taking it away would let two daemons hold two files of one name.
        close(channel);
    }
}
