package io.steeprepl.cli.demo;

import io.steeprepl.testkit.Proxy;
import java.time.Duration;
import java.util.List;

/** The network between the two offices, which can be cut: all that one node sends to the other goes through it. */
final class Line implements AutoCloseable {
    private static final String STATES = "SELECT peer, state, last_error FROM steep_repl.subscription_status()";

    private final List<Office> offices;
    private final List<Proxy> proxies;

    /** Between two offices. */
    Line(Office first, Office second) {
        this.offices = List.of(first, second);
        this.proxies =
                offices.stream().map(o -> new Proxy(o.node().server().port())).toList();
    }

    /** Links the two, both ways. */
    void link() {
        for (int i = 0; i < 2; i++) {
            subscribe(i, conninfo(1 - i, proxies.get(1 - i).port()));
        }
        awaitStreaming();
    }

    /** Ends all connections and lets none through; returns when both offices have noticed. */
    void cut() {
        proxies.forEach(Proxy::cut);
        Wait.until(() -> offices.stream().noneMatch(Line::receives), () -> "the cut was not noticed: " + states());
    }

    /** Lets the offices reach each other again; returns how long they took to be linked again. */
    Duration mend() {
        proxies.forEach(Proxy::mend);
        return awaitStreaming();
    }

    /** Has the offices reach each other without this, which ends with the demo. */
    void replaceByDirect() {
        List<String> before = workers();
        for (int i = 0; i < 2; i++) {
            subscribe(i, conninfo(1 - i, offices.get(1 - i).node().server().port()));
        }
        Wait.until(() -> workers().stream().noneMatch(before::contains), () -> "still on the old line: " + states());
        awaitStreaming();
    }

    /** The processes that receive. */
    private List<String> workers() {
        return offices.stream()
                .map(o -> o + " " + o.node().query("SELECT pid FROM pg_stat_subscription WHERE pid IS NOT NULL"))
                .toList();
    }

    private Duration awaitStreaming() {
        return Wait.until(
                () -> offices.stream().allMatch(Line::receives), () -> "the offices are not linked: " + states());
    }

    /** Whether it is connected: the state of the link is only looked at from time to time. */
    private static boolean receives(Office office) {
        return office.node()
                .query(
                        "SELECT count(*) FROM steep_repl.subscription_status() s JOIN pg_stat_subscription p ON p.pid IS NOT NULL"
                                + " WHERE s.state = 'streaming' AND p.latest_end_time IS NOT NULL")
                .equals("1");
    }

    private void subscribe(int receiver, String conninfo) {
        offices.get(receiver).node().query("SELECT steep_repl.subscribe('" + conninfo + "')");
    }

    private String conninfo(int sender, int port) {
        return "host=127.0.0.1 port=" + port + " dbname="
                + offices.get(sender).node().database() + " user=postgres";
    }

    private String states() {
        return offices.stream()
                .map(o -> o + " " + o.node().rows(STATES))
                .toList()
                .toString();
    }

    @Override
    public void close() {
        proxies.forEach(Proxy::close);
    }
}
