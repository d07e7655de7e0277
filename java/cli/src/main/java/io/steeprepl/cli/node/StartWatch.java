package io.steeprepl.cli.node;

import io.steeprepl.api.ApiException;
import io.steeprepl.api.StartProgress;
import io.steeprepl.api.SteepRepl;
import io.steeprepl.cli.ExitCode;
import io.steeprepl.cli.Interrupt;
import io.steeprepl.cli.output.Output;
import java.time.Duration;
import java.time.Instant;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Follows a start until it ends. A lost connection is made again: the work goes on in the server. */
record StartWatch(Supplier<SteepRepl> reconnect, Output out) {
    private static final Duration PAUSE = Duration.ofMillis(300);
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    /** Shows progress until the end. Throws {@link ApiException.Failed} when the work failed. */
    ExitCode follow(SteepRepl first, long id) {
        StartView view = StartView.forOutput(out);
        SteepRepl node = first;
        SteepRepl second = null;
        try (var _ = Interrupt.onInterrupt(
                () -> out.note("\ndetached: the work goes on in the server, and the same command goes on watching"))) {
            while (true) {
                StartProgress now = null;
                try {
                    now = node.start().progress(id).orElseThrow(() -> gone(id));
                } catch (ApiException.CannotConnect e) {
                    out.note("the connection was lost; connecting again");
                    second = again(e);
                    node = second;
                }
                if (now != null) {
                    view.show(now);
                    switch (now.state()) {
                        case RUNNING -> pause();
                        case COMPLETE -> {
                            view.end(now);
                            return ExitCode.OK;
                        }
                        case FAILED -> {
                            view.end(now);
                            throw failed(now.error());
                        }
                    }
                }
            }
        } finally {
            if (second != null) {
                second.close();
            }
        }
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
        throw last;
    }

    private static void pause() {
        try {
            Thread.sleep(PAUSE);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ApiException.Cancelled("interrupted while watching", e);
        }
    }

    private static ApiException gone(long id) {
        return new ApiException.Failed(
                null, "the server does not know start %d any more".formatted(id), null, null, null);
    }

    private static ApiException failed(@Nullable String error) {
        return new ApiException.Failed(
                null, "the start failed", error, "remove the cause and run the same command again: it goes on", null);
    }
}
