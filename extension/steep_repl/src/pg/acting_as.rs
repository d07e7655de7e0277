//! Acting as another role for a moment.

use pgrx::pg_sys;

/// The role that this process acted as before; given back when dropped. An aborted transaction restores it too
/// (miscinit.c).
pub struct ActingAs {
    user: pg_sys::Oid,
    context: i32,
}

impl ActingAs {
    /// As the owner of a table, restricted: its triggers, checks and index expressions are the owner's code, not ours.
    pub fn table_owner(owner: pg_sys::Oid) -> Self {
        Self::switch(owner, |context| context | pg_sys::SECURITY_RESTRICTED_OPERATION as i32)
    }

    /// As the role that made the cluster, for writing the tables of the extension. Only fixed statements may run so.
    pub fn extension() -> Self {
        Self::switch(pg_sys::BOOTSTRAP_SUPERUSERID.into(), |context| {
            context | pg_sys::SECURITY_LOCAL_USERID_CHANGE as i32
        })
    }

    fn switch(user: pg_sys::Oid, context: impl FnOnce(i32) -> i32) -> Self {
        let mut before = Self { user: pg_sys::InvalidOid, context: 0 };
        // SAFETY: plain state of the process.
        unsafe {
            pg_sys::GetUserIdAndSecContext(&mut before.user, &mut before.context);
            pg_sys::SetUserIdAndSecContext(user, context(before.context));
        }
        before
    }
}

impl Drop for ActingAs {
    fn drop(&mut self) {
        // SAFETY: what was there before.
        unsafe { pg_sys::SetUserIdAndSecContext(self.user, self.context) }
    }
}
