//! What the worker does in its rounds. SQL says what is due and carries out each step; here is only the frame: each
//! step in a transaction of its own, an error noted where `health()` finds it.

pub mod initialise;

use crate::pg::transaction::in_transaction;
use crate::pg::worker_process;
use crate::shared;
use pgrx::prelude::*;

/// One round; true when a link has a further step to take at once.
pub fn round(database: u32) -> Result<bool, String> {
    let mut busy = false;
    for peer in due("looking for links with work", "SELECT * FROM steep_repl._links_due()")? {
        let step = "SELECT steep_repl._link_step($1)";
        let done = in_transaction("moving a link along", || {
            Spi::get_one_with_args::<bool>(step, &[peer.as_str().into()]).ok().flatten()
        });
        match done {
            Ok(more) => busy |= more.unwrap_or(false),
            Err(error) => note(&peer, "SELECT steep_repl._link_failed($1, $2)", &error)?,
        }
    }
    for peer in due("looking for peers to watch", "SELECT * FROM steep_repl._observations_due()")? {
        let look = "SELECT steep_repl._observe($1)";
        let seen = in_transaction("watching a peer", || Spi::run_with_args(look, &[peer.as_str().into()]));
        if let Err(error) = seen {
            note(&peer, "SELECT steep_repl._observe_failed($1, $2)", &error)?;
        }
    }
    in_transaction("housekeeping", || Spi::run("SELECT steep_repl._housekeeping()"))?.map_err(|e| e.to_string())?;
    if !shared::read(|s| s.databases.iter().any(|d| d.oid == database && d.job != 0)) {
        let waiting = due("looking for initialisations", "SELECT * FROM steep_repl._initialisations_due()")?;
        if let Some(id) = waiting.first() {
            worker_process::start("initialisation", "steep_repl_initialise_main", database, id);
        }
    }
    Ok(busy)
}

/// The rows of a query of one text column.
fn due(activity: &str, query: &str) -> Result<Vec<String>, String> {
    in_transaction(activity, || {
        Spi::connect(|client| {
            let rows = client.select(query, None, &[])?;
            rows.map(|row| row.get::<String>(1)).filter_map(Result::transpose).collect::<Result<Vec<_>, _>>()
        })
    })?
    .map_err(|error: spi::Error| error.to_string())
}

fn note(peer: &str, query: &str, error: &str) -> Result<(), String> {
    in_transaction("noting an error", || Spi::run_with_args(query, &[peer.into(), error.into()]))?
        .map_err(|error| error.to_string())
}
