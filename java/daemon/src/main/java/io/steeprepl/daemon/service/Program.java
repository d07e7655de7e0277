package io.steeprepl.daemon.service;

import io.steeprepl.daemon.Launch;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What a service is to run.
 *
 * @param name of the daemon
 * @param command the whole command line, the program first
 * @param account under which it runs, empty for the one who installs it
 * @param system for all users and from the boot on, or for one account
 * @param home the account's home folder
 * @param places what of the file system is not to be kept from it
 */
public record Program(
        String name, List<String> command, Optional<String> account, boolean system, Path home, Places places) {
    /**
     * Little memory and no second compiler: it waits most of the time. What it has used for a while goes back to the system, of
     * the heap ({@link io.steeprepl.daemon.Tidying}) and of the C library's; netty keeps no buffers for rushes. As in build/java.sh.
     */
    static final List<String> FLAGS = List.of(
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-XX:-UsePerfData",
            "-Xms8m",
            "-Xmn4m",
            "-Xmx128m",
            "-Xss512k",
            "-XX:MinHeapFreeRatio=5",
            "-XX:MaxHeapFreeRatio=15",
            "-XX:-ShrinkHeapInSteps",
            "-XX:+UnlockExperimentalVMOptions",
            "-XX:TrimNativeHeapInterval=60000",
            "-XX:+ExitOnOutOfMemoryError",
            "-Dio.netty.allocator.type=unpooled",
            "-Dio.netty.noPreferDirect=true",
            "--enable-native-access=ALL-UNNAMED");

    /** The command line that tells that daemon to end. */
    List<String> stopping() {
        int action = command.indexOf("-cp") + 3;
        List<String> stopping = new ArrayList<>(command.subList(0, action));
        stopping.removeIf(word -> word.startsWith("-XX:AOTCache") || word.startsWith("-Xlog:aot"));
        stopping.addAll(List.of("stop", "--daemon"));
        stopping.addAll(command.subList(action + 1, command.size()));
        return List.copyOf(stopping);
    }

    /** What the services of that daemon are called. */
    public String unit() {
        return Launch.unit(name);
    }

    /**
     * The command line that runs this very program as that daemon.
     *
     * @param cache an AOT cache for that class path, which makes the start shorter; one that is gone does no harm, and the build takes old ones away
     * @param config the file that was named, absolute
     */
    public static List<String> command(
            Path java,
            String classPath,
            List<String> properties,
            Optional<Path> cache,
            String main,
            String name,
            Optional<Path> config) {
        List<String> command = new ArrayList<>(List.of(java.toString()));
        command.addAll(FLAGS);
        cache.ifPresent(file -> command.addAll(List.of("-XX:AOTCache=" + file, "-Xlog:aot*=off")));
        command.addAll(properties);
        command.addAll(List.of("-cp", classPath, main, "run", "--name", name));
        config.ifPresent(file -> command.addAll(List.of("--config", file.toString())));
        return List.copyOf(command);
    }
}
