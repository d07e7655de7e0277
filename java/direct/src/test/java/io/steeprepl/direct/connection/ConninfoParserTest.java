package io.steeprepl.direct.connection;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.steeprepl.api.ApiException;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ConninfoParserTest {
    @Test
    void readsQuotesEscapesAndBlanks() {
        assertThat(ConninfoParser.parse(
                        "  host = a  port=1\n user='o\\'neil' password=p\\ w dbname='' options='-c a=b'"))
                .isEqualTo(Map.of(
                        "host",
                        "a",
                        "port",
                        "1",
                        "user",
                        "o'neil",
                        "password",
                        "p w",
                        "dbname",
                        "",
                        "options",
                        "-c a=b"));
    }

    @Test
    void theLastOfTwoWins() {
        assertThat(ConninfoParser.parse("host=a host=b")).isEqualTo(Map.of("host", "b"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"host", "host=a geheim", "password='geheim", "=geheim", "host =a geheim x"})
    void refusesWhatIsIncompleteWithoutShowingIt(String text) {
        assertThatThrownBy(() -> ConninfoParser.parse(text))
                .isInstanceOf(ApiException.Usage.class)
                .hasMessageNotContaining("geheim");
    }

    @Test
    void unknownKeywordNamesTheNearestOne() {
        assertThatThrownBy(() -> ConninfoParser.parse("hots=a")).isInstanceOfSatisfying(ApiException.Usage.class, e -> {
            assertThat(e.message()).contains("\"hots\"");
            assertThat(e.hint()).contains("\"host\"");
        });
    }

    @Test
    void whatIsRenderedReadsTheSame() {
        var random = new Random(20260101);
        String alphabet = "ab'\\ \t\n=ä\"%&";
        for (int round = 0; round < 2000; round++) {
            Map<String, String> values = Map.of("user", text(random, alphabet), "password", text(random, alphabet));
            String rendered = ConninfoParser.render(values, Set.of());
            assertThat(ConninfoParser.parse(rendered)).as(rendered).isEqualTo(values);
        }
    }

    private static String text(Random random, String alphabet) {
        var text = new StringBuilder();
        for (int i = random.nextInt(8); i > 0; i--) {
            text.append(alphabet.charAt(random.nextInt(alphabet.length())));
        }
        return text.toString();
    }
}
