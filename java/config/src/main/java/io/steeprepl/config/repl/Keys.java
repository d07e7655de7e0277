package io.steeprepl.config.repl;

import io.steeprepl.config.Durations;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;

/** Every key, in the order of the reference. */
final class Keys {
    private static final List<Key<?>> ALL = new ArrayList<>();

    static final Key<Boolean> ENABLED =
            restart("enabled", Kind.flag(), true, "Whether there is to be a daemon; `run` refuses when not.");
    static final Key<String> NODE_ID = optional(
            "node_id",
            Kind.text(),
            "not checked",
            "The id that the database must have as a node. With another one, with none, and with a database that does not say, nothing is done but say so.");
    static final Key<String> NODE_NAME =
            optional("node_name", Kind.text(), "that of the registry", "What this node is called where people look.");
    static final Key<Duration> SHUTDOWN_TIMEOUT = live(
            "shutdown_timeout",
            duration("0s", "10m"),
            "10s",
            "How long what is running may take, altogether, when the daemon is told to end.");

    static final Key<String> CONNECTION = optional(
            "postgresql.connection",
            Kind.text(),
            "the keys below",
            "The node's database: a URI, a conninfo string or the name of a service. Instead of `host`, `port`, `database`, `user` and `sslmode`.");
    static final Key<String> HOST = optional(
            "postgresql.host",
            Kind.text(),
            "as libpq has it",
            "Where the server is: a name, an address, or the folder of its socket. `PGHOST` overrides it.");
    static final Key<Integer> PORT =
            optional("postgresql.port", Kind.number(1, 65535), "5432", "`PGPORT` overrides it.");
    static final Key<String> DATABASE =
            optional("postgresql.database", Kind.text(), "the name of the user", "`PGDATABASE` overrides it.");
    static final Key<String> USER = optional(
            "postgresql.user",
            Kind.text(),
            "the account's name",
            "A member of `steep_repl_operator` at least, of `steep_repl_admin` for everything. `PGUSER` overrides it.");
    static final Key<String> SSLMODE = optional(
            "postgresql.sslmode",
            Kind.oneOf("disable", "allow", "prefer", "require", "verify-ca", "verify-full"),
            "`prefer`",
            "`PGSSLMODE` overrides it.");
    static final Key<String> PASSWORD = optional(
            "postgresql.password",
            Kind.text(),
            "`PGPASSWORD`, `.pgpass`, `password_command`",
            "The password itself; the file then has to be kept from others, and the daemon warns when everybody may read it. `PGPASSWORD` overrides it.");
    static final Key<String> PASSWORD_COMMAND = liveOptional(
            "postgresql.password_command",
            Kind.text(),
            "none",
            "A command line for the shell whose first line of output is the password. It is run when the server asks for a password and none is known.");
    static final Key<Duration> PASSWORD_TIMEOUT =
            live("postgresql.password_timeout", duration("100ms", "5m"), "10s", "How long that command may take.");
    static final Key<Duration> CONNECT_TIMEOUT =
            restart("postgresql.connect_timeout", duration("1s", "1m"), "5s", "How long making a connection may take.");
    static final Key<Duration> RECONNECT_MIN = live(
            "postgresql.reconnect_min",
            duration("100ms", "1m"),
            "500ms",
            "The first wait after a failed attempt to connect; each further one is about twice as long.");
    static final Key<Duration> RECONNECT_MAX =
            live("postgresql.reconnect_max", duration("1s", "10m"), "10s", "The longest such wait.");
    static final Key<Duration> CHECK_INTERVAL = live(
            "postgresql.check_interval",
            duration("200ms", "1m"),
            "2s",
            "How often the daemon looks how the node is. What it tells is at most that old.");
    static final Key<Duration> CHECK_TIMEOUT = live(
            "postgresql.check_timeout",
            duration("500ms", "1m"),
            "5s",
            "How long the server may take to answer `SELECT 1`; after that it counts as gone. A look at the node that takes longer is given up, and the node counts as degraded.");
    static final Key<Integer> POOL_SIZE = restart(
            "postgresql.pool_size",
            Kind.number(1, 100),
            4,
            "How many connections for requests there are at most, beside the up to three of the daemon's own.");
    static final Key<Duration> POOL_TIMEOUT = restart(
            "postgresql.pool_timeout",
            duration("250ms", "1m"),
            "5s",
            "How long a request waits for a free connection.");

    static final Key<Boolean> GRPC_ENABLED = optional(
            "grpc.enabled",
            Kind.flag(),
            "true with certificates or `insecure`",
            "Whether other nodes and `--remote` can reach this daemon.");
    static final Key<String> GRPC_BIND = restart("grpc.bind", Kind.text(), "0.0.0.0", "The address to listen on.");
    static final Key<Integer> GRPC_PORT = restart("grpc.port", Kind.number(1, 65535), 5433, "The port.");
    static final Key<Path> CERT_FILE =
            optional("grpc.tls.cert_file", Kind.path(), "none", "The node's certificate, PEM.");
    static final Key<Path> KEY_FILE = optional(
            "grpc.tls.key_file",
            Kind.path(),
            "none",
            "Its private key, PEM, mode 0600, or 0640 when it is root's; another one is refused.");
    static final Key<Path> CA_FILE =
            optional("grpc.tls.ca_file", Kind.path(), "none", "The authority whose certificates are trusted, PEM.");
    static final Key<Boolean> GRPC_INSECURE = restart(
            "grpc.insecure",
            Kind.flag(),
            false,
            "Without certificates, only on a loopback address. Every account of this machine may then read what the daemon may read; nobody may change anything. The daemon warns of it at each start.");
    static final Key<List<String>> GRPC_ALLOW = live(
            "grpc.allow",
            Kind.texts(),
            List.of(),
            "[]",
            "Whom the daemon lets do everything, by the common names of certificates, such as that of an administrator. Registered nodes may read without it.");
    static final Key<List<String>> GRPC_ALLOW_READING = live(
            "grpc.allow_reading",
            Kind.texts(),
            List.of(),
            "[]",
            "Whom the daemon lets read, as it does registered nodes, by the common names of certificates: a monitor's, or somebody's who is to look and not to touch. Who also stands in `allow` may do everything.");

    static final Key<Boolean> HTTP_ENABLED =
            restart("http.enabled", Kind.flag(), true, "Whether `/health` and `/metrics` are served.");
    static final Key<String> HTTP_BIND = restart("http.bind", Kind.text(), "127.0.0.1", "The address to listen on.");
    static final Key<Integer> HTTP_PORT = restart("http.port", Kind.number(1, 65535), 8080, "The port.");

    static final Key<Boolean> IPC_ENABLED =
            restart("ipc.enabled", Kind.flag(), true, "Whether programs of the same account can talk to the daemon.");
    static final Key<Path> IPC_PATH = optional(
            "ipc.path",
            Kind.path(),
            "`/tmp/steep-repl.sock`; with `--name NAME` `/tmp/steep-repl-NAME.sock`; on Windows the pipe `\\\\.\\pipe\\steep-repl`, or `…-NAME`",
            "The socket; on Windows the named pipe.");
    static final Key<Integer> IPC_CLIENTS =
            restart("ipc.max_clients", Kind.number(1, 10_000), 64, "How many clients there may be at once.");
    static final Key<Integer> IPC_REQUEST = restart(
            "ipc.max_request_bytes", Kind.number(1024, 64 * 1024 * 1024), 1024 * 1024, "How long a request may be.");
    static final Key<Duration> IPC_TIMEOUT = restart(
            "ipc.timeout",
            duration("1s", "10m"),
            "30s",
            "How long a client may take for sending a line it has begun, or for taking an answer; how long a call goes on whose client has ended its side.");

    static final Key<String> LOG_LEVEL =
            live("log.level", Kind.oneOf("error", "warn", "info", "debug"), "info", "info", "What is logged.");
    static final Key<String> LOG_TARGET = restart(
            "log.target",
            Kind.oneOf("stdout", "syslog"),
            "stdout",
            "JSON lines on standard output, which systemd puts into the journal; or the system's log: syslog on Linux, os_log on macOS, the event log on Windows.");

    static final Key<Duration> PEER_INTERVAL =
            live("peers.interval", duration("200ms", "10m"), "2s", "How often each peer's daemon is asked how it is.");
    static final Key<Duration> PEER_TIMEOUT =
            live("peers.timeout", duration("100ms", "1m"), "3s", "How long its answer may take.");
    static final Key<Integer> PEER_THRESHOLD = live(
            "peers.threshold", Kind.number(1, 100), 3, "3", "After how many failures in a row a peer counts as lost.");
    static final Key<Map<String, String>> PEER_ADDRESSES = live(
            "peers.addresses",
            Kind.map(),
            Map.of(),
            "{}",
            "By node id the address `host:port` of a peer's daemon, where it is not the host of the registry with the port of `grpc.port`.");

    static final Key<Duration> AUDIT_RETENTION =
            live("audit.retention", duration("1d", "100y"), "2y", "How long entries of the audit log are kept.");
    static final Key<Duration> AUDIT_INTERVAL =
            live("audit.prune_interval", duration("1s", "30d"), "1d", "How often older ones are removed.");

    private Keys() {}

    static List<Key<?>> all() {
        return Collections.unmodifiableList(ALL);
    }

    private static Kind<Duration> duration(String least, String most) {
        return Kind.duration(Durations.parse(least), Durations.parse(most));
    }

    private static <T> Key<T> optional(String name, Kind<T> kind, String without, String text) {
        return add(new Key<>(name, kind, null, without, false, text));
    }

    private static <T> Key<T> liveOptional(String name, Kind<T> kind, String without, String text) {
        return add(new Key<>(name, kind, null, without, true, text));
    }

    private static <T> Key<T> restart(String name, Kind<T> kind, T byDefault, String text) {
        return add(new Key<>(name, kind, byDefault, "`" + byDefault + "`", false, text));
    }

    private static Key<Duration> restart(String name, Kind<Duration> kind, String byDefault, String text) {
        return add(new Key<>(name, kind, Durations.parse(byDefault), "`" + byDefault + "`", false, text));
    }

    private static Key<Duration> live(String name, Kind<Duration> kind, String byDefault, String text) {
        return live(name, kind, Durations.parse(byDefault), byDefault, text);
    }

    private static <T> Key<T> live(String name, Kind<T> kind, T byDefault, String written, String text) {
        return add(new Key<>(name, kind, byDefault, "`" + written + "`", true, text));
    }

    private static <T> Key<T> add(Key<T> key) {
        ALL.add(key);
        return key;
    }
}
