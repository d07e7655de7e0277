//! Whether a table has an id in an index: a look that costs little, for updates of rows whose ids are others'.

use super::key_probe::KeyProbe;
use super::table;
use pgrx::pg_sys;
use std::ffi::CStr;

/// A scan of an index that begins with the column.
pub struct IdProbe {
    probe: KeyProbe,
    /// How many bytes the column's values have.
    bytes: i16,
}

impl IdProbe {
    /// Over the index of a table that begins with this column: its number, and how many bytes its values have.
    pub fn of(table: pg_sys::Oid, index: pg_sys::Oid, (place, bytes): (i32, i16)) -> Option<Self> {
        // SAFETY: opened and closed in one go; an error releases it.
        let probe = unsafe {
            let relation = pg_sys::table_open(table, pg_sys::AccessShareLock as i32);
            let probe = KeyProbe::of(index, &[place as usize - 1]);
            pg_sys::table_close(relation, pg_sys::NoLock as i32);
            probe?
        };
        Some(Self { probe, bytes })
    }

    /// Whether the index has an entry with the id, be it of a row that is gone: an id that was in the table once has been
    /// handed out by its owner, who never hands it out again.
    pub fn present(&self, table: pg_sys::Oid, id: i64) -> bool {
        let fits = match self.bytes {
            2 => i16::try_from(id).is_ok(),
            4 => i32::try_from(id).is_ok(),
            _ => true,
        };
        if !fits {
            return false;
        }
        // SAFETY: as above; the statement that is running has locked the table.
        unsafe {
            let relation = pg_sys::table_open(table, pg_sys::AccessShareLock as i32);
            let absent = self.probe.value_absent(relation, datum(id, self.bytes));
            pg_sys::table_close(relation, pg_sys::NoLock as i32);
            !absent
        }
    }
}

/// The number of a column, from 1, and how many bytes its values have; None for one that is no integer.
pub fn column(table: pg_sys::Oid, name: &str) -> Option<(i32, i16)> {
    // SAFETY: opened and closed in one go; an error releases it.
    unsafe {
        let relation = pg_sys::table_open(table, pg_sys::AccessShareLock as i32);
        let found = table::attributes((*relation).rd_att)
            .iter()
            .find(|a| !a.attisdropped && CStr::from_ptr(a.attname.data.as_ptr()).to_bytes() == name.as_bytes())
            .filter(|a| a.attbyval && matches!(a.attlen, 2 | 4 | 8))
            .map(|a| (i32::from(a.attnum), a.attlen));
        pg_sys::table_close(relation, pg_sys::NoLock as i32);
        found
    }
}

/// An id that fits the column, as a value of it.
pub fn datum(id: i64, bytes: i16) -> pg_sys::Datum {
    match bytes {
        2 => pg_sys::Datum::from(id as i16),
        4 => pg_sys::Datum::from(id as i32),
        _ => pg_sys::Datum::from(id),
    }
}
