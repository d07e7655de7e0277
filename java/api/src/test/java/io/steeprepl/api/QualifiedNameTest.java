package io.steeprepl.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class QualifiedNameTest {
    @Test
    void readsNamesAsSqlWritesThem() {
        assertThat(QualifiedName.parse("orders")).isEqualTo(new QualifiedName(null, "orders"));
        assertThat(QualifiedName.parse("Shop.Orders")).isEqualTo(new QualifiedName("shop", "orders"));
        assertThat(QualifiedName.parse("\"Shop\".\"Big \"\"Orders\"\".\""))
                .isEqualTo(new QualifiedName("Shop", "Big \"Orders\"."));
        assertThat(QualifiedName.parse("ÄRGER").name()).isEqualTo("ÄrGER".replace("rGER", "rger"));
    }

    @Test
    void sqlReadsTheSame() {
        var name = new QualifiedName("a.b", "c\"d e");
        assertThat(QualifiedName.parse(name.sql())).isEqualTo(name);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", ".", "a.", ".a", "a.b.c", "a b", "\"a", "\"a\"b", "a\"b\"", "\"\""})
    void refusesWhatIsNoName(String text) {
        assertThatThrownBy(() -> QualifiedName.parse(text)).isInstanceOf(ApiException.Usage.class);
    }
}
