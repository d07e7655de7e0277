package io.steeprepl.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ConfigPathTest {
    private static String usual(String system, Map<String, String> environment) {
        ConfigPath path = ConfigPath.of(null, system, environment, "/home/ann");
        assertThat(path.source()).isEqualTo(ConfigPath.Source.DEFAULT);
        return path.toString();
    }

    @Test
    void everySystemHasItsPlace() {
        assertThat(usual("Linux", Map.of())).isEqualTo("/home/ann/.config/steep/config.yaml");
        assertThat(usual("Mac OS X", Map.of())).isEqualTo("/home/ann/Library/Application Support/steep/config.yaml");
        assertThat(usual("Windows 11", Map.of("APPDATA", "/roaming"))).isEqualTo("/roaming/steep/config.yaml");
        assertThat(usual("Windows 11", Map.of())).isEqualTo("/home/ann/AppData/Roaming/steep/config.yaml");
    }

    @Test
    void xdgMovesItWhenItIsAbsolute() {
        assertThat(usual("Linux", Map.of("XDG_CONFIG_HOME", "/etc/ann"))).isEqualTo("/etc/ann/steep/config.yaml");
        assertThat(usual("Linux", Map.of("XDG_CONFIG_HOME", "ann"))).isEqualTo("/home/ann/.config/steep/config.yaml");
        assertThat(usual("Mac OS X", Map.of("XDG_CONFIG_HOME", "/etc/ann"))).startsWith("/home/ann/Library");
    }

    @Test
    void theOptionCountsBeforeTheVariableAndThatBeforeThePlace() {
        Map<String, String> environment = Map.of(ConfigPath.VARIABLE, "/srv/shop.yaml");
        assertThat(ConfigPath.of("mine.yaml", "Linux", environment, "/home/ann"))
                .isEqualTo(new ConfigPath(Path.of("mine.yaml"), ConfigPath.Source.OPTION));
        assertThat(ConfigPath.of(null, "Linux", environment, "/home/ann"))
                .isEqualTo(new ConfigPath(Path.of("/srv/shop.yaml"), ConfigPath.Source.ENVIRONMENT));
        assertThat(usual("Linux", Map.of(ConfigPath.VARIABLE, ""))).startsWith("/home/ann");
    }
}
