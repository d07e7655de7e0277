//! Tombstones, written and looked up without SQL: deleting sessions pay for them.

use super::commit_time::{self, Writer};
use super::key_id::{ALL_KEYS, KeyId};
use super::table;
use super::tombstone_watch::{self, Which};
use pgrx::pg_sys;
use pgrx::{FromDatum, IntoDatum};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;

/// A key whose row is gone.
pub struct Tombstone {
    pub row_gone: Option<String>,
    /// The key that the row has now, as JSON.
    pub moved_to: Option<String>,
    pub displaced: bool,
    /// When the version is not that of the writing transaction.
    pub version: Option<(i64, String)>,
}

/// One that was found, with who wrote it.
pub struct Found {
    pub tombstone: Tombstone,
    pub writer: Writer,
    pub xid: u32,
    pub all_keys: bool,
}

const COLUMNS: usize = 7;

/// Writes a tombstone. No rights are asked: the caller has deleted the row.
pub fn write(root: pg_sys::Oid, key: &KeyId, tombstone: &Tombstone) {
    let (time, node) = match &tombstone.version {
        Some((time, node)) => (Some(*time), Some(node.as_str())),
        None => (None, None),
    };
    let values: [Option<pg_sys::Datum>; COLUMNS] = [
        root.into_datum(),
        uuid(key),
        tombstone.row_gone.as_deref().and_then(IntoDatum::into_datum),
        tombstone.moved_to.as_deref().and_then(IntoDatum::into_datum),
        tombstone.displaced.into_datum(),
        time.map(pg_sys::Datum::from),
        node.and_then(IntoDatum::into_datum),
    ];
    let nulls = values.map(|v| v.is_none());
    let values = values.map(|v| v.unwrap_or(pg_sys::Datum::from(0)));
    tombstone_watch::announce(root, *key == ALL_KEYS);
    // SAFETY: the values have the types of sql/tables/conflict.sql. With the one plain index that it has there, what
    // CatalogTupleInsert does comes to this (src/backend/catalog/indexing.c), without looking up all about it each time.
    unsafe {
        let (relation, known) = open(pg_sys::RowExclusiveLock);
        let tuple = pg_sys::heap_form_tuple((*relation).rd_att, values.as_ptr(), nulls.as_ptr());
        if known.plain {
            pg_sys::simple_heap_insert(relation, tuple);
            let index = pg_sys::index_open(known.index, pg_sys::RowExclusiveLock as i32);
            let (mut entry, mut missing) = ([values[0], values[1]], [false; 2]);
            pg_sys::index_insert(
                index,
                entry.as_mut_ptr(),
                missing.as_mut_ptr(),
                &mut (*tuple).t_self,
                relation,
                pg_sys::IndexUniqueCheck::UNIQUE_CHECK_NO,
                false,
                pg_sys::BuildIndexInfo(index),
            );
            pg_sys::index_close(index, pg_sys::NoLock as i32);
        } else {
            pg_sys::CatalogTupleInsert(relation, tuple);
        }
        pg_sys::table_close(relation, pg_sys::NoLock as i32);
    }
}

/// The tombstones of a key, and those of all keys of its table, that have committed or are this transaction's.
pub fn find(root: pg_sys::Oid, key: &KeyId) -> Vec<Found> {
    let mut found = Vec::new();
    if !known_none(root) {
        let moment = tombstone_watch::moment(root, Which::AllKeys);
        // SAFETY: a scan of one plain table by its index; a new snapshot each time, because the table has no cache
        // (GetNonHistoricCatalogSnapshot in src/backend/utils/time/snapmgr.c).
        unsafe {
            let (relation, Relations { index, .. }) = open(pg_sys::AccessShareLock);
            scan(relation, index, root, key, &mut found);
            if !tombstone_watch::none(root, Which::AllKeys) {
                let before = found.len();
                scan(relation, index, root, &ALL_KEYS, &mut found);
                if found.len() == before {
                    tombstone_watch::found_none(root, Which::AllKeys, moment);
                }
            }
            pg_sys::table_close(relation, pg_sys::NoLock as i32);
        }
    }
    found
}

/// Waits for the transactions that are writing tombstones of a key, or of all keys of its table.
pub fn await_writers(root: pg_sys::Oid, key: &KeyId) {
    for id in [key, &ALL_KEYS] {
        while let Some(writer) = open_writer(root, id) {
            // SAFETY: no buffer or lock is held; its errors, as of a deadlock, are the caller's.
            unsafe {
                pg_sys::XactLockTableWait(
                    writer,
                    std::ptr::null_mut(),
                    std::ptr::null_mut(),
                    pg_sys::XLTW_Oper::XLTW_None,
                );
            }
        }
    }
}

/// A transaction of somebody else's that has written a tombstone of this key and is open.
fn open_writer(root: pg_sys::Oid, id: &KeyId) -> Option<pg_sys::TransactionId> {
    // SAFETY: as for find(); a dirty snapshot shows what is not committed, and whose it is (HeapTupleSatisfiesDirty in
    // src/backend/access/heap/heapam_visibility.c).
    unsafe {
        let (relation, Relations { index, .. }) = open(pg_sys::AccessShareLock);
        let mut dirty =
            pg_sys::SnapshotData { snapshot_type: pg_sys::SnapshotType::SNAPSHOT_DIRTY, ..Default::default() };
        let mut keys = scan_keys(root, id);
        let scan = pg_sys::systable_beginscan(relation, index, true, &mut dirty, 2, keys.as_mut_ptr());
        let mut writer = None;
        while writer.is_none() && !pg_sys::systable_getnext(scan).is_null() {
            writer = (dirty.xmin != pg_sys::InvalidTransactionId).then_some(dirty.xmin);
        }
        pg_sys::systable_endscan(scan);
        pg_sys::table_close(relation, pg_sys::AccessShareLock as i32);
        writer
    }
}

/// After so many keys of a table that has tombstones it is looked again whether it has any.
const PATIENCE: u32 = 10_000;

thread_local! {
    /// How many keys are still to be looked up, by table.
    static PATIENT: RefCell<HashMap<u32, u32>> = RefCell::new(HashMap::new());
}

/// Whether it is known, or now and then found out, that a table has no tombstones.
fn known_none(root: pg_sys::Oid) -> bool {
    if tombstone_watch::none(root, Which::Any) {
        return true;
    }
    let due = PATIENT.with_borrow_mut(|patient| {
        let left = patient.entry(root.to_u32()).or_insert(0);
        *left = left.checked_sub(1).unwrap_or(PATIENCE);
        *left == PATIENCE
    });
    due && !any(root)
}

/// Whether a table has tombstones.
pub fn any(root: pg_sys::Oid) -> bool {
    if tombstone_watch::none(root, Which::Any) {
        return false;
    }
    let moment = tombstone_watch::moment(root, Which::Any);
    // SAFETY: as for find().
    let found = unsafe {
        let (relation, Relations { index, .. }) = open(pg_sys::AccessShareLock);
        let mut found = false;
        if pg_sys::RelationGetNumberOfBlocksInFork(relation, pg_sys::ForkNumber::MAIN_FORKNUM) > 0 {
            let mut keys = [pg_sys::ScanKeyData::default()];
            pg_sys::ScanKeyInit(
                &mut keys[0],
                1,
                pg_sys::BTEqualStrategyNumber as u16,
                pg_sys::F_OIDEQ.into(),
                root.into_datum().unwrap_or(pg_sys::Datum::from(0)),
            );
            let scan = pg_sys::systable_beginscan(relation, index, true, std::ptr::null_mut(), 1, keys.as_mut_ptr());
            found = !pg_sys::systable_getnext(scan).is_null();
            pg_sys::systable_endscan(scan);
        }
        pg_sys::table_close(relation, pg_sys::NoLock as i32);
        found
    };
    if !found {
        tombstone_watch::found_none(root, Which::Any, moment);
    }
    found
}

unsafe fn scan(relation: pg_sys::Relation, index: pg_sys::Oid, root: pg_sys::Oid, id: &KeyId, found: &mut Vec<Found>) {
    // SAFETY: as above.
    unsafe {
        let mut keys = scan_keys(root, id);
        let scan = pg_sys::systable_beginscan(relation, index, true, std::ptr::null_mut(), 2, keys.as_mut_ptr());
        loop {
            let tuple = pg_sys::systable_getnext(scan);
            if tuple.is_null() {
                break;
            }
            found.push(read(tuple, (*relation).rd_att, *id == ALL_KEYS));
        }
        pg_sys::systable_endscan(scan);
    }
}

/// The conditions of a scan for a key.
fn scan_keys(root: pg_sys::Oid, id: &KeyId) -> [pg_sys::ScanKeyData; 2] {
    // SAFETY: fills in what was just made.
    unsafe {
        let mut keys: [pg_sys::ScanKeyData; 2] = [Default::default(), Default::default()];
        let equal = pg_sys::BTEqualStrategyNumber as u16;
        pg_sys::ScanKeyInit(
            &mut keys[0],
            1,
            equal,
            pg_sys::F_OIDEQ.into(),
            root.into_datum().unwrap_or(pg_sys::Datum::from(0)),
        );
        pg_sys::ScanKeyInit(
            &mut keys[1],
            2,
            equal,
            pg_sys::F_UUID_EQ.into(),
            uuid(id).unwrap_or(pg_sys::Datum::from(0)),
        );
        keys
    }
}

unsafe fn read(tuple: pg_sys::HeapTuple, descriptor: pg_sys::TupleDesc, all_keys: bool) -> Found {
    // SAFETY: by the caller: a tuple of the table of tombstones.
    unsafe {
        let mut values = [pg_sys::Datum::from(0); COLUMNS];
        let mut nulls = [true; COLUMNS];
        pg_sys::heap_deform_tuple(tuple, descriptor, values.as_mut_ptr(), nulls.as_mut_ptr());
        let version = (!nulls[5]).then(|| values[5].value() as i64);
        Found {
            tombstone: Tombstone {
                row_gone: String::from_datum(values[2], nulls[2]),
                moved_to: String::from_datum(values[3], nulls[3]),
                displaced: bool::from_datum(values[4], nulls[4]).unwrap_or(false),
                version: version.zip(String::from_datum(values[6], nulls[6])),
            },
            writer: commit_time::of((*tuple).t_data),
            xid: pg_sys::htup::HeapTupleHeaderGetRawXmin((*tuple).t_data).into(),
            all_keys,
        }
    }
}

fn uuid(id: &KeyId) -> Option<pg_sys::Datum> {
    pgrx::Uuid::from_bytes(*id).into_datum()
}

#[derive(Clone, Copy)]
struct Relations {
    table: pg_sys::Oid,
    index: pg_sys::Oid,
    /// The table has that index and no other.
    plain: bool,
}

thread_local! {
    /// As they were at a count of changes of the catalogue.
    static RELATIONS: Cell<Option<(u64, Relations)>> = const { Cell::new(None) };
}

unsafe fn open(lock: u32) -> (pg_sys::Relation, Relations) {
    // SAFETY: closed by the caller. Only under the lock can the indexes not change any more.
    unsafe { (pg_sys::table_open(relations().table, lock as i32), relations()) }
}

fn relations() -> Relations {
    let changes = table::changes();
    if let Some((at, known)) = RELATIONS.get()
        && at == changes
    {
        return known;
    }
    // SAFETY: look-ups in the catalogue's cache; opened and closed in one go, the list is a copy.
    let found = unsafe {
        let schema = pg_sys::get_namespace_oid(c"steep_repl".as_ptr(), false);
        let table = pg_sys::get_relname_relid(c"tombstones".as_ptr(), schema);
        let relation = pg_sys::table_open(table, pg_sys::AccessShareLock as i32);
        let indexes = pg_sys::RelationGetIndexList(relation);
        let plain = !indexes.is_null() && (*indexes).length == 1;
        pg_sys::table_close(relation, pg_sys::NoLock as i32);
        Relations { table, index: pg_sys::get_relname_relid(c"tombstones_key".as_ptr(), schema), plain }
    };
    // What was heard of changes when the table was opened is in it already.
    RELATIONS.set(Some((table::changes(), found)));
    found
}
