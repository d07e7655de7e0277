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
use std::ffi::c_char;
use std::time::Duration;

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

/// Waits until this server's clock has passed a commit time, at most steep_repl.clock_wait: keepalives are not answered
/// meanwhile, so it must stay below the peer's wal_sender_timeout.
fn wait_for_clock(commit_time: i64) {
    let begin = commit_time::now();
    if commit_time < begin {
        return;
    }
    let until = begin + i64::from(guc::CLOCK_WAIT.get()) * 1_000;
    loop {
        let now = commit_time::now();
        if commit_time < now {
            break;
        }
        if now >= until {
            pgrx::warning!(
                "steep_repl: a peer's clock is {} ms ahead of this server's, more than steep_repl.clock_wait",
                (commit_time - now) / 1_000
            );
            break;
        }
        let pause = (commit_time - now).min(until - now).clamp(1_000, 100_000);
        latch::wait(Duration::from_micros(pause.cast_unsigned()));
    }
    // Whoever set our latch meant the apply worker's own loop.
    LatchRef::mine().wake();
}
