package io.steeprepl.cli.sandbox;

import io.steeprepl.api.ApiException;
import io.steeprepl.cli.Action;
import io.steeprepl.cli.ExitCode;
import io.steeprepl.cli.output.Column;
import io.steeprepl.cli.output.Output;
import io.steeprepl.testkit.TestkitException;
import io.steeprepl.testkit.sandbox.Sandbox;
import io.steeprepl.testkit.sandbox.SandboxNode;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** A command on one sandbox. */
abstract class SandboxAction extends Action {
    private static final List<Column<SandboxNode>> COLUMNS = List.of(
            Column.of("node_id", SandboxNode::nodeId),
            Column.of("uri", SandboxNode::uri),
            Column.of("pid", SandboxNode::pid),
            Column.of("data_dir", SandboxNode::dataDir),
            Column.of("log", SandboxNode::log));

    @Option(
            names = "--dir",
            paramLabel = "DIR",
            description = "The sandbox's folder. Default: sandbox in the cache folder.")
    private @Nullable Path dir;

    /** Does it. */
    protected abstract ExitCode run(Sandbox sandbox, Output out);

    @Override
    protected final ExitCode run(Output out) {
        try {
            return run(new Sandbox(dir == null ? Sandbox.usualDir() : dir), out);
        } catch (TestkitException e) {
            throw new ApiException.Failed(null, String.valueOf(e.getMessage()), null, null, e);
        }
    }

    /** The nodes: for programs one document, for people a table and how to connect. */
    final void print(Sandbox sandbox, List<SandboxNode> nodes, Output out) {
        if (out.json()) {
            Map<String, @Nullable Object> document = new LinkedHashMap<>();
            document.put("dir", sandbox.dir().toString());
            document.put("nodes", nodes.stream().map(SandboxAction::object).toList());
            out.done("", document);
            return;
        }
        out.list(COLUMNS, nodes, "there is no sandbox in " + sandbox.dir());
        nodes.stream().filter(node -> node.pid() != null).forEach(node -> out.note("psql " + node.uri()));
    }

    private static Map<String, @Nullable Object> object(SandboxNode node) {
        Map<String, @Nullable Object> object = new LinkedHashMap<>();
        COLUMNS.forEach(column -> object.put(column.name(), column.value().apply(node)));
        return object;
    }
}
