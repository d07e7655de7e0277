package io.steeprepl.daemon.log;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.IThrowableProxy;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.encoder.EncoderBase;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.steeprepl.direct.connection.Secrets;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** One JSON object a line, passwords of connection strings masked. */
final class JsonLines extends EncoderBase<ILoggingEvent> {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final boolean journal;

    /** {@code journal}: with the priority before each line that systemd takes off again. */
    JsonLines(boolean journal) {
        this.journal = journal;
    }

    @Override
    public byte[] encode(ILoggingEvent event) {
        String prefix = journal ? "<" + Priority.of(event.getLevel()) + ">" : "";
        return (prefix + line(event) + "\n").getBytes(StandardCharsets.UTF_8);
    }

    static String line(ILoggingEvent event) {
        Map<String, @Nullable Object> line = new LinkedHashMap<>();
        line.put("time", String.valueOf(event.getInstant()));
        line.put("level", event.getLevel().toString().toLowerCase(Locale.ROOT));
        line.put("logger", event.getLoggerName());
        line.put("message", Secrets.mask(event.getFormattedMessage()));
        if (event.getKeyValuePairs() != null) {
            event.getKeyValuePairs().forEach(pair -> line.put(pair.key, Secrets.mask(String.valueOf(pair.value))));
        }
        IThrowableProxy error = event.getThrowableProxy();
        if (error != null) {
            line.put("error", Secrets.mask(ThrowableProxyUtil.asString(error)));
        }
        try {
            return JSON.writeValueAsString(line);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The numbers of syslog. */
    static final class Priority {
        private Priority() {}

        static int of(Level level) {
            return switch (level.toInt()) {
                case Level.ERROR_INT -> 3;
                case Level.WARN_INT -> 4;
                case Level.INFO_INT -> 6;
                default -> 7;
            };
        }
    }

    @Override
    public byte[] headerBytes() {
        return new byte[0];
    }

    @Override
    public byte[] footerBytes() {
        return new byte[0];
    }
}
