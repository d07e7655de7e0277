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

/// The same for the server's integers, None for other types and where the sum is out of their range.
pub fn add_integers(kind: pg_sys::Oid, here: &str, after: &str, before: &str) -> Option<String> {
    let range = match kind {
        pg_sys::INT2OID => i16::MIN.into()..=i16::MAX.into(),
        pg_sys::INT4OID => i32::MIN.into()..=i32::MAX.into(),
        pg_sys::INT8OID => i64::MIN.into()..=i64::MAX.into(),
        _ => return None,
    };
    let [here, after, before] = [here, after, before].map(|text| text.parse::<i64>().ok().map(i128::from));
    let sum = here? + after? - before?;
    range.contains(&sum).then(|| sum.to_string())
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
