//! When the transaction that wrote a row committed, and with which origin number
//! (src/backend/access/transam/commit_ts.c).

use pgrx::pg_sys;

/// What a row's xmin tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writer {
    /// The transaction that is open in this process.
    Ours,
    /// Commit time (TimestampTz) and origin number; 0 is a session of this database.
    Committed { time: i64, origin: u16, xid: u32 },
    /// Frozen at its making, or older than the memory of commit times.
    Unknown,
}

/// The writer of the row version whose header is `tuple`.
///
/// # Safety
/// `tuple` is the header of a tuple that lies in a table.
pub unsafe fn of(tuple: pg_sys::HeapTupleHeader) -> Writer {
    // SAFETY: by the caller. VACUUM's freezing only sets hint bits and leaves the raw xmin.
    unsafe {
        let frozen = u32::from((*tuple).t_infomask) & pg_sys::HEAP_XMIN_FROZEN == pg_sys::HEAP_XMIN_FROZEN;
        let xid = pg_sys::htup::HeapTupleHeaderGetRawXmin(tuple);
        // After four billion transactions a frozen xmin may look like a recent one.
        if frozen && pg_sys::ReadNextFullTransactionId().value > u64::from(u32::MAX) {
            return Writer::Unknown;
        }
        of_xid(xid)
    }
}

/// The same for a transaction id.
pub fn of_xid(xid: pg_sys::TransactionId) -> Writer {
    // SAFETY: reads shared state only; out-of-range ids give false.
    unsafe {
        if u32::from(xid) < 3 {
            return Writer::Unknown;
        }
        let (mut time, mut origin) = (0, 0);
        if pg_sys::TransactionIdGetCommitTsData(xid, &mut time, &mut origin) {
            return Writer::Committed { time, origin, xid: xid.into() };
        }
        if pg_sys::TransactionIdIsCurrentTransactionId(xid) { Writer::Ours } else { Writer::Unknown }
    }
}

/// The origin number under which this process writes, 0 without one.
pub fn session_origin() -> u16 {
    // SAFETY: a plain global of the process (origin.h).
    unsafe { pg_sys::replorigin_session_origin }
}

/// This server's clock, as commit times are (TimestampTz).
pub fn now() -> i64 {
    // SAFETY: no arguments, no state.
    unsafe { pg_sys::GetCurrentTimestamp() }
}
