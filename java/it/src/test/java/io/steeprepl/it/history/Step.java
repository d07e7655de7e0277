package io.steeprepl.it.history;

import java.util.List;

/** What happens at once; the next step begins when all of it has ended. */
sealed interface Step {
    /** Sessions that write at the same time. */
    record Burst(List<Work> works) implements Step {}

    /** A fault while sessions write. */
    record Storm(Fault fault, List<Work> works) implements Step {}

    record Trouble(Fault fault) implements Step {}

    /** Waits until all has arrived everywhere, unless something is broken. */
    record Calm() implements Step {}

    /** One transaction of a session on a node. */
    record Work(int node, List<Operation> operations) {}
}
