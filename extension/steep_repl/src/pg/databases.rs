//! The list of databases, read without being connected to one.

use pgrx::pg_sys;

/// OIDs of the databases that accept connections, read from pg_database (as the autovacuum launcher reads it).
/// Must run in a transaction.
pub fn list() -> Vec<u32> {
    let mut found = Vec::new();
    // SAFETY: pg_database is a shared catalogue with a fixed layout up to what is read here (pg_database.h);
    // the scan holds its lock until the end.
    unsafe {
        let relation = pg_sys::table_open(pg_sys::DatabaseRelationId, pg_sys::AccessShareLock as i32);
        let scan = pg_sys::table_beginscan_catalog(relation, 0, std::ptr::null_mut());
        loop {
            let tuple = pg_sys::heap_getnext(scan, pg_sys::ScanDirection::ForwardScanDirection);
            if tuple.is_null() {
                break;
            }
            let row = pg_sys::GETSTRUCT(tuple) as *const pg_sys::FormData_pg_database;
            if (*row).datallowconn && !(*row).datistemplate {
                found.push((*row).oid.to_u32());
            }
        }
        pg_sys::heap_endscan(scan);
        pg_sys::table_close(relation, pg_sys::AccessShareLock as i32);
    }
    found
}

/// The OID of a database by name, 0 when there is none. Must run in a transaction.
pub fn by_name(name: &std::ffi::CStr) -> u32 {
    // SAFETY: a look-up that returns InvalidOid when there is no such database.
    unsafe { pg_sys::get_database_oid(name.as_ptr(), true) }.to_u32()
}

/// Where the server keeps its data.
pub fn data_folder() -> std::path::PathBuf {
    // SAFETY: set once at the start of the server.
    let folder = unsafe { std::ffi::CStr::from_ptr(pg_sys::DataDir) };
    std::path::PathBuf::from(folder.to_string_lossy().into_owned())
}
