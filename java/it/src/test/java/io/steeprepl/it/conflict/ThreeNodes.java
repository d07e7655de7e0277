package io.steeprepl.it.conflict;

/** Gives tests one mesh of three nodes. */
final class ThreeNodes extends TwoNodes {
    ThreeNodes() {
        super(3);
    }
}
