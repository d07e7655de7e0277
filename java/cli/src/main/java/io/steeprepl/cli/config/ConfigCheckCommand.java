package io.steeprepl.cli.config;

import io.steeprepl.api.QualifiedName;
import io.steeprepl.api.SteepRepl;
import io.steeprepl.cli.ExitCode;
import io.steeprepl.cli.config.Comparison.Difference;
import io.steeprepl.cli.output.Column;
import io.steeprepl.cli.output.Output;
import io.steeprepl.config.Problem;
import io.steeprepl.daemon.Preflight;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code config check}. */
@Command(
        name = "check",
        description = {
            "Whether the file is right, and whether the tables have the strategies and ranges that it says. Changes nothing.",
            "For the daemon, whether certificates, addresses and folders are there: run it on its machine, as its account.",
            "Ends with 1 when a table differs, with 2 when the file has problems."
        },
        footer = {
            "  steep-repl -c service=shop config check",
            "  steep-repl --config shop.yaml config check --file-only"
        })
final class ConfigCheckCommand extends ConfigAction {
    private static final List<Column<Difference>> TEXT = List.of(
            Column.of("table", Difference::table),
            Column.of("line", Difference::line),
            Column.of("file_says", Difference::file),
            Column.of("database_says", Difference::database));

    private static final List<Column<Difference>> JSON = List.of(
            Column.of("table_schema", difference -> difference.table().schema()),
            Column.of("table_name", difference -> difference.table().name()),
            Column.of("line", Difference::line),
            Column.of("file", difference -> difference.file().json()),
            Column.of("database", difference -> difference.database().json()));

    private static final List<Column<RangeComparison.Difference>> RANGES = List.of(
            Column.of("table", RangeComparison.Difference::table),
            Column.of("line", RangeComparison.Difference::line),
            Column.of("file_says", RangeComparison.Difference::file),
            Column.of("database_says", RangeComparison.Difference::database));

    private static final List<Column<RangeComparison.Difference>> RANGES_JSON = List.of(
            Column.of("table_schema", difference -> difference.table().schema()),
            Column.of("table_name", difference -> difference.table().name()),
            Column.of("line", RangeComparison.Difference::line),
            Column.of("file", difference -> difference.file().json()),
            Column.of("database", difference -> difference.database().json()));

    private static final List<Column<QualifiedName>> NAME =
            List.of(Column.of("table_schema", QualifiedName::schema), Column.of("table_name", QualifiedName::name));

    private static final List<Column<Problem>> PROBLEMS = List.of(
            Column.of("line", Problem::line),
            Column.of("column", Problem::column),
            Column.of("key", Problem::key),
            Column.of("problem", Problem::message),
            Column.of("remedy", Problem::remedy));

    @Option(
            names = "--file-only",
            description =
                    "Only what can be said without a database: names of tables, nodes and strategies are not looked up.")
    private boolean fileOnly;

    /** What the daemon needs of this machine. */
    @Override
    protected void look(ConfigFile file) {
        Preflight.look(file.repl(), file.problems(), file.problems());
    }

    @Override
    protected boolean fileAlone(ConfigFile file, Output out) {
        if (fileOnly && file.problems().none()) {
            out.done(file.path() + " has no problems; the database was not asked.", document(file, null));
        }
        return fileOnly;
    }

    @Override
    protected void refused(ConfigFile file, Output out) {
        if (out.json()) {
            out.done("", document(file, null));
        }
    }

    @Override
    protected ExitCode run(SteepRepl node, ConfigFile file, Comparison comparison, Output out) {
        if (out.json()) {
            out.done("", document(file, comparison));
        } else if (!comparison.same()) {
            if (!comparison.differences().isEmpty()) {
                out.list(TEXT, comparison.differences(), "");
            }
            if (!comparison.ranges().isEmpty()) {
                out.list(RANGES, comparison.ranges(), "");
            }
            out.note("config apply gives the tables what the file says.");
        } else {
            out.done("Nothing differs. Tables that are as the file says: %d.".formatted(comparison.equal()), Map.of());
        }
        if (!comparison.unlisted().isEmpty() && file.conflicts().present()) {
            out.note("The file says nothing of %d replicated tables: %s"
                    .formatted(
                            comparison.unlisted().size(),
                            String.join(
                                    ", ",
                                    comparison.unlisted().stream()
                                            .map(QualifiedName::toString)
                                            .toList())));
        }
        return comparison.same() ? ExitCode.OK : ExitCode.FAILED;
    }

    /** {@code comparison} is null when the database was not asked, or the file has problems. */
    private static Map<String, @Nullable Object> document(ConfigFile file, @Nullable Comparison comparison) {
        Map<String, @Nullable Object> document = new LinkedHashMap<>();
        document.put("path", file.path().toString());
        document.put(
                "problems",
                file.problems().all().stream()
                        .map(problem -> Column.object(PROBLEMS, problem))
                        .toList());
        document.put("compared", comparison != null);
        document.put(
                "drift",
                comparison == null
                        ? List.of()
                        : comparison.differences().stream()
                                .map(difference -> Column.object(JSON, difference))
                                .toList());
        document.put(
                "range_drift",
                comparison == null
                        ? List.of()
                        : comparison.ranges().stream()
                                .map(difference -> Column.object(RANGES_JSON, difference))
                                .toList());
        document.put("equal", comparison == null ? 0 : comparison.equal());
        document.put(
                "unlisted",
                comparison == null
                        ? List.of()
                        : comparison.unlisted().stream()
                                .map(table -> Column.object(NAME, table))
                                .toList());
        return document;
    }
}
