package io.steeprepl.it.history;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Plans repeat, and hold all that a history can be made of. */
class PlannerTest {
    @Test
    void oneSeedGivesOnePlan() {
        assertThat(Planner.plan(7, 0, 3, true)).isEqualTo(Planner.plan(7, 0, 3, true));
        assertThat(Planner.plan(7, 0, 3, true)).isNotEqualTo(Planner.plan(8, 0, 3, true));
    }

    @Test
    void allOperationsAndFaultsOccur() {
        Set<Class<?>> seen = new HashSet<>();
        for (int seed = 0; seed < 50; seed++) {
            for (Step step : Planner.plan(seed, 0, 2, true).steps()) {
                seen.add(step.getClass());
                switch (step) {
                    case Step.Burst b -> b.works().forEach(w -> w.operations().forEach(o -> seen.add(o.getClass())));
                    case Step.Storm s -> {
                        seen.add(s.fault().getClass());
                        s.works().forEach(w -> w.operations().forEach(o -> seen.add(o.getClass())));
                    }
                    case Step.Trouble t -> seen.add(t.fault().getClass());
                    case Step.Calm _ -> {}
                }
            }
        }
        assertThat(seen).contains(Operation.class.getPermittedSubclasses());
        assertThat(seen).contains(Fault.class.getPermittedSubclasses());
        assertThat(seen).contains(Step.Burst.class, Step.Storm.class, Step.Trouble.class, Step.Calm.class);
    }

    @Test
    void historiesOnOneTableDoNotShareKeysNorIds() {
        Plan one = Planner.plan(7, 1, 2, true);
        Plan other = Planner.plan(7, 2, 2, true);
        assertThat(one.firstKey() + Plan.KEYS).isEqualTo(other.firstKey());
        for (Step step : one.steps()) {
            if (step instanceof Step.Burst burst) {
                burst.works().stream()
                        .flatMap(w -> w.operations().stream())
                        .forEach(o -> assertThat(o.id()).isBetween(1001L, 1999L));
            }
        }
    }
}
