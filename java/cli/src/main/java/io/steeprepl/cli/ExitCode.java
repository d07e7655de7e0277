package io.steeprepl.cli;

import io.steeprepl.api.ApiException;
import java.util.LinkedHashMap;
import java.util.Map;

/** How the process ends. The numbers are public: scripts depend on them. */
public enum ExitCode {
    OK(0, "done"),
    FAILED(1, "failed"),
    USAGE(2, "wrong usage"),
    SCHEMA_MISMATCH(3, "schemas differ"),
    CANCELLED(4, "cancelled, or left before the end"),
    TIMEOUT(5, "took too long"),
    CANNOT_CONNECT(6, "cannot connect");

    private final int code;
    private final String meaning;

    ExitCode(int code, String meaning) {
        this.code = code;
        this.meaning = meaning;
    }

    /** What the process returns. */
    public int code() {
        return code;
    }

    /** The exit code for an error of the api. */
    public static ExitCode of(ApiException error) {
        return switch (error) {
            case ApiException.Usage e -> USAGE;
            case ApiException.CannotConnect e -> CANNOT_CONNECT;
            case ApiException.TimedOut e -> TIMEOUT;
            case ApiException.Cancelled e -> CANCELLED;
            case ApiException.Failed e -> FAILED;
        };
    }

    /** For help texts: number and meaning, in order. */
    static Map<String, String> list() {
        var list = new LinkedHashMap<String, String>();
        for (ExitCode exit : values()) {
            list.put(" " + exit.code, exit.meaning);
        }
        return list;
    }
}
