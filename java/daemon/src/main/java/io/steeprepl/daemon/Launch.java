package io.steeprepl.daemon;

import io.steeprepl.config.ConfigPath;
import io.steeprepl.config.Document;
import io.steeprepl.config.repl.IpcSettings;
import io.steeprepl.config.repl.ReplSettings;
import io.steeprepl.direct.connection.Surroundings;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * What a daemon is started with, beside what its file says.
 *
 * @param config the file; it need not exist when it is the usual one
 * @param name tells several daemons of one machine apart
 * @param connection the database, instead of the one in the file
 */
public record Launch(
        ConfigPath config, String name, @Nullable String connection, Surroundings around) {
    /** The name of a daemon that was given none. */
    public static final String DEFAULT_NAME = "steep-repl";

    /** The socket on which it listens, as its file says, or else the usual one of its name. */
    public Path socket(IpcSettings settings) {
        return settings.path().orElse(RunFolder.here().resolve(file(name) + ".sock"));
    }

    /**
     * The same for those who look for the daemon. What is wrong in the file is for others to say: it runs with what the file said
     * when it started.
     */
    public Path socket() {
        Document document = Files.exists(config.path()) ? Document.read(config) : Document.read(config, "");
        return socket(ReplSettings.read(document, around).ipc());
    }

    /** Where it says that it runs. */
    public Path lock() {
        return RunFolder.here().resolve(file(name) + ".lock");
    }

    private static String file(String name) {
        return name.equals(DEFAULT_NAME) ? name : DEFAULT_NAME + "-" + name;
    }
}
