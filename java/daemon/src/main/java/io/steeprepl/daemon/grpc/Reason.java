package io.steeprepl.daemon.grpc;

/**
 * Why somebody was turned away.
 *
 * @param kind the same for all to whom the same is to be said; never what the other side has sent
 * @param text for people: printable, and short whatever the other side has sent
 */
public record Reason(String kind, String text) {
    private static final int LONGEST = 200;

    /** Cleans the text. */
    public Reason(String kind, String text) {
        this.kind = kind;
        this.text = printable(text);
    }

    /** What a stranger has sent may be of any length, and hold line ends and control characters. */
    static String printable(String text) {
        StringBuilder clean = new StringBuilder();
        text.codePoints().limit(LONGEST).forEach(point -> clean.appendCodePoint(isPlain(point) ? point : '?'));
        return text.codePointCount(0, Math.min(text.length(), 2 * LONGEST + 2)) > LONGEST
                ? clean.append('…').toString()
                : clean.toString();
    }

    private static boolean isPlain(int point) {
        return switch (Character.getType(point)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.SURROGATE,
                    Character.PRIVATE_USE,
                    Character.UNASSIGNED,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR -> false;
            default -> true;
        };
    }
}
