package io.steeprepl.cli.progress;

import io.steeprepl.cli.output.Output;
import org.jspecify.annotations.Nullable;

/** One JSON object a line, for every change. */
final class JsonView<P> implements View<P> {
    private final Followed<P> followed;
    private final Output out;
    private @Nullable P shown;

    JsonView(Followed<P> followed, Output out) {
        this.followed = followed;
        this.out = out;
    }

    @Override
    public synchronized void show(P now) {
        if (!now.equals(shown)) {
            out.one(followed.columns(), now);
            shown = now;
        }
    }

    @Override
    public synchronized void say(String text) {
        out.note(text);
    }

    @Override
    public void end(P last) {
        show(last);
    }
}
