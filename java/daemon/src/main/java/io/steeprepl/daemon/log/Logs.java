package io.steeprepl.daemon.log;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.Appender;
import ch.qos.logback.core.OutputStreamAppender;
import io.steeprepl.config.repl.LogSettings;
import io.steeprepl.daemon.Launch;
import io.steeprepl.remote.windows.ThisSystem;
import java.io.OutputStream;
import java.util.Map;
import org.slf4j.LoggerFactory;
import org.slf4j.bridge.SLF4JBridgeHandler;

/** Sends everything that is logged in this process to one place. */
public final class Logs {
    /** They say on every failed attempt what the watch says once. */
    private static final Map<String, Level> QUIET = Map.of(
            "com.zaxxer.hikari", Level.OFF, "org.postgresql", Level.OFF, "io.grpc", Level.WARN, "io.netty", Level.WARN);

    private Logs() {}

    /**
     * Begins.
     *
     * @param name of the daemon, for the system's log
     * @param environment of the process, which says whether systemd reads its output
     */
    public static void begin(LogSettings settings, String name, OutputStream out, Map<String, String> environment) {
        LoggerContext context = context();
        context.reset();
        Appender<ILoggingEvent> appender = settings.target().equals("syslog")
                ? system(name)
                : lines(context, out, environment.containsKey("JOURNAL_STREAM"));
        appender.setContext(context);
        appender.start();
        root(context).addAppender(appender);
        QUIET.forEach((logger, most) -> context.getLogger(logger).setLevel(most));
        level(settings);
        SLF4JBridgeHandler.removeHandlersForRootLogger();
        SLF4JBridgeHandler.install();
    }

    private static Appender<ILoggingEvent> system(String name) {
        return ThisSystem.isWindows() ? new EventLog(Launch.unit(name)) : new Syslog(name);
    }

    private static Appender<ILoggingEvent> lines(LoggerContext context, OutputStream out, boolean journal) {
        var encoder = new JsonLines(journal);
        encoder.setContext(context);
        encoder.start();
        var appender = new OutputStreamAppender<ILoggingEvent>();
        appender.setEncoder(encoder);
        appender.setImmediateFlush(true);
        appender.setOutputStream(out);
        return appender;
    }

    /** Changes the level. */
    public static void level(LogSettings settings) {
        root(context()).setLevel(Level.valueOf(settings.level()));
    }

    private static LoggerContext context() {
        return (LoggerContext) LoggerFactory.getILoggerFactory();
    }

    private static Logger root(LoggerContext context) {
        return context.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
    }
}
