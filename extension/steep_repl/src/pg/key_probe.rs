//! A quick look whether a primary key is in its index at all: most keys that are inserted are not.

use super::row::Row;
use pgrx::pg_sys;

/// A scan of the primary key's index, made ready once.
pub struct KeyProbe {
    index: pg_sys::Oid,
    /// For each column of the index the condition, without its value, and the place of the value in a row.
    conditions: Vec<(pg_sys::ScanKeyData, usize)>,
}

impl KeyProbe {
    /// For a primary key that is a B-tree over these places (build_replindex_scan_key in
    /// src/backend/executor/execReplication.c).
    pub fn of(index: pg_sys::Oid, places: &[usize]) -> Option<Self> {
        // SAFETY: the caller has locked the index's table; opened and closed in one go.
        unsafe {
            let relation = pg_sys::index_open(index, pg_sys::AccessShareLock as i32);
            let tree = (*(*relation).rd_rel).relam == pg_sys::BTREE_AM_OID;
            let conditions = places
                .iter()
                .enumerate()
                .take_while(|_| tree)
                .map_while(|(column, place)| Some((condition(relation, column)?, *place)))
                .collect::<Vec<_>>();
            pg_sys::index_close(relation, pg_sys::NoLock as i32);
            (!conditions.is_empty() && conditions.len() == places.len()).then_some(Self { index, conditions })
        }
    }

    /// Whether the index has no entry with the key of `like`, not even one of a transaction that is still open or of a
    /// row that is gone.
    ///
    /// # Safety
    /// `relation` is the table, open and locked for writing.
    pub unsafe fn absent(&self, relation: pg_sys::Relation, like: &Row) -> bool {
        let mut keys = Vec::with_capacity(self.conditions.len());
        for (condition, place) in &self.conditions {
            let mut key = *condition;
            let Some(value) = like.values[*place] else { return false };
            key.sk_argument = value;
            // What the operator remembers goes with this look.
            // SAFETY: a plain global of the process.
            key.sk_func.fn_mcxt = unsafe { pg_sys::CurrentMemoryContext };
            keys.push(key);
        }
        // SAFETY: by the caller.
        unsafe { self.nothing_at(relation, &mut keys) }
    }

    /// The same for the first column of the index alone, and its value.
    ///
    /// # Safety
    /// As above.
    pub unsafe fn value_absent(&self, relation: pg_sys::Relation, value: pg_sys::Datum) -> bool {
        let Some((mut key, _)) = self.conditions.first().copied() else { return false };
        key.sk_argument = value;
        // SAFETY: as above.
        unsafe {
            key.sk_func.fn_mcxt = pg_sys::CurrentMemoryContext;
            self.nothing_at(relation, &mut [key])
        }
    }

    unsafe fn nothing_at(&self, relation: pg_sys::Relation, keys: &mut [pg_sys::ScanKeyData]) -> bool {
        // SAFETY: the index of an open table; no row is fetched, so that the snapshot plays no part.
        unsafe {
            let index = pg_sys::index_open(self.index, pg_sys::RowExclusiveLock as i32);
            let count = keys.len() as i32;
            let any = &raw mut pg_sys::SnapshotAnyData;
            let scan = pg_sys::index_beginscan(relation, index, any, std::ptr::null_mut(), count, 0);
            pg_sys::index_rescan(scan, keys.as_mut_ptr(), count, std::ptr::null_mut(), 0);
            let found = pg_sys::index_getnext_tid(scan, pg_sys::ScanDirection::ForwardScanDirection);
            pg_sys::index_endscan(scan);
            pg_sys::index_close(index, pg_sys::NoLock as i32);
            found.is_null()
        }
    }
}

/// The condition that a column of the index equals a value.
unsafe fn condition(index: pg_sys::Relation, column: usize) -> Option<pg_sys::ScanKeyData> {
    // SAFETY: by the caller: an open index and one of its columns. The function's memory lives as long as the process.
    unsafe {
        let (family, class_type) = (*(*index).rd_opfamily.add(column), *(*index).rd_opcintype.add(column));
        let equal = pg_sys::BTEqualStrategyNumber as i16;
        let operator = pg_sys::get_opfamily_member(family, class_type, class_type, equal);
        if operator == pg_sys::InvalidOid {
            return None;
        }
        let mut key = pg_sys::ScanKeyData::default();
        let before = pg_sys::MemoryContextSwitchTo(pg_sys::TopMemoryContext);
        let function = pg_sys::get_opcode(operator);
        pg_sys::ScanKeyInit(&mut key, column as i16 + 1, equal as u16, function, pg_sys::Datum::from(0));
        pg_sys::MemoryContextSwitchTo(before);
        key.sk_collation = *(*index).rd_indcollation.add(column);
        Some(key)
    }
}
