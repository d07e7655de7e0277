package io.steeprepl.cli.service;

import io.steeprepl.api.ApiException;
import io.steeprepl.cli.Action;
import io.steeprepl.cli.ExitCode;
import io.steeprepl.cli.output.Output;
import io.steeprepl.config.ConfigPath;
import io.steeprepl.daemon.Launch;
import io.steeprepl.daemon.Settings;
import io.steeprepl.direct.connection.Surroundings;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code install}. */
@Command(
        name = "install",
        description = {
            "Makes the daemon a service that starts at boot and again after a crash. Does not start it yet.",
            "The file of the configuration is read first, and refused when it has problems."
        },
        footer = {
            "  sudo steep-repl --config /etc/steep/config.yaml install --account postgres",
            "  steep-repl install --user"
        })
public final class InstallCommand extends Action {
    @Mixin
    private final ServiceOptions service = new ServiceOptions();

    @Option(
            names = "--account",
            paramLabel = "ACCOUNT",
            description =
                    "The account that a service of the machine runs under. Default: the one before sudo, else yours.")
    private @Nullable String account;

    @Override
    protected ExitCode run(Output out) {
        if (connectionOption() != null) {
            throw new ApiException.Usage(
                    "a service takes its connection from the configuration file",
                    "leave -c out, and write it into repl.postgresql.connection");
        }
        ConfigPath named = ConfigPath.ofProcess(configOption());
        ConfigPath config = new ConfigPath(named.path().toAbsolutePath().normalize(), named.source());
        Settings.read(new Launch(config, service.name(), null, Surroundings.ofProcess()));
        // The usual file is that of the account: root's own is another one than the service's.
        Optional<Path> file = config.source() == ConfigPath.Source.DEFAULT && !service.system()
                ? Optional.empty()
                : Optional.of(config.path());
        List<String> said =
                service.manager(service.program(file, Optional.of(account()))).install();
        said.forEach(out::note);
        out.done("Installed. steep-repl start starts it.", Map.of("installed", true, "steps", said));
        return ExitCode.OK;
    }

    private String account() {
        String before = System.getenv().getOrDefault("SUDO_USER", "");
        String own = before.isEmpty() ? System.getProperty("user.name", "root") : before;
        return account == null ? own : account;
    }
}
