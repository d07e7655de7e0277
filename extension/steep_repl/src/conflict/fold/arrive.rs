//! A change of a row that is a fold arrives.
//!
//! Mostly it is later than all that is here, and had seen the row: then it passes as it is. Otherwise the row becomes the fold of
//! all changes that are kept of its key.

use crate::conflict::changed::Changed;
use crate::conflict::fold::arithmetic::OfTable;
use crate::conflict::fold::entry::Entry;
use crate::conflict::fold::{columns, history, record, version};
use crate::conflict::put::{self, Outcome, json, key_json};
use crate::conflict::session::{self, Arriving};
use crate::conflict::state::{self, Gone};
use crate::conflict::{lost_moves, meanwhile, missing, take, unique};
use crate::pg::key_id::{self, KeyId};
use crate::pg::row::Row;
use crate::pg::stored_row::{OpenTable, StoredRow};
use crate::pg::table::{Folds, Table};
use crate::pg::tombstone::{self, Tombstone};
use crate::pg::tombstone_watch;
use conflict::fold::{Columns, Deed, Fate, Recorded, sort};
use conflict::{Change, State, Verdict, Version};
use std::cell::Cell;

thread_local! {
    /// The result of a fold is being written: the trigger lets it pass.
    static WRITING: Cell<bool> = const { Cell::new(false) };
}

/// While it lives; also an error ends it.
struct Writing {
    before: bool,
}

impl Writing {
    fn begin() -> Self {
        Self { before: WRITING.replace(true) }
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        WRITING.set(self.before);
    }
}

/// Whether the row that is being written is the result of a fold.
pub fn writing() -> bool {
    WRITING.get()
}

/// A row is about to be inserted: by an INSERT, by an update whose row is not here, or under its new key.
pub fn insert(open: &OpenTable, folds: &Folds, arriving: &Arriving, new: &Row) -> Outcome {
    let table = &open.table;
    let Some(changed) = Changed::read(arriving, table) else { return Outcome::Pass };
    let stir = tombstone_watch::stir(table.root);
    let stored = open.find_by_key(new);
    if stored.is_none() {
        let (key, version) = (key_id::of(table, new), arriving.version());
        let gone = state::gone(table, &key, &version);
        meanwhile::note_insertion(table.root, key, version, &gone, stir);
    }
    let deed = if changed.change == Change::Update { Deed::Update } else { Deed::Insert };
    let settled = settle(open, folds, arriving, &changed, new, deed, stored.as_ref());
    let Some(settled) = settled else { return plain(open, arriving, new, stored.as_ref()) };
    let Some(row) = result(open, arriving, &settled, stored.as_ref(), None) else { return Outcome::Skip };
    if let Some(stored) = &stored {
        open.remove(stored);
    }
    Outcome::Replace(row)
}

/// An insertion that passes as it is, but for unique values.
fn plain(open: &OpenTable, arriving: &Arriving, new: &Row, stored: Option<&StoredRow>) -> Outcome {
    if unique::gives_way(open, arriving, new, stored) { Outcome::Skip } else { Outcome::Pass }
}

/// A row that is here is about to be updated.
pub fn update(open: &OpenTable, folds: &Folds, arriving: &Arriving, old: &StoredRow, new: &Row) -> Outcome {
    let table = &open.table;
    let Some(changed) = Changed::read(arriving, table) else { return Outcome::Pass };
    if changed.change == Change::Move {
        return moves(open, folds, arriving, &changed, old, new);
    }
    let Some(settled) = settle(open, folds, arriving, &changed, new, Deed::Update, Some(old)) else {
        let gives_way = unique::claims_anew(table, &old.row, new) && unique::gives_way(open, arriving, new, Some(old));
        return if gives_way { Outcome::Skip } else { Outcome::Pass };
    };
    result(open, arriving, &settled, Some(old), None).map_or(Outcome::Skip, Outcome::Replace)
}

/// A row that is here is about to be deleted.
pub fn delete(open: &OpenTable, folds: &Folds, arriving: &Arriving, old: &StoredRow) -> Outcome {
    let Some(changed) = Changed::read(arriving, &open.table) else { return Outcome::Pass };
    let Some(settled) = settle(open, folds, arriving, &changed, &old.row, Deed::Delete, Some(old)) else {
        return Outcome::Pass;
    };
    end(open, arriving, old, &settled, None);
    Outcome::Skip
}

/// A change of the key: a deletion under the old, an insertion under the new.
fn moves(
    open: &OpenTable,
    folds: &Folds,
    arriving: &Arriving,
    changed: &Changed,
    old: &StoredRow,
    new: &Row,
) -> Outcome {
    let table = &open.table;
    let moved_to = Some(key_json(new, table));
    let (mut verdict, mut unseen) = (Verdict::Applies, false);
    match settle(open, folds, arriving, changed, &old.row, Deed::Delete, Some(old)) {
        None => {
            let stone = Tombstone { row_gone: Some(json(&old.row, open)), moved_to, displaced: false, version: None };
            tombstone::write(table.root, &key_id::of(table, &old.row), &stone);
            open.remove(old);
        }
        Some(settled) => {
            if settled.row.is_some() {
                (verdict, unseen) = (Verdict::Loses, settled.beaten_here);
            }
            end(open, arriving, old, &settled, moved_to);
        }
    }
    missing::insert_row(table, changed.after.as_ref().filter(|_| changed.whole).unwrap_or(new));
    if lost_moves::moves(arriving, table, &old.row, new, verdict, unseen) {
        missing::undo_move(arriving, table, new);
    }
    Outcome::Skip
}

/// A deletion whose row is not here.
pub fn keep_missing(table: &Table, arriving: &Arriving, changed: &Changed, key: &Row) {
    if table.folds().is_some() {
        record::arrived(table, &key_id::of(table, key), &recorded(table, arriving, changed, Deed::Delete, None));
    }
}

/// Makes the row here what a deletion, or a later write that it had not seen, has made of it.
fn end(open: &OpenTable, arriving: &Arriving, old: &StoredRow, settled: &Settled, moved_to: Option<String>) {
    if let Some(row) = result(open, arriving, settled, Some(old), moved_to) {
        open.remove(old);
        let _writing = Writing::begin();
        missing::insert_row(&open.table, &row);
    }
}

/// The row that is to stand under the key from now on. None when nothing has to be written: the one here stays, or it is gone,
/// because its changes ended it or a later row holds its unique value.
fn result(
    open: &OpenTable,
    arriving: &Arriving,
    settled: &Settled,
    stored: Option<&StoredRow>,
    moved_to: Option<String>,
) -> Option<Row> {
    let table = &open.table;
    let Some(columns) = &settled.row else {
        if let Some(row) = stored {
            bury(open, row, &settled.version, moved_to);
        }
        return None;
    };
    if settled.unchanged {
        return None;
    }
    let row = columns::row(table, columns);
    let claims = stored.is_none_or(|old| unique::claims_anew(table, &old.row, &row));
    if claims && unique::gives_way_at(open, arriving, &settled.version, &row, stored) {
        return None;
    }
    settled.note(table);
    Some(row)
}

fn bury(open: &OpenTable, row: &StoredRow, version: &Version, moved_to: Option<String>) {
    let version = Some((version.time, version.node.to_string()));
    let stone = Tombstone { row_gone: Some(json(&row.row, open)), moved_to, displaced: false, version };
    tombstone::write(open.table.root, &key_id::of(&open.table, &row.row), &stone);
    open.remove(row);
}

/// What a key holds once a change has been folded in.
struct Settled {
    row: Option<Columns>,
    version: Version,
    key: KeyId,
    /// It held just that before, as late.
    unchanged: bool,
    /// A later change of this node's own brought the row back.
    beaten_here: bool,
}

impl Settled {
    /// Notes the version of the row that is about to be written, where the transaction does not tell it.
    fn note(&self, table: &Table) {
        if session::open_version().as_ref() != Some(&self.version) {
            version::note(table, &self.key, &self.version);
        }
    }
}

/// `here` is the row under the key, or the one that is about to stand there: what the change does not know stays as it is there.
fn recorded(table: &Table, arriving: &Arriving, changed: &Changed, deed: Deed, here: Option<&Row>) -> Recorded {
    let of = |row: &Option<Row>| {
        let mut row = row.clone()?;
        if let Some(here) = here {
            changed.unknown.iter().for_each(|place| row.values[*place] = here.values[*place]);
        }
        Some(columns::of(table, &row))
    };
    Recorded {
        version: arriving.version(),
        ordinal: record::ordinal(deed, i64::from(arriving.transaction.change)),
        deed,
        before: if deed == Deed::Insert { None } else { of(&changed.before) },
        after: if deed == Deed::Delete { None } else { of(&changed.after) },
    }
}

/// Keeps a change; None when it passes as it is. Else the row is the fold of all that is kept, and what was a conflict stands
/// in the log.
fn settle(
    open: &OpenTable,
    folds: &Folds,
    arriving: &Arriving,
    changed: &Changed,
    key_row: &Row,
    deed: Deed,
    stored: Option<&StoredRow>,
) -> Option<Settled> {
    let table = &open.table;
    let key = key_id::of(table, key_row);
    let mut change = recorded(table, arriving, changed, deed, Some(stored.map_or(key_row, |stored| &stored.row)));
    if session::resolves(table.root.to_u32(), || key, &State::Absent) {
        change.deed = Deed::Set;
    }
    let gone = if stored.is_none() { Some(state::gone(table, &key, &change.version)) } else { None };
    let here_version = match (stored, &gone) {
        (Some(row), _) => version::of(table, &key, row),
        (None, Some(gone)) => state::known(&gone.state).cloned(),
        (None, None) => None,
    };
    let latest = here_version.as_ref().is_none_or(|here| *here <= change.version);
    let seen = match stored {
        Some(row) => deed != Deed::Insert && changed.saw(&row.row, table) == Some(true),
        None => deed == Deed::Insert,
    };
    if latest && seen {
        record::arrived(table, &key, &change);
        return None;
    }
    let here = stored.map(|row| columns::of(table, &row.row));
    let mut kept = history::of(table, &key, key_row);
    record::arrived(table, &key, &change);
    let mut new = std::mem::take(&mut kept.open);
    if new.is_empty() && kept.history.is_empty() {
        let row_gone = gone.as_ref().and_then(|gone| gone.row_gone.as_deref());
        if let Some(row) = record::from_before(table, here.as_ref(), row_gone, here_version.as_ref()) {
            record::counted(table, &key, &row);
            new.push(row);
        }
    }
    new.push(change.clone());
    sort(&mut new);
    let of = OfTable::new(open, folds);
    let folded = kept.history.fold(&folds.rules, &new, Some(&change), &of);
    let me = session::stream().map(|stream| stream.me);
    let own_later = me.is_some_and(|me| {
        let of_now = |c: &Recorded| c.version >= change.version && c.version.node == me;
        new.iter().any(of_now) || kept.history.any_since(&change, &me)
    });
    kept.remember(table, &key);
    let version = folded.version.unwrap_or_else(|| change.version.clone());
    let gives_way = gone.as_ref().is_some_and(|gone| gone.displaced_with(&version));
    let (row, lost) = if gives_way { (None, folded.row) } else { (folded.row, None) };
    if folded.fates.iter().any(|fate| !matches!(fate, Fate::Seen | Fate::Past))
        && let Some(kind) = kind(changed, deed, gone.as_ref(), stored.map(|row| (open, row)))
    {
        // What was written here later had not seen what arrives only now.
        let possible = (session::stream().is_none() || session::others()) && !own_later;
        let (here, here_version) = (here.as_ref(), here_version.as_ref());
        let moved = if deed == Deed::Delete { changed.after_json(table) } else { None };
        let (change, result, fates) = (&change, row.as_ref(), &folded.fates[..]);
        let row_gone = gone.as_ref().and_then(|gone| gone.row_gone.as_deref());
        let entry = Entry { kind, possible, here, here_version, change, row_gone, moved, result, fates };
        entry.write(arriving, &of, key_row);
    } else if let Some((row, gone)) = lost.zip(gone) {
        put::log_with_its_transaction(open, arriving, gone, &columns::row(table, &row));
    }
    let unchanged = row == here && here_version.as_ref() == Some(&version);
    Some(Settled { row, version, key, unchanged, beaten_here: own_later })
}

/// By the names of crates/conflict/src/finding.rs: the two nodes that wrote call it the same.
fn kind(
    changed: &Changed,
    deed: Deed,
    gone: Option<&Gone>,
    stored: Option<(&OpenTable, &StoredRow)>,
) -> Option<&'static str> {
    let gone_before = gone.is_some_and(|gone| gone.state != State::Absent);
    let again =
        |(open, row): (&OpenTable, &StoredRow)| take::inserted_again(open, row, &state::of_row(&open.table, row));
    Some(match (deed, stored.is_some()) {
        _ if changed.change == Change::Move => "KEY-UPDATE",
        (Deed::Delete, false) => return None,
        (_, false) if gone.is_some_and(|gone| gone.truncated) => "TRUNCATE-WRITE",
        (Deed::Insert, false) if !gone_before => return None,
        (Deed::Insert, false) => "DELETE-INSERT",
        (_, false) if gone.is_some_and(|gone| gone.moved_to.is_some()) => "KEY-UPDATE",
        (Deed::Delete, true) if stored.is_some_and(again) => "DELETE-INSERT",
        (Deed::Insert, true) => "INSERT-INSERT",
        (Deed::Delete, true) | (_, false) => "UPDATE-DELETE",
        (_, true) => "UPDATE-UPDATE",
    })
}
