package io.steeprepl.cli.progress;

import io.steeprepl.cli.output.Output;
import io.steeprepl.cli.output.Text;
import java.util.ArrayList;
import java.util.List;

/** Lines on a terminal that are drawn again in place: one for the whole, and one for each stream. */
final class BarView<P> implements View<P> {
    /** Lines that are too long end at the edge: a second line would not be drawn over. */
    private static final String CLIP = "\u001b[?7l";

    private static final String WRAP = "\u001b[?7h";
    /** What is left of an older, longer line. */
    private static final String WIPE = "\u001b[K";

    private static final String WIPE_BELOW = "\u001b[J";

    private final Followed<P> followed;
    private final Output out;
    private int below;
    private boolean paused;

    BarView(Followed<P> followed, Output out) {
        this.followed = followed;
        this.out = out;
    }

    @Override
    public synchronized void show(P now) {
        if (!paused) {
            Glance glance = followed.glance(now);
            List<String> lines = new ArrayList<>(List.of(glance.bar()));
            glance.streams().forEach(stream -> lines.add("  " + Text.sanitise(stream)));
            draw(lines);
        }
    }

    private void draw(List<String> lines) {
        out.progress(top() + CLIP + String.join(WIPE + "\n", lines) + WIPE + WIPE_BELOW + WRAP);
        below = lines.size() - 1;
    }

    private String top() {
        return "\r" + (below == 0 ? "" : "\u001b[%dA".formatted(below));
    }

    private void clear() {
        out.progress(top() + WIPE_BELOW);
        below = 0;
    }

    @Override
    public synchronized void say(String text) {
        clear();
        out.note(text);
    }

    @Override
    public synchronized void pause() {
        clear();
        paused = true;
    }

    @Override
    public synchronized void resume() {
        paused = false;
    }

    @Override
    public synchronized void end(P last) {
        paused = false;
        draw(List.of(followed.glance(last).bar()));
        out.progress("\n");
    }
}
