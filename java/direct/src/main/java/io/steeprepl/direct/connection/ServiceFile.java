package io.steeprepl.direct.connection;

import io.steeprepl.api.ApiException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Looks services up in pg_service.conf: the user's own file first, then the system's. */
final class ServiceFile {
    private final Surroundings around;

    ServiceFile(Surroundings around) {
        this.around = around;
    }

    /** The parameters of a service, empty when no file knows it. Throws {@link ApiException.Usage} for a broken file. */
    Optional<Map<String, String>> find(String service) {
        for (Path file : places()) {
            if (Files.isRegularFile(file)) {
                Optional<Map<String, String>> found = read(file, service);
                if (found.isPresent()) {
                    return found;
                }
            }
        }
        return Optional.empty();
    }

    /** Where libpq looks, first to last. */
    List<Path> places() {
        List<Path> places = new ArrayList<>();
        places.add(around.variable("PGSERVICEFILE")
                .map(Path::of)
                .orElse(around.home().resolve(".pg_service.conf")));
        around.variable("PGSYSCONFDIR")
                .map(Path::of)
                .ifPresentOrElse(dir -> places.add(dir.resolve("pg_service.conf")), () -> {
                    places.add(Path.of("/etc/postgresql-common/pg_service.conf"));
                    places.add(Path.of("/etc/pg_service.conf"));
                });
        return places;
    }

    private static Optional<Map<String, String>> read(Path file, String service) {
        var found = new Parameters("service \"%s\" of %s".formatted(service, file));
        boolean inside = false;
        int number = 0;
        for (String raw : lines(file)) {
            number++;
            String line = raw.strip();
            if (line.isEmpty() || line.startsWith("#")) {
                continue;
            }
            if (line.startsWith("[")) {
                if (inside) {
                    break;
                }
                inside = line.equals("[" + service + "]");
            } else if (inside) {
                int equals = line.indexOf('=');
                String name = equals < 1 ? "" : line.substring(0, equals).strip();
                if (name.isEmpty() || name.equals("service") || name.startsWith("ldap")) {
                    throw new ApiException.Usage(
                            "%s:%d: not a line name=value that this client can follow".formatted(file, number),
                            "correct the line; nested services and LDAP are not supported");
                }
                found.put(name, line.substring(equals + 1).strip());
            }
        }
        return inside ? Optional.of(new LinkedHashMap<>(found.values())) : Optional.empty();
    }

    private static List<String> lines(Path file) {
        try {
            return Files.readAllLines(file);
        } catch (IOException e) {
            throw new ApiException.Usage("cannot read the service file %s: %s".formatted(file, e.getMessage()), null);
        }
    }
}
