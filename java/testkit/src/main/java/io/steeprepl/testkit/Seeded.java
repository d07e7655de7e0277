package io.steeprepl.testkit;

import java.util.Random;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.TestWatcher;

/**
 * Random values for tests, the same ones for the same seed. A field with {@code @RegisterExtension}; when a test fails its
 * seed is printed, and {@code -Dsteeprepl.seed=N} repeats it.
 */
public final class Seeded implements BeforeEachCallback, TestWatcher {
    private static final String PROPERTY = "steeprepl.seed";

    private final long seed = Long.getLong(PROPERTY, System.nanoTime());
    private Random random = new Random(seed);

    /** Where to draw from. Each test begins with the seed anew. */
    public RandomGenerator random() {
        return random;
    }

    /** What repeats the run. */
    public long seed() {
        return seed;
    }

    @Override
    public void beforeEach(ExtensionContext context) {
        random = new Random(seed);
    }

    @Override
    public void testFailed(ExtensionContext context, @Nullable Throwable cause) {
        System.err.println(context.getDisplayName() + " failed with -D" + PROPERTY + "=" + seed);
    }
}
