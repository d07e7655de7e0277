//! Sums of numbers in their text, by the server's own numeric.

use pgrx::pg_sys;
use std::ffi::{CStr, CString};

/// `here + (after - before)`.
pub fn add(here: &str, after: &str, before: &str) -> String {
    // SAFETY: numeric's own functions; they raise errors themselves.
    unsafe {
        let difference = call(pg_sys::F_NUMERIC_SUB, read(after), read(before));
        let sum = call(pg_sys::F_NUMERIC_ADD, read(here), difference);
        let text = pg_sys::OidOutputFunctionCall(pg_sys::F_NUMERIC_OUT.into(), sum);
        CStr::from_ptr(text).to_string_lossy().into_owned()
    }
}

unsafe fn read(text: &str) -> pg_sys::Datum {
    let text = CString::new(text).unwrap_or_default();
    // SAFETY: by the caller.
    unsafe {
        pg_sys::OidInputFunctionCall(pg_sys::F_NUMERIC_IN.into(), text.as_ptr().cast_mut(), pg_sys::InvalidOid, -1)
    }
}

unsafe fn call(function: u32, one: pg_sys::Datum, other: pg_sys::Datum) -> pg_sys::Datum {
    // SAFETY: by the caller.
    unsafe { pg_sys::OidFunctionCall2Coll(function.into(), pg_sys::InvalidOid, one, other) }
}
