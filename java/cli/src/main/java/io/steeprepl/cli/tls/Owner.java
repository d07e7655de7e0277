package io.steeprepl.cli.tls;

import io.steeprepl.api.ApiException;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/**
 * Who gets a certificate.
 *
 * @param name what it says: a node id, or the name of somebody whom daemons allow
 * @param hosts where others reach the daemon
 */
record Owner(String name, List<String> hosts) {
    /** It becomes a folder. */
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9._-]{0,62}");

    private static final Pattern HOST = Pattern.compile("[A-Za-z0-9._:-]+");

    /** Reads {@code berlin=berlin.example.org,10.0.0.1}. Throws {@link ApiException.Usage}. */
    static Owner parse(String text) {
        int equals = text.indexOf('=');
        String name = equals < 0 ? text : text.substring(0, equals);
        List<String> hosts = new ArrayList<>();
        if (equals >= 0) {
            hosts.addAll(List.of(text.substring(equals + 1).split(",", -1)));
        }
        if (name.equals("localhost")) {
            throw new ApiException.Usage("localhost is the name of nobody", "a node id, or the name of a person");
        }
        boolean valid = NAME.matcher(name).matches()
                && hosts.stream().allMatch(host -> HOST.matcher(host).matches());
        if (!valid) {
            throw new ApiException.Usage(
                    "not a node with its hosts: " + text,
                    "NODE=HOST,HOST, for instance berlin=berlin.example.org,10.0.0.1");
        }
        return new Owner(name, List.copyOf(hosts));
    }
}
