package io.steeprepl.daemon.audit;

import io.steeprepl.direct.WatcherEvent;
import org.jspecify.annotations.Nullable;

/**
 * An entry that waits.
 *
 * @param bytes about how much memory it holds
 */
record Entry(WatcherEvent event, long bytes) {
    private static final int LONGEST = 2000;
    private static final int EMPTY = 200;

    /** The texts may come from anywhere: PostgreSQL takes no zero bytes, and nobody reads the rest. */
    static Entry of(WatcherEvent event) {
        WatcherEvent clean = new WatcherEvent(
                event.at(),
                event.action(),
                event.targetType(),
                clean(event.targetId()),
                event.oldValue(),
                event.newValue(),
                event.clientIp(),
                clean(event.error()));
        long chars = length(clean.targetId())
                + length(clean.oldValue())
                + length(clean.newValue())
                + length(clean.clientIp())
                + length(clean.error());
        return new Entry(clean, EMPTY + 2 * chars);
    }

    private static @Nullable String clean(@Nullable String text) {
        if (text == null) {
            return null;
        }
        String whole = text.length() > LONGEST ? text.substring(0, LONGEST) + "…" : text;
        StringBuilder clean = new StringBuilder(whole.length());
        whole.codePoints().forEach(point -> {
            boolean bad = (Character.isISOControl(point) && point != '\n' && point != '\t')
                    || Character.getType(point) == Character.SURROGATE;
            clean.appendCodePoint(bad ? '?' : point);
        });
        return clean.toString();
    }

    private static long length(@Nullable String text) {
        return text == null ? 0 : text.length();
    }
}
