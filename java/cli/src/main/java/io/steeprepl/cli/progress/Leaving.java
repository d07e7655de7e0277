package io.steeprepl.cli.progress;

import io.steeprepl.api.ApiException;
import io.steeprepl.api.SteepRepl;
import io.steeprepl.cli.ExitCode;
import io.steeprepl.cli.Interrupt;
import io.steeprepl.cli.output.Terminal;
import io.steeprepl.daemon.Signals;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;

/**
 * What Ctrl-C does while work is followed: on a terminal it asks whether to cancel the work, and leaves when it comes once
 * more; elsewhere it leaves. The work goes on unless somebody said otherwise.
 *
 * @param reconnect for cancelling: the connection that follows may be stuck
 */
record Leaving<P>(Followed<P> followed, View<P> view, Supplier<SteepRepl> reconnect, AtomicBoolean asking) {
    /** Begins to listen; closing the result ends it. */
    Interrupt.Registration begin(boolean terminal) {
        if (terminal && followed.cancel().isPresent()) {
            // A hook of the JVM would not hear the second one.
            Signals.at("INT", this::interrupted);
        }
        return Interrupt.onInterrupt(() -> view.say("\ndetached: the work goes on in the server; to look: "
                + followed.again()
                + followed.cancel()
                        .map(cancel -> "; to cancel it: " + cancel.command())
                        .orElse("")));
    }

    private void interrupted() {
        if (!asking.compareAndSet(false, true)) {
            leave();
            return;
        }
        view.pause();
        String answer = Terminal.ask("\n"
                        + "Detach, and let the work go on, or cancel it? [d = detach, c = cancel, Enter = go on"
                        + " watching] ")
                .orElse("d")
                .strip()
                .toLowerCase(Locale.ROOT);
        view.resume();
        asking.set(false);
        if (answer.startsWith("d")) {
            leave();
        } else if (answer.startsWith("c")) {
            cancel();
        }
    }

    /** The action of {@link #begin} says what becomes of the work. */
    private static void leave() {
        System.exit(ExitCode.CANCELLED.code());
    }

    private void cancel() {
        try (SteepRepl node = reconnect.get()) {
            followed.cancel().ifPresent(cancel -> cancel.now().accept(node));
        } catch (ApiException e) {
            view.say("it could not be cancelled: " + e.message());
        }
    }
}
