package io.steeprepl.cli.service;

import io.steeprepl.api.ApiException;
import io.steeprepl.daemon.Launch;
import picocli.CommandLine.Option;

/** Which of several daemons on one machine is meant. */
final class NameOption {
    @Option(
            names = "--name",
            paramLabel = "NAME",
            description = "Tells several daemons on one machine apart: letters, digits, - and _. Default: steep-repl.")
    private String name = Launch.DEFAULT_NAME;

    String value() {
        if (!name.matches("[A-Za-z0-9_-]{1,64}")) {
            throw new ApiException.Usage("not a name for a daemon: " + name, "letters, digits, - and _, at most 64");
        }
        return name;
    }
}
