//! Rows that SQL hands over as one value.

use super::row::Row;
use super::table::{self, Table};
use pgrx::pg_sys;
use std::rc::Rc;

/// The table that a value is a row of, and its columns. Raises an error for other values.
pub fn row_of(value: &pgrx::AnyElement) -> (Rc<Table>, Row) {
    // SAFETY: a composite value is a tuple header that says its type; the descriptor is released again.
    unsafe {
        let relation = pg_sys::get_typ_typrelid(value.oid());
        if relation == pg_sys::InvalidOid {
            pgrx::error!("a row of a table is expected");
        }
        let header = pg_sys::pg_detoast_datum(value.datum().cast_mut_ptr()).cast::<pg_sys::HeapTupleHeaderData>();
        let descriptor = pg_sys::lookup_rowtype_tupdesc(value.oid(), -1);
        let mut tuple = pg_sys::HeapTupleData {
            t_len: pgrx::varsize_any(header.cast()) as u32,
            t_data: header,
            ..Default::default()
        };
        let row = Row::of_tuple(&mut tuple, descriptor);
        if (*descriptor).tdrefcount >= 0 {
            pg_sys::DecrTupleDescRefCount(descriptor);
        }
        (table::by_oid(relation), row)
    }
}
