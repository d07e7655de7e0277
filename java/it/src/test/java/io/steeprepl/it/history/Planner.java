package io.steeprepl.it.history;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/** Draws a plan from a seed: few keys, few unique values, many writers. */
final class Planner {
    private static final int IDS = 1000;

    private final Random random;
    private final int base;
    private final boolean truncates;
    private final List<Shape> shapes;
    private final int keys;
    private final int nodes;
    private final Troubles troubles;
    private long nextId;

    private Planner(long seed, int base, int nodes, boolean truncates) {
        this.random = new Random(seed);
        this.base = base;
        this.nodes = nodes;
        this.truncates = truncates;
        this.nextId = (long) base * IDS;
        this.keys = 1 + random.nextInt(5);
        // Every other history without before-images.
        List<Shape> all = new ArrayList<>(Shape.of(seed % 2 == 0));
        Collections.shuffle(all, random);
        this.shapes = List.copyOf(all.subList(0, Math.min(all.size(), 1 + random.nextInt(3))));
        this.troubles = new Troubles(random, nodes);
    }

    static Plan plan(long seed, int base, int nodes, boolean truncates) {
        return new Planner(seed, base, nodes, truncates).plan(seed);
    }

    private Plan plan(long seed) {
        List<Step> steps = new ArrayList<>(beginning());
        long end = nextId + 20 + random.nextInt(41);
        while (nextId < end) {
            int dice = random.nextInt(100);
            if (dice < 12) {
                steps.add(new Step.Trouble(troubles.next()));
            } else if (dice < 16) {
                steps.add(new Step.Storm(troubles.next(), works()));
            } else if (dice < 26) {
                steps.add(new Step.Calm());
            } else {
                steps.add(new Step.Burst(works()));
            }
        }
        return new Plan(seed, base, nodes, shapes, steps);
    }

    /** Rows that are folds are there from the start, so that all that is added to them counts. */
    private List<Step> beginning() {
        List<Operation> inserts = new ArrayList<>();
        for (Shape shape : shapes.stream().filter(Shape::folds).toList()) {
            for (int key = 1; key <= keys; key++) {
                inserts.add(new Operation.Insert(id(), shape, base * Plan.KEYS + key, null));
            }
        }
        return inserts.isEmpty()
                ? List.of()
                : List.of(new Step.Burst(List.of(new Step.Work(0, inserts))), new Step.Calm());
    }

    private List<Step.Work> works() {
        List<Step.Work> works = new ArrayList<>();
        int sessions = 1 + random.nextInt(nodes + 1);
        for (int i = 0; i < sessions; i++) {
            List<Operation> operations = new ArrayList<>();
            int size = random.nextInt(4) > 0 ? 1 : 2 + random.nextInt(3);
            for (int j = 0; j < size; j++) {
                operations.addAll(operation());
            }
            works.add(new Step.Work(random.nextInt(nodes), operations));
        }
        return works;
    }

    private List<Operation> operation() {
        Shape shape = shapes.get(random.nextInt(shapes.size()));
        int key = key();
        if (shape.folds()) {
            return List.of(new Operation.Update(id(), shape, key, random.nextBoolean(), unique(), false));
        }
        int dice = random.nextInt(100);
        if (dice < 28) {
            return List.of(new Operation.Insert(id(), shape, key, unique()));
        } else if (dice < 62) {
            return List.of(
                    new Operation.Update(id(), shape, key, random.nextInt(3) == 0, unique(), random.nextInt(4) == 0));
        } else if (dice < 76) {
            return List.of(new Operation.Delete(id(), shape, key));
        } else if (dice < 84) {
            return List.of(new Operation.Replace(id(), shape, key, unique()));
        } else if (dice < 97) {
            return List.of(new Operation.Move(id(), shape, key, key()));
        } else if (truncates && dice == 97) {
            long first = id();
            nextId += Plan.KEYS;
            return List.of(new Operation.Truncate(first, shape));
        }
        // Two rows change places, over a third key.
        int other = key();
        int between = base * Plan.KEYS + 9;
        return List.of(
                new Operation.Move(id(), shape, key, between),
                new Operation.Move(id(), shape, other, key),
                new Operation.Move(id(), shape, between, other));
    }

    private long id() {
        return ++nextId;
    }

    private int key() {
        return base * Plan.KEYS + 1 + random.nextInt(keys);
    }

    /** Few, so that they clash; of this history alone; sometimes null, which never clashes. */
    private @Nullable String unique() {
        return random.nextInt(4) == 0 ? null : base + "-" + "xyzX".charAt(random.nextInt(4));
    }
}
