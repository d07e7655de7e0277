package io.steeprepl.it.history.oracle;

import java.util.List;

/** Judges the end of a history. */
public final class Oracle {
    private static final List<Rule> RULES = List.of(
            new SameRows(),
            new WholeRows(),
            new NothingLost(),
            new UniqueValues(),
            new LatestStands(),
            new StrategyStands(),
            new FoldStands(),
            new OneRowOneKey(),
            new LoggedOnce(),
            new NoFalseConflict());

    private Oracle() {}

    /** All breaches of the rules that must hold once the streams have drained. */
    public static List<Violation> judge(Evidence evidence) {
        return RULES.stream().flatMap(rule -> rule.check(evidence).stream()).toList();
    }

    /** All conflicts that are not proven or not decided: nodes take their time for that. */
    public static List<Violation> judgeProofs(Evidence evidence) {
        return new AllProven().check(evidence);
    }
}
