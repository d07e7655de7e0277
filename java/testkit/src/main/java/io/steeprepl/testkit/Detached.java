package io.steeprepl.testkit;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Starting a program that Ctrl-C in this terminal does not reach, and that outlives it. */
final class Detached {
    static final String NULL = System.getProperty("os.name").startsWith("Windows") ? "NUL" : "/dev/null";

    private Detached() {}

    static List<String> command(List<String> command) {
        List<String> whole = new ArrayList<>();
        if (Files.isExecutable(Path.of("/usr/bin/setsid"))) {
            whole.add("setsid");
        } else if (Files.isExecutable(Path.of("/usr/bin/perl"))) {
            // macOS has no setsid program.
            whole.addAll(List.of("perl", "-MPOSIX", "-e", "setsid(); exec @ARGV"));
        }
        whole.addAll(command);
        return whole;
    }
}
