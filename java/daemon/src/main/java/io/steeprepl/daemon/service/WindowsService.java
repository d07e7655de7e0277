package io.steeprepl.daemon.service;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Windows, through commons-daemon.
 *
 * @param prunsrv its program
 * @param logs the folder for what the daemon prints
 */
public record WindowsService(Program program, String prunsrv, Path logs) implements ServiceManager {
    private static final int NO_SUCH_SERVICE = 1060;
    private static final Pattern STATE = Pattern.compile("(?m)^\\s*STATE\\s*:\\s*[0-9]+\\s+(\\S+)");
    private static final Pattern PID = Pattern.compile("(?m)^\\s*PID\\s*:\\s*([1-9][0-9]*)");

    @Override
    public List<String> install() {
        try {
            Files.createDirectories(logs);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Shell.must(Procrun.install(prunsrv, program, logs));
        Shell.must(Procrun.restartAfterCrash(program));
        Shell.must(Procrun.eventSource(program));
        List<String> said = new ArrayList<>(List.of("installed the service " + program.unit()));
        List<String> flag = Procrun.errorIsACrash(program);
        int code = Shell.run(flag).code();
        if (code != 0) {
            said.add("it is not started again when the daemon ends with an error: %s ended with %d"
                    .formatted(String.join(" ", flag), code));
        }
        return List.copyOf(said);
    }

    @Override
    public List<String> uninstall() {
        Shell.must(Procrun.uninstall(prunsrv, program));
        // One that an older version installed has none.
        Shell.run(Procrun.noEventSource(program));
        return List.of("removed the service " + program.unit());
    }

    @Override
    public void start() {
        Shell.must(Procrun.start(prunsrv, program));
    }

    @Override
    public void stop() {
        Shell.must(Procrun.stop(prunsrv, program));
    }

    @Override
    public void restart() {
        stop();
        start();
    }

    @Override
    public ServiceState state() {
        Shell.Ended ended = Shell.run(List.of("sc.exe", "query", program.unit()));
        Matcher state = STATE.matcher(ended.output());
        Matcher pid = PID.matcher(
                Shell.run(List.of("sc.exe", "queryex", program.unit())).output());
        return new ServiceState(
                ended.code() != NO_SUCH_SERVICE,
                state.find() ? state.group(1) : "unknown",
                pid.find() ? Optional.of(Long.valueOf(pid.group(1))) : Optional.empty());
    }
}
