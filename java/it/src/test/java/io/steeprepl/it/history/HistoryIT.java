package io.steeprepl.it.history;

import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Random histories of conflicting writes and faults: all nodes end with the same rows, nothing is lost in silence, no stream
 * stops. {@link Options} says what can be set.
 */
class HistoryIT {
    @ParameterizedTest(name = "{0} nodes")
    @ValueSource(ints = {2, 3})
    void nodesAgreeAndNothingIsLostInSilence(int nodes) {
        Options options = Options.fromProperties();
        Assumptions.assumeTrue(options.nodes() == 0 || options.nodes() == nodes);
        new Histories(nodes, options).runAll();
    }
}
