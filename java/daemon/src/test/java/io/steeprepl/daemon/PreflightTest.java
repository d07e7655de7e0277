package io.steeprepl.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.steeprepl.api.ApiException;
import io.steeprepl.config.ConfigPath;
import io.steeprepl.direct.connection.Surroundings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the machine lacks is said before anything is started, all of it, and apart from what may pass. */
class PreflightTest {
    @TempDir
    private Path folder;

    private Launch launch(String yaml) throws IOException {
        Path file = Files.writeString(folder.resolve("config.yaml"), yaml);
        return new Launch(
                new ConfigPath(file, ConfigPath.Source.OPTION),
                "test",
                null,
                new Surroundings(Map.of(), folder, "nobody"));
    }

    @Test
    void everythingIsSaidAtOnce() throws IOException {
        Files.writeString(folder.resolve("cert.pem"), "not a certificate");
        Files.writeString(folder.resolve("key.pem"), "not a key");
        Files.setPosixFilePermissions(folder.resolve("key.pem"), PosixFilePermissions.fromString("rw-r--r--"));
        Launch launch = launch("""
                repl:
                  grpc:
                    bind: 203.0.113.7
                    tls:
                      cert_file: cert.pem
                      key_file: key.pem
                      ca_file: none.pem
                  http: {bind: 'a b'}
                  ipc: {path: nowhere/s.sock}
                  peers: {addresses: {b: 'b:99999', c: 'c d:1', e: '[::1]:5433'}}
                """);
        assertThatThrownBy(() -> Settings.read(launch))
                .isInstanceOfSatisfying(
                        ApiException.Usage.class,
                        refused -> assertThat(refused.detail())
                                .contains(
                                        "config.yaml:3: repl.grpc.bind: 203.0.113.7 is no address of this machine",
                                        "config.yaml:5: repl.grpc.tls.cert_file: cannot read a certificate from",
                                        "config.yaml:6: repl.grpc.tls.key_file: the private key",
                                        "may be used by others: rw-r--r--",
                                        "config.yaml:7: repl.grpc.tls.ca_file: cannot read a certificate from",
                                        "there is no such file",
                                        "config.yaml:8: repl.http.bind: not an address",
                                        "config.yaml:9: repl.ipc.path: there is no folder",
                                        "config.yaml:10: repl.peers.addresses: the address of b is not host:port",
                                        "config.yaml:10: repl.peers.addresses: the address of c is not host:port")
                                .doesNotContain("address of e"));
    }

    @Test
    void whatMayPassIsAnotherError() throws IOException {
        Launch address = launch("repl: {http: {bind: 203.0.113.7}}");
        assertThatThrownBy(() -> Settings.read(address))
                .isInstanceOfSatisfying(
                        ApiException.Failed.class,
                        failed -> assertThat(failed.detail())
                                .contains("config.yaml:1: repl.http.bind: 203.0.113.7 is no address of this machine"));
        Launch name = launch("repl: {http: {bind: nobody.invalid}}");
        assertThatThrownBy(() -> Settings.read(name)).isInstanceOf(ApiException.Failed.class);
    }

    @Test
    void whatIsNotUsedNeedNotBeThere() throws IOException {
        assertThat(Settings.read(launch("""
                        repl:
                          grpc: {enabled: false, bind: 203.0.113.7, tls: {cert_file: c, key_file: k, ca_file: a}}
                          http: {enabled: false, bind: 203.0.113.7}
                          ipc: {enabled: false, path: nowhere/s.sock}
                        """)).now().grpc().enabled()).isFalse();
        assertThat(Settings.read(launch("repl: {enabled: false, http: {bind: 203.0.113.7}}"))
                        .now()
                        .enabled())
                .isFalse();
    }

    @Test
    void whatIsNoPathIsAProblemWithItsLine() throws IOException {
        Launch launch = launch("repl:\n  ipc: {path: \"a\\0b\"}\n");
        assertThatThrownBy(() -> Settings.read(launch))
                .isInstanceOfSatisfying(
                        ApiException.Usage.class,
                        refused -> assertThat(refused.detail()).contains("config.yaml:2: repl.ipc.path: not a path: "));
    }
}
