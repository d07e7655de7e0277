package io.steeprepl.cli.progress;

import io.steeprepl.cli.output.Output;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;

/** Plain lines for logs: one at each change of phase, and every few seconds where something has changed. */
final class LinesView<P> implements View<P> {
    private static final Duration EVERY = Duration.ofSeconds(5);

    private final Followed<P> followed;
    private final Output out;
    private final InstantSource clock;
    private String phase = "";
    private String line = "";
    private Instant at = Instant.EPOCH;

    LinesView(Followed<P> followed, Output out) {
        this(followed, out, InstantSource.system());
    }

    LinesView(Followed<P> followed, Output out, InstantSource clock) {
        this.followed = followed;
        this.out = out;
        this.clock = clock;
    }

    @Override
    public synchronized void show(P now) {
        Glance glance = followed.glance(now);
        boolean due =
                !clock.instant().isBefore(at.plus(EVERY)) && !glance.line().equals(line);
        if (due || !glance.phase().equals(phase)) {
            phase = glance.phase();
            line = glance.line();
            at = clock.instant();
            out.note(line);
        }
    }

    @Override
    public synchronized void say(String text) {
        out.note(text);
    }

    @Override
    public void end(P last) {
        // The sentence that follows says it.
    }
}
