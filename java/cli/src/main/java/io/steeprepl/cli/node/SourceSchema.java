package io.steeprepl.cli.node;

import io.steeprepl.api.ApiException;
import io.steeprepl.api.SchemaDifference;
import io.steeprepl.api.SteepRepl;
import io.steeprepl.cli.output.Output;
import java.util.List;

/** Says where a node's tables are not those of its source. Those that cannot replicate so are refused elsewhere. */
record SourceSchema(SteepRepl node, Output out) {
    private static final int MOST = 10;

    void compare(String source) {
        List<SchemaDifference> differences;
        try {
            // What only one side has is no matter: tables that are missing here are refused.
            differences = node.schemas().diff(source, null).stream()
                    .filter(difference -> !difference.object().equals("table") || difference.property() != null)
                    .toList();
        } catch (ApiException.Failed e) {
            out.warn("the schema could not be compared with the source's: " + e.message());
            return;
        }
        differences.stream()
                .limit(MOST)
                .forEach(difference -> out.warn("table %s.%s differs: %s"
                        .formatted(difference.tableSchema(), difference.tableName(), difference.difference())));
        if (differences.size() > MOST) {
            out.warn("%d more differences, see schema diff".formatted(differences.size() - MOST));
        }
    }
}
