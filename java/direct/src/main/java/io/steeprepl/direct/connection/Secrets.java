package io.steeprepl.direct.connection;

import java.util.regex.Pattern;

/** Keeps passwords out of what people and logs see. */
public final class Secrets {
    private static final Pattern IN_CONNINFO =
            Pattern.compile("(?i)\\b(password|sslpassword)\\s*=\\s*('(?:\\\\.|[^'\\\\])*'?|[^\\s&]+)");
    private static final Pattern IN_URI = Pattern.compile("(?i)(postgres(?:ql)?://[^:@/?\\s]*):[^\\s]*@");

    private Secrets() {}

    /** The text with every password of a conninfo string or URI in it replaced by stars. */
    public static String mask(String text) {
        return IN_URI.matcher(IN_CONNINFO.matcher(text).replaceAll("$1=****")).replaceAll("$1:****@");
    }
}
