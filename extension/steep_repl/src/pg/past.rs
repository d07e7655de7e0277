//! What lay under a key before: row versions that nobody sees any more, as long as nothing has cleared them away.

use super::commit_time::{self, Writer};
use super::row::Row;
use super::stored_row::OpenTable;
use super::table::Table;
use pgrx::pg_sys;

/// A row version under a key, seen or not.
pub struct Past {
    pub row: Row,
    pub xid: u32,
    pub writer: Writer,
    /// The transaction that replaced or deleted it, 0 for none.
    pub ended_by: u32,
    /// Made by an UPDATE.
    pub updated: bool,
    /// All its values lie in the row itself: those that lie outside may have been cleared away before it.
    pub whole: bool,
}

/// All row versions under the key of `like` that still lie in the table, in no order; none where that cannot be told.
pub fn of(open: &OpenTable, like: &Row) -> Vec<Past> {
    let (table, relation) = (&open.table, open.relation());
    let Some(index) = table.key_index.filter(|_| open.has_rows()) else { return Vec::new() };
    // SAFETY: the relation is open; the scan reads it by its key with any version visible, as
    // systable_beginscan() does with the snapshot that it is given (src/backend/access/index/genam.c). The tuples are
    // copies.
    unsafe {
        let Some(mut keys) = scan_keys(table, index, like) else { return Vec::new() };
        let (any, count) = (&raw mut pg_sys::SnapshotAnyData, keys.len() as i32);
        let scan = pg_sys::systable_beginscan(relation, index, true, any, count, keys.as_mut_ptr());
        if !(*scan).iscan.is_null() {
            // Those of which another scan has noted that nobody sees them.
            (*(*scan).iscan).ignore_killed_tuples = false;
        }
        let mut found = Vec::new();
        loop {
            let tuple = pg_sys::systable_getnext(scan);
            if tuple.is_null() {
                break;
            }
            found.push(read(relation, pg_sys::heap_copytuple(tuple)));
        }
        pg_sys::systable_endscan(scan);
        found
    }
}

/// The key as a scan takes it; None for an index that is no B-tree, and for a key with NULL.
unsafe fn scan_keys(table: &Table, index: pg_sys::Oid, like: &Row) -> Option<Vec<pg_sys::ScanKeyData>> {
    // SAFETY: opened and closed in one go; the arrays have an entry for each key column.
    unsafe {
        let relation = pg_sys::index_open(index, pg_sys::AccessShareLock as i32);
        let tree = (*(*relation).rd_rel).relam == pg_sys::BTREE_AM_OID;
        let key = |(nth, place): (usize, &usize)| {
            let input = *(*relation).rd_opcintype.add(nth);
            let equal = pg_sys::BTEqualStrategyNumber as i16;
            let operator = pg_sys::get_opfamily_member(*(*relation).rd_opfamily.add(nth), input, input, equal);
            let mut key = pg_sys::ScanKeyData::default();
            let (column, value) = (*place as i16 + 1, like.values[*place]?);
            pg_sys::ScanKeyInit(&mut key, column, equal as u16, pg_sys::get_opcode(operator), value);
            key.sk_collation = *(*relation).rd_indcollation.add(nth);
            Some(key)
        };
        let keys = if tree { table.key.iter().enumerate().map(key).collect() } else { None };
        pg_sys::index_close(relation, pg_sys::NoLock as i32);
        keys
    }
}

unsafe fn read(relation: pg_sys::Relation, tuple: pg_sys::HeapTuple) -> Past {
    // SAFETY: a copied tuple of the relation.
    unsafe {
        let header = (*tuple).t_data;
        Past {
            row: Row::of_tuple(tuple, (*relation).rd_att),
            xid: pg_sys::htup::HeapTupleHeaderGetRawXmin(header).into(),
            writer: commit_time::of(header),
            ended_by: ended_by(header),
            whole: u32::from((*header).t_infomask) & pg_sys::HEAP_HASEXTERNAL == 0,
            updated: u32::from((*header).t_infomask) & pg_sys::HEAP_UPDATED != 0,
        }
    }
}

/// HeapTupleHeaderGetUpdateXid() of htup_details.h.
unsafe fn ended_by(header: pg_sys::HeapTupleHeader) -> u32 {
    // SAFETY: the header of a tuple.
    unsafe {
        let mask = u32::from((*header).t_infomask);
        if mask & (pg_sys::HEAP_XMAX_INVALID | pg_sys::HEAP_XMAX_LOCK_ONLY) != 0 {
            0
        } else if mask & pg_sys::HEAP_XMAX_IS_MULTI != 0 {
            pg_sys::HeapTupleGetUpdateXid(header).into()
        } else {
            (*header).t_choice.t_heap.t_xmax.into()
        }
    }
}
