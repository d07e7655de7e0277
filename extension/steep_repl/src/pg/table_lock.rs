//! Locks on tables that are known by their OID.

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
