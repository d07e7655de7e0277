package io.steeprepl.daemon.service;

import io.steeprepl.api.ApiException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** The command lines that make a Windows service of a daemon, by commons-daemon's {@code prunsrv.exe}. */
public final class Procrun {
    /** In seconds: more than the longest {@code repl.shutdown_timeout}. */
    private static final int LONGEST_END = 660;

    private Procrun() {}

    /**
     * Makes the service, or changes it, started at boot, under an account of its own, which has no password and no rights but what it is
     * given. It ends the daemon by asking it: without something to run for that, it waits for the whole
     * time-out and then kills.
     *
     * @param logs the folder for what the program prints
     */
    public static List<String> install(String prunsrv, Program program, Path logs) {
        List<String> start = program.command();
        List<String> stop = program.stopping();
        List<String> words = new ArrayList<>(List.of(
                prunsrv,
                "//US//" + program.unit(),
                "--DisplayName=steep-repl (" + program.name() + ")",
                "--Description=The daemon beside a PostgreSQL node",
                "--Startup=auto",
                "--StartMode=exe",
                "--StartImage=" + start.getFirst(),
                "--StartParams=" + parameters(start.subList(1, start.size())),
                "--StopMode=exe",
                "--StopImage=" + stop.getFirst(),
                "--StopParams=" + parameters(stop.subList(1, stop.size())),
                "--StopTimeout=" + LONGEST_END,
                "--LogPath=" + logs,
                "--LogPrefix=" + program.unit(),
                "--StdOutput=auto",
                "--StdError=auto"));
        words.add("--ServiceUser=NT SERVICE\\" + program.unit());
        return List.copyOf(words);
    }

    /** Lets the viewer of the event log show what the daemon writes there as it is: by the message file that comes with .NET. */
    public static List<String> eventSource(Program program) {
        return List.of(
                "reg.exe",
                "add",
                source(program),
                "/v",
                "EventMessageFile",
                "/t",
                "REG_EXPAND_SZ",
                "/d",
                "%SystemRoot%\\Microsoft.NET\\Framework64\\v4.0.30319\\EventLogMessages.dll",
                "/f");
    }

    /** Takes that away. */
    public static List<String> noEventSource(Program program) {
        return List.of("reg.exe", "delete", source(program), "/f");
    }

    private static String source(Program program) {
        return "HKLM\\SYSTEM\\CurrentControlSet\\Services\\EventLog\\Application\\" + program.unit();
    }

    /** Has Windows start it again after a crash, once a minute when that does not help. */
    public static List<String> restartAfterCrash(Program program) {
        return List.of(
                "sc.exe",
                "failure",
                program.unit(),
                "reset=",
                "3600",
                "actions=",
                "restart/5000/restart/5000/restart/60000");
    }

    /** A crash of the daemon is an end of its service with an error, and none of procrun itself. */
    public static List<String> errorIsACrash(Program program) {
        return List.of("sc.exe", "failureflag", program.unit(), "1");
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

    /** Parameters are separated by # or ;, which are quoted within one; quotes cannot be. */
    private static String parameters(List<String> words) {
        words.stream()
                .filter(word -> word.contains("'") || word.contains("\""))
                .findFirst()
                .ifPresent(word -> {
                    throw new ApiException.Usage(
                            "a service cannot be given " + word,
                            "a path without quotation marks: move it, or its folder");
                });
        return words.stream()
                .map(word -> word.contains("#") || word.contains(";") ? "'" + word + "'" : word)
                .collect(Collectors.joining("#"));
    }
}
