package io.steeprepl.it.conflict;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;
import org.junit.jupiter.api.extension.TestWatcher;

/** Gives tests one mesh of two nodes, the same for all classes, and shows the servers' logs when one fails. */
class TwoNodes implements ParameterResolver, TestWatcher {
    private final int size;

    TwoNodes() {
        this(2);
    }

    TwoNodes(int size) {
        this.size = size;
    }

    private Mesh mesh(ExtensionContext context) {
        return context.getRoot()
                .getStore(ExtensionContext.Namespace.create(Mesh.class))
                .computeIfAbsent(size, Mesh::start, Mesh.class);
    }

    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
        return parameter.getParameter().getType() == Mesh.class;
    }

    @Override
    public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
        return mesh(context);
    }

    @Override
    public void testFailed(ExtensionContext context, @Nullable Throwable cause) {
        System.err.println(mesh(context).logs());
    }
}
