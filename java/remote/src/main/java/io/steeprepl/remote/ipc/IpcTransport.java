package io.steeprepl.remote.ipc;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.steeprepl.api.ApiException;
import io.steeprepl.remote.Codec;
import io.steeprepl.remote.Dispatcher;
import io.steeprepl.remote.Errors;
import io.steeprepl.remote.Transport;
import io.steeprepl.remote.windows.PipeName;
import java.io.IOException;
import java.nio.file.Path;
import java.nio.file.attribute.UserPrincipal;
import java.time.Duration;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Calls over the socket of a daemon on this machine. */
public final class IpcTransport implements Transport {
    private final Path socket;
    private final Duration timeout;
    private final LineSocket line;
    /** Nobody need guess them in vain: only those who may call anyway can cancel. Others take long to begin. */
    private final SplittableRandom ids = new SplittableRandom();

    private long sent;
    private volatile @Nullable String running;

    private IpcTransport(Path socket, Duration timeout, LineSocket line) {
        this.socket = socket;
        this.timeout = timeout;
        this.line = line;
    }

    /**
     * Connects. Throws {@link ApiException.CannotConnect}.
     *
     * @param timeout how long an answer may take
     */
    public static IpcTransport connect(Path socket, Duration timeout) {
        SocketOwner.check(socket);
        return open(socket, timeout, true);
    }

    /**
     * Connects only to ask: root, who may ask everybody, sends nothing secret so. Throws {@link ApiException.CannotConnect}.
     *
     * @param timeout how long an answer may take
     */
    public static IpcTransport toAsk(Path socket, Duration timeout) {
        // On Windows the system says whether an administrator asks: whose pipe it is, is then the same to them.
        return Account.isRoot() || PipeName.of(socket).isPresent()
                ? open(socket, timeout, false)
                : connect(socket, timeout);
    }

    /** Whose socket it is, when this account has nothing to do with it. */
    public static Optional<String> owner(Path socket) {
        try {
            return Account.isRoot()
                    ? Optional.empty()
                    : SocketOwner.stranger(socket).map(UserPrincipal::getName);
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    private static IpcTransport open(Path socket, Duration timeout, boolean trusted) {
        try {
            return new IpcTransport(socket, timeout, LineSocket.connect(socket, trusted));
        } catch (IOException e) {
            throw new ApiException.CannotConnect(
                    null,
                    "cannot connect to the daemon at " + socket,
                    e.getMessage(),
                    "is it running, by the same user? steep-repl status",
                    e);
        }
    }

    @Override
    public JsonNode call(String method, ObjectNode params) {
        String id = Long.toString(++sent);
        String callId = new UUID(ids.nextLong(), ids.nextLong()).toString();
        running = callId;
        try {
            line.send(Codec.write(Codec.object()
                    .put("id", id)
                    .put("method", method)
                    .<ObjectNode>set("params", params.put(Dispatcher.CALL_ID, callId))));
            JsonNode answer = receive(id, method);
            JsonNode error = answer.path("error");
            if (error.isObject()) {
                throw Errors.decode(error);
            }
            return answer.path("result");
        } catch (IOException e) {
            throw new ApiException.CannotConnect(
                    null, "the connection to the daemon at %s was lost".formatted(socket), e.getMessage(), null, e);
        } finally {
            running = null;
        }
    }

    private JsonNode receive(String id, String method) throws IOException {
        long end = System.nanoTime() + timeout.toNanos();
        while (true) {
            String text = line.receive(Duration.ofNanos(Math.max(0, end - System.nanoTime())));
            if (text == null) {
                cancel();
                throw new ApiException.TimedOut(
                        null,
                        "the daemon at %s did not answer %s within %d s".formatted(socket, method, timeout.toSeconds()),
                        null,
                        null,
                        null);
            }
            JsonNode answer = Codec.parse(text);
            // The answer to a call that took too long may still come.
            if (answer.path("id").asText().equals(id)) {
                return answer;
            }
        }
    }

    @Override
    public void cancel() {
        String callId = running;
        if (callId == null) {
            return;
        }
        // On a line of its own: this one waits for its answer.
        try (LineSocket second = LineSocket.connect(socket, false)) {
            second.send(Codec.write(Codec.object()
                    .put("id", "cancel")
                    .put("method", Dispatcher.CANCEL)
                    .<ObjectNode>set("params", Codec.object().put(Dispatcher.CALL_ID, callId))));
            second.receive(Duration.ofSeconds(5));
        } catch (IOException e) {
            throw new ApiException.CannotConnect(
                    null, "the daemon at %s cannot be told to cancel".formatted(socket), e.getMessage(), null, e);
        }
    }

    @Override
    public void close() {
        line.close();
    }
}
