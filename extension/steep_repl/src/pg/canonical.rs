//! Writing values as text in one way, whatever DateStyle, TimeZone and the like a session has set.

use pgrx::pg_sys;
use std::cell::OnceCell;

thread_local! {
    /// The server keeps time zones for as long as the process lives.
    static UTC: OnceCell<*mut pg_sys::pg_tz> = const { OnceCell::new() };
}

unsafe extern "C" {
    // src/include/utils/bytea.h
    static mut bytea_output: i32;
}
const BYTEA_OUTPUT_HEX: i32 = 1;

/// While it lives, output functions write ISO dates in UTC, shortest exact floats and hexadecimal bytes. Given back when
/// dropped, also by an unwinding error.
pub struct Canonical {
    date_style: i32,
    date_order: i32,
    interval_style: i32,
    float_digits: i32,
    bytea: i32,
    timezone: *mut pg_sys::pg_tz,
}

impl Canonical {
    pub fn begin() -> Self {
        // SAFETY: the variables behind the settings (miscadmin.h, float.h, bytea.h, pgtime.h), which the output
        // functions read; this process has one thread.
        unsafe {
            let before = Self {
                date_style: pg_sys::DateStyle,
                date_order: pg_sys::DateOrder,
                interval_style: pg_sys::IntervalStyle,
                float_digits: pg_sys::extra_float_digits,
                bytea: bytea_output,
                timezone: pg_sys::session_timezone,
            };
            pg_sys::DateStyle = pg_sys::USE_ISO_DATES as i32;
            pg_sys::DateOrder = pg_sys::DATEORDER_MDY as i32;
            pg_sys::IntervalStyle = pg_sys::INTSTYLE_POSTGRES as i32;
            pg_sys::extra_float_digits = 1;
            bytea_output = BYTEA_OUTPUT_HEX;
            pg_sys::session_timezone = UTC.with(|utc| *utc.get_or_init(|| pg_sys::pg_tzset(c"UTC".as_ptr())));
            before
        }
    }
}

impl Drop for Canonical {
    fn drop(&mut self) {
        // SAFETY: as above; what was there before.
        unsafe {
            pg_sys::DateStyle = self.date_style;
            pg_sys::DateOrder = self.date_order;
            pg_sys::IntervalStyle = self.interval_style;
            pg_sys::extra_float_digits = self.float_digits;
            bytea_output = self.bytea;
            pg_sys::session_timezone = self.timezone;
        }
    }
}
