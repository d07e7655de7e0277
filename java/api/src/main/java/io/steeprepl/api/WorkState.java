package io.steeprepl.api;

import java.util.Locale;

/** Where work in the background stands. */
public enum WorkState {
    PENDING,
    RUNNING,
    COMPLETE,
    FAILED,
    CANCELLED;

    /** The state of that name, as SQL writes it. */
    public static WorkState of(String name) {
        return valueOf(name.toUpperCase(Locale.ROOT));
    }

    /** As SQL writes it. */
    public String text() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** Whether nothing more happens unless somebody asks for it. */
    public boolean ended() {
        return this != PENDING && this != RUNNING;
    }
}
