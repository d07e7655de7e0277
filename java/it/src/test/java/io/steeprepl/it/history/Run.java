package io.steeprepl.it.history;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/** What has happened, step by step. */
final class Run {
    /** Something that happened in a step: attempts, or a line about a fault. */
    record Event(int step, Duration at, String line, List<Attempt> attempts) {}

    private final Plan plan;
    private final Instant begun = Instant.now();
    private final List<Event> events = new ArrayList<>();
    private int step;

    Run(Plan plan) {
        this.plan = plan;
    }

    void begin() {
        step++;
    }

    void add(List<Attempt> attempts) {
        events.add(new Event(step, since(), "", attempts));
    }

    void add(Fault fault, String outcome) {
        note(fault + ": " + outcome);
    }

    void note(String line) {
        events.add(new Event(step, since(), line, List.of()));
    }

    Plan plan() {
        return plan;
    }

    List<Event> events() {
        return events;
    }

    List<Attempt> attempts() {
        return events.stream().flatMap(e -> e.attempts().stream()).toList();
    }

    private Duration since() {
        return Duration.between(begun, Instant.now());
    }
}
