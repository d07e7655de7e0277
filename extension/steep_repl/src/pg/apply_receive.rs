//! Messages on their way from the connection to the apply worker: a wrapper around the server's `walrcv_receive`.
//!
//! Each is looked at before it is applied, and what the one before left undone is settled before the next is fetched,
//! because fetching frees the buffer. A transaction whose commit time lies ahead of this server's clock waits: whoever
//! sees its rows here must also write after them.

use super::commit_time;
use super::latch::{self, LatchRef};
use super::stream_start;
use crate::apply_error;
use crate::conflict::session::Noted;
use crate::conflict::{missing, session, unique};
use crate::guc;
use pgrx::pg_sys;
use pgrx::pg_sys::submodules::ffi::pg_guard_ffi_boundary;
use std::cell::Cell;
use std::ffi::c_char;
use std::time::{Duration, Instant};

/// Bytes before the payload of a WAL data message: its type, two positions, a time ("Streaming Replication Protocol").
const HEADER: usize = 25;

#[pgrx::pg_guard]
pub unsafe extern "C-unwind" fn receive(
    connection: *mut pg_sys::WalReceiverConn,
    buffer: *mut *mut c_char,
    socket: *mut pg_sys::pgsocket,
) -> i32 {
    // SAFETY: the server's own arguments; the original function takes them as they came.
    unsafe {
        let original = stream_start::original().walrcv_receive.expect("walrcv_receive");
        if !session::active() {
            return pg_guard_ffi_boundary(|| original(connection, buffer, socket));
        }
        if let Some((subscription, commit_time)) = session::committed() {
            apply_error::applied(subscription, commit_time);
        }
        missing::settle();
        let length = pg_guard_ffi_boundary(|| original(connection, buffer, socket));
        if length <= HEADER as i32 || **buffer as u8 != b'w' {
            return length;
        }
        let message = std::slice::from_raw_parts_mut((*buffer).cast::<u8>().add(HEADER), length as usize - HEADER);
        if message[0] == b'C' {
            unique::check_deferred();
        }
        match session::note(message) {
            Noted::Apply => {}
            Noted::Begin(commit_time) => wait_for_clock(commit_time),
            // A message that the worker ignores (logical decoding messages) takes its place.
            Noted::Withhold => message[0] = b'M',
        }
        length
    }
}

thread_local! {
    /// Whether a transaction has waited in vain, and none has come since that lay within reach.
    static FAR_AHEAD: Cell<bool> = const { Cell::new(false) };
}

/// Waits until this server's clock has passed a commit time, at most steep_repl.clock_wait: keepalives are not answered
/// meanwhile, so it must stay below the peer's wal_sender_timeout. Where a clock is further ahead than that, one
/// transaction waits in vain, and those behind it that are as far ahead do not: all together they would wait as long as
/// the clock is ahead.
fn wait_for_clock(commit_time: i64) {
    let longest = Duration::from_millis(guc::CLOCK_WAIT.get().unsigned_abs().into());
    // Not by the clock: it may be set back meanwhile.
    let begin = Instant::now();
    let mut waited = false;
    loop {
        let ahead = commit_time - commit_time::now();
        if ahead < 0 {
            FAR_AHEAD.set(false);
            break;
        }
        let left = longest.saturating_sub(begin.elapsed());
        let reach = Duration::from_micros(ahead.unsigned_abs()) <= longest;
        if left.is_zero() || FAR_AHEAD.get() && !reach {
            if !FAR_AHEAD.replace(!reach) {
                pgrx::warning!(
                    "steep_repl: a peer's clock is {} ms ahead of this server's, more than steep_repl.clock_wait",
                    ahead / 1_000
                );
            }
            break;
        }
        let pause = Duration::from_micros(ahead.unsigned_abs()).min(left);
        latch::wait(pause.clamp(Duration::from_millis(1), Duration::from_millis(100)));
        waited = true;
    }
    if waited {
        // Whoever set our latch meant the apply worker's own loop.
        LatchRef::mine().wake();
    }
}
