package io.steeprepl.remote.grpc;

import io.grpc.util.CertificateUtils;
import io.steeprepl.api.ApiException;
import io.steeprepl.remote.ipc.Account;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.EnumSet;
import java.util.Set;

/**
 * The files, in PEM, of one side of a connection.
 *
 * @param ca whose certificates are believed
 * @param certificate who this side is, with what leads to the CA
 * @param key its private key, PKCS #8
 */
public record TlsFiles(Path ca, Path certificate, Path key) {
    private static final Set<PosixFilePermission> OWN = EnumSet.of(
            PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE, PosixFilePermission.OWNER_EXECUTE);

    /** Their names in a folder that {@code tls init} makes. */
    public static TlsFiles in(Path folder) {
        return new TlsFiles(
                folder.resolve("ca-cert.pem"), folder.resolve("node-cert.pem"), folder.resolve("node-key.pem"));
    }

    /** The CA's certificates. Throws {@link ApiException.Usage} when the file does not hold any. */
    public X509Certificate[] authorities() {
        return certificates(ca);
    }

    /** The certificates of this side, its own first. Throws {@link ApiException.Usage}. */
    public X509Certificate[] chain() {
        return certificates(certificate);
    }

    /** The key of this side. Throws {@link ApiException.Usage}, also when others can read it, as libpq does. */
    public PrivateKey privateKey() {
        refuseReaders(key);
        try (InputStream in = Files.newInputStream(key)) {
            return CertificateUtils.getPrivateKey(in);
        } catch (IOException | GeneralSecurityException | IllegalArgumentException e) {
            throw unreadable(key, "a private key", e);
        }
    }

    /** The group may read one that is root's: so it is given to services, which must not change it. */
    private static void refuseReaders(Path file) {
        try {
            var view = Files.getFileAttributeView(file, PosixFileAttributeView.class);
            if (view == null) {
                return;
            }
            var attributes = view.readAttributes();
            Set<PosixFilePermission> more = EnumSet.copyOf(attributes.permissions());
            more.removeAll(OWN);
            if (Account.isRoot(attributes.owner())) {
                more.remove(PosixFilePermission.GROUP_READ);
            }
            if (!more.isEmpty()) {
                throw new ApiException.Usage(
                        "the private key %s may be used by others: %s"
                                .formatted(file, PosixFilePermissions.toString(attributes.permissions())),
                        "chmod 0600 it; one that belongs to root may have 0640");
            }
        } catch (IOException e) {
            throw unreadable(file, "a private key", e);
        }
    }

    private static X509Certificate[] certificates(Path file) {
        try (InputStream in = Files.newInputStream(file)) {
            X509Certificate[] found = CertificateUtils.getX509Certificates(in);
            if (found.length == 0) {
                throw new GeneralSecurityException("there is none in it");
            }
            return found;
        } catch (IOException | GeneralSecurityException e) {
            throw unreadable(file, "a certificate", e);
        }
    }

    private static ApiException unreadable(Path file, String what, Exception e) {
        return new ApiException.Usage(
                "cannot read %s from %s".formatted(what, file),
                Files.exists(file) ? String.valueOf(e.getMessage()) : "there is no such file",
                "steep-repl tls init makes certificates and keys, in PEM");
    }
}
