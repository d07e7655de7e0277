package io.steeprepl.config;

import io.steeprepl.api.ApiException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.snakeyaml.engine.v2.nodes.Node;

/** Collects all that is wrong in one file. */
public final class Problems {
    private final List<Problem> found = new ArrayList<>();

    /** Of the file as a whole. */
    public void add(String message, String remedy) {
        found.add(new Problem(0, 0, "", message, remedy));
    }

    /** At a place that the parser names; both numbers from 1. */
    public void add(int line, int column, String message, String remedy) {
        found.add(new Problem(line, column, "", message, remedy));
    }

    /** At a part of the document. */
    public void add(Node node, String key, String message, String remedy) {
        found.add(new Problem(Yaml.line(node), Yaml.column(node), key, message, remedy));
    }

    /** At a value that has been read. */
    public void add(Located<?> value, String message, String remedy) {
        add(value.node(), value.key(), message, remedy);
    }

    /** Those of another collection. */
    public void addAll(Problems others) {
        found.addAll(others.found);
    }

    public boolean none() {
        return found.isEmpty();
    }

    public int count() {
        return found.size();
    }

    /** All of them, as the file is read. */
    public List<Problem> all() {
        return found.stream().sorted(Problem.ORDER).toList();
    }

    /** Throws {@link ApiException.Usage} with all of them when there are any. */
    public void refuse(ConfigPath file) {
        if (found.isEmpty()) {
            return;
        }
        throw new ApiException.Usage(
                summary(file), text(file), "nothing has been changed; all that could be found is listed");
    }

    /** How many there are, in one line. */
    public String summary(ConfigPath file) {
        int count = found.size();
        return "%s has %s".formatted(file.path().getFileName(), count == 1 ? "a problem" : count + " problems");
    }

    /** All of them, for people. */
    public String text(ConfigPath file) {
        return all().stream().map(problem -> problem.text(file)).collect(Collectors.joining("\n"));
    }
}
