package io.steeprepl.it.remote;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.steeprepl.it.daemon.DaemonProcess;
import io.steeprepl.remote.grpc.TlsFiles;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A daemon whose certificate comes to its end while it runs. It needs no database to say so. */
class CertificateIT {
    @TempDir
    private Path folder;

    private static JsonNode grpc(DaemonProcess daemon) {
        return daemon.health().path("components").path("grpc");
    }

    private static boolean says(DaemonProcess daemon, String text) {
        return daemon.health().path("reasons").toString().contains(text);
    }

    private static void replace(TlsFiles files, TlsFiles by) throws Exception {
        for (List<Path> pair :
                List.of(List.of(by.key(), files.key()), List.of(by.certificate(), files.certificate()))) {
            Files.copy(
                    pair.getFirst(),
                    pair.getLast(),
                    StandardCopyOption.REPLACE_EXISTING,
                    StandardCopyOption.COPY_ATTRIBUTES);
            Files.setLastModifiedTime(pair.getLast(), java.nio.file.attribute.FileTime.from(Instant.now()));
        }
    }

    /** Early in a boot the clock may be that of the factory. */
    @Test
    void oneThatIsNotYetValidIsWorthAnotherStart() throws Exception {
        try (Certs certs = new Certs()) {
            Instant now = Instant.now();
            certs.init("b");
            TlsFiles files = certs.forged(certs.ca(), "a", now.plusSeconds(3600), now.plusSeconds(7200));
            String yaml = "  grpc: {tls: {cert_file: %s, key_file: %s, ca_file: %s}}"
                    .formatted(files.certificate(), files.key(), files.ca());
            try (DaemonProcess daemon = new DaemonProcess(folder, "early", yaml, Map.of())) {
                assertThat(daemon.begin().ended()).isEqualTo(1);
                assertThat(daemon.logText())
                        .contains("early.yaml:2: repl.grpc.tls.cert_file: the certificate is not valid before ");
            }
        }
    }

    @Test
    void itIsSaidBeforeAndNobodyIsToldThatAllIsWellAfterwards() throws Exception {
        try (Certs certs = new Certs()) {
            certs.init("b");
            Instant now = Instant.now();
            // Long enough for the slowest start.
            Instant end = now.plusSeconds(40);
            TlsFiles files = certs.forged(certs.ca(), "a", now.minusSeconds(60), end);
            TlsFiles expired = certs.forged(certs.ca(), "a", now.minusSeconds(90), now.minusSeconds(60));
            TlsFiles longer = certs.forged(certs.ca(), "a", now.minusSeconds(60), now.plus(Duration.ofDays(60)));
            String yaml = """
                      postgresql: {connection: 'host=127.0.0.1 port=1', reconnect_max: 1s}
                      grpc:
                        bind: 127.0.0.1
                        port: %d
                        tls: {cert_file: %s, key_file: %s, ca_file: %s}
                    """.formatted(DaemonProcess.freePort(), files.certificate(), files.key(), files.ca());
            try (DaemonProcess daemon = new DaemonProcess(folder, "dated", yaml, Map.of()).start()) {
                assertThat(grpc(daemon).path("status").asText()).isEqualTo("healthy");
                assertThat(says(daemon, "the daemon's certificate expires at ")).isTrue();
                assertThat(daemon.timesLogged("the daemon's certificate expires at "))
                        .isEqualTo(1);
                assertThat((long) daemon.metric("steep_repl_certificate_expiry_timestamp_seconds"))
                        .isEqualTo(end.getEpochSecond());

                Awaitility.await("the end")
                        .atMost(Duration.ofSeconds(90))
                        .until(() -> grpc(daemon).path("status").asText(), "unhealthy"::equals);
                assertThat(grpc(daemon).path("reason").asText()).contains("has expired at ");
                assertThat(says(daemon, "grpc: the daemon's certificate has expired"))
                        .isTrue();
                daemon.await("the log", () -> daemon.timesLogged("the daemon's certificate has expired") == 1);

                replace(files, longer);
                daemon.await(
                        "the new one",
                        () -> grpc(daemon).path("status").asText().equals("healthy"));
                assertThat(says(daemon, "certificate")).isFalse();

                replace(files, expired);
                daemon.await("the refusal", () -> says(daemon, "not read again, those before still count"));
                assertThat(grpc(daemon).path("status").asText()).isEqualTo("healthy");
                assertThat(daemon.logged("has expired at")).isTrue();
                assertThat(daemon.term()).isZero();

                assertThat(daemon.begin().ended()).isEqualTo(2);
                assertThat(daemon.logText()).contains("the certificate, or its authority's, has expired at ");
            }
        }
    }
}
