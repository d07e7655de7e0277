//! Whether this server began as a backup of another one: `backup_label` lies in the data folder until its recovery begins
//! (src/backend/access/transam/xlogrecovery.c).

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

static LIES_THERE: AtomicBool = AtomicBool::new(false);

/// Looks for it; in the postmaster, before recovery takes it away. The data folder is its working directory.
pub fn look() {
    LIES_THERE.store(Path::new("backup_label").exists(), Ordering::Relaxed);
}

/// Whether the recovery that follows the making of shared memory is that of the backup: the first one of this postmaster is, the
/// ones after a crash of a backend go through WAL of this server's own.
pub fn begins_recovery() -> bool {
    LIES_THERE.swap(false, Ordering::Relaxed)
}
