package io.steeprepl.remote.ipc;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.UserPrincipal;

/**
 * Accounts, told apart by their numbers, as the system does: in a container one may have no name, and Java then calls this
 * process's account by another one than the owner of its files.
 */
public final class Account {
    private static final Path PROCESS = Path.of("/proc/self");

    private Account() {}

    /** Holds what is asked for once: who this process is. */
    private static final class Own {
        static final UserPrincipal ACCOUNT = find();

        private static UserPrincipal find() {
            try {
                if (Files.exists(PROCESS)) {
                    return Files.getOwner(PROCESS);
                }
                Path file = Files.createTempFile("steep-repl", "");
                try {
                    return Files.getOwner(file);
                } finally {
                    Files.delete(file);
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    /** Whether it is the account of this process. Principals of one number are equal, whatever their names. */
    public static boolean isOwn(UserPrincipal account) {
        return account.equals(Own.ACCOUNT);
    }

    /** Whether it is the one that may do everything. */
    public static boolean isRoot(UserPrincipal account) {
        // Without an entry of its own the number is its name.
        return account.getName().equals("root") || account.getName().equals("0");
    }

    /** Whether this process may do everything. */
    public static boolean isRoot() {
        return isRoot(Own.ACCOUNT);
    }
}
