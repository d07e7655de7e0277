//! What makes a snapshot one that nodes can be filled from: where the streams of all nodes stood at its moment, and the
//! versions of its rows.
//!
//! The streams of the other nodes are held until the moment is there: what they wrote is in it up to a position that is
//! known (`sql/functions/preparation.sql`).

use super::Parameters;
use super::generate::file_name;
use super::piece_file::PieceFile;
use crate::job::{Lead, Outcome, Stream, Task, first};
use crate::pg::acting_as::ActingAs;
use crate::pg::copy_to::copy_out;
use crate::pg::plan::{self, Argument};
use crate::pg::shared_moment;
use crate::pg::transaction::{Failed, attempt_beginning};
use serde::Deserialize;
use snapshot_files::{Compression, Member, Piece, Replicated, Replication};
use std::path::Path;

/// The step of a task that copies versions; its number is that of the replicated table.
pub const VERSIONS: u8 = 1;

/// A replicated table as _snapshot_replication() gives it.
#[derive(Deserialize)]
pub struct Planned {
    relation: u32,
    schema: String,
    table: String,
    joined_at: String,
    leaves: Vec<(String, String)>,
    pages: u64,
}

/// The streams that are held for the snapshot, and where.
pub struct Held {
    members: Vec<Member>,
    holder: String,
}

impl Held {
    /// Holds the streams of all other nodes; None where the snapshot is not for new nodes.
    pub fn hold(lead: &mut Lead, wanted: &Parameters) -> Result<Option<Self>, Failed> {
        let Some(preparation) = &wanted.preparation else { return Ok(None) };
        lead.phase("holding the streams of the other nodes")?;
        let holder = format!("snapshot {}", lead.id);
        let held = Self { members: Vec::new(), holder };
        let query = "SELECT steep_repl._snapshot_hold($1::pg_catalog.uuid, $2)";
        let said = lead.step(query, || [Argument::text(preparation), Argument::text(&held.holder)]);
        let members = said.and_then(|said| {
            serde_json::from_str(&said.unwrap_or_default()).map_err(|error| Failed::from(error.to_string()))
        });
        match members {
            Ok(members) => Ok(Some(Self { members, ..held })),
            Err(failed) => {
                held.release(lead);
                Err(failed)
            }
        }
    }

    /// To be called once the moment is there: an error when a stream has gone on before it.
    pub fn end(&self, lead: &Lead) -> Result<(), Failed> {
        let members = serde_json::to_string(&self.members).map_err(|error| error.to_string())?;
        let query = "SELECT steep_repl._snapshot_held($1::pg_catalog.jsonb, $2)";
        let held = lead.step(query, || [Argument::text(&members), Argument::text(&self.holder)]);
        self.release(lead);
        held.map(|_| ())
    }

    pub fn described(
        self,
        wanted: &Parameters,
        node_uid: String,
        tables: impl Iterator<Item = (Planned, Piece)>,
    ) -> Replication {
        let described = |(table, versions): (Planned, Piece)| Replicated {
            schema: table.schema,
            table: table.table,
            joined_at: table.joined_at,
            leaves: table.leaves,
            versions,
        };
        Replication {
            preparation: wanted.preparation.clone().unwrap_or_default(),
            node_uid,
            members: self.members,
            tables: tables.map(described).collect(),
        }
    }

    /// What does not succeed here ends by itself.
    pub fn release(&self, lead: &Lead) {
        let query = "SELECT steep_repl._snapshot_release($1)";
        if let Err(failed) = lead.step(query, || [Argument::text(&self.holder)]) {
            pgrx::log!("steep_repl work {}: the streams go on by themselves: {}", lead.id, failed.text);
        }
    }
}

/// The replicated tables as of the moment; none where the snapshot is not for new nodes.
pub fn plan_of(wanted: &Parameters, moment: &str) -> Result<Vec<Planned>, Failed> {
    if wanted.preparation.is_none() {
        return Ok(Vec::new());
    }
    let read = || first(plan::rows("SELECT steep_repl._snapshot_replication()", &[])).unwrap_or_default();
    let text = attempt_beginning("listing the replicated tables", || shared_moment::join(moment), read)?;
    Ok(serde_json::from_str(&text).map_err(|error| error.to_string())?)
}

/// A task for the versions of each table.
pub fn tasks(planned: &[Planned]) -> Vec<Task> {
    let numbered = planned.iter().enumerate();
    numbered
        .map(|(number, table)| Task {
            step: VERSIONS,
            number: number as u32,
            relation: table.relation,
            // Reading them all is as much work as copying, writing them is not.
            units: (table.pages / 2).max(1),
            ..Default::default()
        })
        .collect()
}

/// Writes the versions of one table, with the extension's rights: those of deleted rows are not the caller's to read.
pub fn copy(stream: &Stream, task: &Task, folder: &Path, compression: Compression) -> Outcome {
    let mut file = PieceFile::create(stream, &folder.join(file_name(task, compression)), compression);
    let relation = task.relation;
    let query =
        format!("SELECT v FROM steep_repl._recent_versions({relation}::pg_catalog.regclass::pg_catalog.text) v");
    {
        let _as_extension = ActingAs::extension();
        copy_out(&query, &mut file);
    }
    let written = file.finish();
    // Not counted: they are no rows of the table.
    let mut outcome = Outcome { stored_bytes: written.stored_bytes, ..Default::default() };
    outcome.sha256.set(&written.sha256);
    outcome
}
