package io.steeprepl.daemon.watch;

import io.steeprepl.api.ApiException;
import io.steeprepl.config.Durations;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;

/** Work that may hang, such as on a server that is frozen, and who waits for it only so long. */
final class Deadline {
    private Deadline() {}

    /**
     * The result of {@code work}.
     *
     * @param late is done when it takes longer, and should make {@code work} end
     */
    static <T> T within(Duration limit, Supplier<T> work, Runnable late) {
        CompletableFuture<T> result = new CompletableFuture<>();
        Thread.ofVirtual().name("look").start(() -> {
            try {
                result.complete(work.get());
            } catch (Throwable e) {
                result.completeExceptionally(e);
            }
        });
        try {
            return result.get(limit.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            late.run();
            throw new ApiException.CannotConnect(
                    null, "the server did not answer within " + Durations.text(limit), null, "see the server's log", e);
        } catch (ExecutionException e) {
            throw e.getCause() instanceof RuntimeException known ? known : new IllegalStateException(e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            late.run();
            throw new ApiException.Cancelled("interrupted", e);
        }
    }
}
