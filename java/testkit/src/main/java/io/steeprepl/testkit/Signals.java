package io.steeprepl.testkit;

import java.util.List;
import java.util.stream.Collectors;

/** Signals to processes, by id. */
final class Signals {
    private Signals() {}

    static void send(String signal, List<Long> pids) {
        // The shell's own kill: the program is not installed everywhere. A process that is gone already is no error.
        String all = pids.stream().map(String::valueOf).collect(Collectors.joining(" "));
        Processes.run(List.of("sh", "-c", "kill -s " + signal + " " + all));
    }
}
