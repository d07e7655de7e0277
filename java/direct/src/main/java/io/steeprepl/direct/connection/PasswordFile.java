package io.steeprepl.direct.connection;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/** A .pgpass file: {@code host:port:database:user:password} a line. */
final class PasswordFile {
    private static final Set<PosixFilePermission> OWN = EnumSet.of(
            PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE, PosixFilePermission.OWNER_EXECUTE);

    private final Path file;
    private final Consumer<String> warnings;

    /** Reads {@code file} when asked; says through {@code warnings} why it is not used. */
    PasswordFile(Path file, Consumer<String> warnings) {
        this.file = file;
        this.warnings = warnings;
    }

    /** The password of the first line that fits. */
    Optional<String> find(String host, int port, String database, String user) {
        List<String> wanted = List.of(host, Integer.toString(port), database, user);
        for (String line : lines()) {
            if (line.startsWith("#")) {
                continue;
            }
            List<String> fields = split(line);
            if (fields.size() == 5 && fits(fields, wanted)) {
                return Optional.of(unescape(fields.get(4)));
            }
        }
        return Optional.empty();
    }

    private List<String> lines() {
        try {
            if (!Files.exists(file)) {
                return List.of();
            }
            if (!Files.isRegularFile(file)) {
                warnings.accept("password file \"%s\" is not a plain file".formatted(file));
                return List.of();
            }
            if (file.getFileSystem().supportedFileAttributeViews().contains("posix")
                    && !OWN.containsAll(Files.getPosixFilePermissions(file))) {
                warnings.accept("password file \"%s\" has group or world access and is not used; chmod 0600 it"
                        .formatted(file));
                return List.of();
            }
            return Files.readAllLines(file);
        } catch (IOException e) {
            warnings.accept("password file \"%s\" cannot be read: %s".formatted(file, e.getMessage()));
            return List.of();
        }
    }

    private static boolean fits(List<String> fields, List<String> wanted) {
        for (int i = 0; i < wanted.size(); i++) {
            if (!fields.get(i).equals("*") && !unescape(fields.get(i)).equals(wanted.get(i))) {
                return false;
            }
        }
        return true;
    }

    /** Five fields at most, still escaped; the password ends at the end of the line or at a colon, as in libpq. */
    private static List<String> split(String line) {
        List<String> fields = new ArrayList<>();
        var field = new StringBuilder();
        for (int i = 0; i < line.length() && fields.size() < 5; i++) {
            char c = line.charAt(i);
            if (c == '\\' && i + 1 < line.length()) {
                field.append(c).append(line.charAt(++i));
            } else if (c == ':') {
                fields.add(field.toString());
                field.setLength(0);
            } else {
                field.append(c);
            }
        }
        if (fields.size() < 5) {
            fields.add(field.toString());
        }
        return fields;
    }

    private static String unescape(String field) {
        var out = new StringBuilder();
        for (int i = 0; i < field.length(); i++) {
            if (field.charAt(i) == '\\' && i + 1 < field.length()) {
                i++;
            }
            out.append(field.charAt(i));
        }
        return out.toString();
    }
}
