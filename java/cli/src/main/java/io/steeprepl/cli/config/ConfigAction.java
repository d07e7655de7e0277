package io.steeprepl.cli.config;

import io.steeprepl.api.ApiException;
import io.steeprepl.api.ReplicatedTable;
import io.steeprepl.api.SteepRepl;
import io.steeprepl.cli.Action;
import io.steeprepl.cli.ExitCode;
import io.steeprepl.cli.Interrupt;
import io.steeprepl.cli.config.ConflictSettings.TableSetting;
import io.steeprepl.cli.output.Output;
import io.steeprepl.config.ConfigPath;
import java.util.List;
import java.util.Map;

/** A command that holds the file against a node. */
abstract class ConfigAction extends Action {
    /** What to do without the node when the file alone is asked for; false goes on to the node. */
    protected boolean fileAlone(ConfigFile file, Output out) {
        return false;
    }

    /** Adds to the problems what the file alone does not show. */
    protected void look(ConfigFile file) {}

    /** What to do with problems, all of them, before they are thrown. */
    protected void refused(ConfigFile file, Output out) {}

    /** Does it; the file has no problems. */
    protected abstract ExitCode run(SteepRepl node, ConfigFile file, Comparison comparison, Output out);

    @Override
    protected final ExitCode run(Output out) {
        ConfigFile file = ConfigFile.read(ConfigPath.ofProcess(configOption()));
        look(file);
        if (!file.readable() || fileAlone(file, out)) {
            refuse(file, out);
            return ExitCode.OK;
        }
        boolean asked = false;
        try (SteepRepl node = open(out);
                Interrupt.Registration _ = Interrupt.onInterrupt(node::cancel)) {
            // The names are looked up although the file has problems, so that all are said at once.
            Known known = Known.of(node);
            asked = true;
            Map<ReplicatedTable, TableSetting> meant = known.match(file.conflicts(), file.problems());
            List<RangeComparison.Difference> ranges = RangeComparison.of(
                    file.ranges(), known.match(file.ranges(), file.problems()), known.ranges(), file.problems());
            refuse(file, out);
            if (!file.conflicts().present() && !file.ranges().present()) {
                out.note("The file has no section replication.conflicts, and no replication.identity_ranges:"
                        + " nothing is asked of any table.");
            }
            return run(node, file, Comparison.of(file.conflicts().byDefault(), meant, known.tables(), ranges), out);
        } catch (ApiException e) {
            if (!asked && !file.problems().none()) {
                out.warn("names of tables, nodes and strategies could not be looked up: " + e.message());
                refuse(file, out);
            }
            throw e;
        }
    }

    private void refuse(ConfigFile file, Output out) {
        if (!file.problems().none()) {
            refused(file, out);
        }
        file.problems().refuse(file.path());
    }
}
