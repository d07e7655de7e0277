package io.steeprepl.cli.output;

import io.steeprepl.api.ApiException;
import io.steeprepl.direct.connection.Secrets;
import org.jspecify.annotations.Nullable;

/** Errors as people read them: what, why, what to do. */
public final class ErrorText {
    private ErrorText() {}

    /** One to three paragraphs, each line ended. */
    public static String of(Exception error) {
        if (error instanceof ApiException e) {
            String code = e.sqlState() == null || e.sqlState().isEmpty() ? "" : " [" + e.sqlState() + "]";
            return part("error", e.message() + code) + part("detail", e.detail()) + part("hint", e.hint());
        }
        return part("error", error.toString()) + part("hint", "this is not expected; run it again with --verbose");
    }

    private static String part(String name, @Nullable String text) {
        if (text == null || text.isEmpty()) {
            return "";
        }
        String indent = "\n" + " ".repeat(name.length() + 2);
        return name + ": " + Text.sanitiseLines(Secrets.mask(text)).replace("\n", indent) + "\n";
    }
}
