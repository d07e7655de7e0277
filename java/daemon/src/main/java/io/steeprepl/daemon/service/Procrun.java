package io.steeprepl.daemon.service;

import java.util.List;
import java.util.stream.Collectors;

/** The command lines that make a Windows service of a daemon, by commons-daemon's {@code prunsrv.exe}. */
public final class Procrun {
    private Procrun() {}

    /** Makes the service, started at boot. */
    public static List<String> install(String prunsrv, Program program) {
        List<String> command = program.command();
        return List.of(
                prunsrv,
                "//IS//" + program.unit(),
                "--DisplayName=steep-repl (" + program.name() + ")",
                "--Description=The daemon beside a PostgreSQL node",
                "--Startup=auto",
                "--StartMode=exe",
                "--StartImage=" + command.getFirst(),
                "--StartParams=" + parameters(command.subList(1, command.size())),
                "--StopMode=exe",
                "--StopTimeout=60");
    }

    /** Has Windows start it again after a crash. */
    public static List<String> restartAfterCrash(Program program) {
        return List.of("sc.exe", "failure", program.unit(), "reset=", "86400", "actions=", "restart/5000");
    }

    /** Takes the service away. */
    public static List<String> uninstall(String prunsrv, Program program) {
        return List.of(prunsrv, "//DS//" + program.unit());
    }

    /** Starts it. */
    public static List<String> start(String prunsrv, Program program) {
        return List.of(prunsrv, "//ES//" + program.unit());
    }

    /** Stops it. */
    public static List<String> stop(String prunsrv, Program program) {
        return List.of(prunsrv, "//SS//" + program.unit());
    }

    /** Parameters are separated by # or ;, which are quoted within one. */
    private static String parameters(List<String> words) {
        return words.stream()
                .map(word -> word.contains("#") || word.contains(";") ? "'" + word + "'" : word)
                .collect(Collectors.joining("#"));
    }
}
