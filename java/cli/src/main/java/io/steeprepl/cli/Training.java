package io.steeprepl.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.io.Writer;
import java.nio.charset.StandardCharsets;

/**
 * Runs command lines, one a line of standard input, and says nothing. The build has the JVM watch this, and what it
 * remembers lets the command line begin sooner (build/train.sh). How they end is of no importance.
 */
public final class Training {
    private Training() {}

    /** No arguments. */
    public static void main(String[] args) throws IOException {
        Interrupt.watch();
        var in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String[] words = line.split(" ", -1);
            Main.quick(words)
                    .setOut(new PrintWriter(Writer.nullWriter()))
                    .setErr(new PrintWriter(Writer.nullWriter()))
                    .execute(words);
        }
        Interrupt.finished();
        Main.end(0);
    }
}
