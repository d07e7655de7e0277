package io.steeprepl.remote.windows;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** What names a pipe, and what is a path or a host. */
class PipeNameTest {
    @Test
    void onWindowsWhatLiesInTheFolderOfPipesIsOne() {
        assertThat(PipeName.of("\\\\.\\pipe\\steep-repl", "Windows 11"))
                .map(PipeName::text)
                .contains("\\\\.\\pipe\\steep-repl");
        assertThat(PipeName.of("\\\\.\\PIPE\\steep-repl", "Windows Server 2025"))
                .isPresent();
    }

    @Test
    void elsewhereNothingIs() {
        assertThat(PipeName.of("\\\\.\\pipe\\", "Windows 11")).isEmpty();
        assertThat(PipeName.of("C:\\pipe\\steep-repl", "Windows 11")).isEmpty();
        assertThat(PipeName.of("paris:5433", "Windows 11")).isEmpty();
        assertThat(PipeName.of("\\\\.\\pipe\\steep-repl", "Linux")).isEmpty();
    }
}
