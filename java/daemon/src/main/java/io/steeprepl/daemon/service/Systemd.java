package io.steeprepl.daemon.service;

import io.steeprepl.api.ApiException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Linux. */
public record Systemd(Program program) implements ServiceManager {
    private static final Pattern CONFIG = Pattern.compile(" --config (/.*?) ; ignore_errors=");

    /** Whether the machine was booted by it: sd_booted(3). */
    public static boolean booted() {
        return Files.isDirectory(Path.of("/run/systemd/system"));
    }

    private ServiceFile file() {
        return new ServiceFile(SystemdUnit.place(program), SystemdUnit.text(program), program.system());
    }

    private List<String> systemctl(String... words) {
        List<String> command = new ArrayList<>(List.of("systemctl"));
        if (!program.system()) {
            command.add("--user");
        }
        command.addAll(List.of(words));
        return command;
    }

    private String unit() {
        return SystemdUnit.name(program);
    }

    @Override
    public List<String> install() {
        needed();
        file().write();
        Shell.must(systemctl("daemon-reload"));
        Shell.must(systemctl("enable", unit()));
        List<String> said = new ArrayList<>(List.of("wrote " + file().path(), "enabled " + unit()));
        if (!program.system()) {
            said.add("it starts when you log in; at boot after: loginctl enable-linger");
        }
        return said;
    }

    @Override
    public List<String> uninstall() {
        needed();
        if (!file().exists()) {
            throw new ApiException.Failed(null, "there is no service " + unit(), "no " + file().path(), null, null);
        }
        Shell.must(systemctl("disable", "--now", unit()));
        file().remove();
        Shell.must(systemctl("daemon-reload"));
        return List.of("stopped and disabled " + unit(), "removed " + file().path());
    }

    @Override
    public void start() {
        needed();
        Shell.must(systemctl("start", unit()));
    }

    @Override
    public void stop() {
        needed();
        Shell.must(systemctl("stop", unit()));
    }

    @Override
    public void restart() {
        needed();
        Shell.must(systemctl("restart", unit()));
    }

    @Override
    public ServiceState state() {
        if (!booted()) {
            return new ServiceState(file().exists(), "there is no systemd", Optional.empty());
        }
        Shell.Ended ended = Shell.run(
                systemctl("show", unit(), "--property=LoadState,ActiveState,SubState,MainPID,User,ExecStart"));
        if (ended.code() != 0) {
            // A user who has not logged in has no systemd of his own.
            return new ServiceState(file().exists(), "systemd does not say how it is", Optional.empty());
        }
        Map<String, String> facts = ended.output()
                .lines()
                .filter(line -> line.contains("="))
                .collect(Collectors.toMap(
                        line -> line.substring(0, line.indexOf('=')),
                        line -> line.substring(line.indexOf('=') + 1),
                        (one, other) -> other));
        String pid = facts.getOrDefault("MainPID", "0");
        return new ServiceState(
                "loaded".equals(facts.get("LoadState")),
                facts.getOrDefault("ActiveState", "unknown") + " (" + facts.getOrDefault("SubState", "unknown") + ")",
                pid.equals("0") || !pid.matches("[0-9]+") ? Optional.empty() : Optional.of(Long.valueOf(pid)),
                Optional.of(facts.getOrDefault("User", "")).filter(account -> !account.isEmpty()),
                config(facts.getOrDefault("ExecStart", "")));
    }

    /** The last word of the command line, which systemd shows without its quotes. */
    static Optional<Path> config(String command) {
        Matcher named = CONFIG.matcher(command);
        return named.find() ? Optional.of(Path.of(named.group(1))) : Optional.empty();
    }

    private static void needed() {
        if (!booted()) {
            throw new ApiException.Failed(
                    null,
                    "this machine was not booted by systemd",
                    "there is no /run/systemd/system",
                    "have your own supervisor run: steep-repl run",
                    null);
        }
    }
}
