package io.steeprepl.config.repl;

import io.steeprepl.config.Document;
import io.steeprepl.config.Problems;
import io.steeprepl.direct.connection.Surroundings;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * The section {@code repl}, defaults filled in.
 *
 * @param nodeId the id that the database must have
 * @param nodeName what the node is called, when not as in the registry
 * @param shutdownTimeout how long what is running may take at the end
 */
public record ReplSettings(
        boolean enabled,
        Optional<String> nodeId,
        Optional<String> nodeName,
        DatabaseSettings database,
        GrpcSettings grpc,
        HttpSettings http,
        IpcSettings ipc,
        LogSettings log,
        PeerSettings peers,
        AuditSettings audit,
        Duration shutdownTimeout,
        Changes.Basis basis) {

    /** Reads it. What is wrong is added to the document's problems; then the result is not to be used. */
    public static ReplSettings read(Document document, Surroundings around) {
        Values values = Values.read(document);
        new Checks(values, document.problems(), around).all();
        return of(values);
    }

    /** These with the keys of {@code next} that count without a restart. */
    public ReplSettings withLiveOf(ReplSettings next) {
        return of(basis.withLiveOf(next.basis));
    }

    private static ReplSettings of(Values values) {
        return new ReplSettings(
                values.get(Keys.ENABLED),
                values.find(Keys.NODE_ID),
                values.find(Keys.NODE_NAME),
                DatabaseSettings.of(values),
                GrpcSettings.of(values),
                new HttpSettings(values.get(Keys.HTTP_ENABLED), values.get(Keys.HTTP_BIND), values.get(Keys.HTTP_PORT)),
                new IpcSettings(
                        values.get(Keys.IPC_ENABLED),
                        values.find(Keys.IPC_PATH),
                        values.get(Keys.IPC_CLIENTS),
                        values.get(Keys.IPC_REQUEST),
                        values.get(Keys.IPC_TIMEOUT)),
                new LogSettings(values.get(Keys.LOG_LEVEL), values.get(Keys.LOG_TARGET)),
                new PeerSettings(
                        values.get(Keys.PEER_INTERVAL),
                        values.get(Keys.PEER_TIMEOUT),
                        values.get(Keys.PEER_THRESHOLD),
                        values.get(Keys.PEER_ADDRESSES)),
                new AuditSettings(values.get(Keys.AUDIT_RETENTION), values.get(Keys.AUDIT_INTERVAL)),
                values.get(Keys.SHUTDOWN_TIMEOUT),
                new Changes.Basis(values));
    }

    /** What is different in {@code next}. */
    public Changes changes(ReplSettings next) {
        return Changes.between(basis, next.basis);
    }

    /** Adds a problem that was found in the world and not in the file, at the place of a key. */
    public void problem(Problems problems, String key, String message, String remedy) {
        basis.place(key)
                .ifPresentOrElse(
                        at -> problems.add(at, message, remedy),
                        () -> problems.add("repl.%s: %s".formatted(key, message), remedy));
    }

    /** Whether the file says something at a key. */
    public boolean written(String key) {
        return basis.place(key).isPresent();
    }

    /** The names of all keys, in the order of the reference. */
    public static List<String> keys() {
        return Keys.all().stream().map(Key::name).toList();
    }
}
