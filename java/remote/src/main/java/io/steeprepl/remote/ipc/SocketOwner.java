package io.steeprepl.remote.ipc;

import io.steeprepl.api.ApiException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;

/** Whose socket it is: in a folder like /tmp anybody could have put one there and wait for passwords. */
final class SocketOwner {
    private SocketOwner() {}

    /** Throws {@link ApiException.CannotConnect} unless it is this user's, or root's. */
    static void check(Path socket) {
        String owner;
        try {
            owner = Files.getOwner(socket, LinkOption.NOFOLLOW_LINKS).getName();
        } catch (IOException e) {
            throw new ApiException.CannotConnect(
                    null,
                    "no daemon listens at " + socket,
                    null,
                    "is it running, by the same user? steep-repl status",
                    e);
        } catch (UnsupportedOperationException e) {
            return;
        }
        List<String> trusted = List.of(System.getProperty("user.name", ""), "root");
        if (!trusted.contains(owner)) {
            throw new ApiException.CannotConnect(
                    null,
                    "the socket %s is not trusted".formatted(socket),
                    "it belongs to " + owner,
                    "use the socket of a daemon that this user or root runs",
                    null);
        }
    }
}
