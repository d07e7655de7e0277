package io.steeprepl.it.conflict;

import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What a and then b write, while a third node hears of it in some order, and what comes of it.
 *
 * @param before rows that all have
 * @param unique with a unique index on v
 * @param b its first write, and perhaps a second, all later than that of a
 * @param end rows that all end with
 * @param table the conflict logs, as {@link #logs} says
 */
record ThirdNodeStory(
        String name, List<String> before, boolean unique, String a, List<String> b, List<String> end, String table) {
    private static final String MAYBE = " maybe";
    private static final String SOMETHING = "?";

    /** When c hears the write of a: before, between or after those of b. */
    enum Order {
        ABB,
        BAB,
        BBA
    }

    static ThirdNodeStory story(String name) {
        return new ThirdNodeStory(name, List.of(), false, "", List.of(), List.of(), "");
    }

    ThirdNodeStory before(String... rows) {
        return new ThirdNodeStory(name, List.of(rows), unique, a, b, end, table);
    }

    ThirdNodeStory withUnique() {
        return new ThirdNodeStory(name, before, true, a, b, end, table);
    }

    ThirdNodeStory a(String write) {
        return new ThirdNodeStory(name, before, unique, write, b, end, table);
    }

    ThirdNodeStory b(String... writes) {
        return new ThirdNodeStory(name, before, unique, a, List.of(writes), end, table);
    }

    ThirdNodeStory ends(String... rows) {
        return new ThirdNodeStory(name, before, unique, a, b, List.of(rows), table);
    }

    /**
     * All entries, a line each: node, kind, who wrote what was here and what it was, who wrote what arrived and what it was, the row both
     * started from, who won. {@code -} is none, {@code *} one that depends on how the rest came. With c stand the orders in which it
     * has the entry; its entries are all marked possible, of others' those that say so. {@code maybe}: only while c remembers how old
     * the row is that was there before the story.
     */
    ThirdNodeStory logs(String lines) {
        return new ThirdNodeStory(name, before, unique, a, b, end, lines);
    }

    /** Of a transaction that moves rows on: who notes how much of it depends on how the rest came. */
    ThirdNodeStory logsSomething() {
        return logs(SOMETHING);
    }

    /** Whether it says which entries there are. */
    boolean told() {
        return !table.equals(SOMETHING);
    }

    /** The second write of b, or none. */
    String then() {
        return b.size() > 1 ? b.getLast() : "SELECT 1";
    }

    /** The entries that a node must have in that order, as {@link #line} writes them. */
    List<String> expected(String node, Order order) {
        return lines(node, order).filter(line -> !line.endsWith(MAYBE)).toList();
    }

    /** Those, and the ones that it may have. */
    List<String> allowed(String node, Order order) {
        return lines(node, order).map(line -> line.replace(MAYBE, " possible")).toList();
    }

    private Stream<String> lines(String node, Order order) {
        return table.lines()
                .map(line -> line.strip().split(" +", 2))
                .filter(line ->
                        line[0].equals(node) || (line[0].startsWith(node + "/") && line[0].contains(order.name())))
                .map(line -> String.join(" ", line[1].split(" +")))
                .map(line -> node.equals("c") && !line.endsWith(MAYBE) ? line + " possible" : line);
    }

    /** The entries that a node has, in the same form as the expected ones. */
    static List<String> actual(List<Entry> log, List<String> expected) {
        List<String> open =
                expected.stream().filter(line -> line.contains(" * ")).toList();
        return log.stream()
                .map(ThirdNodeStory::line)
                .map(line -> open.stream()
                        .filter(pattern -> line.matches(Stream.of(pattern.split(" "))
                                .map(word -> word.equals("*") ? "\\S+" : Pattern.quote(word))
                                .collect(Collectors.joining(" "))))
                        .findFirst()
                        .orElse(line))
                .toList();
    }

    private static String line(Entry entry) {
        // A row from before the story, all of which are of a, may be older than what a node remembers of its writer.
        String writer = entry.localOrigin().equals("-") && !entry.local().equals("-") ? "a" : entry.localOrigin();
        return "%s %s:%s %s:%s %s %s%s"
                .formatted(
                        entry.type(),
                        writer,
                        entry.local(),
                        entry.remoteOrigin(),
                        entry.remote(),
                        entry.base(),
                        entry.winner(),
                        entry.possible() ? " possible" : "");
    }
}
