package io.steeprepl.it;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.steeprepl.cli.Main;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;

/** Runs commands as a user would type them. */
final class Commands {
    private Commands() {}

    /** How a command ended. */
    record Ended(int code, String out, String err) {
        JsonNode json() throws IOException {
            return new ObjectMapper().readTree(out);
        }
    }

    /** Runs a command on a database. */
    static Ended run(String uri, String... args) {
        String[] line = new String[args.length + 2];
        line[0] = "-c";
        line[1] = uri;
        System.arraycopy(args, 0, line, 2, args.length);
        var out = new StringWriter();
        var err = new StringWriter();
        int code = Main.commandLine()
                .setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(err, true))
                .execute(line);
        return new Ended(code, out.toString(), err.toString());
    }
}
