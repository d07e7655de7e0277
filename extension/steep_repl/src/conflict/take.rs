//! A row is to be deleted.

use crate::conflict::changed::Changed;
use crate::conflict::fold::arrive;
use crate::conflict::judge;
use crate::conflict::lineage::Meeting;
use crate::conflict::put::{self, Outcome, in_stream_order};
use crate::conflict::{lost_moves, session, state};
use crate::pg::key_id;
use crate::pg::stored_row::{OpenTable, StoredRow};
use crate::pg::tombstone;
use conflict::{Change, State, decide};

/// Decides a deletion of a row that is here: a DELETE of the stream, or the first half of an update that moves the row
/// to another partition.
pub fn delete(open: &OpenTable, old: &StoredRow) -> Outcome {
    let table = &open.table;
    let Some(arriving) = session::arriving(&table.schema, &table.name) else { return Outcome::Pass };
    lost_moves::comes_or_goes(&arriving, table, &old.row);
    if table.key_index.is_some()
        && let Some(folds) = table.folds()
    {
        return arrive::delete(open, folds, &arriving, old);
    }
    let version = arriving.version();
    if table.key_index.is_none() || in_stream_order(old.writer, version.time) {
        return Outcome::Pass;
    }
    let held = state::of_row(table, old);
    let Some(changed) = Changed::read(&arriving, table) else { return Outcome::Pass };
    let verdict = decide(&held, &version);
    let mut evidence = state::evidence(table, &held, changed.change);
    evidence.saw_what_is_here = changed.saw(&old.row, table);
    evidence.inserted_again_here = changed.change == Change::Delete && inserted_again(open, old, &held);
    let new = changed.after.as_ref();
    let meeting = Meeting::with_row(open, old, &held, &changed, &version, verdict);
    let judgement = judge::judge(&meeting, changed.change, evidence);
    put::log(open, &arriving, &changed, &held, &judgement, old, new);
    if judgement.verdict.applies() { Outcome::Pass } else { Outcome::Skip }
}

/// Whether the node that wrote the row here had deleted the key before.
pub fn inserted_again(open: &OpenTable, old: &StoredRow, held: &State) -> bool {
    let Some(here) = state::known(held) else { return false };
    tombstone::find(open.table.root, &key_id::of(&open.table, &old.row)).into_iter().any(|found| {
        !found.all_keys
            && state::version_of(found.writer, open.table.root.to_u32(), &|| key_id::of(&open.table, &old.row))
                .is_some_and(|gone| gone.version.node == here.node && gone.version <= *here)
    })
}
