package io.steeprepl.remote;

import com.fasterxml.jackson.core.type.TypeReference;
import io.steeprepl.api.QualifiedName;
import io.steeprepl.api.SchemaApi;
import io.steeprepl.api.SchemaDifference;
import io.steeprepl.api.TableComparison;
import io.steeprepl.api.TableDefinition;
import io.steeprepl.remote.Operation.None;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** {@link SchemaApi} over a line. */
record RemoteSchemas(Line line) implements SchemaApi {
    static final Noun NOUN = new Noun("schemas");

    private record Named(QualifiedName table) {}

    private record Peer(String peer) {}

    private record Difference(String peer, @Nullable QualifiedName table) {}

    private record Some(@Nullable QualifiedName table) {}

    private static final Operation<Named, String> FINGERPRINT = NOUN.reading(
            "fingerprint",
            Named.class,
            new TypeReference<>() {},
            (node, in) -> node.schemas().fingerprint(in.table));

    private static final Operation<None, Integer> CAPTURE = NOUN.changing(
            "capture", new TypeReference<>() {}, node -> node.schemas().capture());

    private static final Operation<Peer, List<TableComparison>> COMPARE = NOUN.reading(
            "compare",
            Peer.class,
            new TypeReference<>() {},
            (node, in) -> node.schemas().compare(in.peer));

    private static final Operation<Difference, List<SchemaDifference>> DIFF = NOUN.reading(
            "diff",
            Difference.class,
            new TypeReference<>() {},
            (node, in) -> node.schemas().diff(in.peer, in.table));

    private static final Operation<Some, List<TableDefinition>> DEFINITIONS = NOUN.reading(
            "definitions",
            Some.class,
            new TypeReference<>() {},
            (node, in) -> node.schemas().definitions(in.table));

    @Override
    public String fingerprint(QualifiedName table) {
        return line.call(FINGERPRINT, new Named(table));
    }

    @Override
    public int capture() {
        return line.call(CAPTURE);
    }

    @Override
    public List<TableComparison> compare(String peer) {
        return line.call(COMPARE, new Peer(peer));
    }

    @Override
    public List<SchemaDifference> diff(String peer, @Nullable QualifiedName table) {
        return line.call(DIFF, new Difference(peer, table));
    }

    @Override
    public List<TableDefinition> definitions(@Nullable QualifiedName table) {
        return line.call(DEFINITIONS, new Some(table));
    }
}
