package io.steeprepl.cli.service;

import io.steeprepl.api.ApiException;
import io.steeprepl.cli.ExitCode;
import io.steeprepl.cli.output.Output;
import io.steeprepl.config.ConfigPath;
import io.steeprepl.config.Document;
import io.steeprepl.config.repl.ReplSettings;
import io.steeprepl.daemon.Launch;
import io.steeprepl.daemon.Preflight;
import io.steeprepl.daemon.service.Places;
import io.steeprepl.remote.windows.ThisSystem;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
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
public final class InstallCommand extends ServiceAction {
    @Mixin
    private final ServiceOptions service = new ServiceOptions();

    @Option(
            names = "--account",
            paramLabel = "ACCOUNT",
            description =
                    "The account that a service of the machine runs under. Default: the one before sudo, else yours.")
    private @Nullable String account;

    @Override
    protected ExitCode act(Output out) {
        if (account != null && ThisSystem.isWindows()) {
            throw new ApiException.Usage(
                    "on Windows the service has an account of its own",
                    "leave --account out; services.msc, Log On, gives it another one and its password");
        }
        ConfigPath named = ConfigPath.ofProcess(configOption());
        ConfigPath config = new ConfigPath(named.path().toAbsolutePath().normalize(), named.source());
        Launch launch = service.launch(config);
        ReplSettings settings = read(launch, out);
        // The usual file is that of the account: root's own is another one than the service's.
        Optional<Path> file = config.source() == ConfigPath.Source.DEFAULT && !service.system()
                ? Optional.empty()
                : Optional.of(config.path());
        List<String> said = service.manager(service.program(file, Optional.of(account()), Places.of(launch, settings)))
                .install();
        said.forEach(out::note);
        out.done("Installed. steep-repl start starts it.", Map.of("installed", true, "steps", said));
        return ExitCode.OK;
    }

    /** With all that is wrong in it, and with what it names. */
    private ReplSettings read(Launch launch, Output out) {
        ConfigPath path = launch.config();
        boolean none = path.source() == ConfigPath.Source.DEFAULT && Files.notExists(path.path());
        Document document = none ? Document.read(path, "") : Document.read(path);
        ReplSettings settings = ReplSettings.read(document, launch.around());
        if (elsewhere(settings)) {
            out.note(
                    "Not looked at, because the home folder is another one for %s: certificates, addresses, the socket's folder. As that account: steep-repl config check --file-only"
                            .formatted(account()));
        } else {
            Preflight.look(settings, document.problems(), document.problems());
        }
        document.problems().refuse(path);
        return settings;
    }

    /** A tilde means the home of the account that runs it: whether something is there, only that one can say. */
    private boolean elsewhere(ReplSettings settings) {
        Path home = Path.of(System.getProperty("user.home", "/"));
        boolean another = service.system() && !account().equals(System.getProperty("user.name"));
        return another
                && Stream.concat(Preflight.needs(settings).stream(), settings.ipc().path().stream())
                        .anyMatch(path -> path.startsWith(home));
    }

    private String account() {
        String before = System.getenv().getOrDefault("SUDO_USER", "");
        String own = before.isEmpty() ? System.getProperty("user.name", "root") : before;
        return account == null ? own : account;
    }
}
