package io.steeprepl.daemon.service;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the command line of a service holds after the next build. */
class ClassPathTest {
    @TempDir
    private Path folder;

    @Test
    void theClassPathNamesNoVersions() throws IOException {
        Path one = Files.createDirectory(folder.resolve("one"));
        Path some = Files.createDirectory(folder.resolve("some"));
        Path classes = Files.createDirectory(folder.resolve("classes"));
        for (Path jar : List.of(one.resolve("a-1.jar"), one.resolve("b-2.jar"), some.resolve("c-3.jar"))) {
            Files.createFile(jar);
        }
        String before = String.join(
                File.pathSeparator,
                classes.toString(),
                one.resolve("b-2.jar").toString(),
                some.resolve("c-3.jar").toString(),
                one.resolve("a-1.jar").toString());
        assertThat(ClassPath.lasting(before)).isEqualTo("%s:%s/*:%s/*".formatted(classes, one, some));
        // Of a folder from which not all is meant, each is named.
        Files.createFile(some.resolve("d-4.jar"));
        assertThat(ClassPath.lasting(before)).isEqualTo("%s:%s/*:%s/c-3.jar".formatted(classes, one, some));
    }
}
