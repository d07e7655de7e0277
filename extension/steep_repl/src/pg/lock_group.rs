//! Several processes that do one work together, as the workers of a parallel query: none of them waits behind somebody who waits
//! for another of them (src/backend/storage/lmgr/README, Group Locking). Otherwise who asks for a table for himself, and waits
//! for the one that holds it, would stop the others for ever: no deadlock detector knows that one waits for the others.

use pgrx::pg_sys;

/// This process leads a group from now on.
pub fn lead() {
    // SAFETY: no member of a group yet.
    unsafe { pg_sys::BecomeLockGroupLeader() }
}

/// This process belongs to the group of that one; false when that one has gone, or leads none.
///
/// It does without parallel processes from then on: to have them it would have to lead a group of its own, which nothing but an
/// assertion keeps a member from (BecomeLockGroupLeader in src/backend/storage/lmgr/proc.c).
pub fn join(leader: i32) -> bool {
    // SAFETY: the leader may have ended meanwhile, which the second call notices by its pid.
    let joined = unsafe {
        let process = pg_sys::BackendPidGetProc(leader);
        !process.is_null() && pg_sys::BecomeLockGroupMember(process, leader)
    };
    if joined {
        for setting in [c"max_parallel_maintenance_workers", c"max_parallel_workers_per_gather"] {
            // SAFETY: a known setting and a valid value.
            unsafe {
                let (context, source) = (pg_sys::GucContext::PGC_USERSET, pg_sys::GucSource::PGC_S_SESSION);
                pg_sys::SetConfigOption(setting.as_ptr(), c"0".as_ptr(), context, source);
            }
        }
    }
    joined
}
