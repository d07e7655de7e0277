//! Entries of pg_subscription_rel: which tables a subscription applies, and from which point on.
//!
//! State `s` (SYNCDONE) with an LSN makes the apply worker take the changes of transactions that commit at or
//! past that LSN, and turn the entry to `r` once it is there (should_apply_changes_for_rel in
//! src/backend/replication/logical/worker.c).

use pgrx::pg_sys;
use pgrx::pg_sys::submodules::ffi::pg_guard_ffi_boundary;

unsafe extern "C-unwind" {
    // src/include/catalog/pg_subscription_rel.h
    fn AddSubscriptionRelState(sub: pg_sys::Oid, rel: pg_sys::Oid, state: i8, lsn: u64, retain_lock: bool);
    fn UpdateSubscriptionRelState(sub: pg_sys::Oid, rel: pg_sys::Oid, state: i8, lsn: u64, already_locked: bool);
    fn GetSubscriptionRelState(sub: pg_sys::Oid, rel: pg_sys::Oid, lsn: *mut u64) -> i8;
    fn RemoveSubscriptionRel(sub: pg_sys::Oid, rel: pg_sys::Oid);
}

/// Sets the state of a table in a subscription, adding the table when it is not there.
pub fn set(subscription: pg_sys::Oid, relation: pg_sys::Oid, state: i8, lsn: u64) {
    let mut known = 0;
    // SAFETY: catalogue functions of the server; they lock what they touch and raise errors themselves.
    unsafe {
        if pg_guard_ffi_boundary(|| GetSubscriptionRelState(subscription, relation, &mut known)) == 0 {
            pg_guard_ffi_boundary(|| AddSubscriptionRelState(subscription, relation, state, lsn, false));
        } else {
            pg_guard_ffi_boundary(|| UpdateSubscriptionRelState(subscription, relation, state, lsn, false));
        }
    }
}

/// Whether the apply worker applies the changes of a table in a transaction whose commit is at `final_lsn`
/// (should_apply_changes_for_rel in src/backend/replication/logical/worker.c).
pub fn applies(subscription: pg_sys::Oid, relation: pg_sys::Oid, final_lsn: u64) -> bool {
    let mut since = 0;
    // SAFETY: as above.
    let state = unsafe { pg_guard_ffi_boundary(|| GetSubscriptionRelState(subscription, relation, &mut since)) };
    state == b'r' as i8 || state == b's' as i8 && since <= final_lsn
}

/// Takes a table out of a subscription.
pub fn remove(subscription: pg_sys::Oid, relation: pg_sys::Oid) {
    // SAFETY: as above; removing what is not there does nothing.
    unsafe { pg_guard_ffi_boundary(|| RemoveSubscriptionRel(subscription, relation)) }
}
