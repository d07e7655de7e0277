//! Deletions that are undone: an earlier write that stays by the strategy of the table goes over what is here, and also over
//! the deletions that this node had made before that.

use crate::conflict::judge::Judgement;
use crate::conflict::lineage::Meeting;
use crate::conflict::log::Entry;
use crate::conflict::put;
use crate::conflict::session::{self, Arriving};
use crate::conflict::state;
use crate::pg::key_id;
use crate::pg::plan::{self, Argument};
use crate::pg::row::Row;
use crate::pg::tombstone;
use conflict::{Change, Kind, State, Version};

/// Forgets the deletions of a key that were made here after the arriving write, which the strategy lets stay, and logs those
/// of the row that comes back by it; `row` is what it makes of that. Once its writer has deleted that row again, they would be
/// taken for what is here, as the later ones.
pub fn settle(arriving: &Arriving, meeting: &Meeting, judgement: &Judgement, row: Option<&Row>) {
    let Some(stream) = session::stream() else { return };
    let (changed, table) = (meeting.changed, &meeting.open.table);
    if judgement.finding.is_none() || meeting.verdict.applies() || !judgement.verdict.applies() {
        return;
    }
    let id = key_id::of(table, meeting.key);
    let mut any = false;
    for found in tombstone::find(table.root, &id) {
        let known = state::version_of_stone(&found, table.root.to_u32(), &id).map(|known| known.version);
        let Some(known) = known.filter(|known| known.node == stream.me && known > meeting.arriving) else { continue };
        if found.all_keys || found.tombstone.displaced {
            continue;
        }
        any = true;
        // The deletion that is here has the entry of the decision itself. Who inserts brings no row back.
        let decided = matches!(meeting.held, State::Gone { .. }) && state::known(meeting.held) == Some(&known);
        let Some(row) = row.filter(|_| matches!(changed.change, Change::Update | Change::Move)) else { continue };
        if decided || judgement.apart {
            continue;
        }
        // Among more than two nodes the one that wrote what arrives may not be able to tell that this move has lost.
        let moved = found.tombstone.moved_to.filter(|_| session::others());
        let local = moved.and_then(|moved_to| take_back(table.root, &moved_to, &known));
        let move_lost = changed.change == Change::Move || local.is_some();
        let entry = Entry {
            kind: if move_lost { Kind::KeyUpdate } else { Kind::UpdateDelete }.name(),
            local,
            remote: Some(put::json(row, meeting.open)),
            base: found.tombstone.row_gone.or_else(|| changed.before_json(table)),
            reason: Some("undone together with the row that was written here after it"),
            ..Entry::judged(judgement, Some(&known)).unwrap_or_default()
        };
        entry.write(arriving, table, meeting.key);
    }
    if any {
        plan::rows(
            "SELECT steep_repl._undo_deletions($1, $2::uuid, $3)::text",
            &[Argument::oid(table.root), Argument::text(&key_id::text(&id)), Argument::of(Some(meeting.arriving.time))],
        );
    }
}

/// Displaces, on all nodes, the row that this node had moved, wherever it has moved on to; the row as JSON. None when it is
/// gone, or has been changed since: then a person has to say which of the two stays.
fn take_back(root: pgrx::pg_sys::Oid, moved_to: &str, version: &Version) -> Option<String> {
    plan::rows(
        "SELECT steep_repl._undo_own_move($1, $2::jsonb, $3)::text",
        &[Argument::oid(root), Argument::text(moved_to), Argument::of(Some(version.time))],
    )
    .into_iter()
    .flatten()
    .flatten()
    .next()
}
