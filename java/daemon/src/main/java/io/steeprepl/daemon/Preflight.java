package io.steeprepl.daemon;

import io.steeprepl.config.Problems;
import io.steeprepl.config.repl.GrpcSettings;
import io.steeprepl.config.repl.ReplSettings;
import io.steeprepl.daemon.grpc.CertificateCheck;
import io.steeprepl.remote.grpc.TlsFiles;
import io.steeprepl.remote.windows.PipeName;
import io.steeprepl.remote.windows.ThisSystem;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;

/**
 * What can be said of a configuration only by a look at this machine: files of certificates, addresses, folders. It is said before
 * anything is started, with all that is wrong in the file itself.
 */
public final class Preflight {
    /** It is empty after each boot, and filled by whoever starts services. */
    private static final Path RUN = Path.of("/run");

    private final ReplSettings settings;
    private final Problems lasting;
    private final Problems passing;

    private Preflight(ReplSettings settings, Problems lasting, Problems passing) {
        this.settings = settings;
        this.lasting = lasting;
        this.passing = passing;
    }

    /**
     * Looks.
     *
     * @param lasting gets what somebody has to mend
     * @param passing gets what may be otherwise in a while: early in a boot not every address and name is there
     */
    public static void look(ReplSettings settings, Problems lasting, Problems passing) {
        if (settings.enabled()) {
            var preflight = new Preflight(settings, lasting, passing);
            preflight.certificates();
            preflight.listening(
                    "grpc.bind", settings.grpc().enabled(), settings.grpc().bind());
            preflight.listening(
                    "http.bind", settings.http().enabled(), settings.http().bind());
            preflight.socket();
        }
    }

    private void certificates() {
        GrpcSettings grpc = settings.grpc();
        if (!grpc.enabled()) {
            return;
        }
        grpc.tls().ifPresent(tls -> {
            var files = new TlsFiles(tls.authority(), tls.certificate(), tls.key());
            for (CertificateCheck.Finding found : CertificateCheck.of(files, Instant.now())) {
                String detail = found.problem().detail();
                settings.problem(
                        found.passing() ? passing : lasting,
                        switch (found.part()) {
                            case AUTHORITY -> "grpc.tls.ca_file";
                            case CERTIFICATE -> "grpc.tls.cert_file";
                            case KEY -> "grpc.tls.key_file";
                        },
                        found.problem().message() + (detail == null ? "" : ": " + detail),
                        String.valueOf(found.problem().hint()));
            }
        });
    }

    /** The usual ones are right everywhere. */
    private void listening(String key, boolean enabled, String bind) {
        if (!enabled || !settings.written(key)) {
            return;
        }
        try {
            InetAddress address = InetAddress.getByName(bind);
            boolean here = address.isAnyLocalAddress()
                    || address.isLoopbackAddress()
                    || NetworkInterface.getByInetAddress(address) != null;
            if (!here) {
                settings.problem(
                        passing, key, "%s is no address of this machine".formatted(bind), "ip address has them");
            }
        } catch (UnknownHostException e) {
            settings.problem(
                    passing, key, "nobody knows the address of %s".formatted(bind), "write the address itself");
        } catch (SocketException e) {
            // Then it shows when it is listened on.
            return;
        }
    }

    private void socket() {
        if (ThisSystem.isWindows()) {
            pipe();
            return;
        }
        settings.ipc()
                .path()
                .filter(_ -> settings.ipc().enabled())
                .map(path -> path.toAbsolutePath().getParent())
                .filter(folder -> folder != null && !folder.startsWith(RUN) && !Files.isDirectory(folder))
                .ifPresent(folder -> settings.problem(
                        lasting,
                        "ipc.path",
                        "there is no folder %s".formatted(folder),
                        "make it, for the daemon's account"));
    }

    private void pipe() {
        settings.ipc()
                .path()
                .filter(path -> settings.ipc().enabled() && PipeName.of(path).isEmpty())
                .ifPresent(path -> settings.problem(
                        lasting,
                        "ipc.path",
                        "%s is no pipe".formatted(path),
                        "on Windows: " + PipeName.FOLDER + "NAME"));
    }

    /** Files and folders that have to be there before the daemon starts. */
    public static List<Path> needs(ReplSettings settings) {
        return settings.grpc().enabled()
                ? settings.grpc().tls().stream()
                        .flatMap(tls -> List.of(tls.certificate(), tls.key(), tls.authority()).stream())
                        .toList()
                : List.of();
    }
}
