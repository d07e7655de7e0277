package io.steeprepl.it.history;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Draws faults, and mends what is broken sooner or later. */
final class Troubles {
    private final Random random;
    private final int nodes;
    private final List<Fault> open = new ArrayList<>();

    Troubles(Random random, int nodes) {
        this.random = random;
        this.nodes = nodes;
    }

    Fault next() {
        if (!open.isEmpty() && random.nextInt(3) == 0) {
            return remedy(open.remove(random.nextInt(open.size())));
        }
        int one = random.nextInt(nodes);
        int other = (one + 1 + random.nextInt(nodes - 1)) % nodes;
        int dice = random.nextInt(100);
        if (dice < 40) {
            return open(new Fault.Pause(one, other));
        } else if (dice < 65) {
            return open(new Fault.Cut(Math.min(one, other), Math.max(one, other)));
        } else if (dice < 80) {
            return new Fault.EndApply(one, other, false);
        } else if (dice < 85) {
            return new Fault.EndApply(one, other, true);
        } else if (dice < 92) {
            return new Fault.EndSend(one, other);
        }
        return open(new Fault.Kill(one));
    }

    private Fault open(Fault fault) {
        if (open.contains(fault)) {
            open.remove(fault);
            return remedy(fault);
        }
        open.add(fault);
        return fault;
    }

    static Fault remedy(Fault fault) {
        return switch (fault) {
            case Fault.Pause(int receiver, int sender) -> new Fault.Resume(receiver, sender);
            case Fault.Cut(int one, int other) -> new Fault.Mend(one, other);
            case Fault.Kill(int node) -> new Fault.Start(node);
            case Fault.Resume _, Fault.Mend _, Fault.Start _, Fault.EndApply _, Fault.EndSend _ -> fault;
        };
    }
}
