package io.steeprepl.config.repl;

import io.steeprepl.config.Located;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What differs between two readings of the section, as names of keys.
 *
 * @param live counts from now on
 * @param restart counts from the next start on
 */
public record Changes(List<String> live, List<String> restart) {
    /** What was read, to be compared; opaque to others. */
    public static final class Basis {
        private final Values values;

        Basis(Values values) {
            this.values = values;
        }

        Optional<Located<?>> place(String key) {
            return Keys.all().stream()
                    .filter(known -> known.name().equals(key))
                    .findFirst()
                    .flatMap(known -> values.at(known).map(at -> at));
        }

        Values withLiveOf(Basis next) {
            return values.withLiveOf(next.values);
        }
    }

    static Changes between(Basis before, Basis after) {
        List<String> live = new ArrayList<>();
        List<String> restart = new ArrayList<>();
        for (Key<?> key : before.values.differing(after.values)) {
            (key.live() ? live : restart).add(key.name());
        }
        return new Changes(live, restart);
    }

    /** Whether nothing differs. */
    public boolean none() {
        return live.isEmpty() && restart.isEmpty();
    }
}
