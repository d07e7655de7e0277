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
    /** How long work may take to end once it was asked to. */
    static final Duration GRACE = Duration.ofSeconds(2);

    private Deadline() {}

    /**
     * The result of {@code work}. Throws {@link ApiException.CannotConnect} when it takes longer.
     *
     * @param late is done when it takes longer, and should make {@code work} end
     */
    static <T> T within(Duration limit, Supplier<T> work, Runnable late) {
        CompletableFuture<T> result = begin(work);
        try {
            return result.get(limit.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            late.run();
            throw silent(limit, e);
        } catch (ExecutionException e) {
            throw failure(e);
        } catch (InterruptedException e) {
            throw interrupted(late, e);
        }
    }

    /**
     * The same, for a server that does answer: {@code cancel} is done first. Throws {@link ApiException.TimedOut} when that
     * ends the work, and {@link ApiException.CannotConnect} when only {@code abort} does.
     */
    static <T> T within(Duration limit, Supplier<T> work, Runnable cancel, Runnable abort) {
        CompletableFuture<T> result = begin(work);
        try {
            return result.get(limit.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            // On a thread of its own: it makes a connection, which may take as long.
            Thread.ofVirtual().name("cancel").start(cancel);
            return cancelled(limit, result, abort);
        } catch (ExecutionException e) {
            throw failure(e);
        } catch (InterruptedException e) {
            throw interrupted(abort, e);
        }
    }

    private static <T> T cancelled(Duration limit, CompletableFuture<T> result, Runnable abort) {
        try {
            return result.get(GRACE.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            abort.run();
            throw silent(limit.plus(GRACE), e);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof ApiException.Cancelled) {
                throw new ApiException.TimedOut(
                        null, "it took longer than " + Durations.text(limit), null, "what holds it up?", e);
            }
            throw failure(e);
        } catch (InterruptedException e) {
            throw interrupted(abort, e);
        }
    }

    /** Work without a result. */
    static Supplier<Boolean> doing(Runnable work) {
        return () -> {
            work.run();
            return true;
        };
    }

    private static <T> CompletableFuture<T> begin(Supplier<T> work) {
        CompletableFuture<T> result = new CompletableFuture<>();
        Thread.ofVirtual().name("look").start(() -> {
            try {
                result.complete(work.get());
            } catch (Throwable e) {
                result.completeExceptionally(e);
            }
        });
        return result;
    }

    private static ApiException silent(Duration limit, Throwable cause) {
        return new ApiException.CannotConnect(
                null, "the server did not answer within " + Durations.text(limit), null, "see the server's log", cause);
    }

    private static RuntimeException failure(ExecutionException e) {
        return e.getCause() instanceof RuntimeException known ? known : new IllegalStateException(e.getCause());
    }

    private static ApiException interrupted(Runnable end, InterruptedException e) {
        Thread.currentThread().interrupt();
        end.run();
        return new ApiException.Cancelled("interrupted", e);
    }
}
