//! A key as 128 bits, for looking up what is remembered of it. Local to a node: other machines may hash otherwise.

use super::row::Row;
use super::table::{Column, Order, Table};
use pgrx::pg_sys;
use pgrx::pg_sys::submodules::ffi::pg_guard_ffi_boundary;

unsafe extern "C-unwind" {
    // src/include/common/hashfn.h
    fn hash_bytes_extended(bytes: *const u8, length: i32, seed: u64) -> u64;
}

/// As uuid in the tables.
pub type KeyId = [u8; 16];

/// Stands for all keys of a table, as after TRUNCATE.
pub const ALL_KEYS: KeyId = [0; 16];

/// The id of a row's key: equal for keys that the type calls equal (1.0 and 1.00, or as a collation says).
///
/// Its first half shows the order of the keys where the types allow that: rows that are deleted one after the other then
/// have their tombstones side by side, instead of each on another page of the index.
pub fn of(table: &Table, row: &Row) -> KeyId {
    let front = front(table, row);
    let mut halves = [front.unwrap_or(0x5eed), 0x0dd5_eed5];
    for place in &table.key {
        for half in &mut halves[usize::from(front.is_some())..] {
            let hash = match row.values[*place] {
                Some(value) => hash(&table.columns[*place], value, *half),
                None => 0,
            };
            *half = half.rotate_left(13) ^ hash;
        }
    }
    let mut id = [0; 16];
    id[..8].copy_from_slice(&halves[0].to_be_bytes());
    id[8..].copy_from_slice(&halves[1].to_be_bytes());
    if id == ALL_KEYS { [1; 16] } else { id }
}

/// The values of the key side by side, as far as 64 bits reach; None when equal values may be different bytes.
fn front(table: &Table, row: &Row) -> Option<u64> {
    let bits = 64 / table.key.len().clamp(1, 64) as u32;
    table.key.iter().try_fold(0_u64, |front, place| {
        let column = &table.columns[*place];
        let value = row.values[*place]?;
        let part = match column.order {
            // Negative ones before the others.
            Order::Number => number(column, value) ^ 1 << (bits - 1),
            // SAFETY: a uuid is a pointer to 16 bytes.
            Order::Uuid => u64::from_be_bytes(unsafe { *value.cast_mut_ptr::<[u8; 8]>() }) >> (64 - bits),
            Order::None => return None,
        };
        Some(front.unbounded_shl(bits) | part & (u64::MAX >> (64 - bits)))
    })
}

fn number(column: &Column, value: pg_sys::Datum) -> u64 {
    match column.length {
        2 => i64::from(value.value() as i16) as u64,
        4 => i64::from(value.value() as i32) as u64,
        _ => value.value() as u64,
    }
}

/// Its text form.
pub fn text(id: &KeyId) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn hash(column: &Column, value: pg_sys::Datum, seed: u64) -> u64 {
    // SAFETY: the type's own hash function from the type cache, which lives as long as the process.
    unsafe {
        let entry = pg_sys::lookup_type_cache(column.type_oid, pg_sys::TYPECACHE_HASH_EXTENDED_PROC_FINFO as i32);
        let function = &raw mut (*entry).hash_extended_proc_finfo;
        if (*function).fn_oid != pg_sys::InvalidOid {
            let seed = pg_sys::Datum::from(seed);
            return pg_sys::FunctionCall2Coll(function, column.collation, value, seed).value() as u64;
        }
        // Types without a hash function have one form a value.
        let (mut send, mut variable) = (pg_sys::InvalidOid, false);
        pg_sys::getTypeBinaryOutputInfo(column.type_oid, &mut send, &mut variable);
        let bytes = pg_sys::OidSendFunctionCall(send, value);
        let data = pgrx::varlena_to_byte_slice(bytes);
        pg_guard_ffi_boundary(|| hash_bytes_extended(data.as_ptr(), data.len() as i32, seed))
    }
}
