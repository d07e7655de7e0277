package io.steeprepl.it.history;

import io.steeprepl.it.history.Step.Work;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Carries out a plan on a mesh. */
final class Driver implements AutoCloseable {
    private static final Duration CALM = Duration.ofSeconds(5);

    private final Mesh mesh;
    private final Breaker breaker;
    private final Drain drain;
    private int epoch;
    private final Map<List<Integer>, Session> sessions = new HashMap<>();

    Driver(Mesh mesh) {
        this.mesh = mesh;
        this.breaker = new Breaker(mesh);
        this.drain = new Drain(mesh);
    }

    /** Runs all steps and mends what they broke. */
    Run run(Plan plan) {
        Run run = new Run(plan);
        for (Step step : plan.steps()) {
            run.begin();
            switch (step) {
                case Step.Burst(List<Work> works) -> run.add(burst(works));
                case Step.Trouble(Fault fault) -> run.add(fault, breaker.happen(fault));
                case Step.Storm(Fault fault, List<Work> works) -> {
                    List<Running> running = start(works);
                    run.add(fault, breaker.happen(fault));
                    run.add(join(running));
                }
                case Step.Calm() -> {
                    if (breaker.allIsWell()) {
                        calm(run);
                    }
                }
            }
        }
        run.begin();
        breaker.mendAll();
        run.note(breaker.allIsWell() ? "all mended" : "not all could be mended");
        return run;
    }

    private void calm(Run run) {
        if (drain.within(CALM)) {
            epoch++;
            run.note("calm");
        } else {
            run.note("not calm within " + CALM.toSeconds() + " s");
        }
    }

    Drain drain() {
        return drain;
    }

    private record Running(Thread thread, Attempt attempt) {}

    private List<Attempt> burst(List<Work> works) {
        return join(start(works));
    }

    private List<Running> start(List<Work> works) {
        List<Running> running = new ArrayList<>();
        for (int i = 0; i < works.size(); i++) {
            Work work = works.get(i);
            Session session =
                    sessions.computeIfAbsent(List.of(work.node(), i), key -> new Session(mesh.node(work.node())));
            Attempt attempt = new Attempt(work.node(), epoch);
            running.add(new Running(Thread.ofVirtual().start(() -> session.run(work, attempt)), attempt));
        }
        return running;
    }

    private static List<Attempt> join(List<Running> running) {
        try {
            for (Running one : running) {
                one.thread().join();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
        return running.stream().map(Running::attempt).toList();
    }

    @Override
    public void close() {
        sessions.values().forEach(Session::close);
    }
}
