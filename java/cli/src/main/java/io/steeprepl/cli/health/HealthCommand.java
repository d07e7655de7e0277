package io.steeprepl.cli.health;

import io.steeprepl.api.Health;
import io.steeprepl.api.SteepRepl;
import io.steeprepl.cli.ExitCode;
import io.steeprepl.cli.NodeAction;
import io.steeprepl.cli.output.Column;
import io.steeprepl.cli.output.Output;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;

/** {@code health}. */
@Command(
        name = "health",
        description = "How a node is: worker, settings, links, slots, tables. Ends with 1 when it is unhealthy.",
        footer = "  steep-repl -c service=shop health -o json")
public final class HealthCommand extends NodeAction {
    private static final List<Column<Health>> SUMMARY = List.of(
            Column.of("status", Health::status),
            Column.of("node_id", Health::nodeId),
            Column.of("version", Health::version));

    private static final List<Column<Health.Fact>> FACTS = List.of(
            Column.of("section", Health.Fact::section),
            Column.of("name", Health.Fact::name),
            Column.of("value", Health.Fact::value));

    @Override
    protected ExitCode run(SteepRepl node, Output out) {
        Health health = node.health().get();
        if (out.json()) {
            out.document(health.document());
        } else {
            out.one(SUMMARY, health);
            health.reasons().forEach(reason -> out.done("- " + reason, Map.of()));
            out.text("\n");
            out.list(FACTS, health.sections(), "nothing more to say");
        }
        return health.status().equals("unhealthy") ? ExitCode.FAILED : ExitCode.OK;
    }
}
