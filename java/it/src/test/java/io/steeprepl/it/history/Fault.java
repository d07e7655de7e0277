package io.steeprepl.it.history;

/** What goes wrong, or right again. Nodes are numbers from 0 on; a link is named by who receives and who sends. */
sealed interface Fault {
    record Pause(int receiver, int sender) implements Fault {}

    record Resume(int receiver, int sender) implements Fault {}

    /** Cuts the network between two nodes, in both directions. */
    record Cut(int one, int other) implements Fault {}

    record Mend(int one, int other) implements Fault {}

    /** SIGKILL for the postmaster. */
    record Kill(int node) implements Fault {}

    record Start(int node) implements Fault {}

    /** Ends the process that applies what comes from the sender; with SIGKILL the whole server begins anew. */
    record EndApply(int receiver, int sender, boolean hard) implements Fault {}

    /** Ends the process that sends to the receiver. */
    record EndSend(int sender, int receiver) implements Fault {}
}
