package io.steeprepl.api;

/** The version of this build; the extension's is asked from the server. */
public final class Version {
    /** As in the build's own files, which a test compares. */
    public static final String CURRENT = "0.2.0";

    private Version() {}
}
