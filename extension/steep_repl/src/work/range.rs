//! Ranges of ids in each round: first those that need no peer, because sessions that insert wait for them.

use super::due;
use crate::pg::transaction::in_transaction;
use crate::sql;

/// One sequence, one share, one bypass at a time, each in a transaction of its own.
pub fn round() -> Result<(), String> {
    let steps = [("_ranges_due", "_range_step"), ("_bypasses_due", "_bypass_step"), ("_shares_due", "_share_step")];
    for (which, step) in steps {
        for one in due("looking for ranges with work", which)? {
            let query = format!("SELECT steep_repl.{step}($1)::text");
            let done = in_transaction("looking after ranges", || sql::text(&query, &[one.as_str().into()]));
            if let Err(error) = done {
                pgrx::log!("steep_repl: {step} of {one}: {error}");
                let note = "SELECT steep_repl._range_failed($1, $2, $3)::text";
                in_transaction("noting an error", || {
                    sql::text(note, &[step.into(), one.as_str().into(), error.as_str().into()])
                })?;
            }
        }
    }
    Ok(())
}
