package io.steeprepl.remote.windows;

import java.util.Set;

/** The rules of who may open a pipe, and whose pipe is trusted. Accounts are their SIDs. */
final class PipeTrust {
    /** The system's own account, and the administrators, to whom belongs what one of them makes. */
    private static final Set<String> BY_ALL = Set.of("S-1-5-18", "S-1-5-32-544");

    private PipeTrust() {}

    /** What is that account's: open to it, the system and administrators, to nobody else and by no inheritance (SDDL). */
    static String descriptor(String account) {
        return "O:%1$sD:P(A;;GA;;;SY)(A;;GA;;;BA)(A;;GA;;;%1$s)".formatted(account);
    }

    /**
     * Whether somebody who made the pipe of that name may be told what is for the daemon: this account, the system, an
     * administrator, or the service of the same name. Not the accounts that many services share.
     */
    static boolean trusts(String owner, String me, PipeName name) {
        return owner.equals(me)
                || BY_ALL.contains(owner)
                || owner.equals(ServiceSid.of(name.text().substring(PipeName.FOLDER.length())));
    }
}
