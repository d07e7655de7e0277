package io.steeprepl.config.repl;

import static org.assertj.core.api.Assertions.assertThat;

import io.steeprepl.config.ConfigPath;
import io.steeprepl.config.Document;
import io.steeprepl.config.Problem;
import io.steeprepl.direct.connection.Surroundings;
import java.nio.file.Path;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Files that somebody has spoilt: whatever stands there, it is read or said, with its line and without its secret. */
class RandomFilesTest {
    private static final ConfigPath AT = new ConfigPath(Path.of("config.yaml"), ConfigPath.Source.OPTION);
    private static final Surroundings NOBODY = new Surroundings(Map.of(), Path.of("/nowhere"), "ann");
    private static final String CANARY = "8675309";

    private static final String GOOD = """
            repl:
              enabled: true
              node_id: "a"
              postgresql:
                host: localhost
                port: 5432
                password: "%s"
                connect_timeout: 5s
              grpc: {port: 5433, tls: {cert_file: c, key_file: k, ca_file: a}, allow: [x, y]}
              http: {enabled: true, bind: 127.0.0.1, port: 8080}
              log: {level: info, target: stdout}
              peers: &p {interval: 2s, addresses: {b: "h:1"}}
              audit: {retention: 2y}
            replication: {x: *p}
            """.formatted(CANARY);

    private static final String[] PIECES = {
        "{", "}", "[", "]", ":", " ", "\n", "\"", "'", "~", "&p ", "*p", "!!int ", "|\n", "#", "\t", "\u0000", "\u20ac",
        "- ", "? ", "<<: ", "1e999", "null"
    };

    private static String spoilt(Random random) {
        var text = new StringBuilder(GOOD);
        for (int i = random.nextInt(4); i >= 0; i--) {
            int at = random.nextInt(text.length());
            if (random.nextBoolean()) {
                text.insert(at, PIECES[random.nextInt(PIECES.length)]);
            } else {
                text.delete(at, Math.min(text.length(), at + 1 + random.nextInt(6)));
            }
        }
        return text.toString();
    }

    @Test
    void whateverStandsThereIsReadOrSaid() {
        long seed = Long.getLong("config.seed", System.nanoTime());
        int count = Integer.getInteger("config.count", 3000);
        Random random = new Random(seed);
        for (int i = 0; i < count; i++) {
            String yaml = spoilt(random);
            Document document = Document.read(AT, yaml);
            ReplSettings settings = ReplSettings.read(document, NOBODY);
            assertThat(settings).as("seed %d", seed).isNotNull();
            for (Problem problem : document.problems().all()) {
                assertThat(problem.line())
                        .as("seed %d: %s\n%s", seed, problem, yaml)
                        .isBetween(0, 40);
                // A key is named, whatever it is called.
                assertThat(problem.message() + problem.remedy())
                        .as("seed %d\n%s", seed, yaml)
                        .isNotBlank()
                        .doesNotContain(CANARY);
            }
        }
    }
}
