//! Takes old conflicts and old work out of their logs, once a minute.

use crate::pg::transaction::in_transaction;
use crate::{guc, sql};
use std::cell::Cell;
use std::time::{Duration, Instant};

/// Rows a transaction. A full batch is followed by the next one in the next round of the worker.
const BATCH: i32 = 10_000;
const PAUSE: Duration = Duration::from_secs(60);

thread_local! {
    /// When the log was last pruned, and with which limits: others take effect at once.
    static LAST: Cell<Option<(Instant, i32, i32)>> = const { Cell::new(None) };
}

/// Prunes one batch when it is time to.
pub fn if_due() -> Result<(), String> {
    let (age, rows) = (guc::CONFLICT_LOG_MAX_AGE.get(), guc::CONFLICT_LOG_MAX_ROWS.get());
    if LAST.get().is_some_and(|(at, a, r)| at.elapsed() < PAUSE && (a, r) == (age, rows)) {
        return Ok(());
    }
    // Also when it fails: that is then said once a minute.
    LAST.set(Some((Instant::now(), age, rows)));
    in_transaction("forgetting old work", || sql::text("SELECT steep_repl._prune_work()::text", &[]))?;
    let query = "SELECT steep_repl._prune_conflicts(make_interval(secs => nullif($1, 0)), nullif($2, 0), $3)::text";
    let removed =
        in_transaction("pruning the conflict log", || sql::text(query, &[age.into(), rows.into(), BATCH.into()]))?;
    if removed == Some(BATCH.to_string()) {
        LAST.set(None);
    }
    Ok(())
}
