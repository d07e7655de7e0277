package io.steeprepl.cli.config;

import io.steeprepl.config.ConfigPath;
import io.steeprepl.config.Document;
import io.steeprepl.config.Problems;
import io.steeprepl.config.Section;
import io.steeprepl.config.repl.ReplSettings;
import io.steeprepl.direct.connection.Surroundings;
import java.util.Optional;
import org.snakeyaml.engine.v2.nodes.Node;

/** The whole configuration as it was read: the document and what its sections mean. */
record ConfigFile(Document document, ReplSettings repl, ConflictSettings conflicts, RangeSettings ranges) {
    /** Reads it. What is wrong stands in {@link #problems()}. */
    static ConfigFile read(ConfigPath path) {
        return of(Document.read(path));
    }

    /** Reads a text as if it stood in the file. */
    static ConfigFile read(ConfigPath path, String text) {
        return of(Document.read(path, text));
    }

    private static ConfigFile of(Document document) {
        Optional<Section> top = document.top();
        top.ifPresent(section -> section.noSlipOf("replication"));
        // What the daemon will say when it starts is said here too.
        ReplSettings repl = ReplSettings.read(document, Surroundings.ofProcess());
        Optional<Section> replication = top.flatMap(section -> section.section("replication"));
        Problems problems = document.problems();
        return new ConfigFile(
                document,
                repl,
                replication
                        .map(section -> ConflictSettings.read(section, problems))
                        .orElse(ConflictSettings.NONE),
                replication
                        .map(section -> RangeSettings.read(section, problems))
                        .orElse(RangeSettings.NONE));
    }

    ConfigPath path() {
        return document.path();
    }

    Optional<Node> root() {
        return document.root();
    }

    Problems problems() {
        return document.problems();
    }

    /** Whether a document was read: then names in it can be looked up although there are problems. */
    boolean readable() {
        return document.readable();
    }
}
