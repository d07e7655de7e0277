package io.steeprepl.config.repl;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class ReferenceTest {
    @Test
    void thePageInTheDocumentsIsCurrent() throws IOException {
        Path page = Path.of(System.getProperty("steeprepl.home", "../.."), "docs", "reference", "config.md");
        if (Boolean.getBoolean("reference.write")) {
            Files.writeString(page, Reference.markdown());
        }
        assertThat(page).as("write it anew with -Dreference.write=true").hasContent(Reference.markdown());
    }
}
