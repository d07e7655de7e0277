//! A limit for calls that wait on another server. libpqwalreceiver waits without one: for a server that accepts a
//! connection and does not answer, `connect_timeout` does not count there, and a statement timeout over there does not help.

use pgrx::pg_sys::panic::CaughtError;
use pgrx::{PgSqlErrorCode, PgTryBuilder, pg_sys};
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

unsafe extern "C-unwind" {
    // src/include/utils/timeout.h
    fn RegisterTimeout(id: u32, handler: Option<unsafe extern "C-unwind" fn()>) -> u32;
    fn enable_timeout_after(id: u32, milliseconds: i32);
    fn disable_timeout(id: u32, keep_indicator: bool);
    // src/include/storage/latch.h; itself and not a wrapper, because it is called in a signal handler.
    fn SetLatch(latch: *mut pg_sys::Latch);
}

/// USER_TIMEOUT of the enum TimeoutId: asks for a free number.
const ANY: u32 = 13;

static ID: AtomicU32 = AtomicU32::new(0);
static PASSED: AtomicBool = AtomicBool::new(false);

/// The limit passed.
pub struct Passed;

/// Runs `body`, which is cancelled after so many seconds; 0 is no limit. Not to be nested.
pub fn within<R>(seconds: u32, body: impl FnOnce() -> R) -> Result<R, Passed> {
    within_millis(i32::try_from(seconds).unwrap_or(3600).saturating_mul(1000), body)
}

/// The same with milliseconds.
pub fn within_millis<R>(milliseconds: i32, body: impl FnOnce() -> R) -> Result<R, Passed> {
    if milliseconds == 0 {
        return Ok(body());
    }
    let timer = Timer::start(milliseconds);
    let outcome = PgTryBuilder::new(AssertUnwindSafe(|| Ok(body())))
        .catch_when(PgSqlErrorCode::ERRCODE_QUERY_CANCELED, |error: CaughtError| {
            if PASSED.load(Ordering::Relaxed) { Err(Passed) } else { error.rethrow() }
        })
        .execute();
    drop(timer);
    outcome
}

struct Timer;

impl Timer {
    fn start(milliseconds: i32) -> Self {
        PASSED.store(false, Ordering::Relaxed);
        // SAFETY: every process with a database connection has initialised its timeouts (utils/init/postinit.c).
        unsafe {
            if ID.load(Ordering::Relaxed) == 0 {
                ID.store(RegisterTimeout(ANY, Some(pass)), Ordering::Relaxed);
            }
            enable_timeout_after(ID.load(Ordering::Relaxed), milliseconds);
        }
        Self
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        // SAFETY: registered above. A cancellation that came too late is taken back.
        unsafe {
            disable_timeout(ID.load(Ordering::Relaxed), false);
            if PASSED.load(Ordering::Relaxed) {
                pg_sys::QueryCancelPending = 0;
            }
        }
    }
}

/// As StatementCancelHandler (src/backend/tcop/postgres.c); runs in a signal handler.
unsafe extern "C-unwind" fn pass() {
    PASSED.store(true, Ordering::Relaxed);
    // SAFETY: flags and a latch of this process.
    unsafe {
        pg_sys::InterruptPending = 1;
        pg_sys::QueryCancelPending = 1;
        SetLatch(pg_sys::MyLatch);
    }
}
