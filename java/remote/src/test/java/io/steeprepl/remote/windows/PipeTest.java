package io.steeprepl.remote.windows;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

/** Both ends of a pipe. On other systems: {@code build/wine.sh test}. */
@EnabledOnOs(OS.WINDOWS)
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class PipeTest {
    private final PipeName name = new PipeName(
            PipeName.FOLDER + "steep-repl-test-" + ProcessHandle.current().pid());
    private PipeListener listener;

    @BeforeEach
    void listen() throws IOException {
        listener = PipeListener.open(name);
    }

    @AfterEach
    void end() {
        listener.close();
    }

    private CompletableFuture<PipeChannel> accepted() {
        return CompletableFuture.supplyAsync(
                () -> {
                    try {
                        return listener.accept();
                    } catch (IOException e) {
                        throw new java.io.UncheckedIOException(e);
                    }
                },
                task -> Thread.ofPlatform().daemon().start(task));
    }

    private static void write(PipeChannel to, byte[] bytes) throws IOException {
        for (ByteBuffer rest = ByteBuffer.wrap(bytes); rest.hasRemaining(); ) {
            to.write(rest);
        }
    }

    private static byte[] read(PipeChannel from, int bytes) throws IOException {
        ByteBuffer all = ByteBuffer.allocate(bytes);
        while (all.hasRemaining() && from.read(all) >= 0) {}
        assertThat(all.hasRemaining()).as("bytes are missing").isFalse();
        return all.array();
    }

    @Test
    void whatGoesInComesOutBothWaysAtOnce() throws Exception {
        byte[] much = new byte[3_000_000];
        new java.util.Random(1).nextBytes(much);
        var server = accepted();
        try (PipeChannel client = PipeChannel.connect(name, true);
                PipeChannel other = server.get()) {
            assertThat(other.client()).isPresent();
            List<Throwable> failed = new ArrayList<>();
            Thread back = Thread.ofPlatform().start(() -> {
                try {
                    write(other, read(other, much.length));
                } catch (IOException | AssertionError e) {
                    failed.add(e);
                }
            });
            Thread there = Thread.ofPlatform().start(() -> {
                try {
                    write(client, much);
                } catch (IOException e) {
                    failed.add(e);
                }
            });
            assertThat(read(client, much.length)).isEqualTo(much);
            there.join();
            back.join();
            assertThat(failed).isEmpty();
        }
    }

    @Test
    void theEndOfOneSideIsTheEndOfTheStreamOnTheOther() throws Exception {
        var server = accepted();
        PipeChannel client = PipeChannel.connect(name, true);
        try (PipeChannel other = server.get()) {
            write(client, "last words".getBytes(StandardCharsets.US_ASCII));
            client.close();
            assertThat(new String(read(other, 10), StandardCharsets.US_ASCII)).isEqualTo("last words");
            assertThat(other.read(ByteBuffer.allocate(1))).isEqualTo(-1);
        }
    }

    @Test
    void whoeverWaitsIsWokenByTheEnd() throws Exception {
        var server = accepted();
        try (PipeChannel client = PipeChannel.connect(name, true)) {
            PipeChannel other = server.get();
            var reading = CompletableFuture.runAsync(
                    () -> assertThatThrownBy(() -> other.read(ByteBuffer.allocate(1)))
                            .isInstanceOf(ClosedChannelException.class),
                    task -> Thread.ofPlatform().daemon().start(task));
            assertThatThrownBy(() -> reading.get(300, TimeUnit.MILLISECONDS))
                    .isInstanceOf(java.util.concurrent.TimeoutException.class);
            other.close();
            reading.get(10, TimeUnit.SECONDS);
            assertThat(client.read(ByteBuffer.allocate(1))).isEqualTo(-1);
        }
        var waiting = accepted();
        listener.close();
        assertThatThrownBy(() -> waiting.get(10, TimeUnit.SECONDS))
                .hasRootCauseInstanceOf(ClosedChannelException.class);
        assertThat(name.exists()).isFalse();
    }

    @Test
    void manyComeAtOnce() throws Exception {
        Thread server = Thread.ofPlatform().daemon().start(() -> {
            try {
                while (true) {
                    PipeChannel one = listener.accept();
                    Thread.ofPlatform().daemon().start(() -> {
                        try (one) {
                            write(one, read(one, 5));
                        } catch (IOException e) {
                            throw new java.io.UncheckedIOException(e);
                        }
                    });
                }
            } catch (IOException e) {
                // The end.
                return;
            }
        });
        List<CompletableFuture<String>> answers = new ArrayList<>();
        for (int i = 0; i < 30; i++) {
            String word = "n%04d".formatted(i);
            answers.add(CompletableFuture.supplyAsync(
                    () -> {
                        try (PipeChannel client = PipeChannel.connect(name, true)) {
                            write(client, word.getBytes(StandardCharsets.US_ASCII));
                            return word.equals(new String(read(client, 5), StandardCharsets.US_ASCII)) ? "same" : word;
                        } catch (IOException e) {
                            throw new java.io.UncheckedIOException(e);
                        }
                    },
                    task -> Thread.ofPlatform().daemon().start(task)));
        }
        for (var answer : answers) {
            assertThat(answer.get(30, TimeUnit.SECONDS)).isEqualTo("same");
        }
        listener.close();
        server.join();
    }

    @Test
    void aNameIsOneProcessesAlone() {
        assertThat(name.exists()).isTrue();
        assertThatThrownBy(() -> PipeListener.open(name)).hasMessageContaining("another process serves on");
        assertThatThrownBy(() -> PipeChannel.connect(new PipeName(name.text() + "-none"), true))
                .hasMessageContaining("nobody listens");
    }
}
