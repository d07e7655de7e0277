package io.steeprepl.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.UUID;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class CacheTest {
    private final String name = "test-" + UUID.randomUUID();

    @AfterEach
    void remove() throws IOException {
        Permissions.remove(Cache.root().resolve(name));
        Files.deleteIfExists(Cache.root().resolve(name + ".lock"));
    }

    @Test
    void whatManyWantAtOnceIsMadeOnce() {
        var made = new AtomicInteger();
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            IntStream.range(0, 8)
                    .mapToObj(i -> threads.submit(() -> Cache.once(name, folder -> made.incrementAndGet())))
                    .toList()
                    .forEach(done -> assertThat(done).succeedsWithin(java.time.Duration.ofSeconds(20)));
        }
        assertThat(made).hasValue(1);
    }

    @Test
    void whatFailedIsNotThereAndLeavesNothing() throws IOException {
        assertThatThrownBy(() -> Cache.once(name, folder -> {
                    throw new TestkitException("broken");
                }))
                .hasMessage("broken");
        try (var files = Files.list(Cache.root())) {
            assertThat(files.map(Path::getFileName).map(Path::toString))
                    .filteredOn(file -> file.startsWith(name))
                    .containsOnly(name + ".lock");
        }
    }

    @Test
    void theServersProgramsRunUnderTheServersAccount() {
        Path postgres = Binaries.find().bin().resolve("postgres");
        assertThat(Processes.output(Account.command(java.util.List.of(postgres.toString(), "--version"))))
                .contains("(PostgreSQL) 18");
    }
}
