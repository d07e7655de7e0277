package io.steeprepl.daemon;

import io.steeprepl.remote.windows.PipeName;
import io.steeprepl.remote.windows.ThisSystem;
import java.nio.file.Path;
import java.util.Map;

/** Where daemons of this machine find each other, and others find them: their sockets and locks, where nothing else is said. */
final class RunFolder {
    private RunFolder() {}

    /** That of this machine. */
    static Path here() {
        return of(System.getProperty("os.name", ""), System.getenv());
    }

    /** The socket there of a daemon, or its pipe, which is in no folder. */
    static Path socket(String file) {
        return ThisSystem.isWindows() ? Path.of(PipeName.FOLDER + file) : here().resolve(file + ".sock");
    }

    /** {@code system}: as Java calls it. */
    static Path of(String system, Map<String, String> environment) {
        if (!ThisSystem.isWindows(system)) {
            // Every account can write there, and nobody can take away what is another's.
            return Path.of("/tmp");
        }
        String shared = environment.getOrDefault("ProgramData", "");
        return Path.of(shared.isEmpty() ? "C:\\ProgramData" : shared).resolve("steep-repl");
    }
}
