package io.steeprepl.testkit.sandbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.steeprepl.testkit.Folder;
import io.steeprepl.testkit.TestNode;
import io.steeprepl.testkit.TestkitException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class SandboxTest {
    private Folder folder;
    private Sandbox sandbox;

    @BeforeEach
    void open() throws IOException {
        folder = new Folder();
        sandbox = new Sandbox(folder.path().resolve("box"));
    }

    @AfterEach
    void end() throws IOException {
        sandbox.nodes().forEach(node -> node.server().kill9());
        folder.close();
    }

    @Test
    void startsWhatIsDownAddsNodesAndIsRemovedAtTheEnd() {
        start(1);
        SandboxNode first = sandbox.status().getFirst();
        start(2);
        assertThat(sandbox.status()).hasSize(2).contains(first);
        assertThat(sandbox.nodes().stream().map(n -> n.query("SELECT steep_repl.node_id()")))
                .containsExactly("a", "b");

        sandbox.nodes().getFirst().server().kill9();
        assertThat(sandbox.status().getFirst().pid()).isNull();
        start(0);
        assertThat(sandbox.status()).extracting(SandboxNode::pid).doesNotContainNull();
        assertThatThrownBy(() -> start(1)).isInstanceOf(TestkitException.class).hasMessageContaining("has 2 nodes");

        List<TestNode> nodes = sandbox.nodes();
        sandbox.stop(true);
        assertThat(nodes).allMatch(node -> node.server().pid().isEmpty());
        assertThat(sandbox.dir()).doesNotExist();
    }

    @Test
    void aFolderOfMktempServes() throws IOException {
        Path dir = Files.createDirectory(
                folder.path().resolve("box"),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        start(1);
        assertThat(sandbox.status().getFirst().dataDir()).startsWith(dir.toString());
    }

    @Test
    void foldersOfOthersAreLeftAlone() throws IOException {
        Path mine = Files.writeString(Files.createDirectory(sandbox.dir()).resolve("mine"), "precious");
        assertThatThrownBy(() -> start(1)).hasMessageContaining("--dir");
        assertThatThrownBy(() -> sandbox.stop(true)).hasMessageContaining("no sandbox");
        assertThat(mine).hasContent("precious");
    }

    @Test
    void aStartThatIsUndoneLeavesNothingRunning() {
        start(1);
        sandbox.undo();
        assertThat(sandbox.status().getFirst().pid()).isNull();
    }

    private void start(int nodes) {
        sandbox.start(nodes, false, line -> {});
    }
}
