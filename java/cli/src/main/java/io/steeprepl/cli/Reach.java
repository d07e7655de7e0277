package io.steeprepl.cli;

import io.steeprepl.api.ApiException;
import io.steeprepl.api.SteepRepl;
import io.steeprepl.cli.output.Output;
import io.steeprepl.cli.remote.LocalDaemon;
import io.steeprepl.config.ConfigPath;
import io.steeprepl.direct.connection.ConnectionSpec;
import java.util.Optional;

/** How a command reaches its node: by its database, by the daemon that --remote names, or by this machine's daemon. */
record Reach(RootCommand root, Action action, Output out) {
    /** Opens the node. Throws {@link ApiException}. */
    SteepRepl open() {
        if (root.remote != null) {
            if (root.direct || root.connection != null) {
                throw new ApiException.Usage(
                        "--remote, and %s, which means the database itself".formatted(root.direct ? "--direct" : "-c"),
                        "leave one of them out");
            }
            return action.daemons().open(root.remote);
        }
        boolean named = root.direct || root.connection != null;
        return named ? action.connect(action.connection(), out) : detect();
    }

    private ConfigPath config() {
        return ConfigPath.ofProcess(root.config);
    }

    /** The database first; the daemon only where that cannot do it. */
    private SteepRepl detect() {
        ConnectionSpec spec = action.connection();
        SteepRepl node;
        try {
            node = action.connect(spec, out);
        } catch (ApiException.CannotConnect e) {
            return daemon(spec, e.message()).orElseThrow(() -> e);
        }
        // A socket is looked for first: without one, this costs nothing.
        if (action.needsExtension()
                && local(spec).exists()
                && node.nodes().extensionVersion().isEmpty()) {
            Optional<SteepRepl> daemon = daemon(spec, "the database has no extension steep_repl");
            if (daemon.isPresent()) {
                node.close();
                return daemon.get();
            }
        }
        return node;
    }

    private LocalDaemon local(ConnectionSpec spec) {
        return new LocalDaemon(config(), spec, root.patience());
    }

    private Optional<SteepRepl> daemon(ConnectionSpec spec, String why) {
        LocalDaemon local = local(spec);
        return local.exists() ? local.open(text -> out.note(why + "; " + text)) : Optional.empty();
    }
}
