//! The one right that loading a snapshot takes beyond those of whoever asked for it.

use pgrx::pg_sys;

/// Until the end of the transaction triggers do not fire and foreign keys are not looked at, as for rows that replication
/// brings: the rows of a snapshot have been through both. Setting it takes a superuser, or GRANT SET ON PARAMETER; nothing
/// but COPY runs meanwhile.
pub fn for_this_transaction() {
    // SAFETY: a known setting and a valid value.
    unsafe {
        pg_sys::set_config_option(
            c"session_replication_role".as_ptr(),
            c"replica".as_ptr(),
            pg_sys::GucContext::PGC_SUSET,
            pg_sys::GucSource::PGC_S_SESSION,
            pg_sys::GucAction::GUC_ACTION_LOCAL,
            true,
            0,
            false,
        );
    }
}
