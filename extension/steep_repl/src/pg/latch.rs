//! Latches: how processes wake each other.

use pgrx::pg_sys;
use std::time::Duration;

/// The latch of some process. Latches of processes lie in shared memory, at the same address everywhere, and
/// are never freed; when the process has gone, waking it wakes nobody, or its successor once too often.
#[derive(Copy, Clone, Default)]
pub struct LatchRef(usize);

impl LatchRef {
    pub fn mine() -> Self {
        // SAFETY: MyLatch is set in every process that runs our code.
        Self(unsafe { pg_sys::MyLatch } as usize)
    }

    pub fn wake(self) {
        if self.0 != 0 {
            // SAFETY: see above; the value came from MyLatch.
            unsafe { pg_sys::SetLatch(self.0 as *mut pg_sys::Latch) }
        }
    }
}

/// Waits until this process is woken or the time is over; then lets pending interrupts happen.
pub fn wait(timeout: Duration) {
    wait_for_latch(timeout);
    pgrx::check_for_interrupts!();
}

/// The same between transactions: a cancellation only wakes, since there is nothing to cancel.
pub fn wait_between(timeout: Duration) {
    wait_for_latch(timeout);
    // SAFETY: a flag of this process, which its signal handler sets.
    unsafe { pg_sys::QueryCancelPending = 0 };
    pgrx::check_for_interrupts!();
}

fn wait_for_latch(timeout: Duration) {
    let events = pg_sys::WL_LATCH_SET | pg_sys::WL_TIMEOUT | pg_sys::WL_EXIT_ON_PM_DEATH;
    // SAFETY: our own latch; the wait event is the extension's general one.
    unsafe {
        pg_sys::WaitLatch(
            pg_sys::MyLatch,
            events as i32,
            timeout.as_millis().try_into().unwrap_or(i64::MAX),
            pg_sys::PG_WAIT_EXTENSION,
        );
        pg_sys::ResetLatch(pg_sys::MyLatch);
    }
}

/// Lets pending interrupts happen, in the midst of long work that is not the server's.
pub fn pause() {
    pgrx::check_for_interrupts!();
}
