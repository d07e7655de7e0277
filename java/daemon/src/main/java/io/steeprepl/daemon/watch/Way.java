package io.steeprepl.daemon.watch;

import io.steeprepl.api.ApiException;
import io.steeprepl.api.NodeId;
import io.steeprepl.direct.DirectSteepRepl;
import io.steeprepl.direct.connection.ConnectionSpec;
import io.steeprepl.direct.connection.Connector;
import io.steeprepl.direct.connection.HostPort;
import java.time.Duration;
import java.util.Optional;

/**
 * The way to the server that was found: every connection of the daemon goes there, and each is looked at before anything is
 * done with it.
 *
 * @param spec names one server only
 * @param wanted the id that the node must have
 * @param limit how long its answer may take
 */
record Way(ConnectionSpec spec, HostPort server, Connector connector, Optional<String> wanted, Duration limit) {

    /** One more connection. Throws {@link ApiException}. */
    DirectSteepRepl connect() {
        DirectSteepRepl made = DirectSteepRepl.over(connector.connect(spec));
        try {
            check(made);
            return made;
        } catch (Refusal e) {
            made.abort();
            throw new ApiException.CannotConnect(null, String.valueOf(e.getMessage()), null, "see repl.node_id", e);
        } catch (RuntimeException e) {
            made.abort();
            throw e;
        }
    }

    /** Throws {@link Refusal} when it is not known to be the node that is meant. */
    void check(DirectSteepRepl open) {
        if (wanted.isEmpty()) {
            return;
        }
        Optional<String> is;
        try {
            is = Deadline.within(limit, () -> open.nodes().self().map(NodeId::value), open::abort);
        } catch (ApiException.Failed e) {
            throw new Refusal(
                    open.serverVersion().text(),
                    "the database does not say which node it is, and repl.node_id says %s: %s"
                            .formatted(wanted.get(), e.message()));
        }
        check(open, is);
    }

    /** The same where the id is known already. */
    void check(DirectSteepRepl open, Optional<String> is) {
        if (wanted.isPresent() && !is.equals(wanted)) {
            throw new Refusal(
                    open.serverVersion().text(),
                    is.map("the database is node %s"::formatted).orElse("the database is no node yet")
                            + ", and repl.node_id says " + wanted.get());
        }
    }
}
