//! Taking a snapshot. The first stream holds one moment of the database and locks the tables, the others join it; each piece
//! of a table is a file.

use super::piece_file::PieceFile;
use super::replication::{self, Held};
use super::{Parameters, failed};
use crate::error;
use crate::job::{Lead, Outcome, Stream, Task, first};
use crate::pg::copy_to::copy_out;
use crate::pg::plan::{self, Argument};
use crate::pg::transaction::{Failed, attempt, attempt_beginning, in_transaction};
use crate::pg::{lock_group, shared_moment, slot_moment, table_lock};
use pgrx::PgSqlErrorCode;
use serde::Deserialize;
use serde_json::{Value, json};
use snapshot_files::{Column, Compression, FORMAT, Manifest, Partial, Piece, Table, split};
use std::path::Path;

/// A table as _snapshot_plan() gives it.
#[derive(Deserialize)]
struct Planned {
    relation: u32,
    schema: String,
    table: String,
    pages: u64,
    rows: u64,
    columns: Vec<Column>,
    fingerprint: String,
    definition: Value,
}

pub fn lead(lead: &mut Lead, parameters: &Value) -> Result<Value, Failed> {
    let wanted = Parameters::read(parameters)?;
    lead.phase("preparing")?;
    let problems = "SELECT steep_repl._refuse('SR110', 'the snapshot cannot be taken',
                      ARRAY(SELECT steep_repl._snapshot_problems($1, $2, $3::pg_catalog.uuid, $4)), '')";
    let role = lead.role.into();
    lead.step(problems, || {
        [
            tables(&wanted),
            Argument::of(wanted.slot.clone()),
            Argument::of(wanted.preparation.clone()),
            Argument::oid(role),
        ]
    })?;
    let partial = Partial::create(&wanted.path, wanted.label()).map_err(failed)?;
    let outcome = write(lead, &wanted);
    lead.write(|place| place.keeps_slot = outcome.is_ok());
    // Before the folder goes: nobody must write into it any more.
    lead.dismiss();
    let noted = outcome.and_then(|manifest| {
        slot(lead, &wanted, "SELECT steep_repl._snapshot_slot_kept($1)")?;
        partial.complete(&manifest).map_err(failed)?;
        note(lead, &wanted, &manifest)
    });
    if noted.is_err() {
        // Nobody would know of it.
        let _ = snapshot_files::remove(&wanted.path, &wanted.snapshot_uid);
        slot(lead, &wanted, "SELECT steep_repl._snapshot_slot_drop($1)")?;
    }
    noted
}

/// Something to be done with the slot, when there is one.
fn slot(lead: &Lead, wanted: &Parameters, query: &str) -> Result<(), Failed> {
    match &wanted.slot {
        Some(slot) => lead.step(query, || [Argument::text(slot)]).map(|_| ()),
        None => Ok(()),
    }
}

fn tables(wanted: &Parameters) -> Argument {
    Argument::of(wanted.tables.clone())
}

fn write(lead: &mut Lead, wanted: &Parameters) -> Result<Manifest, Failed> {
    let compression = compression(wanted)?;
    let held = Held::hold(lead, wanted)?;
    let moment = moment(lead, wanted);
    if let (Some(held), Err(_)) = (&held, &moment) {
        held.release(lead);
    }
    let moment = moment?;
    if let Some(held) = &held {
        held.end(lead)?;
    }
    let planned = plan_of(wanted, &moment)?;
    let replicated = replication::plan_of(wanted, &moment)?;
    let (mut tasks, mut pieces) = pieces(&planned, wanted.parallel);
    let mut versions = vec![Piece::default(); replicated.len()];
    tasks.extend(replication::tasks(&replicated));
    tasks.sort_by_key(|task| std::cmp::Reverse(task.units));
    lead.write(|place| {
        place.tables_total = planned.len() as u64;
        place.rows_total = planned.iter().map(|table| table.rows).sum();
        place.units_total = tasks.iter().map(|task| task.units).sum();
    });
    lead.phase("copying")?;
    let mut left: Vec<usize> = pieces.iter().map(Vec::len).collect();
    lead.share_out(&tasks, |place, task, outcome| {
        let piece = Piece {
            file: file_name(task, compression),
            rows: outcome.rows,
            bytes: outcome.bytes,
            stored_bytes: outcome.stored_bytes,
            sha256: outcome.sha256.get(),
        };
        if task.step == replication::VERSIONS {
            versions[task.number as usize] = piece;
            return;
        }
        let (table, number) = place_of(task);
        pieces[table][number] = piece;
        left[table] -= 1;
        place.tables_done += u64::from(left[table] == 0);
    })?;
    lead.phase("writing the manifest")?;
    // After the rows' moment, so that no row has an id beyond its sequence.
    let sequences = lead.step("SELECT steep_repl._snapshot_sequences($1)", || [tables(wanted)])?.unwrap_or_default();
    let facts = lead.step("SELECT steep_repl._snapshot_facts()", || [])?.unwrap_or_default();
    let mut facts: Value = serde_json::from_str(&facts).map_err(|error| error.to_string())?;
    let text = |value: Value| value.as_str().unwrap_or_default().to_owned();
    Ok(Manifest {
        format: FORMAT,
        snapshot_uid: wanted.snapshot_uid.clone(),
        created_at: text(facts["created_at"].take()),
        server_version: text(facts["server_version"].take()),
        extension_version: text(facts["extension_version"].take()),
        database: text(facts["database"].take()),
        node_id: facts["node_id"].as_str().map(str::to_owned),
        encoding: text(facts["encoding"].take()),
        lsn: lead.read(|place| place.lsn.get()),
        slot: wanted.slot.clone(),
        compression,
        tables: planned.into_iter().zip(pieces).map(described).collect(),
        sequences: serde_json::from_str(&sequences).map_err(|error| error.to_string())?,
        replication: held
            .map(|held| held.described(wanted, text(facts["node_uid"].take()), replicated.into_iter().zip(versions))),
    })
}

/// Has the streams begin; the moment of the first of them.
fn moment(lead: &mut Lead, wanted: &Parameters) -> Result<String, Failed> {
    lead.phase("waiting for one moment of all tables")?;
    lead.start_streams(wanted.parallel)?;
    lead.wait(|place| Some(place.moment.get()).filter(|moment| !moment.is_empty()))
}

fn compression(wanted: &Parameters) -> Result<Compression, Failed> {
    Compression::parse(&wanted.compression)
        .ok_or_else(|| Failed::from(format!("compression {} is not known", wanted.compression)))
}

/// The tables as of the moment, read in it.
fn plan_of(wanted: &Parameters, moment: &str) -> Result<Vec<Planned>, Failed> {
    let read = || first(plan::rows("SELECT steep_repl._snapshot_plan($1)", &[tables(wanted)])).unwrap_or_default();
    let text = attempt_beginning("listing the tables", || shared_moment::join(moment), read)?;
    Ok(serde_json::from_str(&text).map_err(|error| error.to_string())?)
}

/// The tasks, and a place for what comes of each, by table. A task's number holds both places.
fn pieces(planned: &[Planned], streams: usize) -> (Vec<Task>, Vec<Vec<Piece>>) {
    let mut tasks = Vec::new();
    let mut places = Vec::new();
    for (number, table) in planned.iter().enumerate() {
        let cut = split(table.pages, streams as u64);
        let empty = Piece { file: String::new(), rows: 0, bytes: 0, stored_bytes: 0, sha256: String::new() };
        places.push(vec![empty; cut.len()]);
        for (piece, pages) in cut.iter().enumerate() {
            let to = pages.to.map_or(table.pages.max(1), u64::from);
            let units = to.saturating_sub(u64::from(pages.from)).max(1);
            tasks.push(Task {
                step: 0,
                number: (number as u32) << 8 | piece as u32,
                relation: table.relation,
                from: pages.from,
                to: pages.to,
                units,
                rows: (table.rows as f64 * units as f64 / table.pages.max(1) as f64) as u64,
                ..Default::default()
            });
        }
    }
    (tasks, places)
}

fn place_of(task: &Task) -> (usize, usize) {
    ((task.number >> 8) as usize, (task.number & 255) as usize)
}

/// Numbers, because tables may have any name.
pub fn file_name(task: &Task, compression: Compression) -> String {
    let (table, piece) = place_of(task);
    match task.step {
        replication::VERSIONS => format!("data/{:06}.versions{}", task.number, compression.suffix()),
        _ => format!("data/{table:06}.{piece:03}.copy{}", compression.suffix()),
    }
}

fn described((table, pieces): (Planned, Vec<Piece>)) -> Table {
    Table {
        schema: table.schema,
        table: table.table,
        columns: table.columns,
        fingerprint: table.fingerprint,
        definition: table.definition,
        rows: pieces.iter().map(|piece| piece.rows).sum(),
        pieces,
    }
}

fn note(lead: &Lead, wanted: &Parameters, manifest: &Manifest) -> Result<Value, Failed> {
    let path = wanted.path.display().to_string();
    let number = |value: u64| Argument::of(Some(value.cast_signed()));
    lead.step("SELECT steep_repl._snapshot_done($1, $2::pg_catalog.uuid, $3, $4, $5, $6, $7, $8, $9)", || {
        [
            Argument::of(Some(lead.id)),
            Argument::text(&manifest.snapshot_uid),
            Argument::text(&path),
            Argument::text(&manifest.lsn),
            Argument::of(manifest.slot.clone()),
            Argument::text(&wanted.compression),
            number(manifest.tables.len() as u64),
            number(manifest.rows()),
            number(manifest.stored_bytes()),
        ]
    })?;
    Ok(json!({
        "path": path, "lsn": manifest.lsn, "slot": manifest.slot, "tables": manifest.tables.len(),
        "rows": manifest.rows(), "bytes": manifest.bytes(), "stored_bytes": manifest.stored_bytes(),
    }))
}

/// The files, and the slot, of a snapshot whose leader has gone without a word.
pub fn clean(parameters: &Value) -> Result<(), String> {
    let wanted = Parameters::read(parameters).map_err(|failed| failed.text)?;
    snapshot_files::remove_own_files(&Partial::folder_of(&wanted.path, wanted.label()));
    // It may have got its name, and nobody has noted it. Whatever else is there is not ours.
    let _ = snapshot_files::remove(&wanted.path, &wanted.snapshot_uid);
    let Some(slot) = &wanted.slot else { return Ok(()) };
    in_transaction("dropping a slot", || {
        plan::rows("SELECT steep_repl._snapshot_slot_drop($1)", &[Argument::text(slot)]);
    })
}

pub fn stream(stream: &Stream, parameters: &Value) -> Result<(), Failed> {
    let wanted = Parameters::read(parameters)?;
    let compression = compression(&wanted)?;
    let folder = Partial::folder_of(&wanted.path, wanted.label());
    let work = || {
        while let Some(task) = stream.next() {
            stream.done(match task.step {
                replication::VERSIONS => replication::copy(stream, &task, &folder, compression),
                _ => copy(stream, &task, &folder, compression),
            });
        }
    };
    if stream.number == 0 {
        lock_group::lead();
        // Also without a slot to keep: nodes that are filled from it have to know where exactly it lies in the stream.
        let passing = wanted.preparation.as_ref().map(|_| format!("steep_repl_moment_{}", stream.id));
        let slot = wanted.slot.as_deref().or(passing.as_deref());
        let begin = || slot.map_or_else(shared_moment::hold, slot_moment::make);
        attempt_beginning("holding one moment for a snapshot", begin, || {
            let moment = shared_moment::export();
            let lsn = match slot {
                Some(_) => lsn_text(slot_moment::position()),
                None => first(plan::rows("SELECT pg_catalog.pg_current_wal_insert_lsn()", &[])).unwrap_or_default(),
            };
            hold_tables(&wanted);
            stream.give_moment(&moment, &lsn);
            work();
        })?;
        if wanted.slot.is_some() && stream.keeps_slot() {
            attempt("keeping the slot of a snapshot", slot_moment::keep)?;
        }
        return Ok(());
    }
    let Some(moment) = stream.moment() else { return Ok(()) };
    if !lock_group::join(stream.first()) {
        return Err(String::from("the stream that holds the moment has ended").into());
    }
    attempt_beginning("copying for a snapshot", || shared_moment::join(&moment), work)
}

fn lsn_text(lsn: u64) -> String {
    format!("{:X}/{:X}", lsn >> 32, lsn & 0xFFFF_FFFF)
}

/// Keeps tables from being dropped, emptied or rewritten until the snapshot is done, as pg_dump does. One that was rewritten
/// between the moment and its lock would look empty.
fn hold_tables(wanted: &Parameters) {
    let query = "SELECT t.oid, c.relfilenode, c.oid::pg_catalog.regclass
                   FROM steep_repl._snapshot_tables($1) t(oid) JOIN pg_catalog.pg_class c ON c.oid = t.oid";
    for row in plan::rows(query, &[tables(wanted)]) {
        let number = |place: usize| row[place].as_deref().and_then(|text| text.parse::<u32>().ok()).unwrap_or(0);
        if !table_lock::against_rewriting(number(0), number(1)) {
            error::raise(
                PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                format!(
                    "table {} was dropped, emptied or rewritten when the snapshot began",
                    row[2].clone().unwrap_or_default()
                ),
                None,
                "retry_work() begins anew.",
            );
        }
    }
}

fn copy(stream: &Stream, task: &Task, folder: &Path, compression: Compression) -> Outcome {
    let page = |page: Option<u32>| Argument::of(page.map(i64::from));
    let query = "SELECT q.query, q.name FROM steep_repl._piece_query($1, $2, $3) q";
    let found = plan::rows(query, &[Argument::oid(task.relation.into()), page(Some(task.from)), page(task.to)]);
    let [Some(query), Some(name)] = found.first().map(Vec::as_slice).unwrap_or_default() else {
        let gone = String::from("a table is gone");
        error::raise(PgSqlErrorCode::ERRCODE_UNDEFINED_TABLE, gone, None, "retry_work() begins anew.")
    };
    stream.show(Some(name), 0, 0);
    let mut file = PieceFile::create(stream, &folder.join(file_name(task, compression)), compression);
    let rows = copy_out(query, &mut file);
    let written = file.finish();
    let mut outcome = Outcome { rows, bytes: written.bytes, stored_bytes: written.stored_bytes, ..Default::default() };
    outcome.sha256.set(&written.sha256);
    outcome
}
