package io.steeprepl.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
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
        try (var files = Files.list(Cache.root())) {
            for (Path file : files.filter(f -> f.getFileName().toString().startsWith(name))
                    .toList()) {
                Permissions.remove(file);
            }
        }
    }

    @Test
    void whatManyWantAtOnceIsMadeOnce() {
        var made = new AtomicInteger();
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            IntStream.range(0, 8)
                    .mapToObj(i -> threads.submit(() -> Cache.once(name, folder -> made.incrementAndGet())))
                    .toList()
                    .forEach(done -> assertThat(done).succeedsWithin(Duration.ofSeconds(20)));
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
    void whatNobodyUsesForLongGoes() throws IOException {
        Path unused = used("unused");
        Path again = used("again");
        Path mapped = used("mapped");
        for (Path folder : new Path[] {unused, again, mapped}) {
            Files.setLastModifiedTime(folder, FileTime.from(Instant.now().minus(Duration.ofDays(15))));
        }
        assertThat(used("again")).isEqualTo(again);
        try (var library = FileChannel.open(mapped.resolve("library"))) {
            var pages = library.map(FileChannel.MapMode.READ_ONLY, 0, 1);
            Cache.prune(name, Duration.ofDays(14));
            assertThat(pages.get(0)).isEqualTo((byte) 'x');
        }
        assertThat(unused).doesNotExist();
        assertThat(again.resolve("library")).exists();
        if (Files.isReadable(Path.of("/proc/self/maps"))) {
            assertThat(mapped.resolve("library")).exists();
        }
        assertThat(used("unused").resolve("library")).exists();
    }

    private Path used(String what) {
        return Cache.used(name + "-" + what, folder -> {
            try {
                Files.writeString(folder.resolve("library"), "x");
            } catch (IOException e) {
                throw new TestkitException("cannot write to " + folder, e);
            }
        });
    }

    @Test
    void theServersProgramsRunUnderTheServersAccount() {
        Path postgres = Binaries.find().bin().resolve("postgres");
        assertThat(Processes.output(Account.command(java.util.List.of(postgres.toString(), "--version"))))
                .contains("(PostgreSQL) 18");
    }
}
