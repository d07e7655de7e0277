//! The moment at which an apply worker starts to receive: the server's table of WAL receiver functions, with our own
//! function for the start (src/include/replication/walreceiver.h).

use super::peer_connection::Connection;
use super::{apply_receive, commit_time, transaction};
use crate::conflict::session;
use crate::stream_guard;
use pgrx::pg_sys;
use std::ffi::{CStr, c_void};
use std::mem::ManuallyDrop;

unsafe extern "C" {
    // src/include/replication/worker_internal.h; set in the workers of logical replication only.
    static MyLogicalRepWorker: *mut c_void;
}

static mut ORIGINAL: Option<pg_sys::WalReceiverFunctionsType> = None;
static mut OURS: Option<pg_sys::WalReceiverFunctionsType> = None;

/// Puts our function into the table; once, in the postmaster.
pub fn install() {
    // SAFETY: _PG_init runs once, before other processes exist; they inherit the loaded library and the table.
    unsafe {
        if pg_sys::WalReceiverFunctions.is_null() {
            pg_sys::load_file(c"libpqwalreceiver".as_ptr(), false);
        }
        let original = *pg_sys::WalReceiverFunctions;
        ORIGINAL = Some(original);
        OURS = Some(pg_sys::WalReceiverFunctionsType {
            walrcv_startstreaming: Some(start),
            walrcv_receive: Some(apply_receive::receive),
            ..original
        });
        #[allow(static_mut_refs, reason = "the server keeps the address for the life of the process")]
        if let Some(ours) = OURS.as_mut() {
            pg_sys::WalReceiverFunctions = ours;
        }
    }
}

/// The server's own functions.
///
/// # Safety
/// After `install`.
pub unsafe fn original() -> &'static pg_sys::WalReceiverFunctionsType {
    #[allow(static_mut_refs, reason = "written once, before other processes exist")]
    // SAFETY: by the caller.
    unsafe { ORIGINAL.as_ref() }.expect("installed")
}

#[pgrx::pg_guard]
unsafe extern "C-unwind" fn start(
    connection: *mut pg_sys::WalReceiverConn,
    options: *const pg_sys::WalRcvStreamOptions,
) -> bool {
    // SAFETY: the server passes a connection and options that live through the call.
    unsafe {
        let of_apply_worker = !MyLogicalRepWorker.is_null() && (*options).logical && !(*options).slotname.is_null();
        if of_apply_worker {
            let slot = CStr::from_ptr((*options).slotname).to_string_lossy();
            // Table synchronisation has slots of its own, which are new.
            if slot.starts_with("steep_repl_") {
                // The connection stays the server's: it must not be closed here.
                let mut borrowed = ManuallyDrop::new(Connection::borrow(connection));
                stream_guard::check(&mut borrowed, &slot, (*options).startpoint);
                transaction::around(|| session::begin(&slot, commit_time::session_origin()));
            }
        }
        let original = original().walrcv_startstreaming.expect("walrcv_startstreaming");
        pg_sys::submodules::ffi::pg_guard_ffi_boundary(|| original(connection, options))
    }
}
