package io.steeprepl.cli.progress;

import io.steeprepl.cli.output.Output;

/** How progress is shown: a bar on a terminal, lines elsewhere, JSON for programs. Any thread may call. */
sealed interface View<P> permits BarView, LinesView, JsonView {
    /** Shows how far it is now; called several times a second. */
    void show(P now);

    /** Something else to say to whoever watches. */
    void say(String text);

    /** Shows nothing more until {@link #resume()}: somebody else writes on the terminal. */
    default void pause() {}

    /** Goes on. */
    default void resume() {}

    /** Shows how far it was when it ended. */
    void end(P last);

    /** The view that suits. */
    static <P> View<P> of(Followed<P> followed, Output out, boolean terminal) {
        if (out.json()) {
            return new JsonView<>(followed, out);
        }
        return terminal ? new BarView<>(followed, out) : new LinesView<>(followed, out);
    }
}
