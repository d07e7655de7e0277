package io.steeprepl.it.history;

import io.steeprepl.testkit.TestkitException;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Makes faults happen, knows what is broken, and mends it. */
final class Breaker {
    private static final Duration START = Duration.ofSeconds(60);

    private final Mesh mesh;
    private final Set<Fault> broken = new LinkedHashSet<>();

    Breaker(Mesh mesh) {
        this.mesh = mesh;
    }

    boolean allIsWell() {
        return broken.isEmpty();
    }

    /** What came of it, for the trace. */
    String happen(Fault fault) {
        try {
            switch (fault) {
                case Fault.Pause(int receiver, int sender) -> {
                    broken.add(fault);
                    mesh.eye(receiver).value("SELECT steep_repl.pause('" + id(sender) + "')");
                }
                case Fault.Resume(int receiver, int sender) -> {
                    mesh.eye(receiver).value("SELECT steep_repl.resume('" + id(sender) + "')");
                    broken.remove(new Fault.Pause(receiver, sender));
                }
                case Fault.Cut(int one, int other) -> {
                    broken.add(fault);
                    mesh.link(one, other).cut();
                    mesh.link(other, one).cut();
                }
                case Fault.Mend(int one, int other) -> {
                    mesh.link(one, other).mend();
                    mesh.link(other, one).mend();
                    broken.remove(new Fault.Cut(one, other));
                }
                case Fault.Kill(int node) -> {
                    broken.add(fault);
                    mesh.node(node).server().kill9();
                }
                case Fault.Start(int node) -> {
                    mesh.node(node).server().start();
                    broken.remove(new Fault.Kill(node));
                }
                case Fault.EndApply(int receiver, int sender, boolean hard) -> endApply(receiver, sender, hard);
                case Fault.EndSend(int sender, int receiver) ->
                    mesh.eye(sender)
                            .value(
                                    "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = steep_repl._link_name('"
                                            + id(receiver) + "', '" + id(sender) + "')");
            }
            return "done";
        } catch (SQLException | TestkitException e) {
            return String.valueOf(e.getMessage()).lines().findFirst().orElse("");
        }
    }

    private void endApply(int receiver, int sender, boolean hard) throws SQLException {
        String pid = mesh.eye(receiver)
                .value(
                        "SELECT s.pid FROM pg_stat_subscription s JOIN steep_repl.links l ON l.subscription = s.subid WHERE l.peer = '"
                                + id(sender) + "' AND s.pid IS NOT NULL");
        if (pid == null) {
            return;
        }
        if (!hard) {
            mesh.eye(receiver).value("SELECT pg_terminate_backend(" + pid + ")");
            return;
        }
        Optional<ProcessHandle> process = ProcessHandle.of(Long.parseLong(pid));
        if (process.isEmpty()) {
            return;
        }
        process.get().destroyForcibly();
        Instant deadline = Instant.now().plus(START);
        // The postmaster ends all processes and recovers by itself.
        while (mesh.eye(receiver).sees()
                && Instant.now().isBefore(deadline.minus(START).plusSeconds(30))) {
            Pause.briefly();
        }
        while (!mesh.eye(receiver).sees() && Instant.now().isBefore(deadline)) {
            Pause.briefly();
        }
    }

    /** Mends all; returns when all nodes answer and nothing is paused. */
    void mendAll() {
        for (Fault fault : List.copyOf(broken)) {
            if (fault instanceof Fault.Kill) {
                happen(Troubles.remedy(fault));
            }
        }
        Instant deadline = Instant.now().plus(START);
        while (!broken.isEmpty() && Instant.now().isBefore(deadline)) {
            for (Fault fault : List.copyOf(broken)) {
                happen(Troubles.remedy(fault));
            }
            if (!broken.isEmpty()) {
                Pause.briefly();
            }
        }
    }

    private String id(int node) {
        return mesh.node(node).id();
    }
}
