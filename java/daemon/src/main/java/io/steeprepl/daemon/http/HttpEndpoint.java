package io.steeprepl.daemon.http;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.steeprepl.api.ApiException;
import io.steeprepl.config.repl.HttpSettings;
import io.steeprepl.daemon.Component;
import io.steeprepl.daemon.ComponentState;
import io.steeprepl.daemon.Status;
import java.io.IOException;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** {@code GET /health} and {@code GET /metrics}. */
public final class HttpEndpoint implements Component {
    private static final Logger LOG = LoggerFactory.getLogger(HttpEndpoint.class);
    private static final int UNAVAILABLE = 503;
    private static final int NOT_FOUND = 404;
    private static final int NOT_ALLOWED = 405;

    static {
        // Read once, when the server's classes are loaded: seconds for a request and an answer, and how many there may
        // be.
        System.setProperty("sun.net.httpserver.maxReqTime", "10");
        System.setProperty("sun.net.httpserver.maxRspTime", "10");
        System.setProperty("sun.net.httpserver.idleInterval", "30");
        System.setProperty("jdk.httpserver.maxConnections", "256");
        // Else an answer waits for the client to confirm its head.
        System.setProperty("sun.net.httpserver.nodelay", "true");
    }

    private final HttpServer server;
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final Status status;
    private final Metrics metrics;

    /** Serves from now on. Throws {@link ApiException.Failed} when it cannot listen there. */
    public HttpEndpoint(HttpSettings settings, Status status, Metrics metrics) {
        this.status = status;
        this.metrics = metrics;
        try {
            server = HttpServer.create(new InetSocketAddress(settings.bind(), settings.port()), 128);
        } catch (BindException e) {
            throw new ApiException.Failed(
                    null,
                    "cannot listen on %s:%d for HTTP".formatted(settings.bind(), settings.port()),
                    e.getMessage(),
                    "another program may have the port: set repl.http.port, or repl.http.enabled: false",
                    e);
        } catch (IOException | RuntimeException e) {
            throw new ApiException.Failed(
                    null,
                    "cannot listen on %s:%d for HTTP".formatted(settings.bind(), settings.port()),
                    e.toString(),
                    "see repl.http.bind",
                    e);
        }
        server.setExecutor(threads);
        server.createContext("/", this::answer);
        server.start();
        LOG.info("listening on http://{}:{}", settings.bind(), settings.port());
    }

    @Override
    public String name() {
        return "http";
    }

    @Override
    public ComponentState state() {
        return ComponentState.serving(server.getAddress().toString());
    }

    private void answer(HttpExchange exchange) throws IOException {
        try (exchange) {
            String path = exchange.getRequestURI().getPath();
            String method = exchange.getRequestMethod();
            boolean known = "/health".equals(path) || "/metrics".equals(path);
            if (!known) {
                send(exchange, NOT_FOUND, "text/plain", "GET /health, GET /metrics\n");
            } else if (!method.equals("GET") && !method.equals("HEAD")) {
                exchange.getResponseHeaders().set("Allow", "GET, HEAD");
                send(exchange, NOT_ALLOWED, "text/plain", "only GET\n");
            } else if ("/health".equals(path)) {
                var document = status.health();
                int code = document.get("status").asText().equals("unhealthy") ? UNAVAILABLE : 200;
                send(exchange, code, "application/json", document + "\n");
            } else {
                send(exchange, 200, Metrics.CONTENT_TYPE, metrics.text());
            }
        } catch (RuntimeException e) {
            LOG.error("a request failed", e);
            throw e;
        }
    }

    private static void send(HttpExchange exchange, int code, String type, String text) throws IOException {
        byte[] body = text.getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("Content-Type", type + (type.contains(";") ? "" : "; charset=utf-8"));
        exchange.getResponseHeaders().set("Cache-Control", "no-store");
        if (exchange.getRequestMethod().equals("HEAD")) {
            exchange.sendResponseHeaders(code, -1);
        } else {
            exchange.sendResponseHeaders(code, body.length);
            exchange.getResponseBody().write(body);
        }
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }
}
