package io.steeprepl.remote.ipc;

import io.steeprepl.api.ApiException;
import io.steeprepl.remote.windows.PipeName;
import java.io.IOException;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.UserPrincipal;
import java.util.Optional;
import jdk.net.ExtendedSocketOptions;

/** Whose socket it is: in a folder like /tmp anybody could have put one there and wait for passwords. */
final class SocketOwner {
    private SocketOwner() {}

    /** The owner when it is neither this account nor root; empty also where nobody can say, as of a pipe before it is opened. */
    static Optional<UserPrincipal> stranger(Path socket) throws IOException {
        if (PipeName.of(socket).isPresent()) {
            return Optional.empty();
        }
        try {
            return stranger(Files.getOwner(socket, LinkOption.NOFOLLOW_LINKS));
        } catch (UnsupportedOperationException e) {
            return Optional.empty();
        }
    }

    private static Optional<UserPrincipal> stranger(UserPrincipal owner) {
        return Account.isOwn(owner) || Account.isRoot(owner) ? Optional.empty() : Optional.of(owner);
    }

    /** Throws {@link ApiException.CannotConnect} unless it is this account's, or root's. */
    static void check(Path socket) {
        try {
            stranger(socket).ifPresent(owner -> {
                throw distrusted(socket, owner);
            });
        } catch (IOException e) {
            throw new ApiException.CannotConnect(
                    null,
                    "no daemon listens at " + socket,
                    null,
                    "is it running, by the same user? steep-repl status",
                    e);
        }
    }

    /** The same of the process at the other end: another socket may have come into the place of the one that was looked at. */
    static void check(Path socket, SocketChannel channel) throws IOException {
        try {
            stranger(channel.getOption(ExtendedSocketOptions.SO_PEERCRED).user())
                    .ifPresent(owner -> {
                        throw distrusted(socket, owner);
                    });
        } catch (UnsupportedOperationException e) {
            // Then the owner of the file is all there is.
            return;
        }
    }

    private static ApiException distrusted(Path socket, UserPrincipal owner) {
        return new ApiException.CannotConnect(
                null,
                "the socket %s is not trusted".formatted(socket),
                "it belongs to " + owner.getName(),
                "use the socket of a daemon that this user or root runs",
                null);
    }
}
