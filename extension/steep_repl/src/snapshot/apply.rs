//! Loading a snapshot: each piece in a transaction of its own, which also notes that it is there. What was loaded before an
//! interruption stays, and is not loaded again.

use super::{Parameters, deferred, failed, loaded, raise};
use crate::job::{Lead, Outcome, Stream, Task};
use crate::pg::copy_from::{Rows, copy_as_caller};
use crate::pg::plan::{self, Argument};
use crate::pg::transaction::{Failed, attempt};
use crate::pg::{copy_origin, latch, lock_group, replica_role, table_lock, worker_process};
use serde::Deserialize;
use serde_json::{Value, json};
use snapshot_files::{Manifest, Piece, PieceReader, Sequence, Table, Trouble, checksum_problem, read_manifest};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

const BUFFER: usize = 1 << 17;
/// What a task asks for.
const CHECK: u8 = 0;
const LOAD: u8 = 1;
const BUILD: u8 = 2;
/// Bytes of rows that are read in the time in which one is loaded, about.
const READING: u64 = 8;

/// What _apply_begin() says.
#[derive(Deserialize)]
struct Begun {
    /// The table here, for each of the manifest.
    relations: Option<Vec<u32>>,
    /// Those in which pieces are loaded already.
    begun: Vec<u32>,
}

pub fn lead(lead: &mut Lead, parameters: &Value) -> Result<Value, Failed> {
    let wanted = Parameters::read(parameters)?;
    // What an attempt left behind that could not build them.
    deferred::restore(lead)?;
    lead.phase("reading the manifest")?;
    let manifest = manifest(&wanted)?;
    let text = serde_json::to_string(&manifest).map_err(|error| error.to_string())?;
    let (id, role) = (lead.id, lead.role.into());
    let begun = lead.step("SELECT steep_repl._apply_begin($1, $2::pg_catalog.jsonb, $3, $4, $5)", || {
        let only = wanted.joins.as_ref().map(|joins| joins.tables.clone());
        let strict = Argument::of(Some(wanted.strict));
        [Argument::of(Some(id)), Argument::text(&text), Argument::oid(role), strict, Argument::of(only)]
    })?;
    let begun: Begun = serde_json::from_str(&begun.unwrap_or_default()).map_err(|error| error.to_string())?;
    let relations = begun.relations.unwrap_or_default();
    if !begun.begun.is_empty() {
        lead.phase("counting what is loaded")?;
        loaded::mend(lead, &begun.begun, wanted.joins.is_some())?;
    }
    let loaded = lead.step("SELECT steep_repl._apply_loaded($1)", || [Argument::of(Some(id))])?;
    let loaded: HashSet<u32> = serde_json::from_str(&loaded.unwrap_or_default()).map_err(|error| error.to_string())?;
    let all = pieces(&manifest);
    let chosen: Vec<usize> = (0..manifest.tables.len()).filter(|table| wanted.loads(*table)).collect();
    let relations: HashMap<usize, u32> = chosen.iter().copied().zip(relations).collect();
    let (loaded, mut left): (Vec<Task>, Vec<Task>) =
        tasks(&all, &relations).into_iter().partition(|task| loaded.contains(&task.number));
    let found = |task: &Task| &all[task.number as usize];
    let building = defer(lead, &mut left)?;
    let units = |tasks: &[Task]| tasks.iter().map(|task| task.units).sum::<u64>();
    let checks: Vec<Task> = left.iter().filter(|_| wanted.verify).map(check_of).collect();
    let counts = |table: &usize| match wanted.joins {
        Some(_) => 0,
        None => manifest.tables[*table].pieces.iter().map(|piece| piece.bytes).sum::<u64>() / READING,
    };
    // Through all phases, so that it rises once.
    lead.write(|place| {
        place.bytes_total = checks.iter().map(|task| found(task).2.stored_bytes).sum();
        place.units_done = units(&loaded);
        place.units_total =
            units(&loaded) + units(&left) + units(&checks) + building + chosen.iter().map(counts).sum::<u64>();
    });
    lead.start_streams(wanted.parallel)?;
    if wanted.verify {
        lead.phase("checking the files")?;
        lead.share_out(&checks, |_, _, _| ())?;
    }
    let mut unfinished = vec![0_usize; manifest.tables.len()];
    left.iter().for_each(|task| unfinished[found(task).0] += 1);
    let rows = |tasks: &[Task]| tasks.iter().map(|task| task.rows).sum::<u64>();
    let bytes = |tasks: &[Task]| tasks.iter().map(|task| found(task).2.bytes).sum::<u64>();
    lead.write(|place| {
        place.tables_total = chosen.len() as u64;
        place.tables_done = chosen.iter().filter(|table| unfinished[**table] == 0).count() as u64;
        (place.rows_done, place.bytes_done) = (rows(&loaded), bytes(&loaded));
        place.rows_total = place.rows_done + rows(&left);
        place.bytes_total = place.bytes_done + bytes(&left);
    });
    lead.phase("loading")?;
    lead.share_out(&left, |place, task, _| {
        let table = found(task).0;
        unfinished[table] -= 1;
        place.tables_done += u64::from(unfinished[table] == 0);
    })?;
    build_indexes(lead)?;
    if wanted.joins.is_none() {
        lead.phase("counting the rows")?;
        loaded::count(lead, chosen.iter().map(|table| (&manifest.tables[*table], relations[table], counts(table))))?;
    }
    // A node that joins has steps of its own for them.
    let sequences = if wanted.joins.is_none() { &manifest.sequences[..] } else { &[] };
    lead.phase("setting sequences")?;
    set_sequences(sequences)?;
    let (rows, bytes) = (rows(&loaded) + rows(&left), bytes(&loaded) + bytes(&left));
    Ok(json!({
        "path": wanted.path, "tables": chosen.len(), "rows": rows, "bytes": bytes,
        "sequences": sequences.len(), "lsn": manifest.lsn,
    }))
}

/// Defers what indexes can be, and says which tasks are not to be carried out at the same time; the units of building.
fn defer(lead: &Lead, tasks: &mut [Task]) -> Result<u64, Failed> {
    let mut tables: BTreeMap<u32, (u64, usize)> = BTreeMap::new();
    for task in tasks.iter() {
        let (bytes, pieces) = tables.entry(task.relation).or_default();
        *bytes += task.units;
        *pieces += 1;
    }
    let mut building = 0;
    let mut kept = Vec::new();
    for (relation, (bytes, pieces)) in &tables {
        match deferred::defer(lead, *relation, *bytes, *pieces) {
            0 => kept.push(*relation),
            indexes => building += indexes * bytes / deferred::BUILDING,
        }
    }
    if kept.len() < tables.len() {
        // Its streams write to tables that it keeps from others.
        lock_group::lead();
        let meeting = deferred::meeting(&kept)?;
        for task in tasks {
            let in_turn = tables[&task.relation].1 > 1 && kept.binary_search(&task.relation).is_ok();
            task.alone = in_turn || meeting.contains(&task.relation);
        }
    }
    Ok(building)
}

fn build_indexes(lead: &mut Lead) -> Result<(), Failed> {
    let tasks = deferred::tasks(lead, BUILD)?;
    if tasks.is_empty() {
        return Ok(());
    }
    lead.phase("building indexes")?;
    if tasks.len() < lead.streams() {
        // A few: each by several processes (max_parallel_maintenance_workers).
        return deferred::build_all(lead, &tasks);
    }
    lead.share_out(&tasks, |_, _, _| ())
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

/// All pieces through all tables, with the number of the table: a task has the number of its piece.
fn pieces(manifest: &Manifest) -> Vec<(usize, &Table, &Piece)> {
    let numbered = manifest.tables.iter().enumerate();
    numbered.flat_map(|(number, table)| table.pieces.iter().map(move |piece| (number, table, piece))).collect()
}

/// A task for each piece of these tables, the largest first.
fn tasks(all: &[(usize, &Table, &Piece)], relations: &HashMap<usize, u32>) -> Vec<Task> {
    let numbered = all.iter().enumerate();
    let mut tasks: Vec<Task> = numbered
        .filter_map(|(number, (table, _, piece))| {
            Some(Task {
                step: LOAD,
                number: number as u32,
                relation: *relations.get(table)?,
                units: piece.bytes.max(1),
                rows: piece.rows,
                ..Default::default()
            })
        })
        .collect();
    tasks.sort_by_key(|task| std::cmp::Reverse(task.units));
    tasks
}

fn check_of(task: &Task) -> Task {
    Task { step: CHECK, units: (task.units / READING).max(1), ..*task }
}

/// As the role that asked: it needs the right to.
fn set_sequences(sequences: &[Sequence]) -> Result<(), Failed> {
    attempt("setting sequences", || {
        for sequence in sequences {
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

pub fn stream(stream: &Stream, parameters: &Value) -> Result<(), Failed> {
    let wanted = Parameters::read(parameters)?;
    let manifest = manifest(&wanted)?;
    let all = pieces(&manifest);
    if let Some(joins) = &wanted.joins {
        attempt("marking what is loaded as copied", || copy_origin::share(&joins.origin, joins.owner))?;
    }
    // It leads a group when it keeps others from writing.
    lock_group::join(stream.leader());
    loop {
        let Some(task) = attempt("waiting for work", || stream.next())? else { return Ok(()) };
        if task.step == BUILD {
            let show = |name: &str| stream.show(Some(name), 0, 0);
            stream.done(attempt("building an index", || deferred::build(&task, show))?);
            continue;
        }
        let (_, table, piece) = all[task.number as usize];
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
    table_lock::as_writer(task.relation);
    // Others may have changed it since the work began. And COPY would ask for the right; CopyFrom() itself does not.
    let columns = serde_json::to_string(&table.columns).unwrap_or_default();
    plan::rows(
        "SELECT steep_repl._apply_piece_begin($1, $2, $3, $4::pg_catalog.jsonb, $5)",
        &[
            Argument::of(Some(stream.id)),
            Argument::oid(relation),
            Argument::text(&format!("{}.{}", table.schema, table.table)),
            Argument::text(&columns),
            Argument::oid(worker_process::outer_role()),
        ],
    );
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
