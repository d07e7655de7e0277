package io.steeprepl.it.remote;

import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.cli.Main;
import io.steeprepl.remote.grpc.TlsFiles;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** A folder with certificates, as {@code tls init} makes them. */
final class Certs implements AutoCloseable {
    private final Path folder;

    Certs() throws IOException {
        folder = Files.createTempDirectory("steep-repl-certs");
    }

    /** Makes some, and answers what the command printed. */
    String init(String... names) {
        List<String> line = new ArrayList<>(List.of("tls", "init", "--dir", folder.toString()));
        line.addAll(List.of(names));
        var out = new StringWriter();
        var err = new StringWriter();
        int code = Main.commandLine()
                .setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(err, true))
                .execute(line.toArray(String[]::new));
        assertThat(code).as(err.toString()).isZero();
        return out.toString();
    }

    TlsFiles of(String name) {
        return TlsFiles.in(folder.resolve(name));
    }

    Path folder() {
        return folder;
    }

    @Override
    public void close() throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
