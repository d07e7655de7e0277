package io.steeprepl.cli;

import io.steeprepl.cli.output.Format;
import io.steeprepl.config.Durations;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;

/** {@code steep-repl} itself: the options that every command has, before or after its name. */
@Command(
        name = "steep-repl",
        description = "Keeps PostgreSQL databases that all take writes equal.",
        footer = "  steep-repl -c postgresql://postgres@localhost/shop health")
public final class RootCommand {
    @Option(
            names = {"-c", "--connection"},
            paramLabel = "CONN",
            scope = ScopeType.INHERIT,
            description =
                    "The database: a URI, a conninfo string or the name of a service. Default: the PG* environment.")
    @Nullable
    String connection;

    @Option(
            names = "--direct",
            scope = ScopeType.INHERIT,
            description = {
                "Talk to the database itself, and to nothing else. Without it, and without -c and --remote, this"
                        + " machine's",
                "daemon is asked where the database cannot be reached or lacks the extension."
            })
    boolean direct;

    @Option(
            names = "--remote",
            paramLabel = "HOST:PORT",
            // Commands get it in Main: one has an option of that name.
            description =
                    "Talk to the daemon there, which talks to its database. A path: to this machine's, by its socket.")
    @Nullable
    String remote;

    @Option(
            names = "--certs",
            paramLabel = "DIR",
            scope = ScopeType.INHERIT,
            description = {
                "For --remote: the folder with ca-cert.pem, node-cert.pem and node-key.pem, as tls init makes it.",
                "Default: what the configuration file names in repl.grpc.tls, else certs beside it."
            })
    @Nullable
    Path certs;

    @Option(
            names = "--insecure",
            scope = ScopeType.INHERIT,
            description =
                    "For --remote: without certificates. Only to this machine's own daemon, if its file allows it.")
    boolean insecure;

    @Option(
            names = "--remote-timeout",
            paramLabel = "DURATION",
            scope = ScopeType.INHERIT,
            description = "For --remote: how long the daemon may take for an answer. Default: 10m.")
    @Nullable
    String remoteTimeout;

    /** How long the daemon may take, as the user said, else by default. */
    Duration patience() {
        return Durations.parse(Objects.requireNonNullElse(remoteTimeout, "10m"));
    }

    @Option(
            names = "--config",
            paramLabel = "FILE",
            scope = ScopeType.INHERIT,
            description = {
                "The configuration file. Default: $STEEP_REPL_CONFIG,",
                "else config.yaml in the user's folder of settings, below steep."
            })
    @Nullable
    String config;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "FORMAT",
            scope = ScopeType.INHERIT,
            description = "table (default) or json.")
    Format format = Format.TABLE;

    @Option(
            names = "--verbose",
            scope = ScopeType.INHERIT,
            description = "Say more, and where in the program an error came from.")
    boolean verbose;

    @Option(names = "--no-color", scope = ScopeType.INHERIT, description = "No colours. NO_COLOR does the same.")
    boolean noColor;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            scope = ScopeType.INHERIT,
            description = "Explain the command.")
    boolean help;
}
