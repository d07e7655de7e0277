package io.steeprepl.daemon.service;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** The command lines that make a Windows service of a daemon, by commons-daemon's {@code prunsrv.exe}. */
public final class Procrun {
    private Procrun() {}

    /**
     * Makes the service, started at boot. It ends the daemon by asking it: without something to run for that, it waits for the whole
     * time-out and then kills.
     *
     * @param logs the folder for what the program prints
     */
    public static List<String> install(String prunsrv, Program program, Path logs) {
        List<String> start = program.command();
        List<String> stop = program.stopping();
        List<String> words = new ArrayList<>(List.of(
                prunsrv,
                "//IS//" + program.unit(),
                "--DisplayName=steep-repl (" + program.name() + ")",
                "--Description=The daemon beside a PostgreSQL node",
                "--Startup=auto",
                "--StartMode=exe",
                "--StartImage=" + start.getFirst(),
                "--StartParams=" + parameters(start.subList(1, start.size())),
                "--StopMode=exe",
                "--StopImage=" + stop.getFirst(),
                "--StopParams=" + parameters(stop.subList(1, stop.size())),
                "--StopTimeout=60",
                "--LogPath=" + logs,
                "--LogPrefix=" + program.unit(),
                "--StdOutput=auto",
                "--StdError=auto"));
        program.account().ifPresent(account -> words.add("--ServiceUser=" + account));
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
        return "HKLM\\SYSTEM\\CurrentControlSet\\Services\\EventLog\\Application\\" + program.name();
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
