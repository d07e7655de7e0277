package io.steeprepl.cli.extension;

import io.steeprepl.api.ApiException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Puts files in place, all or none: every new file is written beside its place first, then renamed into it, which a
 * server that runs does not notice; what was there before is kept until all is done.
 */
final class Installer {
    private final Path pgConfig;

    /** {@code pgConfig} is named in the advice that errors give. */
    Installer(Path pgConfig) {
        this.pgConfig = pgConfig;
    }

    /** Puts all files in place. Throws {@link ApiException.Failed} after having put everything back. */
    void install(List<Copy> copies) {
        Deque<Undo> undo = new ArrayDeque<>();
        List<Path> written = new ArrayList<>();
        try {
            for (Copy copy : copies) {
                Path fresh = beside(copy.to(), "new");
                written.add(fresh);
                Files.copy(copy.from(), fresh, StandardCopyOption.REPLACE_EXISTING);
                permit(
                        fresh,
                        copy.to().toString().contains(".control")
                                || copy.to().toString().endsWith(".sql"));
            }
            for (Copy copy : copies) {
                undo.push(keep(copy.to()));
                Files.move(beside(copy.to(), "new"), copy.to(), StandardCopyOption.ATOMIC_MOVE);
            }
        } catch (IOException e) {
            throw failure(e, putBack(undo, written));
        }
        undo.forEach(step -> delete(step.kept()));
    }

    /** How one place was before: {@code kept} holds the file that was there, null when there was none. */
    private record Undo(Path place, @Nullable Path kept) {}

    private static Undo keep(Path place) throws IOException {
        if (!Files.exists(place)) {
            return new Undo(place, null);
        }
        if (!Files.isRegularFile(place)) {
            throw new FileSystemException(place.toString(), null, "in the way, and not a file");
        }
        Path kept = beside(place, "old");
        Files.copy(place, kept, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.COPY_ATTRIBUTES);
        return new Undo(place, kept);
    }

    /** The errors of putting back, empty when all is as before. */
    private static List<String> putBack(Deque<Undo> undo, List<Path> written) {
        List<String> errors = new ArrayList<>();
        for (Undo step : undo) {
            try {
                if (step.kept() == null) {
                    Files.deleteIfExists(step.place());
                } else {
                    Files.move(step.kept(), step.place(), StandardCopyOption.ATOMIC_MOVE);
                }
            } catch (IOException e) {
                errors.add("not put back: %s (%s)".formatted(step.place(), e.getMessage()));
            }
        }
        written.forEach(Installer::delete);
        return errors;
    }

    /** Removes what is of no more use; a leftover does no harm. */
    private static void delete(@Nullable Path file) {
        if (file != null) {
            var _ = file.toFile().delete();
        }
    }

    private static Path beside(Path place, String what) {
        return place.resolveSibling(".%s.steep-repl-%s".formatted(place.getFileName(), what));
    }

    private static void permit(Path file, boolean text) throws IOException {
        if (Files.getFileStore(file).supportsFileAttributeView("posix")) {
            Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(text ? "rw-r--r--" : "rwxr-xr-x"));
        }
    }

    private ApiException failure(IOException cause, List<String> notPutBack) {
        String where = cause instanceof FileSystemException e ? e.getFile() : null;
        boolean rights = cause instanceof AccessDeniedException;
        var detail = new ArrayList<String>();
        detail.add(
                rights ? "no right to write " + where : cause.getClass().getSimpleName() + ": " + cause.getMessage());
        detail.addAll(notPutBack);
        if (notPutBack.isEmpty()) {
            detail.add("nothing has been changed");
        }
        String hint = rights
                ? "sudo ./steep-repl extension install --pg-config " + pgConfig
                : "is the server installed where %s says?".formatted(pgConfig);
        return new ApiException.Failed(
                null, "the extension could not be installed", String.join("\n", detail), hint, cause);
    }
}
