package io.steeprepl.testkit;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** Under which account servers run: PostgreSQL refuses root, so as root they run as an ordinary account. */
final class Account {
    private static final boolean ROOT = "0".equals(Processes.output(List.of("id", "-u")));
    private static final String NAME = ROOT ? ordinary() : System.getProperty("user.name");

    private Account() {}

    static boolean isRoot() {
        return ROOT;
    }

    private static String ordinary() {
        return Processes.output(List.of("id", "-u", "postgres")).isEmpty() ? "nobody" : "postgres";
    }

    /** The command as it runs under that account, with an environment without PG* variables. */
    static List<String> command(List<String> command) {
        List<String> whole = new ArrayList<>();
        if (ROOT) {
            String group = Processes.output(List.of("id", "-gn", NAME));
            boolean setpriv = Files.isExecutable(Path.of("/usr/bin/setpriv"));
            whole.addAll(
                    setpriv
                            ? List.of("setpriv", "--reuid", NAME, "--regid", group, "--clear-groups")
                            : List.of("runuser", "-u", NAME, "--"));
        }
        whole.addAll(command);
        return whole;
    }

    /** Gives a tree to that account. */
    static void give(Path tree) {
        if (!ROOT) {
            return;
        }
        try (Stream<Path> files = Files.walk(tree)) {
            var owner = tree.getFileSystem().getUserPrincipalLookupService().lookupPrincipalByName(NAME);
            for (Path file : (Iterable<Path>) files::iterator) {
                Files.setOwner(file, owner);
            }
        } catch (IOException e) {
            throw new TestkitException("cannot give " + tree + " to " + NAME, e);
        }
    }

    /** Whether that account can reach a file: every folder above it must let others in. */
    static boolean canRead(Path file) {
        return !ROOT
                || Processes.run(command(List.of("test", "-r", file.toString())))
                                .code()
                        == 0;
    }
}
