//! Locks on tables that are known by their OID.

use super::transaction;
use pgrx::pg_sys;

/// Takes the lock of a reader until the end of the transaction, which keeps others from dropping, emptying and rewriting the
/// table; false when somebody did so since its file was `file_node`.
pub fn against_rewriting(relation: u32, file_node: u32) -> bool {
    let relation = pg_sys::Oid::from(relation);
    // SAFETY: as find_all_inheritors() locks by OID; the catalogue is looked at as it is now, not as of the transaction.
    unsafe {
        pg_sys::LockRelationOid(relation, pg_sys::AccessShareLock as i32);
        let tuple = pg_sys::SearchSysCache1(pg_sys::SysCacheIdentifier::RELOID as i32, relation.into());
        if tuple.is_null() {
            return false;
        }
        let now = (*(pg_sys::GETSTRUCT(tuple) as *const pg_sys::FormData_pg_class)).relfilenode.to_u32();
        pg_sys::ReleaseSysCache(tuple);
        now == file_node
    }
}

/// Takes the lock of a writer until the end of the transaction, also on a table that is gone.
pub fn as_writer(relation: u32) {
    // SAFETY: as above.
    unsafe { pg_sys::LockRelationOid(pg_sys::Oid::from(relation), pg_sys::RowExclusiveLock as i32) }
}

/// Keeps the lock that this transaction has, of one who lets nobody else write, until give_back().
pub fn keep_from_writers(relation: u32) {
    // SAFETY: the tag of a table, as SetLocktagRelationOid() makes it; the lock is held already, so this does not wait.
    unsafe {
        let mut id = pg_sys::LockRelId { relId: pg_sys::Oid::from(relation), dbId: pg_sys::MyDatabaseId };
        pg_sys::LockRelationIdForSession(&raw mut id, pg_sys::ShareRowExclusiveLock as i32);
    }
    transaction::keep_locks();
}

/// Gives back what keep_from_writers() has kept: no process does so by itself when it ends (ShutdownPostgres in
/// src/backend/utils/init/postinit.c), except by ending the transaction that it is in.
pub fn give_back() {
    if !transaction::is_open() {
        // SAFETY: no transaction has locks.
        unsafe { pg_sys::LockReleaseAll(pg_sys::DEFAULT_LOCKMETHOD as u16, true) }
    }
}
