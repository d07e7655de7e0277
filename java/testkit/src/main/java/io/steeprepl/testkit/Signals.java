package io.steeprepl.testkit;

import java.util.ArrayList;
import java.util.List;

/** Signals to processes, by id. */
final class Signals {
    private Signals() {}

    static void send(String signal, List<Long> pids) {
        List<String> command = new ArrayList<>(List.of("kill", "-" + signal));
        pids.forEach(pid -> command.add(Long.toString(pid)));
        Processes.run(command);
    }
}
