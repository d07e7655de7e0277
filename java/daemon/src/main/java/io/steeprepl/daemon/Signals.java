package io.steeprepl.daemon;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import org.slf4j.LoggerFactory;

/**
 * What the system tells a process. Java's one way to hear it is {@code sun.misc.Signal}, whose use javac warns of in a way
 * that cannot be silenced; hence by name.
 */
public final class Signals {
    private Signals() {}

    /** Does {@code action} at that signal, instead of what would happen; nothing where there is no such signal. */
    public static void at(String signal, Runnable action) {
        try {
            Class<?> type = Class.forName("sun.misc.Signal");
            Class<?> handler = Class.forName("sun.misc.SignalHandler");
            Object ours = Proxy.newProxyInstance(
                    handler.getClassLoader(),
                    new Class<?>[] {handler},
                    (self, method, arguments) -> switch (method.getName()) {
                        case "handle" -> {
                            action.run();
                            yield null;
                        }
                        case "hashCode" -> System.identityHashCode(self);
                        case "equals" -> false;
                        default -> signal;
                    });
            type.getMethod("handle", type, handler)
                    .invoke(null, type.getConstructor(String.class).newInstance(signal), ours);
        } catch (InvocationTargetException e) {
            // Windows has no SIGHUP; a JVM that was started with -Xrs keeps the others for itself.
            LoggerFactory.getLogger(Signals.class).debug("no signal {}: {}", signal, String.valueOf(e.getCause()));
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }
}
