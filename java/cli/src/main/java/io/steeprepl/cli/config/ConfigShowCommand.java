package io.steeprepl.cli.config;

import io.steeprepl.cli.Action;
import io.steeprepl.cli.ExitCode;
import io.steeprepl.cli.output.Output;
import io.steeprepl.cli.output.Text;
import io.steeprepl.config.ConfigPath;
import io.steeprepl.config.Shown;
import java.nio.file.Files;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.nodes.Node;
import picocli.CommandLine.Command;

/** {@code config show}. */
@Command(
        name = "show",
        description = {
            "The configuration that is read, and from which file; secrets are masked, aliases written out. Does not",
            "connect. Ends with 2 when the file has problems."
        },
        footer = {"  steep-repl config show", "  steep-repl --config shop.yaml config show -o json"})
final class ConfigShowCommand extends Action {
    @Override
    protected ExitCode run(Output out) {
        ConfigPath path = ConfigPath.ofProcess(configOption());
        // Nobody has to have one; a file that somebody named has to be there.
        boolean none = path.source() == ConfigPath.Source.DEFAULT && Files.notExists(path.path());
        ConfigFile file = none ? ConfigFile.read(path, "") : ConfigFile.read(path);
        file.problems().refuse(path);
        Optional<Node> shown = file.root().map(Shown::of);
        if (out.json()) {
            Map<String, @Nullable Object> document = new LinkedHashMap<>();
            document.put("path", path.toString());
            document.put("source", path.source().toString());
            document.put("exists", !none);
            document.put("config", shown.map(Shown::plain).orElse(Map.of()));
            out.done("", document);
            return ExitCode.OK;
        }
        out.text("# %s (%s)%n".formatted(Text.sanitise(path.toString()), none ? "there is no such file" : named(path)));
        shown.ifPresent(node -> out.text(Text.sanitiseLines(Shown.yaml(node)) + "\n"));
        if (file.conflicts().present() && file.conflicts().byDefault().isEmpty()) {
            out.note("No default_strategy: replicated tables that are not listed are left as they are.");
        }
        return ExitCode.OK;
    }

    private static String named(ConfigPath path) {
        return switch (path.source()) {
            case OPTION -> "named by --config";
            case ENVIRONMENT -> "named by $" + ConfigPath.VARIABLE;
            case DEFAULT -> "the usual place";
        };
    }
}
