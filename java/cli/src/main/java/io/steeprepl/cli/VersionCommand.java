package io.steeprepl.cli;

import io.steeprepl.api.SteepRepl;
import io.steeprepl.api.Version;
import io.steeprepl.cli.output.Column;
import io.steeprepl.cli.output.Output;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;

/** {@code version}. */
@Command(
        name = "version",
        description = "The version of this program, and with -c or --remote that of the extension in the database.",
        footer = "  steep-repl version -o json")
final class VersionCommand extends Action {
    private record Versions(
            String version, String java, @Nullable String extension) {}

    private static final List<Column<Versions>> COLUMNS = List.of(
            Column.of("version", Versions::version),
            Column.of("java_version", Versions::java),
            Column.of("extension_version", Versions::extension));

    @Override
    protected ExitCode run(Output out) {
        out.one(COLUMNS, new Versions(Version.CURRENT, Runtime.version().toString(), extension(out)));
        return ExitCode.OK;
    }

    @Override
    protected boolean needsExtension() {
        return false;
    }

    private @Nullable String extension(Output out) {
        if (!hasConnectionOption() && !hasRemoteOption()) {
            return null;
        }
        try (SteepRepl node = open(out)) {
            return node.nodes().extensionVersion().orElse(null);
        }
    }
}
