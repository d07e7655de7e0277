package io.steeprepl.it;

import io.steeprepl.testkit.Binaries;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/** Ordinary PostgreSQL servers of Debian's packages, which build/debian-postgres.sh unpacks. */
public final class Debian {
    private Debian() {}

    /** The programs of a major version. */
    public static Binaries postgres(int version) throws IOException, InterruptedException {
        String home = System.getProperty("steeprepl.home", "../..");
        Process script = new ProcessBuilder("bash", home + "/build/debian-postgres.sh", Integer.toString(version))
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        String bin = new String(script.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
        if (script.waitFor() != 0) {
            throw new IOException("build/debian-postgres.sh " + version + " failed");
        }
        List<String> lines = bin.lines().toList();
        return new Binaries(Path.of(lines.getLast()));
    }
}
