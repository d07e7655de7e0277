package io.steeprepl.it.fuzz;

import io.steeprepl.config.ConfigPath;
import io.steeprepl.config.Document;
import io.steeprepl.config.Problem;
import io.steeprepl.config.repl.ReplSettings;
import io.steeprepl.direct.connection.Surroundings;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;

/** A configuration file: it is read, or its problems are said; nothing else may happen. */
public final class ConfigTarget {
    private static final ConfigPath AT = new ConfigPath(Path.of("config.yaml"), ConfigPath.Source.OPTION);
    private static final Surroundings NOBODY = new Surroundings(Map.of(), Path.of("/nowhere"), "ann");

    private ConfigTarget() {}

    /** Called by Jazzer. */
    public static void fuzzerTestOneInput(byte[] input) {
        Document document = Document.read(AT, new String(input, StandardCharsets.UTF_8));
        ReplSettings.read(document, NOBODY);
        for (Problem problem : document.problems().all()) {
            if (problem.message().isBlank()) {
                throw new AssertionError("a problem without a text");
            }
        }
    }
}
