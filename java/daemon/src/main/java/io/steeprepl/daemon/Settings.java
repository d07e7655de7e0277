package io.steeprepl.daemon;

import io.steeprepl.api.ApiException;
import io.steeprepl.config.ConfigPath;
import io.steeprepl.config.Document;
import io.steeprepl.config.Problems;
import io.steeprepl.config.repl.Changes;
import io.steeprepl.config.repl.ReplSettings;
import io.steeprepl.direct.connection.ConnectionSpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** What the file says: as it is now where values count without a restart, as it was at the start elsewhere. */
public final class Settings {
    private final Launch launch;
    private volatile ReplSettings current;
    /** As at the start: what needs a restart goes by it. */
    private final ReplSettings atStart;
    /** Whether the file has been there. One that is missing afterwards is being replaced, or was lost. */
    private boolean found;

    private Settings(Launch launch) {
        this.launch = launch;
        this.current = load(true);
        this.atStart = current;
    }

    /**
     * Reads the file, and looks whether what it names is there.
     *
     * @throws ApiException.Usage with everything that is wrong
     * @throws ApiException.Failed when nothing is wrong but what may pass by itself
     */
    public static Settings read(Launch launch) {
        return new Settings(launch);
    }

    /** {@code first}: before anything is started. Later the parts say themselves what they cannot use, and go on. */
    private ReplSettings load(boolean first) {
        ConfigPath path = launch.config();
        boolean none = path.source() == ConfigPath.Source.DEFAULT && !found && Files.notExists(path.path());
        Document document = none ? Document.read(path, "") : Document.read(path);
        found = !none;
        ReplSettings read = ReplSettings.read(document, launch.around());
        var passing = new Problems();
        if (first) {
            Preflight.look(read, document.problems(), passing);
        }
        if (document.problems().none() && !passing.none()) {
            throw new ApiException.Failed(
                    null, passing.summary(path), passing.text(path), "it may pass; start the daemon again then", null);
        }
        document.problems().addAll(passing);
        document.problems().refuse(path);
        return read;
    }

    /** What counts now. */
    public ReplSettings now() {
        return current;
    }

    /** The connection that is meant. */
    public ConnectionSpec connection() {
        String named = launch.connection();
        return named == null
                ? atStart.database().spec(launch.around())
                : ConnectionSpec.resolve(named, launch.around())
                        .withDefault("connect_timeout", "5")
                        .withDefault("fallback_application_name", "steep-repl daemon");
    }

    /**
     * Reads the file again.
     *
     * @return what is different: what counts from now on, and what differs from what the daemon runs with
     * @throws ApiException.Usage when something is wrong in it; then nothing changes
     */
    public synchronized Changes reload() {
        ReplSettings read = load(false);
        List<String> live = new ArrayList<>(current.changes(read).live());
        List<String> restart = atStart.changes(read).restart();
        current = current.withLiveOf(read);
        return new Changes(live, restart);
    }

    /** That the file holds a password and everybody may read it; empty when that is not so. */
    public Optional<String> exposed() {
        Path file = launch.config().path();
        try {
            boolean readable = current.database().holdsPassword()
                    && Files.getPosixFilePermissions(file).contains(PosixFilePermission.OTHERS_READ);
            return readable
                    ? Optional.of("%s holds a password and may be read by everybody: chmod 0600 it".formatted(file))
                    : Optional.empty();
        } catch (IOException | UnsupportedOperationException e) {
            return Optional.empty();
        }
    }

    /** Where it stands. */
    public Launch launch() {
        return launch;
    }
}
