package io.steeprepl.it.remote;

import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.cli.Main;
import io.steeprepl.cli.tls.Authority;
import io.steeprepl.remote.grpc.TlsFiles;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
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

    /** A certificate that the command would not make, in files like those that it makes. */
    TlsFiles forged(Authority by, String name, Instant from, Instant until)
            throws GeneralSecurityException, IOException {
        TlsFiles files = TlsFiles.in(Files.createTempDirectory(folder, "forged"));
        Files.copy(folder.resolve("ca-cert.pem"), files.ca());
        write(by.issue(name, List.of(), from, until), files);
        return files;
    }

    /** Puts it into these files. */
    static void write(Authority.Issued issued, TlsFiles files) throws GeneralSecurityException, IOException {
        Files.writeString(
                files.certificate(), pem("CERTIFICATE", issued.certificate().getEncoded()));
        Files.writeString(files.key(), pem("PRIVATE KEY", issued.key().getEncoded()));
        Files.setPosixFilePermissions(files.key(), PosixFilePermissions.fromString("rw-------"));
    }

    private static String pem(String what, byte[] bytes) {
        return "-----BEGIN %s-----\n%s\n-----END %s-----\n"
                .formatted(what, Base64.getMimeEncoder().encodeToString(bytes), what);
    }

    /** The CA of the certificates, from its files. */
    Authority ca() {
        var files = new TlsFiles(
                folder.resolve("ca-cert.pem"), folder.resolve("ca-cert.pem"), folder.resolve("ca-key.pem"));
        return new Authority(files.authorities()[0], files.privateKey());
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
