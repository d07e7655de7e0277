//! Building indexes that are there already, as REINDEX INDEX does (reindex_index in src/backend/catalog/index.c). Not by that
//! statement: it takes more rights than loading a table, and event triggers fire at it.

use pgrx::pg_sys;

/// Builds an index from the rows of its table and has it used from then on; false when it is gone. Its expressions run as the
/// table's owner.
pub fn build(index: u32) -> bool {
    let index = pg_sys::Oid::from(index);
    // SAFETY: the table is locked before the index, as everybody does (RangeVarCallbackForReindexIndex in
    // src/backend/commands/indexcmds.c), and a snapshot is active.
    unsafe {
        let table = pg_sys::IndexGetRelation(index, true);
        if table == pg_sys::InvalidOid {
            return false;
        }
        pg_sys::LockRelationOid(table, pg_sys::ShareLock as i32);
        // It may have been dropped before the lock was there.
        if pg_sys::IndexGetRelation(index, true) != table {
            return false;
        }
        let parameters = pg_sys::ReindexParams { options: 0, tablespaceOid: pg_sys::InvalidOid };
        let persistence = pg_sys::get_rel_persistence(index);
        pg_sys::reindex_index(std::ptr::null(), index, false, persistence, &parameters);
        pg_sys::CommandCounterIncrement();
    }
    true
}
