//! The extension as an object of the database.
//!
//! DROP EXTENSION locks the extension, then all that belongs to it, one by one (`RemoveObjects` in
//! src/backend/commands/dropcmds.c). Whoever has some of that and wants more would be in a deadlock with it; who has the extension
//! first lets it wait at the door.

use pgrx::pg_sys;

/// Keeps the extension from being dropped until the open transaction ends; nothing where it is not installed.
pub fn hold() {
    lock(pg_sys::AccessShareLock);
}

/// Waits until no worker holds the extension, and lets none have it until the open transaction ends. For who may drop it.
pub fn claim() {
    lock(pg_sys::AccessExclusiveLock);
}

/// Whether this database has it; in a transaction.
pub fn installed() -> bool {
    oid().is_some()
}

fn lock(mode: u32) {
    if let Some(extension) = oid() {
        // SAFETY: an object that is there, in a transaction.
        unsafe { pg_sys::LockDatabaseObject(pg_sys::ExtensionRelationId, extension, 0, mode as i32) };
    }
}

fn oid() -> Option<pg_sys::Oid> {
    // SAFETY: in a transaction; a process without a database has no catalogue to look into.
    unsafe {
        if pg_sys::MyDatabaseId == pg_sys::InvalidOid {
            return None;
        }
        let extension = pg_sys::get_extension_oid(c"steep_repl".as_ptr(), true);
        (extension != pg_sys::InvalidOid).then_some(extension)
    }
}
