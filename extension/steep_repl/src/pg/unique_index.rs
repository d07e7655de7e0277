//! Unique indexes of a table other than its primary key.

use super::plan;
use super::table::quote;
use pgrx::pg_sys;

/// A unique index and how to find the rows that clash with a new one in it.
pub struct Unique {
    pub name: String,
    /// Places of the columns that it reads, in expressions and predicate as well.
    pub columns: Vec<usize>,
    /// Not enforced by apply workers, and may be broken in the midst of a transaction.
    pub deferrable: bool,
    /// Takes the new row, returns the ctids of the rows that hold its values, locked.
    pub clash_query: String,
}

/// The places of an index's plain columns.
///
/// # Safety
/// `index` is an index that the caller's relation keeps from being dropped.
pub unsafe fn columns(index: pg_sys::Oid) -> Vec<usize> {
    // SAFETY: opened and closed in one go.
    unsafe {
        let relation = pg_sys::index_open(index, pg_sys::AccessShareLock as i32);
        let form = &*(*relation).rd_index;
        let numbers = form.indkey.values.as_slice(form.indnkeyatts as usize);
        let places = numbers.iter().filter(|n| **n > 0).map(|n| *n as usize - 1).collect();
        pg_sys::index_close(relation, pg_sys::NoLock as i32);
        places
    }
}

/// The valid unique indexes of a table that the caller has locked, but its primary key.
pub fn others(oid: pg_sys::Oid, primary: Option<pg_sys::Oid>) -> Vec<Unique> {
    // SAFETY: opened and closed in one go; the list is a copy.
    let any = unsafe {
        let relation = pg_sys::table_open(oid, pg_sys::AccessShareLock as i32);
        let list = pg_sys::RelationGetIndexList(relation);
        let any = !list.is_null()
            && (0..(*list).length).any(|place| {
                let index = (*(*list).elements.add(place as usize)).oid_value;
                Some(index) != primary && is_unique(index)
            });
        pg_sys::table_close(relation, pg_sys::NoLock as i32);
        any
    };
    if !any {
        return Vec::new();
    }
    let rows = plan::rows(
        "SELECT name, columns, is_deferrable, clash_query FROM steep_repl._unique_indexes($1)",
        &[plan::Argument::oid(oid)],
    );
    rows.into_iter()
        .map(|row| {
            let [name, columns, deferrable, clash_query] = <[Option<String>; 4]>::try_from(row).unwrap_or_default();
            Unique {
                name: quote(&name.unwrap_or_default()),
                columns: columns
                    .unwrap_or_default()
                    .split(' ')
                    .filter_map(|n| n.parse::<usize>().ok())
                    .map(|n| n - 1)
                    .collect(),
                deferrable: deferrable.as_deref() == Some("t"),
                clash_query: clash_query.unwrap_or_default(),
            }
        })
        .collect()
}

unsafe fn is_unique(index: pg_sys::Oid) -> bool {
    // SAFETY: opened and closed in one go.
    unsafe {
        let relation = pg_sys::index_open(index, pg_sys::AccessShareLock as i32);
        let form = &*(*relation).rd_index;
        let unique = form.indisunique && form.indisvalid;
        pg_sys::index_close(relation, pg_sys::NoLock as i32);
        unique
    }
}
