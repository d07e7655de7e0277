package io.steeprepl.cli.progress;

import io.steeprepl.api.ApiException;
import io.steeprepl.api.SteepRepl;
import io.steeprepl.cli.ExitCode;
import io.steeprepl.cli.output.Output;
import io.steeprepl.cli.output.Terminal;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;

/**
 * Follows work until it ends. What is heard of it is only a reason to look: nothing hangs on a notification that was lost.
 * A lost connection is made again, because the work goes on in the server.
 */
public record Follower<P>(Followed<P> followed, Supplier<SteepRepl> reconnect, Output out) {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Duration PAUSE = Duration.ofMillis(300);

    /** Shows progress until the end. Throws {@link ApiException} when the work failed, or cannot be looked at any more. */
    public ExitCode follow(SteepRepl first) {
        boolean terminal = !out.json() && Terminal.interactive();
        View<P> view = View.of(followed, out, terminal);
        var leaving = new Leaving<>(followed, view, reconnect, new AtomicBoolean());
        SteepRepl node = first;
        SteepRepl second = null;
        try (var _ = leaving.begin(terminal)) {
            while (true) {
                try {
                    P now = followed.look(node);
                    if (followed.state(now).ended()) {
                        return end(view, now);
                    }
                    view.show(now);
                    node.work().await(followed.pause());
                } catch (ApiException.CannotConnect e) {
                    view.say("the connection was lost; the work goes on in the server. Connecting again; to look: "
                            + followed.again());
                    if (second != null) {
                        second.close();
                    }
                    second = again(e);
                    node = second;
                }
            }
        } finally {
            if (second != null) {
                second.close();
            }
        }
    }

    private ExitCode end(View<P> view, P last) {
        view.end(last);
        return switch (followed.state(last)) {
            case COMPLETE -> {
                if (!out.json()) {
                    out.done(followed.summary(last), Map.of());
                }
                yield ExitCode.OK;
            }
            case CANCELLED -> {
                view.say(followed.cancelled());
                yield ExitCode.CANCELLED;
            }
            default -> throw followed.failure(last);
        };
    }

    private SteepRepl again(ApiException.CannotConnect lost) {
        Instant end = Instant.now().plus(PATIENCE);
        ApiException.CannotConnect last = lost;
        while (Instant.now().isBefore(end)) {
            try {
                return reconnect.get();
            } catch (ApiException.CannotConnect e) {
                last = e;
                pause();
            }
        }
        throw new ApiException.CannotConnect(
                last.sqlState(),
                last.message(),
                last.detail(),
                "the work goes on in the server; to look, once it can be reached: " + followed.again(),
                last);
    }

    private static void pause() {
        try {
            Thread.sleep(PAUSE);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ApiException.Cancelled("interrupted while watching", e);
        }
    }
}
