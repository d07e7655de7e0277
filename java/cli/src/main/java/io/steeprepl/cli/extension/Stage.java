package io.steeprepl.cli.extension;

import io.steeprepl.api.ApiException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** The built extension: {@code lib/} with the library, {@code extension/} with control and SQL files. */
record Stage(Path folder) {
    /** Where the launcher says it is. Throws {@link ApiException.Failed} when it is not there. */
    static Stage ofProcess() {
        String property = System.getProperty("steeprepl.stage", "");
        Path folder = Path.of(property);
        if (property.isEmpty() || !Files.isRegularFile(folder.resolve("extension/steep_repl.control"))) {
            throw new ApiException.Failed(
                    null,
                    "the built extension is not there",
                    property.isEmpty() ? "the system property steeprepl.stage is not set" : "looked in " + folder,
                    "start the program with ./steep-repl, which builds what is missing",
                    null);
        }
        return new Stage(folder);
    }

    /** What goes where: the library first, the control file last, so that nothing is offered before it is whole. */
    List<Copy> copiesInto(Server server) {
        List<Copy> copies = new ArrayList<>(copies(folder.resolve("lib"), server.libraries()));
        copies.addAll(copies(folder.resolve("extension"), server.extensions()));
        copies.sort(Comparator.comparing(copy -> copy.to().toString().endsWith(".control")));
        return copies;
    }

    private static List<Copy> copies(Path from, Path to) {
        try (Stream<Path> files = Files.list(from)) {
            return files.filter(Files::isRegularFile)
                    .filter(file -> !file.getFileName().toString().startsWith("."))
                    .sorted()
                    .map(file -> new Copy(file, to.resolve(file.getFileName())))
                    .toList();
        } catch (IOException e) {
            throw new ApiException.Failed(null, "cannot read " + from, e.getMessage(), null, e);
        }
    }
}
