package io.steeprepl.cli.demo;

import java.time.Duration;
import java.util.List;

/** How people watch the offices write. */
interface View {
    /** How often it wants to show something. */
    Duration every();

    /** Shows how things are, {@code after} the writing began. */
    void show(Duration after, List<Sample> offices);
}
