package io.steeprepl.cli;

import io.steeprepl.cli.audit.AuditCommand;
import io.steeprepl.cli.config.ConfigCommand;
import io.steeprepl.cli.conflict.ConflictCommand;
import io.steeprepl.cli.demo.DemoCommand;
import io.steeprepl.cli.extension.ExtensionCommand;
import io.steeprepl.cli.health.HealthCommand;
import io.steeprepl.cli.node.NodeCommand;
import io.steeprepl.cli.range.RangeCommand;
import io.steeprepl.cli.sandbox.SandboxCommand;
import io.steeprepl.cli.schema.SchemaCommand;
import io.steeprepl.cli.service.InstallCommand;
import io.steeprepl.cli.service.RestartCommand;
import io.steeprepl.cli.service.RunCommand;
import io.steeprepl.cli.service.StartCommand;
import io.steeprepl.cli.service.StatusCommand;
import io.steeprepl.cli.service.StopCommand;
import io.steeprepl.cli.service.UninstallCommand;
import io.steeprepl.cli.snapshot.SnapshotCommand;
import io.steeprepl.cli.subscription.SubscriptionCommand;
import io.steeprepl.cli.table.TableCommand;
import io.steeprepl.cli.tls.TlsCommand;
import io.steeprepl.cli.work.WorkCommand;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The commands of the first level, in the order of the help text, by the name that each gives itself. */
final class TopCommands {
    /** These are about the whole command line. */
    private static final List<String> WHOLE = List.of("completion", "-h", "--help");

    private static final Map<String, Class<?>> ALL = new LinkedHashMap<>();

    static {
        ALL.put("demo", DemoCommand.class);
        ALL.put("version", VersionCommand.class);
        ALL.put("health", HealthCommand.class);
        ALL.put("node", NodeCommand.class);
        ALL.put("table", TableCommand.class);
        ALL.put("subscription", SubscriptionCommand.class);
        ALL.put("range", RangeCommand.class);
        ALL.put("conflict", ConflictCommand.class);
        ALL.put("schema", SchemaCommand.class);
        ALL.put("snapshot", SnapshotCommand.class);
        ALL.put("work", WorkCommand.class);
        ALL.put("audit", AuditCommand.class);
        ALL.put("config", ConfigCommand.class);
        ALL.put("install", InstallCommand.class);
        ALL.put("uninstall", UninstallCommand.class);
        ALL.put("start", StartCommand.class);
        ALL.put("stop", StopCommand.class);
        ALL.put("restart", RestartCommand.class);
        ALL.put("status", StatusCommand.class);
        ALL.put("run", RunCommand.class);
        ALL.put("tls", TlsCommand.class);
        ALL.put("extension", ExtensionCommand.class);
        ALL.put("sandbox", SandboxCommand.class);
        ALL.put("completion", CompletionCommand.class);
    }

    private TopCommands() {}

    static Collection<Class<?>> all() {
        return ALL.values();
    }

    /** Those that the arguments can mean. */
    static Collection<Class<?>> named(String... args) {
        List<String> words = List.of(args);
        List<Class<?>> named = words.stream()
                .distinct()
                .filter(ALL::containsKey)
                .<Class<?>>map(ALL::get)
                .toList();
        return named.isEmpty() || WHOLE.stream().anyMatch(words::contains) ? all() : named;
    }

    /** For a test of the names. */
    static Map<String, Class<?>> byName() {
        return ALL;
    }
}
