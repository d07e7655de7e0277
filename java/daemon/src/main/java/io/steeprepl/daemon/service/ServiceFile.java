package io.steeprepl.daemon.service;

import io.steeprepl.api.ApiException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.ReadOnlyFileSystemException;

/** The file that describes a service to the system. */
record ServiceFile(Path path, String text, boolean system) {
    /** Writes it. Throws {@link ApiException.Failed} that says what to do without the rights. */
    void write() {
        try {
            Files.createDirectories(path.getParent());
            Files.writeString(path, text);
        } catch (AccessDeniedException | ReadOnlyFileSystemException e) {
            throw denied(e);
        } catch (IOException e) {
            throw new ApiException.Failed(
                    null, "cannot write " + path, e.toString(), "is there room, and is it a folder?", e);
        }
    }

    /** Takes it away; false when there is none. */
    boolean remove() {
        try {
            return Files.deleteIfExists(path);
        } catch (AccessDeniedException e) {
            throw denied(e);
        } catch (IOException e) {
            throw new ApiException.Failed(null, "cannot remove " + path, e.toString(), null, e);
        }
    }

    boolean exists() {
        return Files.exists(path);
    }

    private ApiException.Failed denied(Exception cause) {
        return new ApiException.Failed(
                null,
                "you may not write " + path,
                null,
                system
                        ? "put sudo before the command, or use --user for a service of your own account"
                        : "is the folder yours?",
                cause);
    }
}
