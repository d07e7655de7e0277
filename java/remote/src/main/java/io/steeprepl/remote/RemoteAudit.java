package io.steeprepl.remote;

import com.fasterxml.jackson.core.type.TypeReference;
import io.steeprepl.api.AuditApi;
import io.steeprepl.api.AuditEntry;
import io.steeprepl.api.AuditFilter;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** {@link AuditApi} over a line. */
record RemoteAudit(Line line) implements AuditApi {
    static final Noun NOUN = new Noun("audit");

    private record Age(Duration olderThan) {}

    private static final Operation<AuditFilter, List<AuditEntry>> QUERY = NOUN.reading(
            "query",
            AuditFilter.class,
            Map.of("limit", 100),
            new TypeReference<>() {},
            (node, filter) -> node.audit().list(filter));

    private static final Operation<Age, Long> PRUNE = NOUN.changing(
            "prune",
            Age.class,
            new TypeReference<>() {},
            (node, in) -> node.audit().prune(in.olderThan));

    @Override
    public List<AuditEntry> list(AuditFilter filter) {
        return line.call(QUERY, filter);
    }

    @Override
    public long prune(Duration olderThan) {
        return line.call(PRUNE, new Age(olderThan));
    }
}
