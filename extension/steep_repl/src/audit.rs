//! Failures for the audit log: the failed action's own transaction is rolled back, so the entry goes through shared
//! memory to the worker, which writes it in a transaction of its own.

use crate::pg::{transaction, worker_process};
use crate::{shared, sql};
use pgrx::prelude::*;

const WRITE: &str = "SELECT steep_repl._audit_failure_write($1, $2, $3, $4, $5, $6, $7)::text";

/// Hands one failure to the worker. True when it will be written; false when there is no worker, or no room:
/// then the server log has it, and a counter.
#[pg_extern(sql = false)]
fn audit_failure_hand_over(
    action: &str,
    actor: &str,
    target_type: &str,
    target_id: &str,
    client: &str,
    message: &str,
) -> bool {
    let database = worker_process::my_database();
    let at = worker_process::now();
    let latch = shared::available().then(|| {
        shared::write(|s| {
            let worker = s.database(database).filter(|d| d.worker != 0).map(|d| d.latch);
            let free = s.failures.iter_mut().find(|f| f.database == 0);
            match (worker, free) {
                (Some(latch), Some(entry)) => {
                    entry.database = database;
                    entry.at = at;
                    entry.action.set(action);
                    entry.actor.set(actor);
                    entry.target_type.set(target_type);
                    entry.target_id.set(target_id);
                    entry.client.set(client);
                    entry.message.set(message);
                    Some(latch)
                }
                _ => {
                    s.failures_lost += 1;
                    None
                }
            }
        })
    });
    match latch.flatten() {
        Some(latch) => {
            latch.wake();
            true
        }
        None => {
            pgrx::log!("steep_repl audit: {action} of {target_type} {target_id} by {actor} failed: {message}");
            false
        }
    }
}

/// Writes all waiting failures of a database, each in a transaction of its own; one that cannot be written stays
/// in the server log.
pub fn write_failures(database: u32) {
    while let Some(entry) = take(database) {
        let written = transaction::in_transaction("writing the audit log", || {
            let at = TimestampWithTimeZone::try_from(entry.at).ok();
            sql::text(
                WRITE,
                &[
                    at.into(),
                    entry.action.get().into(),
                    entry.actor.get().into(),
                    entry.target_type.get().into(),
                    entry.target_id.get().into(),
                    entry.client.get().into(),
                    entry.message.get().into(),
                ],
            );
        });
        if let Err(error) = written {
            pgrx::log!("steep_repl audit: {} failed: {}: {error}", entry.action.get(), entry.message.get());
            shared::write(|s| s.failures_lost += 1);
        }
    }
}

fn take(database: u32) -> Option<shared::Failure> {
    shared::write(|s| {
        // The oldest first, so that the log keeps the order of events.
        let oldest = s.failures.iter_mut().filter(|f| f.database == database).min_by_key(|f| f.at)?;
        let entry = *oldest;
        oldest.database = 0;
        Some(entry)
    })
}
