package io.steeprepl.cli.progress;

import io.steeprepl.api.SteepRepl;
import java.util.function.Consumer;

/**
 * How work is cancelled.
 *
 * @param command what to run to do it later
 * @param now does it
 */
public record Cancel(String command, Consumer<SteepRepl> now) {}
