//! Writing under a replication origin together with other processes (replorigin_session_setup in
//! src/backend/replication/logical/origin.c; the SQL function lets one process use an origin at a time).

use pgrx::pg_sys;
use std::ffi::CString;

/// From now on what this process writes has the origin of that name, which process `owner` holds. Raises an error when it
/// does not hold it.
pub fn share(name: &str, owner: i32) {
    let name = CString::new(name).unwrap_or_default();
    // SAFETY: in a transaction; the state is this process's own, and is given back when it ends.
    unsafe {
        let origin = pg_sys::replorigin_by_name(name.as_ptr(), false);
        pg_sys::replorigin_session_setup(origin, owner);
        pg_sys::replorigin_session_origin = origin;
    }
}
