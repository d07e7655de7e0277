//! Foreign keys that the worker must look at after the transaction, written without SQL: deleting sessions pay for them.

use pgrx::IntoDatum;
use pgrx::pg_sys;

/// What is to be looked at.
pub enum Check {
    /// A row with these values under a unique index is gone.
    ParentGone(pg_sys::Oid),
    /// A row with these values in the columns of a foreign key was written, and its parent was not there.
    NoParent(pg_sys::Oid),
}

/// Queues a check. `values` is a JSON object: the text of each column by its name. No rights are asked: the caller has
/// written the row.
pub fn write(check: &Check, values: &str) {
    let (index, constraint) = match check {
        Check::ParentGone(index) => (Some(*index), None),
        Check::NoParent(constraint) => (None, Some(*constraint)),
    };
    let values: [Option<pg_sys::Datum>; 3] =
        [index.and_then(IntoDatum::into_datum), constraint.and_then(IntoDatum::into_datum), values.into_datum()];
    let nulls = values.map(|v| v.is_none());
    let values = values.map(|v| v.unwrap_or(pg_sys::Datum::from(0)));
    // SAFETY: the values have the types of sql/tables/conflict.sql; the table has no index.
    unsafe {
        let schema = pg_sys::get_namespace_oid(c"steep_repl".as_ptr(), false);
        let table = pg_sys::get_relname_relid(c"orphan_checks".as_ptr(), schema);
        let relation = pg_sys::table_open(table, pg_sys::RowExclusiveLock as i32);
        let tuple = pg_sys::heap_form_tuple((*relation).rd_att, values.as_ptr(), nulls.as_ptr());
        pg_sys::CatalogTupleInsert(relation, tuple);
        pg_sys::table_close(relation, pg_sys::NoLock as i32);
    }
}
