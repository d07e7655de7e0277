package io.steeprepl.direct.connection;

import io.steeprepl.api.ApiException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Reads libpq's connection URIs: {@code postgresql://user:password@host:port,host:port/dbname?name=value}. */
final class UriParser {
    private static final String WHERE = "the connection URI";
    private static final Pattern URI =
            Pattern.compile("postgres(?:ql)?://(?:([^@/?]*)@)?([^/?]*)(?:/([^?]*))?(?:\\?(.*))?", Pattern.DOTALL);
    private static final Pattern HOST = Pattern.compile("(?:\\[([^\\]]+)]|([^@:\\[\\]]*))(?::([0-9]*))?");

    private UriParser() {}

    /** Whether a text is meant as a URI. */
    static boolean isUri(String text) {
        return text.startsWith("postgresql://") || text.startsWith("postgres://");
    }

    /** The parameters of a URI, by libpq's names. Throws {@link ApiException.Usage}. */
    static Map<String, String> parse(String text) {
        Matcher uri = URI.matcher(text);
        if (!uri.matches()) {
            throw new ApiException.Usage("not a connection URI", "postgresql://user@host:port/dbname");
        }
        var found = new Parameters(WHERE);
        userInfo(uri.group(1), found);
        hosts(uri.group(2), found);
        if (uri.group(3) != null && !uri.group(3).isEmpty()) {
            found.put("dbname", decode(uri.group(3)));
        }
        query(uri.group(4), found);
        return found.values();
    }

    private static void userInfo(@Nullable String text, Parameters found) {
        if (text == null) {
            return;
        }
        int colon = text.indexOf(':');
        String user = colon < 0 ? text : text.substring(0, colon);
        if (!user.isEmpty()) {
            found.put("user", decode(user));
        }
        if (colon >= 0 && colon + 1 < text.length()) {
            found.put("password", decode(text.substring(colon + 1)));
        }
    }

    private static void hosts(String text, Parameters found) {
        if (text.isEmpty()) {
            return;
        }
        List<String> hosts = new ArrayList<>();
        List<String> ports = new ArrayList<>();
        for (String part : text.split(",", -1)) {
            Matcher host = HOST.matcher(part);
            if (!host.matches()) {
                // Not quoted: an unescaped @ or / in a password ends up here.
                throw new ApiException.Usage(
                        "invalid host or port in " + WHERE,
                        "write host:port or [IPv6 address]:port; in passwords write @ as %40, / as %2F, : as %3A");
            }
            hosts.add(decode(host.group(1) != null ? host.group(1) : host.group(2)));
            ports.add(host.group(3) == null ? "" : host.group(3));
        }
        if (hosts.stream().anyMatch(host -> !host.isEmpty())) {
            found.put("host", String.join(",", hosts));
        }
        if (ports.stream().anyMatch(port -> !port.isEmpty())) {
            found.put("port", String.join(",", ports));
        }
    }

    private static void query(@Nullable String text, Parameters found) {
        if (text == null || text.isEmpty()) {
            return;
        }
        for (String part : text.split("&", -1)) {
            int equals = part.indexOf('=');
            if (equals < 1 || part.indexOf('=', equals + 1) >= 0) {
                throw new ApiException.Usage(
                        "missing or extra \"=\" in a parameter of " + WHERE,
                        "write ?name=value&name=value, = in a value as %3D");
            }
            String name = decode(part.substring(0, equals));
            String value = decode(part.substring(equals + 1));
            // What JDBC calls ssl=true, libpq accepts in URIs too.
            if (name.equals("ssl") && value.equals("true")) {
                found.put("sslmode", "require");
            } else {
                found.put(name, value);
            }
        }
    }

    private static String decode(String text) {
        if (text.indexOf('%') < 0) {
            return text;
        }
        byte[] in = text.getBytes(StandardCharsets.UTF_8);
        ByteBuffer out = ByteBuffer.allocate(in.length);
        for (int i = 0; i < in.length; i++) {
            if (in[i] != '%') {
                out.put(in[i]);
                continue;
            }
            int high = i + 2 < in.length ? Character.digit(in[i + 1], 16) : -1;
            int low = i + 2 < in.length ? Character.digit(in[i + 2], 16) : -1;
            if (high < 0 || low < 0 || high + low == 0) {
                throw new ApiException.Usage("invalid percent-encoded character in " + WHERE, "write % itself as %25");
            }
            out.put((byte) (high * 16 + low));
            i += 2;
        }
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(out.flip()).toString();
        } catch (CharacterCodingException e) {
            throw new ApiException.Usage("percent-encoded characters in %s are not UTF-8".formatted(WHERE), null);
        }
    }
}
