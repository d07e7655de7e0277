package io.steeprepl.cli.tls;

import io.steeprepl.api.ApiException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.List;

/** The folder with the authority's files, and below it one a node. */
record CertificateFolder(Path dir) {
    private static final Duration YEARS = Duration.ofDays(3652);

    /**
     * What a node needs.
     *
     * @param expires when its certificate is not valid any more
     */
    record NodeFiles(String name, Path certificate, Path key, Path ca, Instant expires) {}

    private Path ca() {
        return dir.resolve("ca-cert.pem");
    }

    private Path caKey() {
        return dir.resolve("ca-key.pem");
    }

    private Path of(Owner owner) {
        return dir.resolve(owner.name());
    }

    /** Refuses where files would be replaced. */
    void check(List<Owner> owners) {
        List<String> there = owners.stream()
                .filter(owner -> Files.exists(of(owner).resolve("node-cert.pem"))
                        || Files.exists(of(owner).resolve("node-key.pem")))
                .map(owner -> of(owner).toString())
                .toList();
        if (!there.isEmpty()) {
            throw new ApiException.Usage(
                    "there are certificates already", String.join("\n", there), "add --force to replace them");
        }
    }

    /** Whether there is an authority already. */
    boolean hasAuthority() {
        return Files.exists(ca()) || Files.exists(caKey());
    }

    /** The authority that is there, or a new one. */
    Authority authority() throws IOException, GeneralSecurityException {
        if (!hasAuthority()) {
            Authority made = Authority.create("steep-repl CA", YEARS);
            Pem.folder(dir);
            Pem.write(caKey(), Pem.of(made.key()), false);
            Pem.write(ca(), Pem.of(made.certificate()), false);
            return made;
        }
        X509Certificate certificate = Pem.certificate(ca());
        if (certificate.getNotAfter().toInstant().isBefore(Instant.now())) {
            throw new ApiException.Usage(
                    "the authority %s has expired on %s".formatted(ca(), certificate.getNotAfter()),
                    "name another folder with --dir, and give all nodes certificates from there");
        }
        return new Authority(certificate, Pem.key(caKey()));
    }

    /** Makes the certificate of a node. */
    NodeFiles issue(Authority authority, Owner owner, Duration validity, boolean force)
            throws IOException, GeneralSecurityException {
        Authority.Issued issued = authority.issue(owner.name(), owner.hosts(), validity);
        Path folder = of(owner);
        Pem.folder(folder);
        var files = new NodeFiles(
                owner.name(),
                folder.resolve("node-cert.pem"),
                folder.resolve("node-key.pem"),
                folder.resolve("ca-cert.pem"),
                issued.certificate().getNotAfter().toInstant());
        Pem.write(files.key(), Pem.of(issued.key()), force);
        Pem.write(files.certificate(), Pem.of(issued.certificate()), force);
        Pem.write(files.ca(), Pem.of(authority.certificate()), force || Files.exists(files.ca()));
        return files;
    }
}
