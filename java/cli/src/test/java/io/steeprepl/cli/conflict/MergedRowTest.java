package io.steeprepl.cli.conflict;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.steeprepl.api.ApiException;
import io.steeprepl.api.Conflict;
import io.steeprepl.api.QualifiedName;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** How a row that is neither side's is put together. */
class MergedRowTest {
    private static Conflict conflict(String kind) {
        return new Conflict(
                7,
                Instant.EPOCH,
                "",
                new QualifiedName("public", "orders"),
                kind,
                "b",
                new Conflict.Side("{\"id\": 1, \"note\": \"alice\", \"total\": 1.50}", "a", Instant.EPOCH),
                new Conflict.Side(
                        "{\"id\": 2, \"note\": \"bob\", \"total\": 2.750, \"tags\": [1]}", "b", Instant.EPOCH),
                null,
                null,
                null,
                null,
                null,
                null,
                true,
                new Conflict.Decision(
                        "APPLIED_REMOTE",
                        null,
                        null,
                        null,
                        "remote",
                        "{\"id\": 2, \"note\": \"bob\", \"total\": 2.750, \"tags\": [1]}",
                        false,
                        null,
                        null,
                        null),
                new Conflict.Proof(null, null, 0, null));
    }

    @Test
    void columnsChangeTheRowThatStands() {
        assertThat(MergedRow.set(conflict("UPDATE-UPDATE"), List.of("note=a=b", "id", "tags=[2, null]")))
                .isEqualTo("{\"id\":null,\"note\":\"a=b\",\"total\":2.750,\"tags\":[2,null]}");
        assertThatThrownBy(() -> MergedRow.set(conflict("UPDATE-UPDATE"), List.of("tags=[")))
                .isInstanceOf(ApiException.Usage.class)
                .hasMessageContaining("tags");
    }

    @Test
    void aRowThatLostAUniqueValueIsTheOneThatIsChanged() {
        assertThat(MergedRow.set(conflict("UNIQUE"), List.of("note=other")))
                .isEqualTo("{\"id\":1,\"note\":\"other\",\"total\":1.50}");
    }

    @Test
    void theEditorChangesTheRow() {
        assertThat(MergedRow.edit(conflict("UPDATE-UPDATE"), Map.of("EDITOR", "sed -i s/bob/both/")))
                .isEqualTo("{\"id\":2,\"note\":\"both\",\"total\":2.750,\"tags\":[1]}");
        assertThat(MergedRow.edit(conflict("UPDATE-UPDATE"), Map.of("VISUAL", "true", "EDITOR", "false")))
                .as("left as it was")
                .isNull();
        assertThatThrownBy(() -> MergedRow.edit(conflict("UPDATE-UPDATE"), Map.of("EDITOR", "sed -i d")))
                .isInstanceOf(ApiException.Usage.class);
        assertThatThrownBy(() -> MergedRow.edit(conflict("UPDATE-UPDATE"), Map.of("EDITOR", "false")))
                .hasMessageContaining("ended with 1");
        assertThatThrownBy(() -> MergedRow.edit(conflict("UPDATE-UPDATE"), Map.of()))
                .hasMessageContaining("no editor");
    }
}
