package io.steeprepl.direct.connection;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A connection parameter as libpq names it.
 *
 * @param name libpq's name
 * @param variable the environment variable that gives its default, null when there is none
 * @param property the driver's property of the same meaning, null when there is none
 * @param support what this client makes of it
 */
record Keyword(
        String name, @Nullable String variable, @Nullable String property, Support support) {
    /** What becomes of a parameter. */
    enum Support {
        /** Handed to the driver as it is. */
        DRIVER,
        /** Honoured by code of this package. */
        OURS,
        /** Without meaning for this client; only rendered again. */
        HARMLESS,
        /** It would make the connection safer or different, and the driver cannot: refused. */
        REFUSED
    }

    private static final Map<String, Keyword> ALL = new LinkedHashMap<>();

    static {
        ours("service", "PGSERVICE");
        ours("host", "PGHOST");
        ours("hostaddr", "PGHOSTADDR");
        ours("port", "PGPORT");
        ours("dbname", "PGDATABASE");
        driver("user", "PGUSER", "user");
        ours("password", "PGPASSWORD");
        ours("passfile", "PGPASSFILE");
        driver("require_auth", "PGREQUIREAUTH", "requireAuth");
        driver("channel_binding", "PGCHANNELBINDING", "channelBinding");
        driver("connect_timeout", "PGCONNECT_TIMEOUT", "connectTimeout");
        harmless("client_encoding", "PGCLIENTENCODING");
        driver("options", "PGOPTIONS", "options");
        driver("application_name", "PGAPPNAME", "ApplicationName");
        ours("fallback_application_name", null);
        ours("keepalives", null);
        harmless("keepalives_idle", null);
        harmless("keepalives_interval", null);
        harmless("keepalives_count", null);
        harmless("tcp_user_timeout", null);
        refused("replication", null);
        driver("gssencmode", "PGGSSENCMODE", "gssEncMode");
        driver("sslmode", "PGSSLMODE", "sslmode");
        refused("requiressl", "PGREQUIRESSL");
        driver("sslnegotiation", "PGSSLNEGOTIATION", "sslNegotiation");
        harmless("sslcompression", "PGSSLCOMPRESSION");
        driver("sslcert", "PGSSLCERT", "sslcert");
        driver("sslkey", "PGSSLKEY", "sslkey");
        refused("sslkeylogfile", null);
        driver("sslpassword", null, "sslpassword");
        refused("sslcertmode", "PGSSLCERTMODE");
        ours("sslrootcert", "PGSSLROOTCERT");
        refused("sslcrl", "PGSSLCRL");
        refused("sslcrldir", "PGSSLCRLDIR");
        harmless("sslsni", "PGSSLSNI");
        refused("requirepeer", "PGREQUIREPEER");
        refused("ssl_min_protocol_version", "PGSSLMINPROTOCOLVERSION");
        refused("ssl_max_protocol_version", "PGSSLMAXPROTOCOLVERSION");
        harmless("min_protocol_version", "PGMINPROTOCOLVERSION");
        harmless("max_protocol_version", "PGMAXPROTOCOLVERSION");
        driver("krbsrvname", "PGKRBSRVNAME", "kerberosServerName");
        harmless("gsslib", "PGGSSLIB");
        refused("gssdelegation", "PGGSSDELEGATION");
        ours("target_session_attrs", "PGTARGETSESSIONATTRS");
        ours("load_balance_hosts", "PGLOADBALANCEHOSTS");
        refused("scram_client_key", null);
        refused("scram_server_key", null);
        refused("oauth_issuer", null);
        refused("oauth_client_id", null);
        refused("oauth_client_secret", null);
        refused("oauth_scope", null);
    }

    private static void driver(String name, @Nullable String variable, String property) {
        ALL.put(name, new Keyword(name, variable, property, Support.DRIVER));
    }

    private static void ours(String name, @Nullable String variable) {
        ALL.put(name, new Keyword(name, variable, null, Support.OURS));
    }

    private static void harmless(String name, @Nullable String variable) {
        ALL.put(name, new Keyword(name, variable, null, Support.HARMLESS));
    }

    private static void refused(String name, @Nullable String variable) {
        ALL.put(name, new Keyword(name, variable, null, Support.REFUSED));
    }

    /** Every parameter, in libpq's order. */
    static Iterable<Keyword> all() {
        return ALL.values();
    }

    /** The parameter of that name. */
    static Optional<Keyword> find(String name) {
        return Optional.ofNullable(ALL.get(name));
    }

    /** The parameter whose name is most like that one. */
    static String nearest(String name) {
        return Nearest.of(name, ALL.keySet());
    }
}
