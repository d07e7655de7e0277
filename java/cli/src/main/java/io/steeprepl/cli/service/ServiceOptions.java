package io.steeprepl.cli.service;

import io.steeprepl.api.ApiException;
import io.steeprepl.cli.Main;
import io.steeprepl.config.ConfigPath;
import io.steeprepl.daemon.Launch;
import io.steeprepl.daemon.service.ClassPath;
import io.steeprepl.daemon.service.Launchd;
import io.steeprepl.daemon.service.Places;
import io.steeprepl.daemon.service.Program;
import io.steeprepl.daemon.service.ServiceManager;
import io.steeprepl.daemon.service.Systemd;
import io.steeprepl.daemon.service.WindowsService;
import io.steeprepl.direct.connection.Surroundings;
import io.steeprepl.remote.windows.ThisSystem;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Which service is meant. */
final class ServiceOptions {
    @Mixin
    private final NameOption name = new NameOption();

    @ArgGroup
    private @Nullable Whose whose;

    /** One or the other. */
    static final class Whose {
        @Option(names = "--system", description = "A service of the machine, from the boot on. The default as root.")
        private boolean system;

        @Option(names = "--user", description = "A service of your own account. The default for everybody else.")
        @SuppressWarnings("UnusedVariable") // The other one is then false.
        private boolean user;
    }

    String name() {
        return name.value();
    }

    /** Whether it is a service of the machine. */
    boolean system() {
        Whose said = whose;
        // Services of Windows are the machine's.
        if (ThisSystem.isWindows()) {
            return true;
        }
        return said == null ? System.getProperty("user.name", "").equals("root") : said.system;
    }

    /** The daemon that has that file. */
    Launch launch(ConfigPath config) {
        return new Launch(config, name(), null, Surroundings.ofProcess());
    }

    /** The daemon's socket, by the file that the user names, or else by that with which a service was installed: one that runs, if any does. */
    Path socket(@Nullable String configOption, Supplier<List<FoundService>> services) {
        ConfigPath own = ConfigPath.ofProcess(configOption);
        ConfigPath config = own.source() == ConfigPath.Source.DEFAULT
                ? services.get().stream()
                        .sorted(Comparator.comparing(found -> !found.running()))
                        .flatMap(found -> found.state().config().stream())
                        .findFirst()
                        .map(path -> new ConfigPath(path, ConfigPath.Source.OPTION))
                        .orElse(own)
                : own;
        return launch(config).socket();
    }

    /** Both where the user has not said whose; the machine's first. */
    List<FoundService> found() {
        return (whose == null && !ThisSystem.isWindows() ? List.of(true, false) : List.of(system()))
                .stream()
                        .map(ofMachine -> new FoundService(
                                ofMachine,
                                manager(program(Optional.empty(), Optional.empty(), Places.NONE, ofMachine))
                                        .state()))
                        .toList();
    }

    /** What the service runs: this program as it runs now. */
    Program program(Optional<Path> config, Optional<String> account, Places places) {
        return program(config, account, places, system());
    }

    private Program program(Optional<Path> config, Optional<String> account, Places places, boolean ofMachine) {
        Path java = ProcessHandle.current()
                .info()
                .command()
                .map(Path::of)
                .orElse(Path.of(System.getProperty("java.home", ""), "bin", "java"));
        List<String> properties = new ArrayList<>();
        for (String property : List.of("steeprepl.home", "steeprepl.stage")) {
            Optional.ofNullable(System.getProperty(property))
                    .ifPresent(value -> properties.add("-D" + property + "=" + value));
        }
        List<String> command = Program.command(
                java,
                ClassPath.lasting(System.getProperty("java.class.path", "")),
                properties,
                Optional.ofNullable(System.getProperty("steeprepl.aot"))
                        .map(folder -> Path.of(folder, "daemon"))
                        .filter(Files::isRegularFile),
                Main.class.getName(),
                name(),
                config);
        Path home = Path.of(System.getProperty("user.home", "/"));
        return new Program(name(), command, account, ofMachine, home, places);
    }

    /** What this system has for services. */
    ServiceManager manager(Program program) {
        String os = System.getProperty("os.name", "").toLowerCase(Locale.ROOT);
        if (os.startsWith("mac")) {
            return new Launchd(program);
        }
        if (ThisSystem.isWindows()) {
            if (whose != null && !whose.system) {
                throw new ApiException.Usage(
                        "Windows has no services of an account", "leave --user out, or keep steep-repl run running");
            }
            return new WindowsService(program, "prunsrv.exe", Launch.folder().resolve("log"));
        }
        if (os.startsWith("linux")) {
            return new Systemd(program);
        }
        throw new ApiException.Failed(
                null,
                "there is no support for services of " + os,
                null,
                "have your own supervisor run: steep-repl run",
                null);
    }

    /** The same for actions that need only the name. */
    ServiceManager manager() {
        return manager(program(Optional.empty(), Optional.empty(), Places.NONE));
    }
}
