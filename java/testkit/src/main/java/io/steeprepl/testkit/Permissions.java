package io.steeprepl.testkit;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.Comparator;
import java.util.HashSet;
import java.util.Set;
import java.util.stream.Stream;

/** File modes, where the file system has them. */
final class Permissions {
    private Permissions() {}

    /** Lets everybody read a tree, and enter its folders and run its programs where the owner may. */
    static void readable(Path tree) throws IOException {
        try (Stream<Path> files = Files.walk(tree)) {
            for (Path file : (Iterable<Path>) files::iterator) {
                if (Files.isSymbolicLink(file) || !posix(file)) {
                    continue;
                }
                Set<PosixFilePermission> modes = new HashSet<>(Files.getPosixFilePermissions(file));
                modes.add(PosixFilePermission.GROUP_READ);
                modes.add(PosixFilePermission.OTHERS_READ);
                if (modes.contains(PosixFilePermission.OWNER_EXECUTE)) {
                    modes.add(PosixFilePermission.GROUP_EXECUTE);
                    modes.add(PosixFilePermission.OTHERS_EXECUTE);
                }
                Files.setPosixFilePermissions(file, modes);
            }
        }
    }

    /** Removes a tree, if it is there. */
    static void remove(Path tree) throws IOException {
        if (!Files.exists(tree, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        try (Stream<Path> files = Files.walk(tree)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        }
    }

    private static boolean posix(Path file) {
        return Files.getFileAttributeView(
                        file, java.nio.file.attribute.PosixFileAttributeView.class, LinkOption.NOFOLLOW_LINKS)
                != null;
    }
}
