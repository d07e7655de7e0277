package io.steeprepl.api;

import java.time.Duration;
import java.util.List;

/** The audit log. All methods throw {@link ApiException}. */
public interface AuditApi {
    /** The entries that fit, newest first. */
    List<AuditEntry> list(AuditFilter filter);

    /**
     * Removes old entries; the removal is audited itself.
     *
     * @param olderThan how old an entry must be to go
     * @return how many went
     */
    long prune(Duration olderThan);
}
