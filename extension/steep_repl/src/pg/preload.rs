//! Whether the postmaster is loading shared_preload_libraries right now.

use pgrx::pg_sys;

pub fn in_progress() -> bool {
    // SAFETY: a plain global of the server (miscadmin.h).
    unsafe { pg_sys::process_shared_preload_libraries_in_progress }
}
