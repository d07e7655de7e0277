//! A row arrives under a key: inserted, updated, or moved here from another key.

use crate::conflict::changed::Changed;
use crate::conflict::fold::arrive;
use crate::conflict::judge::{self, Judgement};
use crate::conflict::lineage::Meeting;
use crate::conflict::log::Entry;
use crate::conflict::session::{self, Arriving};
use crate::conflict::{lost_moves, meanwhile, missing, state, undone, unique};
use crate::pg::canonical::Canonical;
use crate::pg::commit_time::Writer;
use crate::pg::key_id;
use crate::pg::row::Row;
use crate::pg::stored_row::{OpenTable, StoredRow};
use crate::pg::table::Table;
use crate::pg::{tombstone, tombstone_watch};
use conflict::{Change, Kind, State, decide};

/// What the trigger answers.
pub enum Outcome {
    /// The write goes on as it came.
    Pass,
    /// Nothing is written.
    Skip,
    /// The write goes on with this row.
    Replace(Row),
}

/// Decides a row that is about to be inserted: an INSERT of the stream, or an update whose row is not here or has moved.
pub fn insert(open: &OpenTable, new: &Row) -> Outcome {
    let table = &open.table;
    let Some(arriving) = session::arriving(&table.schema, &table.name) else { return Outcome::Pass };
    if table.key_index.is_none() {
        return Outcome::Pass;
    }
    lost_moves::comes_or_goes(&arriving, table, new);
    if let Some(folds) = table.folds() {
        return arrive::insert(open, folds, &arriving, new);
    }
    let version = arriving.version();
    let stir = tombstone_watch::stir(table.root);
    let stored = open.find_by_key(new);
    let mut gone = None;
    let held = match &stored {
        Some(row) => state::of_row(table, row),
        None => {
            let key = key_id::of(table, new);
            let found = state::gone(table, &key, &version);
            let held = found.state.clone();
            meanwhile::note_insertion(table.root, key, version.clone(), &found, stir);
            gone = Some(found);
            held
        }
    };
    if held == State::Absent && table.uniques().is_empty() {
        return Outcome::Pass;
    }
    let mut verdict = decide(&held, &version);
    if held != State::Absent
        && let Some(changed) = Changed::read(&arriving, table)
    {
        let mut evidence = state::evidence(table, &held, changed.change);
        if let Some(gone) = &gone {
            gone.testify(&mut evidence);
        }
        evidence.saw_what_is_here = stored.as_ref().and_then(|row| changed.saw(&row.row, table));
        // Under its new key a row that moves is an insertion.
        let moved = changed.change == Change::Move;
        let change = if moved { Change::Insert } else { changed.change };
        let writer = stored.as_ref().map(|row| row.writer).or(gone.as_ref().map(|g| g.writer));
        let meeting = Meeting {
            open,
            key: new,
            held: &held,
            writer: writer.unwrap_or(Writer::Unknown),
            row_gone: gone.as_ref().and_then(|g| g.row_gone.as_deref()),
            changed: &changed,
            arriving: &version,
            verdict,
        };
        let mut judgement = judge::judge(&meeting, change, evidence);
        undone::settle(&arriving, &meeting, &judgement, Some(new));
        verdict = judgement.verdict;
        if judgement.apart
            && verdict.applies()
            && let Some(moved_to) = gone.as_ref().and_then(|g| g.moved_to.as_deref())
        {
            missing::take_back_move(table, moved_to);
        }
        if moved && let Some(finding) = &mut judgement.finding {
            finding.kind = Kind::KeyUpdate;
        }
        if let Some(mut entry) = Entry::judged(&judgement, state::known(&held)) {
            entry.local = stored.as_ref().map(|row| json(&row.row, open));
            entry.remote = Some(json(new, open));
            // With a deletion stands the row that it removed; the arriving write may have replaced another one.
            let deleted = gone.as_ref().filter(|g| !g.displaced()).and_then(|g| g.row_gone.clone());
            entry.base = deleted
                .or_else(|| changed.before_json(table))
                .or_else(|| gone.as_ref().and_then(|g| g.row_gone.clone()));
            entry.write(&arriving, table, new);
        }
    }
    if !verdict.applies() {
        if let Some(gone) = gone.filter(|gone| gone.displaced_with(&version)) {
            log_with_its_transaction(open, &arriving, gone, new);
        }
        return Outcome::Skip;
    }
    if unique::gives_way(open, &arriving, new, stored.as_ref()) {
        return Outcome::Skip;
    }
    if let Some(row) = stored {
        // It makes room for the one that arrives, under the same key: no tombstone.
        open.remove(&row);
    }
    Outcome::Pass
}

/// A transaction wrote a row more than once, and an earlier of these writes has been displaced: versions are of whole
/// transactions, so this one goes the same way, whatever its values. That one has its entry; this one would be lost in
/// silence.
pub fn log_with_its_transaction(open: &OpenTable, arriving: &Arriving, gone: state::Gone, new: &Row) {
    let Some(displaced) = gone.row_gone else { return };
    let row = json(new, open);
    if row == displaced {
        return;
    }
    let (kind, reason) = if unique::moved(&open.table, new, &arriving.version()) {
        ("KEY-UPDATE", "an earlier move of the same transaction lost, and this change of its row with it")
    } else {
        ("UNIQUE", "an earlier write of the same transaction to this row was displaced")
    };
    let entry = Entry {
        kind,
        possible: !gone.just_now,
        remote: Some(row),
        base: Some(displaced),
        reason: Some(reason),
        ..Entry::default()
    };
    entry.write(arriving, &open.table, new);
}

/// Decides an update of a row that is here.
pub fn update(open: &OpenTable, old: &StoredRow, new: &Row) -> Outcome {
    let table = &open.table;
    let Some(arriving) = session::arriving(&table.schema, &table.name) else { return Outcome::Pass };
    if table.key_index.is_none() {
        return Outcome::Pass;
    }
    if let Some(folds) = table.folds() {
        return arrive::update(open, folds, &arriving, old, new);
    }
    let version = arriving.version();
    let in_order = in_stream_order(old.writer, version.time);
    let moved = arriving.has_old && !old.row.same(new, table, table.key.iter().copied());
    let claims = unique::claims_anew(table, &old.row, new);
    let unsent = table.large && session::leaves_out();
    if in_order && !moved && !claims && !unsent {
        return Outcome::Pass;
    }
    let held = state::of_row(table, old);
    let Some(changed) = Changed::read(&arriving, table) else { return Outcome::Pass };
    let verdict = decide(&held, &version);
    let saw = if in_order { None } else { changed.saw(&old.row, table) };
    let mut evidence = state::evidence(table, &held, changed.change);
    evidence.saw_what_is_here = saw;
    // Rows of one stream may follow one another here that did not there.
    let whole = if saw == Some(false) || unsent { with_own_values(new, &changed, table.columns.len()) } else { None };
    let row = whole.as_ref().unwrap_or(new);
    let meeting = Meeting::with_row(open, old, &held, &changed, &version, verdict);
    let judgement = judge::judge(&meeting, changed.change, evidence);
    undone::settle(&arriving, &meeting, &judgement, Some(row));
    log(open, &arriving, &changed, &held, &judgement, old, Some(row));
    if moved {
        return move_row(open, &arriving, old, row, &judgement);
    }
    if !judgement.verdict.applies() || claims && unique::gives_way(open, &arriving, row, Some(old)) {
        return Outcome::Skip;
    }
    whole.map_or(Outcome::Pass, Outcome::Replace)
}

/// A change of the key is a deletion under the old and an insertion under the new, each decided by itself.
fn move_row(open: &OpenTable, arriving: &Arriving, old: &StoredRow, new: &Row, judgement: &Judgement) -> Outcome {
    let applies = judgement.verdict.applies();
    if applies {
        remember_move(open, old, new);
        open.remove(old);
    } else if judgement.apart {
        return Outcome::Skip;
    }
    missing::insert_row(&open.table, new);
    let unseen = !applies && judgement.ours_won;
    if lost_moves::moves(arriving, &open.table, &old.row, new, judgement.verdict, unseen) {
        missing::undo_move(arriving, &open.table, new);
    }
    Outcome::Skip
}

fn remember_move(open: &OpenTable, old: &StoredRow, new: &Row) {
    let table = &open.table;
    let stone = tombstone::Tombstone {
        row_gone: Some(json(&old.row, open)),
        moved_to: Some(key_json(new, table)),
        displaced: false,
        version: None,
    };
    tombstone::write(table.root, &key_id::of(table, &old.row), &stone);
}

/// Whether the row here came through this very stream, or this transaction wrote it, with an earlier time: nothing to
/// decide.
pub fn in_stream_order(writer: Writer, arriving: i64) -> bool {
    match writer {
        Writer::Ours => true,
        Writer::Committed { time, origin, xid } => origin != 0 && time <= arriving && session::wrote(origin, xid),
        Writer::Unknown => false,
    }
}

/// Large values that the update did not touch are not sent: the server takes them from the row here, which may be
/// another one than the writer saw. The row with the writer's own values, when they are known.
fn with_own_values(new: &Row, changed: &Changed, columns: usize) -> Option<Row> {
    let after = changed.after.as_ref().filter(|_| changed.whole)?;
    let mut row = new.clone();
    for place in 0..columns {
        // Generated columns are not in the message; the server computes them after this.
        if after.values[place].is_some() || row.values[place].is_some() {
            row.values[place] = after.values[place].or(row.values[place]);
        }
    }
    Some(row)
}

/// Logs the conflict that was judged, if it was one.
pub fn log(
    open: &OpenTable,
    arriving: &Arriving,
    changed: &Changed,
    held: &State,
    judgement: &Judgement,
    old: &StoredRow,
    new: Option<&Row>,
) {
    let Some(mut entry) = Entry::judged(judgement, state::known(held)) else { return };
    entry.local = Some(json(&old.row, open));
    entry.remote = if changed.change == Change::Delete { None } else { new.map(|row| json(row, open)) };
    entry.base = changed.before_json(&open.table);
    entry.write(arriving, &open.table, &old.row);
}

/// The key of a row as JSON.
pub fn key_json(row: &Row, table: &Table) -> String {
    let _canonical = Canonical::begin();
    row.json_of(table, table.key.iter().copied())
}

/// A row as JSON.
pub fn json(row: &Row, open: &OpenTable) -> String {
    let _canonical = Canonical::begin();
    row.json(&open.table)
}
