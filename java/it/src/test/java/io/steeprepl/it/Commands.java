package io.steeprepl.it;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.steeprepl.cli.Main;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.stream.Stream;

/** Runs commands as a user would type them. */
public final class Commands {
    private Commands() {}

    /** How a command ended. */
    public record Ended(int code, String out, String err) {
        public JsonNode json() throws IOException {
            return new ObjectMapper().readTree(out);
        }
    }

    /** Runs a command on a database. */
    public static Ended run(String uri, String... args) {
        return run(Stream.concat(Stream.of("-c", uri), Stream.of(args)).toList());
    }

    /** Runs a command as it stands. */
    public static Ended run(List<String> line) {
        var out = new StringWriter();
        var err = new StringWriter();
        int code = Main.commandLine()
                .setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(err, true))
                .execute(line.toArray(String[]::new));
        return new Ended(code, out.toString(), err.toString());
    }
}
