package io.steeprepl.cli;

import io.steeprepl.api.SteepRepl;
import io.steeprepl.cli.output.Output;
import io.steeprepl.cli.output.Terminal;
import io.steeprepl.cli.remote.Daemons;
import io.steeprepl.config.ConfigPath;
import io.steeprepl.direct.DirectSteepRepl;
import io.steeprepl.direct.connection.ConnectionSpec;
import io.steeprepl.direct.connection.Connector;
import io.steeprepl.direct.connection.PasswordPrompt;
import io.steeprepl.direct.connection.Surroundings;
import java.time.Duration;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** What a command that does something is made of: the common options and where to print. */
public abstract class Action implements Callable<Integer> {
    @Spec
    private @Nullable CommandSpec command;

    /** Does it. */
    protected abstract ExitCode run(Output out);

    @Override
    public final Integer call() {
        return run(output()).code();
    }

    /** Where and how to print. */
    private Output output() {
        RootCommand root = root();
        boolean colour = !root.noColor && Terminal.colours(System.getenv());
        var line = command().commandLine();
        return new Output(line.getOut(), line.getErr(), root.format, colour);
    }

    /** The connection that the common options name. */
    protected final ConnectionSpec connection() {
        return connection(root().connection);
    }

    /** Whether the user named a connection by option. */
    protected final boolean hasConnectionOption() {
        return root().connection != null;
    }

    /** The connection that the user named by option, as it was written. */
    protected final @Nullable String connectionOption() {
        return root().connection;
    }

    /** The configuration file that the user named by option. */
    protected final @Nullable String configOption() {
        return root().config;
    }

    /** The connection that a text names. */
    protected final ConnectionSpec connection(@Nullable String text) {
        return ConnectionSpec.resolve(text, Surroundings.ofProcess());
    }

    /** The node that the common options mean, however it is reached; the caller closes. */
    protected final SteepRepl open(Output out) {
        return new Reach(root(), this, out).open();
    }

    /** Whether the user named a daemon by option. */
    protected final boolean hasRemoteOption() {
        return root().remote != null;
    }

    /** The daemon that the user named by option, as it was written. */
    protected final @Nullable String remoteOption() {
        return root().remote;
    }

    /** How daemons are opened that the user names by option. */
    protected final Daemons daemons() {
        RootCommand root = root();
        return new Daemons(ConfigPath.ofProcess(root.config), root.certs, root.insecure, root.patience());
    }

    /** How long a daemon may take that is only to say how it is: {@code usual}, where the user has not said it. */
    protected final Duration patience(Duration usual) {
        return root().remoteTimeout == null ? usual : root().patience();
    }

    /** The option by which other commands reach the node that this one calls TARGET. */
    protected final String againAt() {
        return hasRemoteOption() ? "--remote DAEMON " : "-c TARGET ";
    }

    /** Whether the command can do nothing in a database without the extension. */
    protected boolean needsExtension() {
        return true;
    }

    /** Connects to a database; the caller closes. */
    protected final SteepRepl connect(ConnectionSpec spec, Output out) {
        return DirectSteepRepl.connect(spec, new Connector(PasswordPrompt.terminal(), out::warn));
    }

    /** This command within the whole. */
    protected final CommandSpec command() {
        if (command == null) {
            throw new IllegalStateException("not run by picocli");
        }
        return command;
    }

    private RootCommand root() {
        return (RootCommand) command().root().userObject();
    }
}
