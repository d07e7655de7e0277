//! A key as 128 bits, for looking up what is remembered of it. Local to a node: other machines may hash otherwise.

use super::row::Row;
use super::table::{Column, Table};
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
pub fn of(table: &Table, row: &Row) -> KeyId {
    let mut halves = [0x5eed_u64, 0x0dd5_eed5];
    for place in &table.key {
        for half in &mut halves {
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
