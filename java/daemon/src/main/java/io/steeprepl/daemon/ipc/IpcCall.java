package io.steeprepl.daemon.ipc;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.steeprepl.api.ApiException;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** One question to a daemon of this machine. */
public final class IpcCall {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int LONGEST = 64 * 1024 * 1024;

    private IpcCall() {}

    /** The result. Throws {@link ApiException.CannotConnect} when no daemon serves there, or none of this account's. */
    public static JsonNode get(Path socket, String method, Duration limit) {
        try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            checkOwner(socket);
            CompletableFuture<JsonNode> answer = new CompletableFuture<>();
            Thread.ofVirtual().start(() -> {
                try {
                    answer.complete(ask(channel, socket, method));
                } catch (IOException | RuntimeException e) {
                    answer.completeExceptionally(e);
                }
            });
            return result(answer.get(limit.toMillis(), TimeUnit.MILLISECONDS));
        } catch (NoSuchFileException e) {
            throw none(socket, "there is no such socket", e);
        } catch (IOException | ExecutionException e) {
            throw none(socket, String.valueOf(e.getMessage()), e);
        } catch (TimeoutException e) {
            throw none(socket, "it did not answer within %d ms".formatted(limit.toMillis()), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ApiException.Cancelled("interrupted", e);
        }
    }

    private static void checkOwner(Path socket) throws IOException {
        String owner = Files.getOwner(socket, LinkOption.NOFOLLOW_LINKS).getName();
        String user = System.getProperty("user.name", "");
        if (!owner.equals(user) && !owner.equals("root") && !user.equals("root")) {
            throw new IOException("it belongs to %s".formatted(owner));
        }
    }

    private static JsonNode ask(SocketChannel channel, Path socket, String method) throws IOException {
        channel.connect(UnixDomainSocketAddress.of(socket));
        ByteBuffer request = StandardCharsets.UTF_8.encode(
                JSON.createObjectNode().put("id", 1).put("method", method) + "\n");
        while (request.hasRemaining()) {
            channel.write(request);
        }
        String line = new Lines(channel, LONGEST, () -> {}).next();
        if (line == null) {
            throw new IOException("it ended the connection");
        }
        return JSON.readTree(line);
    }

    private static JsonNode result(JsonNode answer) {
        if (answer.has("error")) {
            JsonNode error = answer.get("error");
            throw new ApiException.Failed(
                    null,
                    error.path("message").asText(),
                    error.has("detail") ? error.get("detail").asText() : null,
                    error.has("hint") ? error.get("hint").asText() : null,
                    null);
        }
        return answer.path("result");
    }

    private static ApiException.CannotConnect none(Path socket, String why, Exception cause) {
        return new ApiException.CannotConnect(
                null,
                "no daemon answers on " + socket,
                why,
                "steep-repl start, or steep-repl run; --name names another one",
                cause);
    }
}
