//! Changes of rows that are folds, written and looked up without SQL: writing sessions pay for them.

use super::commit_time::{self, Writer};
use super::key_id::KeyId;
use pgrx::{FromDatum, IntoDatum, pg_sys};

/// A change as it is kept.
pub struct RowChange {
    /// I, U, D, or B for all that has been forgotten, folded.
    pub kind: u8,
    pub ordinal: i64,
    pub before: Option<String>,
    pub after: Option<String>,
    /// When the version is not that of the writing transaction.
    pub version: Option<(i64, String)>,
}

/// One that was found, with who wrote it.
pub struct Found {
    pub change: RowChange,
    pub writer: Writer,
    pub xid: u32,
    /// The whole number of the transaction that keeps it.
    pub kept_by: u64,
    place: pg_sys::ItemPointerData,
}

const COLUMNS: usize = 9;

/// Keeps a change of a key. No rights are asked: the caller has written the row.
pub fn write(root: pg_sys::Oid, key: &KeyId, change: &RowChange) {
    let (time, node) = match &change.version {
        Some((time, node)) => (Some(*time), Some(node.as_str())),
        None => (None, None),
    };
    let values: [Option<pg_sys::Datum>; COLUMNS] = [
        root.into_datum(),
        uuid(key),
        Some(pg_sys::Datum::from(change.kind as i8)),
        change.ordinal.into_datum(),
        change.before.as_deref().and_then(IntoDatum::into_datum),
        change.after.as_deref().and_then(IntoDatum::into_datum),
        time.map(pg_sys::Datum::from),
        node.and_then(IntoDatum::into_datum),
        Some(pg_sys::Datum::from(own_transaction())),
    ];
    let nulls = values.map(|v| v.is_none());
    let values = values.map(|v| v.unwrap_or(pg_sys::Datum::from(0)));
    // SAFETY: the values have the types of sql/tables/fold.sql; the table has one plain index.
    unsafe {
        let (table, _) = relations();
        let relation = pg_sys::table_open(table, pg_sys::RowExclusiveLock as i32);
        let tuple = pg_sys::heap_form_tuple((*relation).rd_att, values.as_ptr(), nulls.as_ptr());
        pg_sys::CatalogTupleInsert(relation, tuple);
        pg_sys::table_close(relation, pg_sys::NoLock as i32);
    }
}

/// The changes of a key that have committed or are this transaction's, in no order; those that this transaction or later
/// ones keep.
pub fn find_since(root: pg_sys::Oid, key: &KeyId, kept_by: u64) -> Vec<Found> {
    // SAFETY: a scan of one plain table by its index, as in tombstone.rs; texts are copied.
    unsafe {
        let (table, index) = relations();
        let relation = pg_sys::table_open(table, pg_sys::AccessShareLock as i32);
        let mut keys: [pg_sys::ScanKeyData; 3] = Default::default();
        let equal = pg_sys::BTEqualStrategyNumber as u16;
        let none = pg_sys::Datum::from(0);
        pg_sys::ScanKeyInit(&mut keys[0], 1, equal, pg_sys::F_OIDEQ.into(), root.into_datum().unwrap_or(none));
        pg_sys::ScanKeyInit(&mut keys[1], 2, equal, pg_sys::F_UUID_EQ.into(), uuid(key).unwrap_or(none));
        let from = pg_sys::BTGreaterEqualStrategyNumber as u16;
        pg_sys::ScanKeyInit(&mut keys[2], 9, from, pg_sys::F_XID8GE.into(), pg_sys::Datum::from(kept_by));
        let scan = pg_sys::systable_beginscan(relation, index, true, std::ptr::null_mut(), 3, keys.as_mut_ptr());
        let mut found = Vec::new();
        loop {
            let tuple = pg_sys::systable_getnext(scan);
            if tuple.is_null() {
                break;
            }
            found.push(read(tuple, (*relation).rd_att));
        }
        pg_sys::systable_endscan(scan);
        pg_sys::table_close(relation, pg_sys::NoLock as i32);
        found
    }
}

/// All of them.
pub fn find(root: pg_sys::Oid, key: &KeyId) -> Vec<Found> {
    find_since(root, key, 0)
}

/// What transactions before this one keep can be seen, or never will be: none of them is running.
pub fn settled_below() -> u64 {
    // SAFETY: a snapshot is active where rows are written; its xmin lies at most two billion before the next number.
    unsafe {
        let next = pg_sys::ReadNextFullTransactionId().value;
        let oldest = u32::from((*pg_sys::GetActiveSnapshot()).xmin);
        next - u64::from((next as u32).wrapping_sub(oldest))
    }
}

fn own_transaction() -> u64 {
    // SAFETY: within a transaction; takes a number when it has none.
    unsafe { pg_sys::GetTopFullTransactionId().value }
}

/// Removes changes that were found.
pub fn remove(changes: &[Found]) {
    // SAFETY: places of tuples of this table.
    unsafe {
        let (table, _) = relations();
        let relation = pg_sys::table_open(table, pg_sys::RowExclusiveLock as i32);
        for change in changes {
            let mut place = change.place;
            pg_sys::CatalogTupleDelete(relation, &mut place);
        }
        pg_sys::table_close(relation, pg_sys::NoLock as i32);
    }
}

/// The order of a row version within its transaction: the command that wrote it.
///
/// # Safety
/// `tuple` was written by the open transaction.
pub unsafe fn written_at(tuple: pg_sys::HeapTuple) -> i64 {
    // SAFETY: by the caller.
    unsafe { i64::from(pg_sys::HeapTupleHeaderGetCmin((*tuple).t_data)) }
}

/// The same of a row version that was deleted.
///
/// # Safety
/// `tuple` was deleted by the open transaction.
pub unsafe fn deleted_at(tuple: pg_sys::HeapTuple) -> i64 {
    // SAFETY: by the caller.
    unsafe { i64::from(pg_sys::HeapTupleHeaderGetCmax((*tuple).t_data)) }
}

/// Whether a transaction began before another one.
pub fn older(xid: u32, than: u32) -> bool {
    // SAFETY: compares numbers.
    unsafe { pg_sys::TransactionIdPrecedes(xid.into(), than.into()) }
}

unsafe fn read(tuple: pg_sys::HeapTuple, descriptor: pg_sys::TupleDesc) -> Found {
    // SAFETY: by the caller: a tuple of the table of changes.
    unsafe {
        let mut values = [pg_sys::Datum::from(0); COLUMNS];
        let mut nulls = [true; COLUMNS];
        pg_sys::heap_deform_tuple(tuple, descriptor, values.as_mut_ptr(), nulls.as_mut_ptr());
        let time = (!nulls[6]).then(|| values[6].value() as i64);
        Found {
            change: RowChange {
                kind: values[2].value() as u8,
                ordinal: values[3].value() as i64,
                before: String::from_datum(values[4], nulls[4]),
                after: String::from_datum(values[5], nulls[5]),
                version: time.zip(String::from_datum(values[7], nulls[7])),
            },
            writer: commit_time::of((*tuple).t_data),
            xid: pg_sys::htup::HeapTupleHeaderGetRawXmin((*tuple).t_data).into(),
            kept_by: values[8].value() as u64,
            place: (*tuple).t_self,
        }
    }
}

fn uuid(id: &KeyId) -> Option<pg_sys::Datum> {
    pgrx::Uuid::from_bytes(*id).into_datum()
}

fn relations() -> (pg_sys::Oid, pg_sys::Oid) {
    // SAFETY: look-ups in the catalogue's cache.
    unsafe {
        let schema = pg_sys::get_namespace_oid(c"steep_repl".as_ptr(), false);
        (
            pg_sys::get_relname_relid(c"row_changes".as_ptr(), schema),
            pg_sys::get_relname_relid(c"row_changes_key".as_ptr(), schema),
        )
    }
}
