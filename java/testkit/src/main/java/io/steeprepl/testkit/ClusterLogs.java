package io.steeprepl.testkit;

import java.lang.reflect.Field;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.TestWatcher;

/** Shows the server logs of a test class's static clusters when one of its tests fails. */
public final class ClusterLogs implements TestWatcher {
    @Override
    public void testFailed(ExtensionContext context, @Nullable Throwable cause) {
        for (Field field : context.getRequiredTestClass().getDeclaredFields()) {
            if (Cluster.class.equals(field.getType())) {
                try {
                    field.setAccessible(true);
                    if (field.get(context.getTestInstance().orElse(null)) instanceof Cluster cluster) {
                        System.err.println(cluster.logs());
                    }
                } catch (ReflectiveOperationException e) {
                    System.err.println("no logs: " + e.getMessage());
                }
            }
        }
    }
}
