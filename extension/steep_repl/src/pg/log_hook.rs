//! What the apply workers of our subscriptions write into the server log: their errors are kept where SQL finds them, and
//! native "conflict detected" lines, which hold whole rows, are kept out.
//!
//! The hook runs while an error is being reported, perhaps in a process that is about to end: it raises nothing,
//! catches everything, and takes one short lock.

use super::{sqlstate, worker_process};
use crate::apply_error::{self, ApplyError};
use crate::conflict::session;
use crate::guc;
use pgrx::pg_sys;
use std::borrow::Cow;
use std::ffi::{CStr, c_char, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The first members of Subscription (src/include/catalog/pg_subscription.h).
#[repr(C)]
struct Subscription {
    oid: pg_sys::Oid,
    database: pg_sys::Oid,
    skip: pg_sys::XLogRecPtr,
    name: *const c_char,
}

unsafe extern "C" {
    // src/include/replication/worker_internal.h; set in the workers of logical replication only.
    static MyLogicalRepWorker: *const c_void;
    static MySubscription: *const Subscription;
}

/// How the message begins in the source of the server (conflict.c), whatever language it is then written in.
const CONFLICT: &CStr = c"conflict detected on relation";

static mut PREVIOUS: pg_sys::emit_log_hook_type = None;

pub fn install() {
    // SAFETY: _PG_init runs once in the postmaster, before other processes exist.
    unsafe {
        PREVIOUS = pg_sys::emit_log_hook;
        pg_sys::emit_log_hook = Some(look);
    }
}

unsafe extern "C-unwind" fn look(data: *mut pg_sys::ErrorData) {
    // SAFETY: the server passes the error at hand. Without MyProc no lock can be taken any more.
    unsafe {
        if !MyLogicalRepWorker.is_null() && !MySubscription.is_null() && !pg_sys::MyProc.is_null() {
            // What goes wrong here must not hide what went wrong there.
            let _ = catch_unwind(AssertUnwindSafe(|| of_worker(&mut *data, &*MySubscription)));
        }
        if let Some(previous) = PREVIOUS
            && (*data).output_to_server
        {
            previous(data);
        }
    }
}

/// # Safety
/// The strings of `data` and `subscription` are C strings or null.
unsafe fn of_worker(data: &mut pg_sys::ErrorData, subscription: &Subscription) {
    // SAFETY: by the caller.
    unsafe {
        let level = data.elevel.cast_unsigned();
        if !matches!(level, pg_sys::LOG | pg_sys::PGERROR) || !bytes(subscription.name).starts_with(b"steep_repl_") {
            return;
        }
        let conflict = bytes(data.message_id).starts_with(CONFLICT.to_bytes());
        let oid = subscription.oid.to_u32();
        if level == pg_sys::PGERROR {
            apply_error::note(oid, &read(data));
        }
        // An apply worker of ours applies tables of ours only.
        if conflict && !guc::LOG_NATIVE_CONFLICTS.get() {
            if level == pg_sys::LOG {
                apply_error::count_conflict(oid);
                data.output_to_server = false;
            } else {
                // The first line says which index; rows are on those that follow.
                shorten_to_a_line(data.detail);
            }
        }
    }
}

/// # Safety
/// As `of_worker`.
unsafe fn read(data: &pg_sys::ErrorData) -> ApplyError {
    // SAFETY: by the caller.
    unsafe {
        let mut error = ApplyError { at: worker_process::now(), ..Default::default() };
        error.sqlstate.set(&sqlstate::unpacked(data.sqlerrcode));
        error.message.set(&text(data.message, 1024));
        error.detail.set(&text(data.detail, 1024));
        // The worker's own line is the outermost, so the last.
        let context = bytes(data.context);
        let last = context.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
        error.context.set(&decoded(&context[last..], 512));
        error.finished_at = last_lsn(&context[last..]);
        if let Some((finished_at, change)) = session::position() {
            error.finished_at = finished_at;
            error.change = change;
        }
        if !data.table_name.is_null() {
            error.table.set(&format!("{}.{}", text(data.schema_name, 64), text(data.table_name, 64)));
        }
        error
    }
}

/// The last `X/Y` of hexadecimal numbers: where the transaction of the peer ends. The words around it depend on lc_messages.
fn last_lsn(line: &[u8]) -> u64 {
    let number = |digits: &[u8]| std::str::from_utf8(digits).ok().and_then(|d| u32::from_str_radix(d, 16).ok());
    let hex = |b: &u8| b.is_ascii_hexdigit();
    let found = line.iter().enumerate().rev().filter(|(_, b)| **b == b'/').find_map(|(at, _)| {
        let start = line[..at].iter().rposition(|b| !hex(b)).map_or(0, |before| before + 1);
        let end = line[at + 1..].iter().position(|b| !hex(b)).map_or(line.len(), |after| at + 1 + after);
        Some(u64::from(number(&line[start..at])?) << 32 | u64::from(number(&line[at + 1..end])?))
    });
    found.unwrap_or(0)
}

/// # Safety
/// `raw` is null or a C string.
unsafe fn bytes<'a>(raw: *const c_char) -> &'a [u8] {
    // SAFETY: by the caller.
    if raw.is_null() { &[] } else { unsafe { CStr::from_ptr(raw) }.to_bytes() }
}

/// # Safety
/// `raw` is null or a C string.
unsafe fn text<'a>(raw: *const c_char, limit: usize) -> Cow<'a, str> {
    // SAFETY: by the caller.
    decoded(unsafe { bytes(raw) }, limit)
}

/// At most so many bytes, not cut within a character.
fn decoded(bytes: &[u8], limit: usize) -> Cow<'_, str> {
    let bytes = &bytes[..bytes.len().min(limit)];
    match std::str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() => String::from_utf8_lossy(&bytes[..error.valid_up_to()]),
        _ => String::from_utf8_lossy(bytes),
    }
}

/// # Safety
/// `raw` is null or a C string that may be changed.
unsafe fn shorten_to_a_line(raw: *mut c_char) {
    // SAFETY: by the caller.
    unsafe {
        if let Some(end) = bytes(raw).iter().position(|b| *b == b'\n') {
            *raw.add(end) = 0;
        }
    }
}
