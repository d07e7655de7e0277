//! Why apply workers failed: the last error of each, from the hook in `pg/log_hook.rs`, for SQL.
//!
//! Under a lock of its own: the process that writes here is about to end.

use crate::shared::Text;
use pgrx::prelude::*;
use pgrx::{PGRXSharedMemory, PgLwLock, pg_shmem_init};

/// More subscriptions than that push out whose error is the oldest.
const PLACES: usize = 64;

/// What is known of the apply worker of one subscription.
#[derive(Copy, Clone, Default)]
pub struct ApplyError {
    /// OID of the subscription, unique in the server; 0 marks a free place.
    pub subscription: u32,
    /// When the error came (microseconds, as TimestampTz); 0 without one.
    pub at: i64,
    pub sqlstate: Text<5>,
    pub message: Text<1024>,
    pub detail: Text<1024>,
    /// What the worker was doing, in the server's words.
    pub context: Text<512>,
    pub table: Text<192>,
    /// The end of the peer's transaction that failed, 0 outside of one.
    pub finished_at: u64,
    /// Which change of that transaction, from 1; 0 outside of one.
    pub change: u32,
    /// Lines "conflict detected" that were kept out of the server log.
    pub native_conflicts: u64,
    /// The commit time at the peer of the last transaction that was applied (TimestampTz); 0 when none was yet.
    pub applied_until: i64,
}

#[derive(Copy, Clone)]
struct ApplyErrors([ApplyError; PLACES]);

impl Default for ApplyErrors {
    fn default() -> Self {
        Self([ApplyError::default(); PLACES])
    }
}

// SAFETY: plain data without pointers.
unsafe impl PGRXSharedMemory for ApplyErrors {}

// SAFETY: the name is ours alone.
static ERRORS: PgLwLock<ApplyErrors> = unsafe { PgLwLock::new(c"steep_repl_apply_errors") };

/// Asks the postmaster for the memory; only from _PG_init in shared_preload_libraries.
pub fn request() {
    pg_shmem_init!(ERRORS);
}

impl ApplyErrors {
    fn place(&mut self, subscription: u32) -> &mut ApplyError {
        let known = self.0.iter().position(|e| e.subscription == subscription);
        let place = known
            .or_else(|| self.0.iter().position(|e| e.subscription == 0))
            .unwrap_or_else(|| self.0.iter().enumerate().min_by_key(|(_, e)| e.at).map_or(0, |(oldest, _)| oldest));
        if self.0[place].subscription != subscription {
            self.0[place] = ApplyError { subscription, ..Default::default() };
        }
        &mut self.0[place]
    }
}

/// Notes the error that ends an apply worker.
pub fn note(subscription: u32, error: &ApplyError) {
    let mut errors = ERRORS.exclusive();
    let place = errors.place(subscription);
    *place = ApplyError {
        subscription,
        native_conflicts: place.native_conflicts,
        applied_until: place.applied_until,
        ..*error
    };
}

/// Counts a line of a native conflict.
pub fn count_conflict(subscription: u32) {
    ERRORS.exclusive().place(subscription).native_conflicts += 1;
}

/// Notes that a transaction of the peer has been applied.
pub fn applied(subscription: u32, commit_time: i64) {
    ERRORS.exclusive().place(subscription).applied_until = commit_time;
}

/// The commit time at the peer of the last transaction that was applied, in microseconds since 2000; NULL when that is not
/// known.
#[pg_extern(sql = false)]
fn applied_until(subscription: pg_sys::Oid) -> Option<i64> {
    if !crate::shared::available() {
        return None;
    }
    let errors = ERRORS.share();
    errors
        .0
        .iter()
        .find(|e| e.subscription == subscription.to_u32())
        .map(|e| e.applied_until)
        .filter(|until| *until != 0)
}

/// The last error of the apply worker of a subscription, and how many lines of native conflicts were kept out of the
/// server log. NULL when nothing is known.
#[pg_extern(sql = false)]
fn apply_error(subscription: pg_sys::Oid) -> Option<pgrx::JsonB> {
    if !crate::shared::available() {
        return None;
    }
    let found = ERRORS.share().0.iter().find(|e| e.subscription == subscription.to_u32()).copied()?;
    let some = |text: String| (!text.is_empty()).then_some(text);
    Some(pgrx::JsonB(serde_json::json!({
        "at": (found.at != 0).then_some(found.at).and_then(|at| TimestampWithTimeZone::try_from(at).ok()),
        "sqlstate": some(found.sqlstate.get()),
        "message": some(found.message.get()),
        "detail": some(found.detail.get()),
        "context": some(found.context.get()),
        "table": some(found.table.get()),
        "finished_at": (found.finished_at != 0)
            .then(|| format!("{:X}/{:X}", found.finished_at >> 32, found.finished_at & 0xffff_ffff)),
        "change": found.change,
        "native_conflicts": found.native_conflicts,
    })))
}

/// Forgets the error of an apply worker that has got over it, unless it is later than that.
#[pg_extern(sql = false)]
fn forget_apply_error(subscription: pg_sys::Oid, before: TimestampWithTimeZone) {
    if crate::shared::available() {
        let mut errors = ERRORS.exclusive();
        if let Some(place) =
            errors.0.iter_mut().find(|e| e.subscription == subscription.to_u32() && e.at < i64::from(before))
        {
            *place = ApplyError {
                subscription: place.subscription,
                native_conflicts: place.native_conflicts,
                applied_until: place.applied_until,
                ..Default::default()
            };
        }
    }
}
