package io.steeprepl.config.repl;

import java.util.Map;

/** The reference of the keys, written from the keys. */
public final class Reference {
    private static final String HEAD = """
            # Keys of the section `repl`

            Written from the code by a test (`ReferenceTest`; with `-Dreference.write=true` it writes this page); do not edit. What the
            daemon does with them: [Run it as a service](../guide/service.md). Where the file is:
            [Configuration](../guide/configuration.md).

            *Live*: a new value counts after `SIGHUP` or `config.reload`, without a restart. Durations are a number and a unit: `500ms`,
            `30s`, `5m`, `2h`, `90d`, `6w`, `2y`. A path that begins with `~` begins at the home folder, one that begins with neither
            `~` nor `/` at the folder of the file. What the `PG*` environment says comes before the file.

            """;

    private static final Map<String, String> HEADINGS = Map.of(
            "", "The daemon",
            "postgresql", "The node's database",
            "grpc", "Other nodes and `--remote`",
            "grpc.tls", "Certificates",
            "http", "Health and metrics",
            "ipc", "The socket",
            "log", "Logs",
            "peers", "Peers",
            "audit", "The audit log");

    private Reference() {}

    /** The page. */
    public static String markdown() {
        var page = new StringBuilder(HEAD);
        String section = "-";
        for (Key<?> key : Keys.all()) {
            if (!key.parent().equals(section)) {
                section = key.parent();
                page.append(section.isEmpty() || page.length() == HEAD.length() ? "" : "\n")
                        .append("## ")
                        .append(HEADINGS.getOrDefault(section, section))
                        .append("\n\n| key | what may stand there | default | live | |\n|---|---|---|---|---|\n");
            }
            page.append("| `repl.%s` | %s | %s | %s | %s |%n"
                    .formatted(key.name(), key.kind().what(), key.defaultText(), key.live() ? "yes" : "", key.text()));
        }
        return page.toString();
    }
}
