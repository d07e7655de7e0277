//! Raising errors from Rust. Errors that SQL raises carry SQLSTATEs of class `SR`; pgrx knows the standard codes
//! only, so what is raised here uses the closest standard one.

use pgrx::pg_sys::panic::ErrorReport;
use pgrx::{PgLogLevel, PgSqlErrorCode};

/// Raises an ERROR that says what happened, with which values, and what to do now.
pub fn raise(code: PgSqlErrorCode, message: String, detail: Option<String>, hint: &str) -> ! {
    let mut report = ErrorReport::new(code, message, "steep_repl").set_hint(hint);
    if let Some(detail) = detail {
        report = report.set_detail(detail);
    }
    report.report(PgLogLevel::ERROR);
    unreachable!("a report at level ERROR does not return")
}
