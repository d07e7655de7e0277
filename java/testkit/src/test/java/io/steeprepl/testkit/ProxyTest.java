package io.steeprepl.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Faults of the network, seen by a client of a server that echoes. */
@Timeout(30)
class ProxyTest {
    private ServerSocket echo;
    private Proxy proxy;

    @BeforeEach
    void start() throws IOException {
        echo = listen();
        proxy = new Proxy(echo.getLocalPort());
        Thread.ofVirtual().start(this::serve);
    }

    @AfterEach
    void end() throws IOException {
        proxy.close();
        echo.close();
    }

    @Test
    void passesBytesBothWays() throws IOException {
        try (Socket client = connect()) {
            assertThat(echo(client, 42)).isEqualTo(42);
        }
    }

    @Test
    void cutEndsConnectionsAndNewOnesUntilMended() throws IOException {
        try (Socket client = connect()) {
            assertThat(echo(client, 1)).isEqualTo(1);
            proxy.cut();
            assertThat(ended(client)).isTrue();
        }
        try (Socket client = connect()) {
            assertThat(ended(client)).isTrue();
        }
        proxy.mend();
        try (Socket client = connect()) {
            assertThat(echo(client, 2)).isEqualTo(2);
        }
    }

    @Test
    void resetIsSeenAsAReset() throws IOException {
        try (Socket client = connect()) {
            assertThat(echo(client, 1)).isEqualTo(1);
            proxy.reset();
            assertThatThrownBy(() -> client.getInputStream().read())
                    .isInstanceOf(SocketException.class)
                    .hasMessageContaining("reset");
        }
    }

    @Test
    void delaySlowsDown() throws IOException {
        try (Socket client = connect()) {
            proxy.delay(100);
            long begin = System.nanoTime();
            assertThat(echo(client, 1)).isEqualTo(1);
            assertThat(Duration.ofNanos(System.nanoTime() - begin)).isGreaterThanOrEqualTo(Duration.ofMillis(200));
        }
    }

    @Test
    void aTargetThatIsDownEndsTheConnectionAndNoOther() throws IOException {
        try (Socket client = connect()) {
            assertThat(echo(client, 1)).isEqualTo(1);
            echo.close();
            try (Socket second = connect()) {
                assertThat(ended(second)).isTrue();
            }
            assertThat(echo(client, 2)).isEqualTo(2);
        }
    }

    /** On a port that nobody gets who takes any free one: a test gives it up and expects that nobody listens then. */
    private static ServerSocket listen() throws IOException {
        for (int port = ThreadLocalRandom.current().nextInt(15_000, 25_000); port < 30_000; port++) {
            try {
                return new ServerSocket(port, 10, InetAddress.getLoopbackAddress());
            } catch (BindException e) {
                // Taken: the next one.
            }
        }
        throw new IOException("no free port");
    }

    private Socket connect() throws IOException {
        Socket client = new Socket(InetAddress.getLoopbackAddress(), proxy.port());
        client.setSoTimeout(20_000);
        return client;
    }

    private static int echo(Socket client, int value) throws IOException {
        client.getOutputStream().write(value);
        return client.getInputStream().read();
    }

    private static boolean ended(Socket client) {
        try {
            return client.getInputStream().read() == -1;
        } catch (SocketTimeoutException e) {
            return false;
        } catch (IOException e) {
            return true;
        }
    }

    private void serve() {
        while (!echo.isClosed()) {
            try {
                Socket client = echo.accept();
                Thread.ofVirtual().start(() -> copy(client));
            } catch (IOException e) {
                // Closed: the loop ends.
            }
        }
    }

    private static void copy(Socket client) {
        try (client) {
            client.getInputStream().transferTo(client.getOutputStream());
        } catch (IOException e) {
            // The client went away.
        }
    }
}
