package io.steeprepl.daemon.service;

import io.steeprepl.api.ApiException;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** macOS. */
public record Launchd(Program program) implements ServiceManager {
    private static final Pattern PID = Pattern.compile("(?m)^\\s*pid = ([0-9]+)$");
    private static final Pattern STATE = Pattern.compile("(?m)^\\s*state = (.+)$");

    private ServiceFile file() {
        return new ServiceFile(LaunchdPlist.place(program), LaunchdPlist.text(program), program.system());
    }

    private String domain() {
        return program.system() ? "system" : "gui/" + Shell.must(List.of("id", "-u"));
    }

    private String target() {
        return domain() + "/" + LaunchdPlist.label(program);
    }

    @Override
    public List<String> install() {
        file().write();
        Shell.must(List.of("launchctl", "enable", target()));
        return List.of("wrote " + file().path(), "enabled " + target());
    }

    @Override
    public List<String> uninstall() {
        if (!file().exists()) {
            throw new ApiException.Failed(null, "there is no service " + target(), "no " + file().path(), null, null);
        }
        if (state().pid().isPresent()) {
            stop();
        }
        file().remove();
        return List.of("removed " + file().path());
    }

    @Override
    public void start() {
        Shell.must(List.of("launchctl", "bootstrap", domain(), file().path().toString()));
    }

    @Override
    public void stop() {
        Shell.must(List.of("launchctl", "bootout", target()));
    }

    @Override
    public void restart() {
        Shell.must(List.of("launchctl", "kickstart", "-k", target()));
    }

    @Override
    public ServiceState state() {
        Shell.Ended ended = Shell.run(List.of("launchctl", "print", target()));
        if (ended.code() != 0) {
            return new ServiceState(file().exists(), "not running", Optional.empty());
        }
        Matcher pid = PID.matcher(ended.output());
        Matcher state = STATE.matcher(ended.output());
        return new ServiceState(
                true,
                state.find() ? state.group(1) : "unknown",
                pid.find() ? Optional.of(Long.valueOf(pid.group(1))) : Optional.empty());
    }
}
