//! A replication slot and a snapshot of the same point: what CREATE_REPLICATION_SLOT … (SNAPSHOT 'use') does for a walsender
//! (CreateReplicationSlot in src/backend/replication/walsender.c), and pg_create_logical_replication_slot() does not.

use super::shared_moment;
use pgrx::pg_sys;
use pgrx::pg_sys::submodules::ffi::pg_guard_ffi_boundary;
use std::ffi::CString;

/// At the beginning of a transaction: makes a slot of pgoutput for this database, waits until every transaction that is open
/// now has ended, and holds the moment from which the slot goes on. The slot goes with this process unless it is kept.
pub fn make(slot: &str) {
    shared_moment::hold();
    let name = CString::new(slot).unwrap_or_default();
    // SAFETY: the sequence of CreateReplicationSlot(), before the transaction has a snapshot. The callbacks are the server's
    // own functions, not wrappers of them.
    unsafe {
        pg_sys::CheckSlotPermissions();
        pg_sys::CheckLogicalDecodingRequirements();
        let until_released = pg_sys::ReplicationSlotPersistency::RS_EPHEMERAL;
        pg_sys::ReplicationSlotCreate(name.as_ptr(), true, until_released, false, false, false);
        let mut reader = pg_sys::XLogReaderRoutine {
            page_read: Some(read_local_xlog_page),
            segment_open: Some(wal_segment_open),
            segment_close: Some(wal_segment_close),
        };
        let nothing = std::ptr::null_mut();
        let context =
            pg_sys::CreateInitDecodingContext(c"pgoutput".as_ptr(), nothing, true, 0, &mut reader, None, None, None);
        pg_sys::DecodingContextFindStartpoint(context);
        pg_sys::InvalidateCatalogSnapshot();
        let builder = (*context).snapshot_builder;
        let snapshot = pg_guard_ffi_boundary(|| SnapBuildInitialSnapshot(builder));
        pg_sys::RestoreTransactionSnapshot(snapshot, pg_sys::MyProc.cast());
        pg_sys::FreeDecodingContext(context);
    }
}

/// The LSN from which the slot of this process goes on.
pub fn position() -> u64 {
    // SAFETY: this process holds the slot, and nobody else changes it.
    unsafe { (*pg_sys::MyReplicationSlot).data.confirmed_flush }
}

/// Keeps the slot when this process ends.
pub fn keep() {
    // SAFETY: as above.
    unsafe {
        pg_sys::ReplicationSlotPersist();
        pg_sys::ReplicationSlotRelease();
    }
}

unsafe extern "C-unwind" {
    // src/include/replication/snapbuild.h
    fn SnapBuildInitialSnapshot(builder: *mut pg_sys::SnapBuild) -> pg_sys::Snapshot;
    // src/include/access/xlogutils.h
    fn read_local_xlog_page(
        state: *mut pg_sys::XLogReaderState,
        page: pg_sys::XLogRecPtr,
        length: i32,
        record: pg_sys::XLogRecPtr,
        buffer: *mut std::ffi::c_char,
    ) -> i32;
    fn wal_segment_open(
        state: *mut pg_sys::XLogReaderState,
        segment: pg_sys::XLogSegNo,
        timeline: *mut pg_sys::TimeLineID,
    );
    fn wal_segment_close(state: *mut pg_sys::XLogReaderState);
}
