//! Loading a snapshot: each piece in a transaction of its own, which also notes that it is there. What was loaded before an
//! interruption stays, and is not loaded again.

use super::{Parameters, failed, raise};
use crate::error;
use crate::job::{Lead, Outcome, Stream, Task};
use crate::pg::acting_as::ActingAs;
use crate::pg::copy_from::{Rows, copy_as_caller};
use crate::pg::plan::{self, Argument};
use crate::pg::transaction::{Failed, attempt};
use crate::pg::{latch, replica_role};
use pgrx::PgSqlErrorCode;
use serde::Deserialize;
use serde_json::{Value, json};
use snapshot_files::{Manifest, Piece, PieceReader, Table, Trouble, checksum_problem, read_manifest};
use std::path::Path;

const BUFFER: usize = 1 << 17;
/// What a task asks for.
const CHECK: u8 = 0;
const LOAD: u8 = 1;

/// What _apply_begin() says.
#[derive(Deserialize)]
struct Begun {
    /// The table here, for each of the manifest.
    relations: Option<Vec<u32>>,
    /// The numbers of pieces that are loaded already.
    loaded: Vec<u32>,
}

pub fn lead(lead: &mut Lead, parameters: &Value) -> Result<Value, Failed> {
    let wanted = Parameters::read(parameters)?;
    lead.phase("reading the manifest")?;
    let manifest = manifest(&wanted)?;
    let text = serde_json::to_string(&manifest).map_err(|error| error.to_string())?;
    let (id, role) = (lead.id, lead.role.into());
    let begun = lead.step("SELECT steep_repl._apply_begin($1, $2::pg_catalog.jsonb, $3, $4)", || {
        [Argument::of(Some(id)), Argument::text(&text), Argument::oid(role), Argument::of(Some(wanted.strict))]
    })?;
    let begun: Begun = serde_json::from_str(&begun.unwrap_or_default()).map_err(|error| error.to_string())?;
    let tasks = tasks(&manifest, &begun.relations.unwrap_or_default());
    let (loaded, left): (Vec<&Task>, Vec<&Task>) = tasks.iter().partition(|task| begun.loaded.contains(&task.number));
    lead.start_streams(wanted.parallel)?;
    if wanted.verify {
        let checks: Vec<Task> = left.iter().map(|task| Task { step: CHECK, ..**task }).collect();
        lead.write(|place| {
            place.bytes_total = manifest.stored_bytes();
            place.units_total = checks.iter().map(|task| task.units).sum();
        });
        lead.phase("checking the files")?;
        lead.share_out(&checks, |_, _, _| ())?;
    }
    let mut unfinished: Vec<usize> = manifest.tables.iter().map(|table| table.pieces.len()).collect();
    loaded.iter().for_each(|task| unfinished[tables_place(&manifest, task.number)] -= 1);
    lead.write(|place| {
        place.tables_total = manifest.tables.len() as u64;
        place.tables_done = unfinished.iter().filter(|pieces| **pieces == 0).count() as u64;
        (place.rows_total, place.bytes_total) = (manifest.rows(), manifest.bytes());
        place.units_total = tasks.iter().map(|task| task.units).sum();
        place.rows_done = loaded.iter().map(|task| task.rows).sum();
        place.bytes_done = loaded.iter().map(|task| piece(&manifest, task.number).1.bytes).sum();
        place.units_done = loaded.iter().map(|task| task.units).sum();
    });
    lead.phase("loading")?;
    let left: Vec<Task> = left.into_iter().copied().collect();
    lead.share_out(&left, |place, task, _| {
        let table = tables_place(&manifest, task.number);
        unfinished[table] -= 1;
        place.tables_done += u64::from(unfinished[table] == 0);
    })?;
    lead.phase("setting sequences")?;
    set_sequences(&manifest)?;
    Ok(json!({
        "path": wanted.path, "tables": manifest.tables.len(), "rows": manifest.rows(), "bytes": manifest.bytes(),
        "sequences": manifest.sequences.len(), "lsn": manifest.lsn,
    }))
}

fn manifest(wanted: &Parameters) -> Result<Manifest, Failed> {
    let manifest = read_manifest(&wanted.path).map_err(failed)?;
    if manifest.snapshot_uid == wanted.snapshot_uid {
        return Ok(manifest);
    }
    Err(failed(Trouble::Damaged(format!(
        "{} holds another snapshot than when this was asked for",
        wanted.path.display()
    ))))
}

/// A task for each piece, numbered through all tables, the largest first.
fn tasks(manifest: &Manifest, relations: &[u32]) -> Vec<Task> {
    let owners = manifest
        .tables
        .iter()
        .zip(relations)
        .flat_map(|(table, relation)| table.pieces.iter().map(move |p| (p, relation)));
    let mut tasks: Vec<Task> = owners
        .enumerate()
        .map(|(number, (piece, relation))| Task {
            step: LOAD,
            number: number as u32,
            relation: *relation,
            units: piece.bytes.max(1),
            rows: piece.rows,
            ..Default::default()
        })
        .collect();
    tasks.sort_by_key(|task| std::cmp::Reverse(task.units));
    tasks
}

/// The table and the piece of that number.
fn piece(manifest: &Manifest, number: u32) -> (&Table, &Piece) {
    let mut all = manifest.tables.iter().flat_map(|table| table.pieces.iter().map(move |piece| (table, piece)));
    all.nth(number as usize).unwrap_or_else(|| pgrx::error!("the manifest has no piece {number}"))
}

fn tables_place(manifest: &Manifest, number: u32) -> usize {
    let mut left = number as usize;
    manifest
        .tables
        .iter()
        .position(|table| {
            let here = left < table.pieces.len();
            left = left.saturating_sub(table.pieces.len());
            here
        })
        .unwrap_or(0)
}

/// As the role that asked: it needs the right to.
fn set_sequences(manifest: &Manifest) -> Result<(), Failed> {
    attempt("setting sequences", || {
        for sequence in &manifest.sequences {
            plan::run(
                "SELECT pg_catalog.setval(pg_catalog.to_regclass(pg_catalog.format('%I.%I', $1, $2)), $3, $4)",
                &[
                    Argument::text(&sequence.schema),
                    Argument::text(&sequence.sequence),
                    Argument::of(Some(sequence.last_value)),
                    Argument::of(Some(sequence.is_called)),
                ],
            );
        }
    })
}

/// Takes away what a job has loaded. As the owner of each table, restricted: triggers that fire always are the owner's code.
pub fn undo(id: i64) -> Result<(), Failed> {
    attempt("undoing a load", || {
        replica_role::for_this_transaction();
        for row in
            plan::rows("SELECT u.owner, u.statement FROM steep_repl._apply_undo($1) u", &[Argument::of(Some(id))])
        {
            let [Some(owner), Some(statement)] = row.as_slice() else { continue };
            let _as_owner = ActingAs::table_owner(owner.parse::<u32>().unwrap_or(0).into());
            plan::once(statement);
        }
        plan::rows("SELECT steep_repl._apply_undone($1)", &[Argument::of(Some(id))]);
    })
}

pub fn stream(stream: &Stream, parameters: &Value) -> Result<(), Failed> {
    let wanted = Parameters::read(parameters)?;
    let manifest = manifest(&wanted)?;
    loop {
        let Some(task) = attempt("waiting for work", || stream.next())? else { return Ok(()) };
        let (table, piece) = piece(&manifest, task.number);
        let name = format!("{}.{}", table.schema, table.table);
        stream.show(Some(&name), 0, 0);
        let outcome = match task.step {
            CHECK => attempt("checking a file", || check(&wanted.path, piece))?,
            _ => attempt(&format!("loading {name}"), || load(stream, &task, &wanted.path, &manifest, (table, piece)))?,
        };
        stream.done(outcome);
    }
}

fn check(folder: &Path, piece: &Piece) -> Outcome {
    if let Some(problem) = checksum_problem(folder, piece, latch::pause) {
        raise(Trouble::Damaged(format!("{} {problem}", folder.join(&piece.file).display())));
    }
    Outcome { bytes: piece.stored_bytes, ..Default::default() }
}

fn load(stream: &Stream, task: &Task, folder: &Path, manifest: &Manifest, (table, piece): (&Table, &Piece)) -> Outcome {
    let relation = task.relation.into();
    // COPY would ask for it; CopyFrom() itself does not.
    let (allowed, _) = plan::run("SELECT pg_catalog.has_table_privilege($1, 'INSERT')", &[Argument::oid(relation)]);
    if allowed.first().and_then(|row| row[0].as_deref()) != Some("t") {
        error::raise(
            PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE,
            format!("no right to insert into {}.{}", table.schema, table.table),
            None,
            "GRANT INSERT, then retry_work().",
        );
    }
    let path = folder.join(&piece.file);
    let reader = PieceReader::open(&path, manifest.compression, &piece.sha256);
    let mut file = File {
        stream,
        reader: reader.unwrap_or_else(|trouble| raise(trouble)),
        buffer: vec![0; BUFFER],
        bytes: 0,
        rows: piece.rows as f64 / piece.bytes.max(1) as f64,
    };
    replica_role::for_this_transaction();
    let columns: Vec<String> = table.columns.iter().map(|column| column.name.clone()).collect();
    let (rows, bytes) = copy_as_caller(relation, &columns, &mut file, &manifest.encoding);
    file.reader.finish().unwrap_or_else(|trouble| raise(trouble));
    if (rows, bytes) != (piece.rows, piece.bytes) {
        raise(Trouble::Damaged(format!("{} holds {rows} rows, and the manifest says {}", path.display(), piece.rows)));
    }
    plan::rows(
        "SELECT steep_repl._apply_piece_done($1, $2, $3, $4)",
        &[
            Argument::of(Some(stream.id)),
            Argument::of(Some(task.number.cast_signed())),
            Argument::oid(relation),
            Argument::of(Some(rows.cast_signed())),
        ],
    );
    Outcome { rows, bytes, ..Default::default() }
}

/// The file of a piece while it is read.
struct File<'a> {
    stream: &'a Stream,
    reader: PieceReader,
    buffer: Vec<u8>,
    bytes: u64,
    /// For each byte: only COPY knows how many it has really written.
    rows: f64,
}

impl Rows for File<'_> {
    fn next(&mut self) -> Option<&[u8]> {
        let read = self.reader.read(&mut self.buffer).unwrap_or_else(|trouble| raise(trouble));
        self.bytes += read as u64;
        self.stream.show(None, (self.bytes as f64 * self.rows) as u64, self.bytes);
        (read > 0).then(|| &self.buffer[..read])
    }
}
