package io.steeprepl.remote;

import com.fasterxml.jackson.core.type.TypeReference;
import io.steeprepl.api.Health;
import io.steeprepl.api.HealthApi;
import io.steeprepl.remote.Operation.None;

/** {@link HealthApi} over a line. */
record RemoteHealth(Line line) implements HealthApi {
    static final Noun NOUN = new Noun("health");

    private static final Operation<None, Health> GET =
            NOUN.reading("get", new TypeReference<>() {}, node -> node.health().get());

    @Override
    public Health get() {
        return line.call(GET);
    }
}
