package io.steeprepl.it.conflict;

import static io.steeprepl.it.conflict.ThirdNodeStory.story;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/** What a and b write for {@link ThirdNodeIT}, and what comes of it; how to read the tables says {@link ThirdNodeStory#logs}. */
final class ThirdNodeStories {
    private static final String[] ONE = {"(1, 'old')"};
    private static final String[] TWO = {"(1, 'x')", "(2, 'y')"};
    private static final String[] THREE = {"(1, 'x')", "(2, 'y')", "(3, 'z')"};
    private static final String SWAP =
            "UPDATE item SET id = 9 WHERE id = 1; UPDATE item SET id = 1 WHERE id = 2; UPDATE item SET id = 2 WHERE id = 9";

    private ThirdNodeStories() {}

    /** Key changes, each as "from to", in one transaction; the rows are signed, so that those of two nodes differ. */
    private static String turn(String signature, String... moves) {
        return Arrays.stream(moves)
                .map(move -> move.split(" "))
                .map(keys -> "UPDATE item SET id = " + keys[1] + ", v = v || '" + signature + "' WHERE id = " + keys[0])
                .collect(Collectors.joining("; "));
    }

    /** b has not seen what a writes: one of the two loses something. */
    static final List<ThirdNodeStory> UNSEEN = List.of(
            story("insert, insert")
                    .a("INSERT INTO item VALUES (1, 'early')")
                    .b("INSERT INTO item VALUES (1, 'late')")
                    .ends("1|late")
                    .logs("""
                    a          INSERT-INSERT  a:1|early  b:1|late  -      remote possible
                    b          INSERT-INSERT  b:1|late   a:1|early -      local
                    c/ABB      INSERT-INSERT  a:1|early  b:1|late  -      remote
                    c/BAB,BBA  INSERT-INSERT  b:1|late   a:1|early -      local
                    """),
            story("update, update")
                    .before(ONE)
                    .a("UPDATE item SET v = 'early'")
                    .b("UPDATE item SET v = 'late'")
                    .ends("1|late")
                    .logs("""
                    a          UPDATE-UPDATE  a:1|early  b:1|late  1|old  remote
                    b          UPDATE-UPDATE  b:1|late   a:1|early 1|old  local
                    c/ABB      UPDATE-UPDATE  a:1|early  b:1|late  1|old  remote
                    c/BAB,BBA  UPDATE-UPDATE  b:1|late   a:1|early 1|old  local
                    """),
            story("update, update twice")
                    .before(ONE)
                    .a("UPDATE item SET v = 'early'")
                    .b("UPDATE item SET v = 'late'", "UPDATE item SET v = 'latest'")
                    .ends("1|latest")
                    .logs("""
                    a          UPDATE-UPDATE  a:1|early  b:1|late  1|old  remote
                    b          UPDATE-UPDATE  b:1|latest a:1|early 1|old  local
                    c/ABB      UPDATE-UPDATE  a:1|early  b:1|late  1|old  remote
                    c/BAB      UPDATE-UPDATE  b:1|late   a:1|early 1|old  local
                    c/BBA      UPDATE-UPDATE  b:1|latest a:1|early 1|old  local
                    """),
            story("update, delete")
                    .before(ONE)
                    .a("UPDATE item SET v = 'early'")
                    .b("DELETE FROM item")
                    .logs("""
                    a          UPDATE-DELETE  a:1|early  b:-       1|old  remote
                    b          UPDATE-DELETE  b:-        a:1|early 1|old  local
                    c/ABB      UPDATE-DELETE  a:1|early  b:-       1|old  remote
                    c/BAB,BBA  UPDATE-DELETE  b:-        a:1|early 1|old  local
                    """),
            story("delete, update")
                    .before(ONE)
                    .a("DELETE FROM item")
                    .b("UPDATE item SET v = 'late'")
                    .ends("1|late")
                    .logs("""
                    a          UPDATE-DELETE  a:-        b:1|late  1|old  remote
                    b          UPDATE-DELETE  b:1|late   a:-       1|old  local
                    c/ABB      UPDATE-DELETE  a:-        b:1|late  1|old  remote
                    c/BAB,BBA  UPDATE-DELETE  b:1|late   a:-       1|old  local
                    """),
            story("delete, delete and insert")
                    .before(ONE)
                    .a("DELETE FROM item")
                    .b("DELETE FROM item", "INSERT INTO item VALUES (1, 'late')")
                    .ends("1|late")
                    .logs("""
                    b          DELETE-INSERT  b:1|late   a:-       1|old  local
                    c/BBA      DELETE-INSERT  b:1|late   a:-       1|old  local
                    """),
            story("insert again, delete")
                    .before(ONE)
                    .a("DELETE FROM item; INSERT INTO item VALUES (1, 'early')")
                    .b("DELETE FROM item")
                    .logs("""
                    a          DELETE-INSERT  a:1|early  b:-       1|old  remote
                    b          DELETE-INSERT  b:-        a:1|early 1|old  local
                    c/ABB      DELETE-INSERT  a:1|early  b:-       1|old  remote
                    c/BAB,BBA  DELETE-INSERT  b:-        a:1|early 1|old  local
                    """),
            story("update, delete and insert")
                    .before(ONE)
                    .a("UPDATE item SET v = 'early'")
                    .b("DELETE FROM item", "INSERT INTO item VALUES (1, 'late')")
                    .ends("1|late")
                    .logs("""
                    a          UPDATE-DELETE  a:1|early  b:-       1|old  remote
                    b          UPDATE-UPDATE  b:1|late   a:1|early 1|old  local
                    c/ABB      UPDATE-DELETE  a:1|early  b:-       1|old  remote
                    c/BAB      UPDATE-DELETE  b:-        a:1|early 1|old  local
                    c/BBA      UPDATE-UPDATE  b:1|late   a:1|early 1|old  local
                    """),
            story("move, move")
                    .before(ONE)
                    .a("UPDATE item SET id = 2")
                    .b("UPDATE item SET id = 3")
                    .ends("3|old")
                    .logs("""
                    a          KEY-UPDATE     a:-        b:3|old   1|old  remote
                    b          KEY-UPDATE     b:-        a:2|old   1|old  local
                    c/ABB      KEY-UPDATE     a:-        b:3|old   1|old  remote
                    c/BAB,BBA  KEY-UPDATE     b:-        a:2|old   1|old  local
                    """),
            story("move, move twice")
                    .before(ONE)
                    .a("UPDATE item SET id = 2")
                    .b("UPDATE item SET id = 3", "UPDATE item SET id = 4")
                    .ends("4|old")
                    .logs("""
                    a          KEY-UPDATE     a:-        b:3|old   1|old  remote
                    b          KEY-UPDATE     b:-        a:2|old   1|old  local
                    c/ABB      KEY-UPDATE     a:-        b:3|old   1|old  remote
                    c/BAB,BBA  KEY-UPDATE     b:-        a:2|old   1|old  local
                    """),
            story("move, update")
                    .before(ONE)
                    .a("UPDATE item SET id = 2")
                    .b("UPDATE item SET v = 'late'")
                    .ends("1|late")
                    .logs("""
                    a          KEY-UPDATE     a:-        b:1|late  1|old  remote
                    b          KEY-UPDATE     b:1|late   a:2|old   1|old  local
                    c/ABB      KEY-UPDATE     a:-        b:1|late  1|old  remote
                    c/BAB,BBA  KEY-UPDATE     b:1|late   a:2|old   1|old  local
                    """),
            story("update, move")
                    .before(ONE)
                    .a("UPDATE item SET v = 'early'")
                    .b("UPDATE item SET id = 2")
                    .ends("2|old")
                    .logs("""
                    a          KEY-UPDATE     a:1|early  b:2|old   1|old  remote
                    b          KEY-UPDATE     b:-        a:1|early 1|old  local
                    c/ABB      KEY-UPDATE     a:1|early  b:2|old   1|old  remote
                    c/BAB,BBA  KEY-UPDATE     b:-        a:1|early 1|old  local
                    """),
            story("move, delete")
                    .before(ONE)
                    .a("UPDATE item SET id = 2")
                    .b("DELETE FROM item")
                    .logs("""
                    a          KEY-UPDATE     a:-        b:-       1|old  remote
                    b          KEY-UPDATE     b:-        a:2|old   1|old  local
                    c/ABB      KEY-UPDATE     a:-        b:-       1|old  remote
                    c/BAB,BBA  KEY-UPDATE     b:-        a:2|old   1|old  local
                    """),
            story("delete, move")
                    .before(ONE)
                    .a("DELETE FROM item")
                    .b("UPDATE item SET id = 2")
                    .ends("2|old")
                    .logs("""
                    a          KEY-UPDATE     a:-        b:2|old   1|old  remote
                    b          KEY-UPDATE     b:-        a:-       1|old  local
                    c/ABB      KEY-UPDATE     a:-        b:2|old   1|old  remote
                    c/BAB,BBA  KEY-UPDATE     b:-        a:-       1|old  local
                    """),
            story("swap, update")
                    .before(TWO)
                    .a(SWAP)
                    .b("UPDATE item SET v = 'late' WHERE id = 1")
                    .ends("1|late")
                    .logs("""
                    a          UPDATE-UPDATE  a:1|y      b:1|late  1|x    remote
                    a          KEY-UPDATE     b:1|late   b:-       -      nobody
                    b          KEY-UPDATE     b:1|late   a:9|x     1|x    local
                    b          KEY-UPDATE     b:1|late   a:1|y     2|y    local
                    b          KEY-UPDATE     -:-        a:2|x     9|x    local
                    c/ABB      UPDATE-UPDATE  a:1|y      b:1|late  1|x    remote
                    c/BAB,BBA  KEY-UPDATE     b:1|late   a:9|x     1|x    local
                    c/BAB,BBA  KEY-UPDATE     b:1|late   a:1|y     2|y    local
                    c/BAB,BBA  KEY-UPDATE     -:-        a:2|x     9|x    local maybe
                    """),
            story("swap, swap of other rows")
                    .before(THREE)
                    .a(turn("a", "1 9", "2 1", "9 2"))
                    .b(turn("b", "1 9", "3 1", "9 3"))
                    .ends("1|zb", "3|xbb")
                    .logsSomething(),
            story("move on, move on")
                    .before(ONE)
                    .a(turn("a", "1 9", "9 2"))
                    .b(turn("b", "1 9", "9 3"))
                    .ends("3|oldbb")
                    .logsSomething(),
            story("move on, move")
                    .before(ONE)
                    .a(turn("a", "1 9", "9 2"))
                    .b(turn("b", "1 9"))
                    .ends("9|oldb")
                    .logsSomething(),
            story("one value, two keys")
                    .withUnique()
                    .a("INSERT INTO item VALUES (1, 'x')")
                    .b("INSERT INTO item VALUES (2, 'x')")
                    .ends("2|x")
                    .logs("""
                    a          UNIQUE         a:1|x      b:2|x     -      remote possible
                    b          UNIQUE         b:2|x      a:1|x     -      local
                    c/ABB      UNIQUE         a:1|x      b:2|x     -      remote
                    c/BAB,BBA  UNIQUE         b:2|x      a:1|x     -      local
                    """),
            story("one value, given up again")
                    .withUnique()
                    .a("INSERT INTO item VALUES (1, 'x')")
                    .b("INSERT INTO item VALUES (2, 'x')", "UPDATE item SET v = 'w'")
                    .ends("2|w")
                    .logs("""
                    a          UNIQUE         a:1|x      b:2|x     -      remote possible
                    c/ABB      UNIQUE         a:1|x      b:2|x     -      remote
                    c/BAB      UNIQUE         b:2|x      a:1|x     -      local
                    """));

    /** b has seen what a writes: nobody loses anything, which c cannot know when it hears b first. */
    static final List<ThirdNodeStory> SEEN = List.of(
            story("insert, update, update")
                    .a("INSERT INTO item VALUES (1, 'x')")
                    .b("UPDATE item SET v = 'y'", "UPDATE item SET v = 'z'")
                    .ends("1|z")
                    .logs("""
                    c/BAB      INSERT-INSERT  b:1|y      a:1|x     -      local
                    c/BBA      INSERT-INSERT  b:1|z      a:1|x     -      local
                    """),
            story("insert, delete, insert")
                    .a("INSERT INTO item VALUES (1, 'x')")
                    .b("DELETE FROM item", "INSERT INTO item VALUES (1, 'z')")
                    .ends("1|z")
                    .logs("""
                    c/BAB      DELETE-INSERT  b:-        a:1|x     1|x    local
                    c/BBA      INSERT-INSERT  b:1|z      a:1|x     -      local
                    """),
            story("update, delete")
                    .before(ONE)
                    .a("UPDATE item SET v = 'x'")
                    .b("DELETE FROM item")
                    .logs("""
                    c/BAB,BBA  UPDATE-DELETE  a:1|old    b:-       1|x    remote
                    c/BAB,BBA  UPDATE-DELETE  b:-        a:1|x     *      local
                    """),
            story("delete, insert, delete")
                    .before(ONE)
                    .a("DELETE FROM item")
                    .b("INSERT INTO item VALUES (1, 'y')", "DELETE FROM item")
                    .logs("""
                    c/BAB,BBA  INSERT-INSERT  a:1|old    b:1|y     -      remote maybe
                    c/BAB      UPDATE-DELETE  b:1|y      a:-       1|old  local
                    """),
            story("move, update")
                    .before(ONE)
                    .a("UPDATE item SET id = 2")
                    .b("UPDATE item SET v = 'late'")
                    .ends("2|late")
                    .logs("""
                    c/BAB,BBA  KEY-UPDATE     b:2|late   a:2|old   1|old  local
                    """),
            story("move, move back")
                    .before(ONE)
                    .a("UPDATE item SET id = 2")
                    .b("UPDATE item SET id = 1")
                    .ends("1|old")
                    .logs("""
                    c/BAB,BBA  KEY-UPDATE     a:1|old    b:1|old   2|old  remote
                    c/BAB,BBA  KEY-UPDATE     b:1|old    a:2|old   1|old  local
                    c/BAB,BBA  KEY-UPDATE     b:-        a:2|old   2|old  local
                    """),
            story("move, insert, move away")
                    .before(ONE)
                    .a("UPDATE item SET id = 2")
                    .b("INSERT INTO item VALUES (1, 'new')", "UPDATE item SET id = 3 WHERE id = 1")
                    .ends("2|old", "3|new")
                    .logs("""
                    c/BAB,BBA  INSERT-INSERT  a:1|old    b:1|new   -      remote maybe
                    c/BAB      KEY-UPDATE     b:1|new    a:2|old   1|old  local
                    c/BBA      KEY-UPDATE     b:-        a:2|old   1|old  local
                    """),
            story("swap, swap").before(TWO).a(SWAP).b(SWAP).ends("1|x", "2|y").logs("""
                    c/BAB,BBA  KEY-UPDATE     a:1|x      b:9|y     1|y    remote
                    c/BAB,BBA  KEY-UPDATE     a:2|y      b:1|x     2|x    remote
                    c/BAB,BBA  KEY-UPDATE     b:1|x      a:9|x     1|x    local
                    c/BAB,BBA  KEY-UPDATE     b:-        a:9|x     9|y    local
                    c/BAB,BBA  KEY-UPDATE     b:2|y      a:1|y     2|y    local
                    c/BAB,BBA  KEY-UPDATE     b:1|x      a:1|y     2|y    local
                    c/BAB,BBA  KEY-UPDATE     b:-        a:2|x     9|x    local
                    c/BAB,BBA  KEY-UPDATE     b:2|y      a:2|x     9|x    local
                    """),
            story("give a value up, take it")
                    .withUnique()
                    .before(ONE)
                    .a("UPDATE item SET v = 'other'")
                    .b("INSERT INTO item VALUES (2, 'old')")
                    .ends("1|other", "2|old")
                    .logs("""
                    c/BAB,BBA  UNIQUE         a:1|old    b:2|old   -      remote
                    """),
            story("delete, take its value")
                    .withUnique()
                    .before(ONE)
                    .a("DELETE FROM item")
                    .b("INSERT INTO item VALUES (2, 'old')", "UPDATE item SET v = 'w'")
                    .ends("2|w")
                    .logs("""
                    c/BAB,BBA  UNIQUE         a:1|old    b:2|old   -      remote
                    """));
}
