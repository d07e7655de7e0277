package io.steeprepl.it.history.oracle;

import java.util.List;

/** Something that must hold at the end of a history. */
@FunctionalInterface
interface Rule {
    List<Violation> check(Evidence evidence);
}
