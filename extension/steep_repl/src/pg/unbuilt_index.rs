//! Tables whose indexes a load has deferred and nobody has built yet. While the load lives it keeps writers away by a lock; after a
//! crash of the server nothing else does, until the worker has had them built: nothing would keep values unique.

use super::{extension, plan, table};
use crate::error;
use pgrx::PgSqlErrorCode;
use pgrx::pg_sys;
use std::cell::{Cell, RefCell};
use std::collections::HashSet;

thread_local! {
    /// Tables that may be written to, as the catalogue was then: whoever defers indexes changes it.
    static SOUND: RefCell<HashSet<u32>> = RefCell::new(HashSet::new());
    static LOOKED_AT: Cell<u64> = const { Cell::new(0) };
}

/// Error 55000 for a statement that would insert or update rows there. Rows that replication brings pass, as they pass triggers;
/// rows can be deleted.
///
/// # Safety
/// `checks` is null or a list of RTEPermissionInfo, of tables that are locked.
#[pgrx::pg_guard]
pub unsafe extern "C-unwind" fn refuse(checks: *mut pg_sys::List) {
    // SAFETY: by the caller.
    unsafe {
        if checks.is_null() || pg_sys::SessionReplicationRole == pg_sys::SESSION_REPLICATION_ROLE_REPLICA as i32 {
            return;
        }
        for place in 0..(*checks).length as usize {
            let check = &*(*(*checks).elements.add(place)).ptr_value.cast::<pg_sys::RTEPermissionInfo>();
            // SELECT … FOR UPDATE asks for the right to update, too, and for no column.
            if check.requiredPerms & u64::from(pg_sys::ACL_INSERT) != 0 || !check.updatedCols.is_null() {
                look(check.relid);
            }
        }
    }
}

fn look(relation: pg_sys::Oid) {
    let changes = table::changes();
    if LOOKED_AT.replace(changes) != changes {
        SOUND.with_borrow_mut(HashSet::clear);
    }
    if SOUND.with_borrow(|sound| sound.contains(&relation.to_u32())) {
        return;
    }
    if any_deferred() {
        let query = "SELECT u.name, u.indexes, u.work FROM steep_repl._indexes_unbuilt($1) u";
        if let Some([Some(name), Some(indexes), Some(work)]) =
            plan::latest(query, &[plan::Argument::oid(relation)]).first().map(Vec::as_slice)
        {
            error::raise(
                PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                format!("table {name} takes no rows until its indexes are built: {indexes}"),
                Some(format!("Nothing else keeps values unique. {work}")),
                "Try again: they are built soon after the start of the server. If the work has failed: retry_work(), cancel_work() or REINDEX. Rows can be deleted.",
            );
        }
    }
    SOUND.with_borrow_mut(|sound| sound.insert(relation.to_u32()));
}

/// Whether indexes may be deferred: most databases have never loaded a snapshot, and need not be asked about each table.
fn any_deferred() -> bool {
    // Anybody may have made a schema of that name where the extension is not.
    if !extension::installed() {
        return false;
    }
    // SAFETY: a table that is there is opened and closed in one go; an error releases it.
    unsafe {
        let schema = pg_sys::get_namespace_oid(c"steep_repl".as_ptr(), true);
        let noted = pg_sys::get_relname_relid(c"deferred_indexes".as_ptr(), schema);
        if noted == pg_sys::InvalidOid {
            return false;
        }
        let noted = pg_sys::try_table_open(noted, pg_sys::AccessShareLock as i32);
        // Dropped meanwhile.
        if noted.is_null() {
            return false;
        }
        let pages = pg_sys::RelationGetNumberOfBlocksInFork(noted, pg_sys::ForkNumber::MAIN_FORKNUM);
        pg_sys::table_close(noted, pg_sys::AccessShareLock as i32);
        pages > 0
    }
}
