//! What the worker does in its rounds. SQL says what is due and carries out each step; here is only the frame: each
//! step in a transaction of its own, an error noted where `health()` finds it.

pub mod initialise;
mod load;
mod prune;
mod range;
mod tell;

use crate::pg::transaction::in_transaction;
use crate::pg::worker_process;
use crate::{job, shared, sql};

/// One round; true when a link has a further step to take at once.
pub fn round(database: u32) -> Result<bool, String> {
    // A copy of a node has its identity, its links and its work: nothing of that is done here. Objects of a released version do
    // not know of copies.
    let copied = in_transaction("looking whether this is a copy", || {
        sql::text("SELECT pg_catalog.to_regprocedure('steep_repl._note_copy()')::text", &[])
            .and_then(|_| sql::text("SELECT steep_repl._note_copy()", &[]))
    })?;
    if copied.is_some() {
        return Ok(false);
    }
    let mut busy = false;
    // What jobs need is never behind what peers are asked for, each of which may take long to answer, or goes wrong.
    let mut jobs = job::round(database);
    // Early, because sessions that insert may wait for it; what goes wrong in it holds up nothing else.
    let ranges = range::round();
    for peer in due("looking for links with work", "_links_due")? {
        let done = in_transaction("moving a link along", || {
            sql::text("SELECT steep_repl._link_step($1)::text", &[peer.as_str().into()])
        });
        match done {
            Ok(more) => busy |= more.as_deref() == Some("true"),
            Err(error) => note(&peer, "_link_failed", &error),
        }
        jobs = jobs.and(job::round(database));
    }
    for peer in due("looking for peers to watch", "_observations_due")? {
        let seen = in_transaction("watching a peer", || {
            sql::text("SELECT steep_repl._observe($1)::text", &[peer.as_str().into()])
        });
        if let Err(error) = seen {
            note(&peer, "_observe_failed", &error);
        }
        jobs = jobs.and(job::round(database));
    }
    let house = in_transaction("housekeeping", || sql::text("SELECT steep_repl._housekeeping()::text", &[]));
    let proven = prove(&mut busy);
    let orphans = in_transaction("checking foreign keys", || sql::text("SELECT steep_repl._orphan_round()::text", &[]));
    prune::if_due()?;
    if !shared::read(|s| s.databases.iter().any(|d| d.oid == database && d.job != 0)) {
        let waiting = due("looking for initialisations", "_initialisations_due")?;
        if let Some(id) = waiting.first() {
            worker_process::start("initialisation", "steep_repl_initialise_main", database, id);
        }
    }
    // Last, so that a proof that fails holds up nothing else.
    house?;
    proven?;
    ranges?;
    jobs?;
    Ok(busy || orphans?.as_deref() == Some("true"))
}

/// Compares what conflicts have touched, and carries out the repairs that follow.
fn prove(busy: &mut bool) -> Result<(), String> {
    let more = in_transaction("proving conflicts", || sql::text("SELECT steep_repl._proof_round()::text", &[]))?;
    *busy |= more.as_deref() == Some("true");
    for kind in due("looking for repairs", "_repairs_due")? {
        repair(&kind)?;
    }
    Ok(())
}

/// Repairs are written under a replication origin of their own: the peers hold those rows already.
fn repair(kind: &str) -> Result<(), String> {
    let name = in_transaction("preparing a repair", || sql::text("SELECT steep_repl._repair_origin()", &[]))?;
    let name = name.ok_or("no origin for repairs")?;
    let setup =
        || sql::text("SELECT pg_catalog.pg_replication_origin_session_setup($1)::text", &[name.as_str().into()]);
    in_transaction("preparing a repair", setup)?;
    let done = in_transaction("repairing", || sql::text("SELECT steep_repl._repair($1)::text", &[kind.into()]));
    // Whatever came of it, what this process writes from here on is its own again. Peers would not get it: rather its end, which
    // gives the origin back, and another worker.
    let reset = || sql::text("SELECT pg_catalog.pg_replication_origin_session_reset()::text", &[]);
    if let Err(error) = in_transaction("ending a repair", reset) {
        worker_process::terminate(worker_process::my_pid());
        return Err(error);
    }
    done.map(|_| ())
}

fn due(activity: &str, function: &str) -> Result<Vec<String>, String> {
    in_transaction(activity, || sql::texts(&format!("SELECT * FROM steep_repl.{function}()")))
}

/// Notes what went wrong with a peer; should that fail as well, the others must not wait for it.
fn note(peer: &str, function: &str, error: &str) {
    let query = format!("SELECT steep_repl.{function}($1, $2)::text");
    let noted = in_transaction("noting an error", || sql::text(&query, &[peer.into(), error.into()]));
    if let Err(why) = noted {
        pgrx::log!("steep_repl: {peer}: {error}; it could not be noted: {why}");
    }
}
