package io.steeprepl.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * The JVM takes classes from an AOT cache although their jar has become another one (seen with Temurin 25.0.3): whoever builds must
 * not leave one that was made before.
 */
class AotCacheTest {
    private static final Path TARGET = Path.of(System.getProperty("steeprepl.home", "../.."), "java", "cli", "target");

    private static List<Path> files(Path folder) {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(folder)) {
            return files.toList();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static FileTime time(Path file) {
        try {
            return Files.getLastModifiedTime(file);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void noneIsOlderThanTheProgram() {
        FileTime program = Stream.of(TARGET, TARGET.resolve("lib"))
                .flatMap(folder -> files(folder).stream())
                .filter(file -> file.toString().endsWith(".jar"))
                .map(AotCacheTest::time)
                .max(FileTime::compareTo)
                .orElseThrow();
        assertThat(files(TARGET.resolve("aot")))
                .filteredOn(file -> !file.endsWith("log"))
                .allSatisfy(cache -> assertThat(time(cache)).isGreaterThan(program));
    }
}
