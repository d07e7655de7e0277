package io.steeprepl.remote;

import com.fasterxml.jackson.core.type.TypeReference;
import io.steeprepl.api.QualifiedName;
import io.steeprepl.api.ReplicatedTable;
import io.steeprepl.api.TableApi;
import io.steeprepl.api.TableOptions;
import io.steeprepl.remote.Operation.None;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** {@link TableApi} over a line. */
record RemoteTables(Line line) implements TableApi {
    static final Noun NOUN = new Noun("tables");

    private record Named(QualifiedName table) {}

    private record Schema(String schema) {}

    private record NewTable(
            QualifiedName table,
            @Nullable String strategy,
            @Nullable Boolean beforeImages,
            String existing,
            @Nullable Boolean identityRanges) {
        TableOptions options() {
            return new TableOptions(strategy, beforeImages == null || beforeImages, existing, identityRanges);
        }
    }

    private static final Operation<None, List<ReplicatedTable>> LIST =
            NOUN.reading("list", new TypeReference<>() {}, node -> node.tables().list());

    private static final Operation<NewTable, String> ADD = NOUN.changing(
            "add",
            NewTable.class,
            Map.of("existing", "refuse"),
            new TypeReference<>() {},
            (node, in) -> node.tables().add(in.table, in.options()));

    private static final Operation<Schema, List<AddedTable>> ADD_ALL = NOUN.changing(
            "add_all",
            Schema.class,
            new TypeReference<>() {},
            (node, in) -> node.tables().addAll(in.schema));

    private static final Operation<Named, @Nullable Void> REMOVE =
            NOUN.action("remove", Named.class, (node, in) -> node.tables().remove(in.table));

    @Override
    public List<ReplicatedTable> list() {
        return line.call(LIST);
    }

    @Override
    public String add(QualifiedName table, TableOptions options) {
        return line.call(
                ADD,
                new NewTable(
                        table,
                        options.strategy(),
                        options.beforeImages(),
                        options.existing(),
                        options.identityRanges()));
    }

    @Override
    public List<AddedTable> addAll(String schema) {
        return line.call(ADD_ALL, new Schema(schema));
    }

    @Override
    public void remove(QualifiedName table) {
        line.call(REMOVE, new Named(table));
    }
}
