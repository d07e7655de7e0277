package io.steeprepl.direct;

/**
 * The version of a server.
 *
 * @param text as it says it, such as 18.6
 */
public record ServerVersion(int major, String text) {
    /** The oldest that the extension runs on. */
    public static final int OLDEST = 18;

    /** Whether the extension can be there. */
    public boolean supported() {
        return major >= OLDEST;
    }
}
