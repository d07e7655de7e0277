package io.steeprepl.daemon.grpc;

/** What somebody who is let in may have done. */
enum Rights {
    /** Health, and calls that change nothing: what nodes need of each other, and more than they ask; what readers are for. */
    READING,
    /** All that the daemon's role may do in the database. */
    ALL
}
