package io.steeprepl.direct.connection;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PasswordFileTest {
    private final List<String> warnings = new ArrayList<>();

    @TempDir
    private Path folder;

    private PasswordFile file(String mode, String content) throws IOException {
        Path file = Files.writeString(folder.resolve(".pgpass"), content);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(mode));
        return new PasswordFile(file, warnings::add);
    }

    @Test
    void theFirstLineThatFitsCounts() throws IOException {
        var file = file("rw-------", "# all of them\nh:1:d:u:first\nh:*:d:u:second\n*:*:*:*:third\n");
        assertThat(file.find("h", 1, "d", "u")).contains("first");
        assertThat(file.find("h", 2, "d", "u")).contains("second");
        assertThat(file.find("x", 2, "d", "u")).contains("third");
        assertThat(warnings).isEmpty();
    }

    @Test
    void escapedColonsAndBackslashes() throws IOException {
        var file = file("rw-------", "\\:\\:1:5432:d:u:a\\:b\\\\c\n");
        assertThat(file.find("::1", 5432, "d", "u")).contains("a:b\\c");
    }

    @Test
    void anEscapedStarIsAStar() throws IOException {
        var file = file("rw-------", "\\*:*:*:*:p\n");
        assertThat(file.find("h", 1, "d", "u")).isEmpty();
        assertThat(file.find("*", 1, "d", "u")).contains("p");
    }

    @Test
    void linesThatAreNoneAreSkipped() throws IOException {
        assertThat(file("rw-------", "h:1:d:u\n\nh\n").find("h", 1, "d", "u")).isEmpty();
    }

    @Test
    void aFileThatOthersMayReadIsNotUsed() throws IOException {
        assertThat(file("rw-r-----", "*:*:*:*:p\n").find("h", 1, "d", "u")).isEmpty();
        assertThat(warnings).singleElement().asString().contains("0600").contains(".pgpass");
    }

    @Test
    void noFileIsNoWarning() {
        assertThat(new PasswordFile(folder.resolve("none"), warnings::add).find("h", 1, "d", "u"))
                .isEmpty();
        assertThat(warnings).isEmpty();
    }
}
