package io.steeprepl.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.cli.Main;
import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;

/** The demo ends with the proof of equality. */
class DemoIT {
    @Test
    void bothOfficesEndEqual() {
        StringWriter out = new StringWriter();
        var line = Main.commandLine();
        line.setOut(new PrintWriter(out, true));
        assertThat(line.execute("demo", "--seconds", "2", "-o", "json")).isZero();
        assertThat(out.toString()).contains("\"equal\":true").doesNotContain("\"equal\":false");
    }
}
