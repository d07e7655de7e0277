package io.steeprepl.it.history.oracle;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Nothing is lost in silence. A write whose row stands nowhere was read by another write, or is the loser of a logged
 * conflict, whole. A deletion is lost when what it deleted lives on in a row.
 */
final class NothingLost implements Rule {
    @Override
    public List<Violation> check(Evidence evidence) {
        Map<Long, Write> writes = evidence.byId();
        Set<Long> read = evidence.readByOthers();
        Set<Long> held = evidence.held();
        Set<Long> alive = held.stream()
                .flatMap(write -> Evidence.line(write, writes).stream())
                .collect(Collectors.toSet());
        List<Violation> violations = new ArrayList<>();
        for (Write write : evidence.writes().stream()
                .filter(w -> !evidence.folded().containsKey(w.table()))
                .toList()) {
            if (write.kind() == Write.Kind.DELETE) {
                if (alive.contains(write.read())
                        && !deletionIsLogged(write, writes, evidence)
                        && !movedToAnotherPartition(write, alive, evidence)) {
                    violations.add(lost(write, "what it deleted lives on, and no conflict_log has that"));
                }
            } else if (!held.contains(write.id()) && !read.contains(write.id())) {
                List<Entry.Side> logged = losers(evidence, write)
                        .filter(side -> Objects.equals(side.write(), write.id()))
                        .toList();
                if (logged.isEmpty()) {
                    violations.add(
                            lost(write, "no row has it, nobody had read it, and it is the loser in no conflict_log"));
                } else if (logged.stream().noneMatch(side -> Objects.equals(side.text(), write.row()))) {
                    violations.add(lost(
                            write,
                            "conflict_log does not have it whole: "
                                    + Texts.brief(
                                            String.valueOf(logged.getFirst().text())) + ", written was "
                                    + Texts.brief(String.valueOf(write.row()))));
                }
            }
        }
        return violations;
    }

    private static Stream<Entry.Side> losers(Evidence evidence, Write write) {
        return evidence.log().stream()
                .filter(e -> e.table().equals(write.table()))
                .flatMap(Entry::mentioned);
    }

    /**
     * Without before-images a log may not know what was deleted; then the key must do, or the row that lives on: it may have
     * another key by now. The row that the deletion met may have been changed since, on the node that logged it.
     */
    private static boolean deletionIsLogged(Write deletion, Map<Long, Write> writes, Evidence evidence) {
        return evidence.log().stream()
                .filter(e -> e.table().equals(deletion.table()))
                .filter(e -> e.mentioned().anyMatch(Entry.Side::isDeletion))
                .anyMatch(e -> e.base() != null
                        ? Evidence.line(e.base(), writes).contains(deletion.read())
                        : Objects.equals(e.key(), deletion.before())
                                || Stream.of(e.local(), e.remote())
                                        .filter(side -> side.write() != null)
                                        .anyMatch(side -> Evidence.line(Objects.requireNonNull(side.write()), writes)
                                                .contains(deletion.read())));
    }

    /** For the server a move between partitions is a deletion and an insertion: both sides deleted the old key. */
    private static boolean movedToAnotherPartition(Write deletion, Set<Long> alive, Evidence evidence) {
        return deletion.table().equals(OneRowOneKey.PARTED)
                && evidence.writes().stream()
                        .filter(w -> w.kind() == Write.Kind.MOVE && alive.contains(w.id()))
                        .anyMatch(w -> Objects.equals(w.read(), deletion.read()));
    }

    private static Violation lost(Write write, String why) {
        Set<Integer> keys = Stream.of(write.before(), write.after())
                .filter(Objects::nonNull)
                .collect(Collectors.toSet());
        return new Violation("LOST", write + ": " + why, keys);
    }
}
