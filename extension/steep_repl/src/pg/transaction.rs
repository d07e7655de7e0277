//! Transactions of a background worker.

use super::{extension, sqlstate};
use pgrx::PgTryBuilder;
use pgrx::pg_sys;
use pgrx::pg_sys::panic::CaughtError;
use std::cell::Cell;
use std::panic::AssertUnwindSafe;

thread_local! {
    static KEEPS_LOCKS: Cell<bool> = const { Cell::new(false) };
    static LOST_LOCKS: Cell<bool> = const { Cell::new(false) };
}

/// From now on locks of the session outlive errors: the end of a transaction that fails gives them back too (ProcReleaseLocks in
/// src/backend/storage/lmgr/proc.c), so what fails is a part of one that does not.
pub fn keep_locks() {
    KEEPS_LOCKS.set(true);
}

/// Whether they are gone all the same: a transaction failed when it was to be committed.
pub fn lost_locks() -> bool {
    LOST_LOCKS.get()
}

/// The ERROR that rolled a transaction back.
pub struct Failed {
    pub text: String,
    pub sqlstate: String,
}

impl From<String> for Failed {
    fn from(text: String) -> Self {
        Self { text, sqlstate: String::from("XX000") }
    }
}

/// Runs `body`, a step of the worker, in a transaction of its own. An ERROR rolls it back and comes back as its text; the process goes on.
/// The extension cannot be dropped meanwhile.
///
/// The activity and statement start are set, so that pg_stat_activity shows what the worker does.
pub fn in_transaction<R>(activity: &str, body: impl FnOnce() -> R) -> Result<R, String> {
    attempt_beginning(activity, extension::hold, body).map_err(|failed| failed.text)
}

/// The same; the ERROR comes back with its SQLSTATE. Nothing is held: it may take hours, or wait for another process.
pub fn attempt<R>(activity: &str, body: impl FnOnce() -> R) -> Result<R, Failed> {
    attempt_beginning(activity, || (), body)
}

/// The same; `begin` runs before the transaction has a snapshot, and may give it one (`shared_moment`).
pub fn attempt_beginning<R>(activity: &str, begin: impl FnOnce(), body: impl FnOnce() -> R) -> Result<R, Failed> {
    let text = std::ffi::CString::new(activity).unwrap_or_default();
    // SAFETY: the frame of a background worker's transaction, as in src/test/modules/worker_spi.
    unsafe {
        pg_sys::SetCurrentStatementStartTimestamp();
        pg_sys::StartTransactionCommand();
        pg_sys::pgstat_report_activity(pg_sys::BackendState::STATE_RUNNING, text.as_ptr());
    }
    let watch = sqlstate::Watch::begin();
    let outcome = PgTryBuilder::new(AssertUnwindSafe(|| {
        begin();
        // SAFETY: in the transaction that was started above.
        unsafe { pg_sys::PushActiveSnapshot(pg_sys::GetTransactionSnapshot()) };
        let result = if KEEPS_LOCKS.get() { in_subtransaction_unless(|_| false, body) } else { Ok(body()) };
        // SAFETY: ends what was begun above; commit may raise, which the handler below catches.
        unsafe {
            if pg_sys::ActiveSnapshotSet() {
                pg_sys::PopActiveSnapshot();
            }
            pg_sys::CommitTransactionCommand();
        }
        result
    }))
    .catch_others(|error| Err(failed(&error)))
    .catch_rust_panic(|error| Err(failed(&error)))
    .execute();
    drop(watch);
    // SAFETY: after an error the transaction must be aborted before anything else.
    unsafe {
        if outcome.is_err() {
            LOST_LOCKS.set(LOST_LOCKS.get() || KEEPS_LOCKS.get() && is_open());
            pg_sys::AbortCurrentTransaction();
        }
        pg_sys::pgstat_report_stat(true);
        pg_sys::pgstat_report_activity(pg_sys::BackendState::STATE_IDLE, std::ptr::null());
    }
    outcome
}

/// Shows in pg_stat_activity what the open transaction does now.
pub fn show(activity: &str) {
    let text = std::ffi::CString::new(activity).unwrap_or_default();
    // SAFETY: the text is copied.
    unsafe { pg_sys::pgstat_report_activity(pg_sys::BackendState::STATE_RUNNING, text.as_ptr()) };
}

/// The number of the open transaction, which gets one if it has none.
pub fn number() -> u32 {
    // SAFETY: a transaction is open.
    unsafe { pg_sys::GetTopTransactionId() }.into()
}

/// Whether a transaction is open, so that catalogues can be read.
pub fn is_open() -> bool {
    // SAFETY: a plain look at the process's own state.
    unsafe { pg_sys::IsTransactionState() }
}

/// Runs `body` in a transaction when the process has none open, as an apply worker between transactions. Errors are
/// the caller's.
pub fn around<R>(body: impl FnOnce() -> R) -> R {
    // SAFETY: the frame of a transaction, as above; an error that leaves it is cleaned up by the worker's own handler.
    unsafe {
        let own = !is_open();
        if own {
            pg_sys::StartTransactionCommand();
            pg_sys::PushActiveSnapshot(pg_sys::GetTransactionSnapshot());
        }
        let result = body();
        if own {
            pg_sys::PopActiveSnapshot();
            pg_sys::CommitTransactionCommand();
        }
        result
    }
}

fn failed(error: &CaughtError) -> Failed {
    let report = match error {
        CaughtError::PostgresError(report) | CaughtError::ErrorReport(report) => report,
        CaughtError::RustPanic { ereport, .. } => ereport,
    };
    let text = match report.detail() {
        Some(detail) if !detail.is_empty() => format!("{} ({detail})", report.message()),
        _ => report.message().to_owned(),
    };
    let sqlstate = match error {
        CaughtError::PostgresError(_) => sqlstate::last(),
        _ => sqlstate::unpacked(report.sql_error_code() as i32),
    };
    Failed { text, sqlstate }
}

/// Runs `body` in the transaction that an apply worker has open between two changes, as one step of it.
pub fn within_apply<R>(body: impl FnOnce() -> R) -> R {
    // SAFETY: the frame of begin_replication_step and end_replication_step (src/backend/replication/logical/worker.c).
    unsafe {
        if !is_open() {
            pg_sys::StartTransactionCommand();
        }
        pg_sys::PushActiveSnapshot(pg_sys::GetTransactionSnapshot());
        let result = body();
        pg_sys::PopActiveSnapshot();
        pg_sys::CommandCounterIncrement();
        result
    }
}

/// The id of the transaction, or subtransaction, that is open.
pub fn current_xid() -> u32 {
    // SAFETY: within a transaction; takes an id when it has none.
    unsafe { pg_sys::GetCurrentTransactionId().into() }
}

/// From here to the end of the open subtransaction nothing can be written.
pub fn read_only() {
    // SAFETY: a flag of this process; the end of the subtransaction puts it back (src/backend/access/transam/xact.c).
    unsafe { pg_sys::XactReadOnly = true }
}

/// Runs `body` in a subtransaction. An error that trying again cannot change undoes it and comes back; others go on.
pub fn in_subtransaction<R>(body: impl FnOnce() -> R) -> Result<R, Failed> {
    in_subtransaction_unless(|failed| !hopeless(&failed.sqlstate), body)
}

/// The same for code of a user's, whose errors may have any SQLSTATE: all come back but those of the server's own troubles.
pub fn in_users_subtransaction<R>(body: impl FnOnce() -> R) -> Result<R, Failed> {
    in_subtransaction_unless(|failed| passes(&failed.sqlstate), body)
}

fn in_subtransaction_unless<R>(goes_on: fn(&Failed) -> bool, body: impl FnOnce() -> R) -> Result<R, Failed> {
    // SAFETY: the frame of plpgsql's exception blocks (exec_stmt_block in src/pl/plpgsql/src/pl_exec.c).
    unsafe {
        let context = pg_sys::CurrentMemoryContext;
        let owner = pg_sys::CurrentResourceOwner;
        let snapshots = pg_sys::ActiveSnapshotSet();
        debug_assert!(snapshots);
        pg_sys::BeginInternalSubTransaction(std::ptr::null());
        pg_sys::MemoryContextSwitchTo(context);
        let watch = sqlstate::Watch::begin();
        let outcome = PgTryBuilder::new(AssertUnwindSafe(|| Ok(body())))
            .catch_others(|error| {
                let failed = failed(&error);
                if goes_on(&failed) {
                    error.rethrow();
                }
                Err(failed)
            })
            .execute();
        drop(watch);
        if outcome.is_ok() {
            pg_sys::ReleaseCurrentSubTransaction();
        } else {
            pg_sys::RollbackAndReleaseCurrentSubTransaction();
        }
        pg_sys::MemoryContextSwitchTo(context);
        pg_sys::CurrentResourceOwner = owner;
        outcome
    }
}

/// Whether trying again cannot help against an error: data, constraints, missing objects and rights, whatever users' own code raises, and
/// the server's word for a missing column (55000, logicalrep_report_missing_or_gen_attrs in
/// src/backend/replication/logical/relation.c). Not what passes by itself, or is the server's own trouble: connections, deadlocks,
/// locks, lack of space, shutdown, read-only times, foreign servers, internal errors.
#[pgrx::pg_extern(sql = false)]
fn hopeless(sqlstate: &str) -> bool {
    const PASSES: [&str; 12] = ["08", "25", "28", "40", "53", "55", "57", "58", "72", "F0", "HV", "XX"];
    sqlstate == "55000" || sqlstate.get(..2).is_some_and(|class| !PASSES.contains(&class))
}

/// What users' code does not do by itself, and trying again may change: deadlocks, resources, cancellations and shutdowns,
/// the system.
fn passes(sqlstate: &str) -> bool {
    matches!(sqlstate.get(..2), Some("53" | "57" | "58")) || sqlstate == "40P01"
}
