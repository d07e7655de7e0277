package io.steeprepl.it.conflict;

/** The strategies of tables, as conflicts of two writes see them. */
enum Rule {
    LAST("last_write_wins", ""),
    FIRST("first_write_wins", ""),
    A_BEFORE_B("node_priority", ", priority => '{a,b}'"),
    B_FIRST("node_priority", ", priority => '{b}'"),
    MERGE("column_merge", ""),
    SUM("last_write_wins", ", delta_columns => '{n}'"),
    FUNCTION("function", ", resolver => 'joined'"),
    OWN("keep_local", ""),
    OTHER("apply_remote", ""),
    BY_HAND("manual", "");

    /** What FUNCTION asks. */
    static final String JOINED =
            "CREATE FUNCTION joined(local jsonb, remote jsonb, base jsonb, versions jsonb) RETURNS jsonb LANGUAGE sql"
                    + " RETURN remote || jsonb_build_object('v', (local->>'v') || '+' || (remote->>'v'))";

    private final String strategy;
    private final String arguments;

    Rule(String strategy, String arguments) {
        this.strategy = strategy;
        this.arguments = arguments;
    }

    void give(Table table) {
        table.strategy(strategy, arguments);
    }

    boolean folds() {
        return this == MERGE || this == SUM || this == FUNCTION;
    }

    /** Whether all nodes end with the same. */
    boolean converges() {
        return this != OWN && this != OTHER && this != BY_HAND;
    }

    /** What an entry on a node says. */
    String decision(String winner, String node, boolean byTime) {
        if (this == BY_HAND && !byTime) {
            return "local PENDING";
        }
        return winner.equals(node) ? "local KEPT_LOCAL" : "remote APPLIED_REMOTE";
    }

    /** Whose write stands on a node; where rows are folds, the later. */
    String winner(String node, String first, String second) {
        return switch (this) {
            case FIRST -> first;
            case A_BEFORE_B -> "a";
            case B_FIRST -> "b";
            case OWN, BY_HAND -> node;
            case OTHER -> node.equals(first) ? second : first;
            default -> second;
        };
    }
}
