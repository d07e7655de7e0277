package io.steeprepl.cli.extension;

import io.steeprepl.cli.Action;
import io.steeprepl.cli.ExitCode;
import io.steeprepl.cli.output.Column;
import io.steeprepl.cli.output.Output;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code extension install}. */
@Command(
        name = "install",
        description = {
            "Puts the extension's files into a PostgreSQL 18 server, and says what else to set.",
            "Replaces an older version; when something fails, what was there before is put back."
        },
        footer = "  sudo steep-repl extension install --pg-config /usr/lib/postgresql/18/bin/pg_config")
final class ExtensionInstallCommand extends Action {
    private static final List<Column<Setting>> SETTINGS = List.of(
            Column.of("name", Setting::name), Column.of("value", Setting::value), Column.of("why", Setting::why));

    @Option(
            names = "--pg-config",
            paramLabel = "PATH",
            description = "The server's pg_config. Default: PG_CONFIG, then the usual places, then the PATH.")
    private @Nullable Path pgConfig;

    @Override
    protected ExitCode run(Output out) {
        Server server = Server.find(pgConfig, System.getenv());
        List<Copy> copies = Stage.ofProcess().copiesInto(server);
        new Installer(server.pgConfig()).install(copies);
        if (out.json()) {
            var document = new LinkedHashMap<String, @Nullable Object>();
            document.put("pg_config", server.pgConfig());
            document.put("server_version", server.version());
            document.put("files", copies.stream().map(Copy::to).toList());
            document.put(
                    "settings",
                    Setting.ALL.stream().map(ExtensionInstallCommand::object).toList());
            out.done("", document);
        } else {
            out.text("installed into %s:%n".formatted(server.version()));
            copies.forEach(copy -> out.text("  %s%n".formatted(copy.to())));
            out.text("%nThen set in postgresql.conf, and restart the server:%n%n".formatted());
            Setting.ALL.forEach(setting -> out.text(setting.line() + System.lineSeparator()));
            out.text("%nThen in each database that is to be a node: steep-repl -c CONN node create NODE_ID%n"
                    .formatted());
            out.text("In each that has an older version of the extension: ALTER EXTENSION steep_repl UPDATE%n"
                    .formatted());
        }
        return ExitCode.OK;
    }

    private static Map<String, @Nullable Object> object(Setting setting) {
        var object = new LinkedHashMap<String, @Nullable Object>();
        SETTINGS.forEach(column -> object.put(column.name(), column.value().apply(setting)));
        return object;
    }
}
