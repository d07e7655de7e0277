package io.steeprepl.cli.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.steeprepl.api.ApiException;
import io.steeprepl.cli.output.Json;
import io.steeprepl.config.ConfigPath;
import io.steeprepl.config.Shown;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.snakeyaml.engine.v2.nodes.Node;

class ShownTest {
    private static Node shown(String yaml) {
        var at = new ConfigPath(Path.of("config.yaml"), ConfigPath.Source.OPTION);
        return Shown.of(ConfigFile.read(at, yaml).root().orElseThrow());
    }

    @Test
    void secretsAreMaskedInBothForms() {
        Node node = shown("""
                repl:
                  postgresql:
                    password: geheim  # geheim
                    sslpassword: geheim
                    conninfo: host=h password=geheim dbname=d
                    uri: postgresql://u:geheim@h/d
                    admin-password: [geheim, {x: geheim}]
                  proxy: https://u:geheim@proxy
                  tls: {private_key: geheim, secret_key: geheim, key: "-----BEGIN PRIVATE KEY-----geheim"}
                replication:
                  notifications: {channels: {slack: {webhook_url: geheim}, pagerduty: {routing_key: geheim, api_token: geheim}}}
                """);
        assertThat(Shown.yaml(node)).doesNotContain("geheim").contains("password: \"****\"", "postgresql://u:****@h/d");
        assertThat(Json.write(Shown.plain(node))).doesNotContain("geheim").contains("\"password\":\"****\"");
    }

    @Test
    void whereASecretIsToBeFoundIsNoSecret() {
        String yaml = """
                repl:
                  node_id: a
                  postgresql:
                    password_command: pass show steep
                  tls:
                    key_file: /etc/steep/key.pem
                    public_key: abc
                replication:
                  credentials:
                    hq:
                      password_env: HQ
                """;
        assertThat(Shown.yaml(shown(yaml))).isEqualTo(yaml);
    }

    @Test
    void jsonHasTheTypesAndAliasesAreWrittenOut() {
        assertThat(Json.write(Shown.plain(shown("a: &x [1, 2.50, true, ~, '1', no, .inf]\nb: *x"))))
                .isEqualTo(
                        "{\"a\":[1,2.50,true,null,\"1\",\"no\",\".inf\"],\"b\":[1,2.50,true,null,\"1\",\"no\",\".inf\"]}");
    }

    @Test
    void aliasesOfAliasesAreNotWrittenOutForEver() {
        var bomb = new StringBuilder("a0: &a0 [x, x, x, x, x, x, x, x]\n");
        for (int i = 1; i < 9; i++) {
            bomb.append("a%1$d: &a%1$d [*a%2$d, *a%2$d, *a%2$d, *a%2$d, *a%2$d]\n".formatted(i, i - 1));
        }
        assertThatThrownBy(() -> shown(bomb.toString()))
                .isInstanceOf(ApiException.Usage.class)
                .hasMessageContaining("aliases");
    }
}
