//! COPY of a query's rows, in text format, to a callback (BeginCopyTo in src/backend/commands/copyto.c).

use pgrx::pg_sys;
use std::cell::Cell;
use std::ffi::CString;

/// Takes rows, without their ends of line.
pub trait Taker {
    /// May raise an error.
    fn take(&mut self, row: &[u8]);
}

thread_local! {
    // The server's callback has no argument for it.
    static TAKER: Cell<Option<*mut dyn Taker>> = const { Cell::new(None) };
}

/// Runs a SELECT with the rights that the process has and gives each row to `taker`. How many rows.
pub fn copy_out(query: &str, taker: &mut dyn Taker) -> u64 {
    let text = CString::new(query).unwrap_or_default();
    // SAFETY: the borrow outlives the copy, and Clear takes the pointer away when it ends.
    let taker = unsafe { std::mem::transmute::<&mut dyn Taker, &'static mut dyn Taker>(taker) };
    TAKER.set(Some(std::ptr::from_mut(taker)));
    let _clear = Clear;
    // SAFETY: the sequence of DoCopy() for a query; there is an active snapshot.
    unsafe {
        let statements = pg_sys::raw_parser(text.as_ptr(), pg_sys::RawParseMode::RAW_PARSE_DEFAULT);
        let statement = (*(*statements).elements).ptr_value.cast::<pg_sys::RawStmt>();
        let pstate = pg_sys::make_parsestate(std::ptr::null_mut());
        (*pstate).p_sourcetext = pg_sys::pstrdup(text.as_ptr());
        let state = pg_sys::BeginCopyTo(
            pstate,
            std::ptr::null_mut(),
            statement,
            pg_sys::InvalidOid,
            std::ptr::null(),
            false,
            Some(deliver),
            std::ptr::null_mut(),
            std::ptr::null_mut(),
        );
        let rows = pg_sys::DoCopyTo(state);
        pg_sys::EndCopyTo(state);
        rows
    }
}

struct Clear;

impl Drop for Clear {
    fn drop(&mut self) {
        TAKER.set(None);
    }
}

#[pgrx::pg_guard]
unsafe extern "C-unwind" fn deliver(data: *mut std::ffi::c_void, length: i32) {
    if let Some(taker) = TAKER.get() {
        // SAFETY: set by copy_out, which is running; the server's buffer holds one row of that length.
        unsafe { (*taker).take(std::slice::from_raw_parts(data.cast::<u8>(), length as usize)) };
    }
}
