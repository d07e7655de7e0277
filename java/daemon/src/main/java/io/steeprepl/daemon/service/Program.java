package io.steeprepl.daemon.service;

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
 * @param writes folders in which it makes its socket and its lock
 */
public record Program(
        String name, List<String> command, Optional<String> account, boolean system, Path home, List<Path> writes) {
    /** Little memory and no second compiler: it waits most of the time. */
    private static final List<String> FLAGS = List.of(
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-Xms8m",
            "-Xmx96m",
            "-Xss512k",
            "-XX:+ExitOnOutOfMemoryError",
            "--enable-native-access=ALL-UNNAMED");

    /** What the services of that daemon are called. */
    public String unit() {
        return name.equals("steep-repl") ? name : "steep-repl-" + name;
    }

    /**
     * The command line that runs this very program as that daemon.
     *
     * @param config the file that was named, absolute
     */
    public static List<String> command(
            Path java, String classPath, List<String> properties, String main, String name, Optional<Path> config) {
        List<String> command = new ArrayList<>(List.of(java.toString()));
        command.addAll(FLAGS);
        command.addAll(properties);
        command.addAll(List.of("-cp", classPath, main, "run", "--name", name));
        config.ifPresent(file -> command.addAll(List.of("--config", file.toString())));
        return List.copyOf(command);
    }
}
