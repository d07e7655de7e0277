//! Rows in a table: found by their key, and removed without anybody else's triggers.

use super::commit_time::{self, Writer};
use super::plan::Argument;
use super::row::Row;
use super::table::{self, Table};
use crate::conflict::orphan;
use pgrx::pg_sys;
use std::rc::Rc;

/// A row that lies in a table, copied and locked.
pub struct StoredRow {
    pub row: Row,
    pub writer: Writer,
    pub xid: u32,
    place: pg_sys::ItemPointerData,
}

/// An open table or leaf partition, in whose rows one may look.
pub struct OpenTable {
    pub table: Rc<Table>,
    relation: pg_sys::Relation,
}

/// Runs `body` with a table opened for writing.
pub fn with_open<R>(oid: pg_sys::Oid, body: impl FnOnce(&OpenTable) -> R) -> R {
    // SAFETY: open while the body runs; an error closes it.
    unsafe {
        let relation = pg_sys::table_open(oid, pg_sys::RowExclusiveLock as i32);
        let result = body(&OpenTable::of(relation));
        pg_sys::table_close(relation, pg_sys::NoLock as i32);
        result
    }
}

impl OpenTable {
    /// # Safety
    /// `relation` stays open while this lives.
    pub unsafe fn of(relation: pg_sys::Relation) -> Self {
        // SAFETY: by the caller.
        Self { table: unsafe { table::of(relation) }, relation }
    }

    pub fn relation(&self) -> pg_sys::Relation {
        self.relation
    }

    /// Whether rows lie in it: in a partitioned table they lie in its leaves.
    pub fn has_rows(&self) -> bool {
        // SAFETY: the relation is open.
        unsafe { (*(*self.relation).rd_rel).relkind as u8 == pg_sys::RELKIND_RELATION }
    }

    /// The row with the key of `like`, locked until the end of the transaction. Waits for a transaction that is inserting
    /// or deleting it (RelationFindReplTupleByIndex in src/backend/executor/execReplication.c).
    pub fn find_by_key(&self, like: &Row) -> Option<StoredRow> {
        let index = self.table.key_index?;
        // SAFETY: the relation is open.
        if self.table.probe().is_some_and(|probe| unsafe { probe.absent(self.relation, like) }) {
            return None;
        }
        // SAFETY: the relation is open; the slots are dropped before we return, the tuple is a copy.
        unsafe {
            let search = pg_sys::MakeSingleTupleTableSlot((*self.relation).rd_att, &raw const pg_sys::TTSOpsVirtual);
            for (place, value) in like.values.iter().enumerate() {
                *(*search).tts_values.add(place) = value.unwrap_or(pg_sys::Datum::from(0));
                *(*search).tts_isnull.add(place) = value.is_none();
            }
            pg_sys::ExecStoreVirtualTuple(search);
            let slot = pg_sys::table_slot_create(self.relation, std::ptr::null_mut());
            let lock = pg_sys::LockTupleMode::LockTupleExclusive;
            let found = pg_sys::RelationFindReplTupleByIndex(self.relation, index, lock, search, slot).then(|| {
                let mut free = false;
                let tuple = pg_sys::heap_copytuple(pg_sys::ExecFetchSlotHeapTuple(slot, false, &mut free));
                stored(self.relation, tuple)
            });
            pg_sys::ExecDropSingleTupleTableSlot(slot);
            pg_sys::ExecDropSingleTupleTableSlot(search);
            found
        }
    }

    /// The row at a place ("(block,line)"), which the caller has locked.
    pub fn at(&self, place: &str) -> Option<StoredRow> {
        let (block, line) = place.trim_matches(['(', ')']).split_once(',')?;
        let (block, line) = (block.parse::<u32>().ok()?, line.parse::<u16>().ok()?);
        // SAFETY: the relation is open; the pin is released, the tuple is a copy.
        unsafe {
            let mut tuple = pg_sys::HeapTupleData::default();
            pgrx::itemptr::item_pointer_set_all(&mut tuple.t_self, block, line);
            let mut buffer = 0;
            if !pg_sys::heap_fetch(self.relation, &raw mut pg_sys::SnapshotAnyData, &mut tuple, &mut buffer, false) {
                return None;
            }
            let copy = pg_sys::heap_copytuple(&mut tuple);
            pg_sys::ReleaseBuffer(buffer);
            Some(stored(self.relation, copy))
        }
    }

    /// Removes a row that this transaction has locked. No trigger fires: the row makes room for another one, or its
    /// tombstone is written by the caller.
    pub fn remove(&self, row: &StoredRow) {
        orphan::parent_gone(&self.table, &row.row);
        let mut place = row.place;
        // SAFETY: the relation is open and holds the row.
        unsafe { pg_sys::simple_heap_delete(self.relation, &mut place) };
    }

    /// The whole row as one value of the table's row type.
    pub fn composite(&self, row: &Row) -> Argument {
        let values: Vec<_> = row.values.iter().map(|v| v.unwrap_or(pg_sys::Datum::from(0))).collect();
        let nulls: Vec<_> = row.values.iter().map(Option::is_none).collect();
        // SAFETY: the values are those of the relation's columns.
        unsafe {
            let descriptor = (*self.relation).rd_att;
            let tuple = pg_sys::heap_form_tuple(descriptor, values.as_ptr(), nulls.as_ptr());
            let datum = pg_sys::heap_copy_tuple_as_datum(tuple, descriptor);
            Argument::raw((*(*self.relation).rd_rel).reltype, Some(datum))
        }
    }
}

impl StoredRow {
    /// # Safety
    /// `tuple` lies in `relation`, locked, and outlives the row.
    pub unsafe fn of_tuple(relation: pg_sys::Relation, tuple: pg_sys::HeapTuple) -> Self {
        // SAFETY: by the caller.
        unsafe { stored(relation, tuple) }
    }
}

unsafe fn stored(relation: pg_sys::Relation, tuple: pg_sys::HeapTuple) -> StoredRow {
    // SAFETY: a copied tuple of the relation, in the memory of the current message.
    unsafe {
        StoredRow {
            row: Row::of_tuple(tuple, (*relation).rd_att),
            writer: commit_time::of((*tuple).t_data),
            xid: pg_sys::htup::HeapTupleHeaderGetRawXmin((*tuple).t_data).into(),
            place: (*tuple).t_self,
        }
    }
}
