package io.steeprepl.testkit;

import java.lang.reflect.Field;
import org.junit.jupiter.api.extension.AfterTestExecutionCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** Shows the server logs of a test class's clusters when one of its tests fails, before the test cleans up. */
public final class ClusterLogs implements AfterTestExecutionCallback {
    @Override
    public void afterTestExecution(ExtensionContext context) {
        if (context.getExecutionException().isEmpty()) {
            return;
        }
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
