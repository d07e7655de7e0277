package io.steeprepl.remote.windows;

/** What this process runs on. */
public final class ThisSystem {
    private ThisSystem() {}

    /** Whether it is Windows. */
    public static boolean isWindows() {
        return isWindows(System.getProperty("os.name", ""));
    }

    /** The same of a system as Java calls it. */
    public static boolean isWindows(String system) {
        return system.startsWith("Windows");
    }
}
