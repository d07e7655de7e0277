package io.steeprepl.daemon.service;

import io.steeprepl.config.repl.ReplSettings;
import io.steeprepl.daemon.Launch;
import io.steeprepl.daemon.Preflight;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What a service needs of the file system, which is locked for it but for that.
 *
 * @param writes folders in which it makes its socket and its lock
 * @param runtime a folder below /run for its socket, which is gone after each boot, and has to be made; relative to /run
 * @param needs files that it reads; what they are on has to be mounted
 */
public record Places(List<Path> writes, Optional<Path> runtime, List<Path> needs) {
    private static final Path RUN = Path.of("/run");

    /** Of a daemon that was installed without a look at its settings. */
    public static final Places NONE = new Places(List.of(), Optional.empty(), List.of());

    /** Those of a daemon with these settings. */
    public static Places of(Launch launch, ReplSettings settings) {
        Path lock = launch.lock().getParent();
        Optional<Path> socket = Optional.of(launch.socket(settings.ipc()))
                .filter(_ -> settings.ipc().enabled())
                .map(path -> path.toAbsolutePath().normalize().getParent());
        Optional<Path> runtime = socket.filter(folder -> folder.startsWith(RUN) && !folder.equals(RUN))
                .map(RUN::relativize);
        return new Places(
                Stream.concat(Stream.of(lock), runtime.isPresent() ? Stream.empty() : socket.stream())
                        .distinct()
                        .toList(),
                runtime,
                Stream.concat(Stream.of(launch.config().path().toAbsolutePath()), Preflight.needs(settings).stream())
                        .distinct()
                        .toList());
    }
}
