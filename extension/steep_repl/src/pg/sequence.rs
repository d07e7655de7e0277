//! Sequences: taking values, and moving them outside of any transaction (src/backend/commands/sequence.c).

use super::acting_as::ActingAs;
use super::plan::{self, Argument};
use pgrx::pg_sys;
use pgrx::pg_sys::submodules::ffi::pg_guard_ffi_boundary;

unsafe extern "C-unwind" {
    // src/include/commands/sequence.h
    fn nextval_internal(sequence: pg_sys::Oid, check_permissions: bool) -> i64;
}

/// Where a sequence stands.
pub struct Position {
    /// The value that it gives next, unless a process has put some aside; None past the last one.
    pub next: Option<i64>,
    /// The values that a process puts aside at a time.
    pub cache: i64,
}

/// A value, which is then the session's currval(). Whoever inserts may take it: the column's default is the sequence.
pub fn next_value(sequence: pg_sys::Oid) -> i64 {
    // SAFETY: takes its own locks, raises errors.
    unsafe { pg_guard_ffi_boundary(|| nextval_internal(sequence, false)) }
}

/// Has a sequence give `value` next. Not undone with the transaction.
pub fn move_to(sequence: pg_sys::Oid, value: i64) {
    plan::rows(
        "SELECT pg_catalog.setval($1::regclass, $2, false)::text",
        &[Argument::oid(sequence), Argument::of(Some(value))],
    );
}

/// Where a sequence stands now, whatever the snapshot.
pub fn position(sequence: pg_sys::Oid) -> Option<Position> {
    let rows = plan::latest(
        "SELECT steep_repl._position($1)::text, s.seqcache::text FROM pg_catalog.pg_sequence s WHERE s.seqrelid = $1",
        &[Argument::oid(sequence)],
    );
    let row = rows.into_iter().next()?;
    let number = |place: usize| row[place].as_deref().and_then(|value| value.parse().ok());
    Some(Position { next: number(0), cache: number(1)? })
}

/// The value that this session has last had of a sequence; None when it has had none.
pub fn current_value(sequence: pg_sys::Oid) -> Option<i64> {
    let rows = plan::rows("SELECT steep_repl._current_value($1)::text", &[Argument::oid(sequence)]);
    rows.into_iter().next()?.into_iter().next()??.parse().ok()
}

/// Runs `body` while nobody else moves the sequence from range to range. Held by the transaction only until `body` ends:
/// other sessions that insert wait for it.
pub fn held<R>(sequence: pg_sys::Oid, body: impl FnOnce() -> R) -> R {
    lock(sequence);
    let result = body();
    // SAFETY: taken above; after an error the server releases it with the transaction.
    unsafe { pg_sys::UnlockDatabaseObject(SEQUENCES, sequence, 0, EXCLUSIVE) };
    result
}

/// Keeps others from moving a sequence until the end of the transaction.
pub fn lock(sequence: pg_sys::Oid) {
    let _as = ActingAs::extension();
    // SAFETY: a lock of the lock manager; nobody else uses this kind for sequences (src/backend/storage/lmgr/lmgr.c).
    unsafe { pg_sys::LockDatabaseObject(SEQUENCES, sequence, 0, EXCLUSIVE) };
}

const EXCLUSIVE: i32 = pg_sys::ExclusiveLock as i32;
/// pg_sequence (src/include/catalog/pg_sequence.h).
const SEQUENCES: pg_sys::Oid = pg_sys::Oid::from_u32(2224);

/// The timeline on which this server writes: another one than before after a restore to an earlier point, and after a
/// standby has become the primary (src/backend/access/transam/xlog.c).
pub fn timeline() -> u32 {
    // SAFETY: reads shared state; no server in recovery gets here, because nothing is inserted there.
    unsafe { if pg_sys::RecoveryInProgress() { 0 } else { pg_sys::GetWALInsertionTimeLine() } }
}
