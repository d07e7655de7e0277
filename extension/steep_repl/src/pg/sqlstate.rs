//! SQLSTATEs of errors. pgrx knows the standard ones and makes XX000 of all others, also of those of class `SR`; so the
//! server is asked itself, at the moment at which it puts an error together.

use pgrx::pg_sys;
use std::ffi::c_void;
use std::sync::atomic::{AtomicI32, Ordering};

unsafe extern "C-unwind" {
    // src/include/utils/elog.h; itself and not a wrapper, because an error is being put together.
    fn geterrcode() -> i32;
}

static LAST: AtomicI32 = AtomicI32::new(0);

/// While it lives, `last` follows the errors that the server raises.
pub struct Watch(Box<pg_sys::ErrorContextCallback>);

impl Watch {
    pub fn begin() -> Self {
        // SAFETY: the callback is taken off the stack when it is dropped, and its address does not change until then.
        unsafe {
            let mut callback = Box::new(pg_sys::ErrorContextCallback {
                previous: pg_sys::error_context_stack,
                callback: Some(note),
                arg: std::ptr::null_mut(),
            });
            pg_sys::error_context_stack = &raw mut *callback;
            Self(callback)
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // SAFETY: what was there before lives longer.
        unsafe { pg_sys::error_context_stack = self.0.previous }
    }
}

unsafe extern "C-unwind" fn note(_argument: *mut c_void) {
    // SAFETY: for callbacks such as this one.
    LAST.store(unsafe { geterrcode() }, Ordering::Relaxed);
}

/// The SQLSTATE of the last message that the server put together under a watch.
pub fn last() -> String {
    unpacked(LAST.load(Ordering::Relaxed))
}

/// The five characters of a packed SQLSTATE (src/include/utils/elog.h).
pub fn unpacked(code: i32) -> String {
    (0..5).map(|place| char::from((code >> (6 * place) & 0x3f) as u8 + b'0')).collect()
}
