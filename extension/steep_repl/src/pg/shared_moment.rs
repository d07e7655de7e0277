//! One snapshot for several transactions: what pg_export_snapshot() and SET TRANSACTION SNAPSHOT do
//! (src/backend/utils/time/snapmgr.c), where no session runs them.

use pgrx::pg_sys;
use std::ffi::{CStr, CString};

/// At the beginning of a transaction: it sees the database as of one moment, and writes nothing.
pub fn hold() {
    // SAFETY: flags of the transaction that was just started (SET TRANSACTION in src/backend/commands/variable.c).
    unsafe {
        pg_sys::XactIsoLevel = pg_sys::XACT_REPEATABLE_READ as i32;
        pg_sys::XactReadOnly = true;
    }
}

/// The same, as of the moment that another transaction has exported and still holds. Raises an error otherwise.
pub fn join(exported: &str) {
    hold();
    let name = CString::new(exported).unwrap_or_default();
    // SAFETY: before the transaction has a snapshot.
    unsafe { pg_sys::ImportSnapshot(name.as_ptr()) }
}

/// Lets others join this transaction's moment until it ends; the name of it.
pub fn export() -> String {
    // SAFETY: in a transaction that holds its moment; the name is palloc'd.
    unsafe {
        let name = pg_sys::ExportSnapshot(pg_sys::GetActiveSnapshot());
        CStr::from_ptr(name).to_string_lossy().into_owned()
    }
}
