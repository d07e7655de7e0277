package io.steeprepl.cli.service;

import io.steeprepl.daemon.service.ServiceState;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A service that may be there.
 *
 * @param system of the machine, or of the account that asks
 */
record FoundService(boolean system, ServiceState state) {
    boolean running() {
        return state.pid().isPresent();
    }

    /** In a line, for people. */
    String text() {
        if (!state.installed()) {
            return "not installed (%s)".formatted(state.state());
        }
        return "installed for %s, %s%s"
                .formatted(
                        system ? "the machine" : "this account",
                        state.state(),
                        state.account().map(account -> ", as " + account).orElse(""));
    }

    Map<String, @Nullable Object> document() {
        Map<String, @Nullable Object> document = new LinkedHashMap<>();
        document.put("installed", state.installed());
        document.put("scope", system ? "system" : "user");
        document.put("state", state.state());
        document.put("pid", state.pid().orElse(null));
        document.put("account", state.account().orElse(null));
        return document;
    }
}
