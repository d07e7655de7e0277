package io.steeprepl.daemon.service;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Stream;

/**
 * A class path that still holds after the next build. The launcher has written out each jar with its version; a service that named
 * those would not find its classes once one of them has another.
 */
public final class ClassPath {
    private ClassPath() {}

    /** The same, with a folder in the place of its jars where all of them are meant. */
    public static String lasting(String classPath) {
        List<Path> entries = Stream.of(classPath.split(File.pathSeparator))
                .filter(entry -> !entry.isEmpty())
                .map(entry -> Path.of(entry).toAbsolutePath().normalize())
                .toList();
        Set<String> lasting = new LinkedHashSet<>();
        for (Path entry : entries) {
            Path folder = entry.getParent();
            boolean whole = isJar(entry) && folder != null && entries.containsAll(jars(folder));
            lasting.add(whole ? folder + File.separator + "*" : entry.toString());
        }
        return String.join(File.pathSeparator, lasting);
    }

    private static boolean isJar(Path path) {
        return path.toString().toLowerCase(Locale.ROOT).endsWith(".jar");
    }

    private static List<Path> jars(Path folder) {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(ClassPath::isJar).toList();
        } catch (IOException e) {
            // Who may not look into it cannot say that all are meant.
            return List.of(folder);
        }
    }
}
