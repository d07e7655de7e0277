package io.steeprepl.daemon.ipc;

import io.steeprepl.api.ApiException;
import io.steeprepl.remote.ipc.Account;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributeView;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserPrincipal;
import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import java.util.Optional;
import jdk.net.ExtendedSocketOptions;
import org.jspecify.annotations.Nullable;

/** The socket in the file system: who may use it, and whose it is. */
final class SocketDoor implements Door {
    private static final int SOCKET = 0140000;
    private static final int KIND = 0170000;
    private static final Duration OLD = Duration.ofHours(1);

    private final Path path;
    /** Which file of that name is this one; null before there is one, and where the system does not tell files apart. */
    private volatile @Nullable Object made;

    private volatile @Nullable ServerSocketChannel server;

    SocketDoor(Path path) {
        this.path = path;
    }

    @Override
    public Path path() {
        return path;
    }

    /** Makes it, in the place of one that a dead process has left. */
    @Override
    public void open() {
        server = make();
    }

    private ServerSocketChannel make() {
        try {
            checkPlace();
            // Bound where nobody else can come, so that it is never there with more rights than 0600.
            Path hidden = Files.createTempDirectory(path.toAbsolutePath().getParent(), ".steep-repl");
            Path bound = hidden.resolve("s");
            ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
            try {
                server.bind(UnixDomainSocketAddress.of(bound), 64);
                Files.setPosixFilePermissions(bound, PosixFilePermissions.fromString("rw-------"));
                Files.move(bound, path, StandardCopyOption.ATOMIC_MOVE);
                made = attributes().fileKey();
                return server;
            } catch (IOException | RuntimeException e) {
                server.close();
                throw e;
            } finally {
                Files.deleteIfExists(bound);
                Files.deleteIfExists(hidden);
            }
        } catch (IOException | UnsupportedOperationException e) {
            throw failed("cannot make the socket " + path, e.toString(), "name another one: repl.ipc.path", e);
        }
    }

    private BasicFileAttributes attributes() throws IOException {
        return Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
    }

    /**
     * Whether it is still in its place; then it also looks used. What has lain untouched for days in a folder for temporary
     * files is cleared away, and those who clear away do not know this one for a socket in use: the name it was bound to is another.
     */
    private boolean kept() throws IOException {
        try {
            BasicFileAttributes now = attributes();
            if (!Objects.equals(now.fileKey(), made)) {
                return false;
            }
            if (now.lastModifiedTime().toInstant().isBefore(Instant.now().minus(OLD))) {
                FileTime fresh = FileTime.from(Instant.now());
                Files.getFileAttributeView(path, BasicFileAttributeView.class).setTimes(fresh, fresh, null);
            }
            return true;
        } catch (NoSuchFileException e) {
            return false;
        }
    }

    private void checkPlace() throws IOException {
        if (!Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        int mode = (int) Files.getAttribute(path, "unix:mode", LinkOption.NOFOLLOW_LINKS);
        if ((mode & KIND) != SOCKET) {
            throw failed(path + " is there and is no socket", null, "name another one: repl.ipc.path", null);
        }
        if (!Account.isOwn(Files.getOwner(path, LinkOption.NOFOLLOW_LINKS))) {
            throw failed(
                    path + " belongs to another account", null, "name another one: repl.ipc.path, or --name", null);
        }
        if (answers()) {
            throw failed(
                    "another process serves on " + path,
                    null,
                    "end it, or name another one: repl.ipc.path, or --name",
                    null);
        }
    }

    private boolean answers() throws IOException {
        try (SocketChannel probe = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            return probe.connect(UnixDomainSocketAddress.of(path));
        } catch (java.net.ConnectException | java.net.NoRouteToHostException e) {
            return false;
        } catch (java.net.SocketException e) {
            // Refused, however the system words it; a full backlog also says that somebody is there.
            return !String.valueOf(e.getMessage()).contains("refused");
        }
    }

    @Override
    public boolean renew() throws IOException {
        if (kept()) {
            return false;
        }
        ServerSocketChannel old = opened();
        server = make();
        old.close();
        return true;
    }

    @Override
    public boolean isOpen() {
        ServerSocketChannel open = server;
        return open != null && open.isOpen();
    }

    private ServerSocketChannel opened() throws ClosedChannelException {
        ServerSocketChannel open = server;
        if (open == null) {
            throw new ClosedChannelException();
        }
        return open;
    }

    @Override
    public Visitor accept() throws IOException {
        SocketChannel channel = opened().accept();
        return new Visitor(channel, user(channel));
    }

    @Override
    public Thread.Builder threads() {
        return Thread.ofVirtual();
    }

    /** The account of the other side, if that is this one, or root; empty when it may not use the socket. */
    private Optional<String> user(SocketChannel channel) {
        try {
            UserPrincipal user =
                    channel.getOption(ExtendedSocketOptions.SO_PEERCRED).user();
            return Account.isRoot(user) || Account.isOwn(user) ? Optional.of(user.getName()) : Optional.empty();
        } catch (UnsupportedOperationException e) {
            // Then the rights of the file are all there is.
            return Optional.of(System.getProperty("user.name", ""));
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    /** Takes its file away, too, unless another one is in its place by now. */
    @Override
    public void close() throws IOException {
        ServerSocketChannel open = server;
        try {
            if (open != null) {
                open.close();
            }
        } finally {
            if (kept()) {
                Files.deleteIfExists(path);
            }
        }
    }

    private static ApiException.Failed failed(
            String message, @Nullable String detail, String hint, @Nullable Throwable cause) {
        return new ApiException.Failed(null, message, detail, hint, cause);
    }
}
