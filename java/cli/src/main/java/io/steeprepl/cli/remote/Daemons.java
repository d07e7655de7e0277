package io.steeprepl.cli.remote;

import io.netty.util.internal.logging.InternalLoggerFactory;
import io.netty.util.internal.logging.JdkLoggerFactory;
import io.steeprepl.api.ApiException;
import io.steeprepl.api.SteepRepl;
import io.steeprepl.config.ConfigPath;
import io.steeprepl.config.Document;
import io.steeprepl.config.repl.GrpcSettings;
import io.steeprepl.config.repl.ReplSettings;
import io.steeprepl.direct.connection.Surroundings;
import io.steeprepl.remote.RemoteSteepRepl;
import io.steeprepl.remote.Transport;
import io.steeprepl.remote.grpc.Endpoint;
import io.steeprepl.remote.grpc.GrpcTransport;
import io.steeprepl.remote.grpc.TlsFiles;
import io.steeprepl.remote.ipc.IpcTransport;
import io.steeprepl.remote.windows.PipeName;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * Opens the daemons that users name.
 *
 * @param certs the folder that the user named, null for what the configuration file says
 * @param insecure without certificates
 * @param timeout how long an answer may take
 */
public record Daemons(ConfigPath config, @Nullable Path certs, boolean insecure, Duration timeout) {
    /** Held, so that what is set here stays. */
    private static final List<Logger> QUIET = List.of(Logger.getLogger("io.grpc"), Logger.getLogger("io.netty"));

    /** The node behind a daemon. {@code where}: host:port, or the path of a socket or a pipe. Throws {@link ApiException}. */
    public SteepRepl open(String where) {
        return new RemoteSteepRepl(local(where) ? IpcTransport.connect(Path.of(where), timeout) : away(where, timeout));
    }

    /** The daemon itself, only to be asked how it is, within that time. Throws {@link ApiException}. */
    public Transport toAsk(String where, Duration limit) {
        return local(where) ? IpcTransport.toAsk(Path.of(where), limit) : away(where, limit);
    }

    /** Whether that is the path of a socket or a pipe of this machine. */
    public static boolean local(String where) {
        return where.startsWith("/")
                || where.startsWith(".")
                || PipeName.of(where).isPresent();
    }

    private GrpcTransport away(String where, Duration limit) {
        Endpoint endpoint = Endpoint.parse(where);
        // What goes wrong comes as an error; what these log besides is for developers.
        InternalLoggerFactory.setDefaultFactory(JdkLoggerFactory.INSTANCE);
        QUIET.forEach(logger -> logger.setLevel(Level.OFF));
        return GrpcTransport.to(endpoint, tls(), limit);
    }

    private Optional<TlsFiles> tls() {
        if (insecure) {
            return Optional.empty();
        }
        if (certs != null) {
            return Optional.of(TlsFiles.in(certs));
        }
        if (Files.exists(config.path())) {
            Optional<TlsFiles> named = configured();
            if (named.isPresent()) {
                return named;
            }
        }
        Path beside = config.path().toAbsolutePath().resolveSibling("certs");
        if (Files.isDirectory(beside)) {
            return Optional.of(TlsFiles.in(beside));
        }
        throw new ApiException.Usage(
                "--remote needs certificates, and there are none",
                "looked in section repl.grpc.tls of %s, and in %s".formatted(config, beside),
                "name their folder with --certs; steep-repl tls init makes them");
    }

    private Optional<TlsFiles> configured() {
        Document document = Document.read(config);
        GrpcSettings grpc =
                ReplSettings.read(document, Surroundings.ofProcess()).grpc();
        document.problems().refuse(config);
        return grpc.tls().map(files -> new TlsFiles(files.authority(), files.certificate(), files.key()));
    }
}
