package io.steeprepl.it.conflict;

import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.it.Folder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * The table of docs/guide/conflict-scenarios.md is what happens. {@code -Dsteeprepl.page=write} writes it anew.
 */
@ExtendWith(TwoNodes.class)
class ScenariosIT {
    private static final Path PAGE =
            Path.of(System.getProperty("steeprepl.home", ".")).resolve("docs/guide/conflict-scenarios.md");
    private static final String BEGIN = "<!-- measured -->\n";
    private static final String END = "<!-- end -->\n";

    private final Mesh mesh;

    ScenariosIT(Mesh mesh) {
        this.mesh = mesh;
    }

    @Test
    void thePageSaysWhatHappens() throws IOException {
        String page = Files.readString(PAGE);
        String seen;
        try (Folder folder = new Folder();
                Native plain = new Native(folder.resolve("native"))) {
            seen = table(plain);
        }
        int from = page.indexOf(BEGIN) + BEGIN.length();
        int to = page.indexOf(END);
        if (System.getProperty("steeprepl.page", "").equals("write")) {
            Files.writeString(PAGE, page.substring(0, from) + seen + page.substring(to));
        } else {
            assertThat(page.substring(from, to)).isEqualTo(seen);
        }
    }

    private String table(Native plain) {
        StringBuilder text = new StringBuilder("| scenario | PostgreSQL " + plain.version()
                + " alone | with steep_repl | in the conflict log |\n|---|---|---|---|\n");
        for (Scenario scenario : Scenario.ALL_OF_THEM) {
            Table item = mesh.table(scenario.columns(), scenario.rows().toArray(String[]::new))
                    .apart("a", scenario.a(), scenario.b())
                    .proven();
            List<String> a = item.rows(mesh.node("a"), scenario.shown());
            List<String> b = item.rows(mesh.node("b"), scenario.shown());
            text.append("| %s | %s | %s | %s |\n"
                    .formatted(scenario.name(), plain.outcome(scenario), Outcome.compare(a, b), logged(item)));
        }
        return text.toString();
    }

    /** How many conflicts of which type one of the nodes, or both, have logged. */
    private String logged(Table item) {
        return mesh.nodes().stream()
                .flatMap(node -> item.log(node.id()).stream())
                .collect(Collectors.groupingBy(
                        Entry::type, java.util.TreeMap::new, Collectors.mapping(Entry::identity, Collectors.toSet())))
                .entrySet()
                .stream()
                .map(e -> e.getValue().size() == 1 ? e.getKey() : e.getValue().size() + " × " + e.getKey())
                .collect(Collectors.collectingAndThen(
                        Collectors.joining(", "), s -> s.isEmpty() ? "nothing: none was lost" : s));
    }
}
