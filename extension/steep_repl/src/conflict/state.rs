//! What this node holds under a key, with its version.

use crate::conflict::session;
use crate::pg::commit_time::Writer;
use crate::pg::key_id::{self, KeyId};
use crate::pg::plan::{self, Argument};
use crate::pg::stored_row::StoredRow;
use crate::pg::table::Table;
use crate::pg::tombstone::{self, Found};
use conflict::{Change, Evidence, Known, State, Version};

/// The version that a writer stands for; None when nobody knows it.
pub fn version_of(writer: Writer, root: u32, key: &dyn Fn() -> KeyId) -> Option<Known> {
    match writer {
        Writer::Ours => session::open_version().map(Version::known),
        Writer::Unknown => None,
        Writer::Committed { time, origin: 0, xid } => Some(Version { time, node: session::own_name_at(xid)? }.known()),
        Writer::Committed { time, origin, xid } if session::wrote(origin, xid) => {
            Some(Version { time, node: session::stream()?.peer }.known())
        }
        Writer::Committed { time, origin, xid } => elsewhere(time, origin, xid, root, &key()),
    }
}

/// Rows of other peers, of copies and of repairs: the map of origins says.
fn elsewhere(time: i64, origin: u16, xid: u32, root: u32, key: &KeyId) -> Option<Known> {
    let row = plan::rows(
        "SELECT micros, node, adopted FROM steep_repl._written_by($1, $2, $3, $4, $5::uuid)",
        &[
            Argument::of(Some(time)),
            Argument::of(Some(i32::from(origin))),
            Argument::of(Some(i64::from(xid))),
            Argument::of(Some(i64::from(root))),
            Argument::text(&key_id::text(key)),
        ],
    );
    let [time, node, adopted] = <[Option<String>; 3]>::try_from(row.into_iter().next()?).ok()?;
    let version = Version { time: time?.parse().ok()?, node: node?.into() };
    Some(Known { version, adopted: adopted.as_deref() == Some("t") })
}

/// What is known of a key that has no row.
pub struct Gone {
    pub state: State,
    /// Who wrote the tombstone; unknown where it says itself which version it stands for.
    pub writer: Writer,
    pub row_gone: Option<String>,
    /// The key that its row was given instead, as JSON.
    pub moved_to: Option<String>,
    /// The arriving node had deleted the key too, before the deletion that counts here.
    pub both_deleted: bool,
    /// By TRUNCATE.
    pub truncated: bool,
    /// By the open transaction itself.
    pub just_now: bool,
    /// How many tombstones others have written, also earlier ones.
    pub by_others: usize,
}

/// The version that a tombstone of a key stands for.
pub fn version_of_stone(found: &Found, root: u32, key: &KeyId) -> Option<Known> {
    match &found.tombstone.version {
        Some((time, node)) => Some(Known { version: Version::new(*time, node), adopted: true }),
        None => version_of(found.writer, root, &|| *key),
    }
}

/// Whether the table was truncated here after that version.
pub fn truncated_since(table: &Table, key: &KeyId, arriving: &Version) -> bool {
    tombstone::find(table.root, key)
        .into_iter()
        .filter(|found| found.all_keys)
        .any(|found| version_of_stone(&found, table.root.to_u32(), key).is_some_and(|known| known.version > *arriving))
}

/// Looks up the tombstones of a key; the latest counts.
pub fn gone(table: &Table, key: &KeyId, arriving: &Version) -> Gone {
    let mut latest: Option<(Option<Known>, Found)> = None;
    let (mut deleted_there, mut by_others) = (None, 0);
    for found in tombstone::find(table.root, key) {
        let version = version_of_stone(&found, table.root.to_u32(), key);
        by_others += usize::from(found.writer != Writer::Ours);
        if let Some(known) = &version
            && known.version.node == arriving.node
            && !found.tombstone.displaced
        {
            deleted_there = deleted_there.max(Some(known.version.clone()));
        }
        if latest.as_ref().is_none_or(|(best, _)| time_of(best) <= time_of(&version)) {
            latest = Some((version, found));
        }
    }
    let Some((version, found)) = latest else {
        return Gone {
            state: State::Absent,
            writer: Writer::Unknown,
            row_gone: None,
            moved_to: None,
            both_deleted: false,
            truncated: false,
            just_now: false,
            by_others,
        };
    };
    let both_deleted = version.as_ref().is_some_and(|k| deleted_there.is_some_and(|there| there < k.version));
    Gone {
        state: State::Gone { version, displaced: found.tombstone.displaced },
        writer: if found.tombstone.version.is_none() { found.writer } else { Writer::Unknown },
        row_gone: found.tombstone.row_gone,
        moved_to: found.tombstone.moved_to,
        both_deleted,
        truncated: found.all_keys,
        just_now: found.writer == Writer::Ours,
        by_others,
    }
}

fn time_of(known: &Option<Known>) -> Option<&Version> {
    known.as_ref().map(|k| &k.version)
}

/// The state of a key that has a row.
pub fn of_row(table: &Table, row: &StoredRow) -> State {
    State::Row(version_of(row.writer, table.root.to_u32(), &|| key_id::of(table, &row.row)))
}

/// The version of a state.
pub fn known(state: &State) -> Option<&Version> {
    match state {
        State::Absent => None,
        State::Row(version) | State::Gone { version, .. } => version.as_ref().map(|k| &k.version),
    }
}

impl Gone {
    /// Displaced, not deleted.
    pub fn displaced(&self) -> bool {
        matches!(self.state, State::Gone { displaced: true, .. })
    }

    /// Whether a write of this version has been displaced: all that its transaction writes to the key goes the same way.
    pub fn displaced_with(&self, version: &Version) -> bool {
        self.displaced() && known(&self.state) == Some(version)
    }

    /// Adds what is known of the key to the evidence.
    pub fn testify(&self, evidence: &mut Evidence) {
        evidence.both_deleted = self.both_deleted;
        evidence.moved_away = self.moved_to.is_some();
        evidence.truncated = self.truncated;
    }
}

/// What can be told about who had seen what, but for the rows themselves.
pub fn evidence(table: &Table, held: &State, change: Change) -> Evidence {
    Evidence {
        written_here: written_here(held),
        may_have_overtaken: session::others() || change == Change::Insert && !table.uniques().is_empty(),
        ..Evidence::default()
    }
}

/// Whether a version that is not older than the arriving one was adopted here, under whatever key.
pub fn adopted(table: &Table, arriving: &Version) -> bool {
    let found = plan::rows(
        "SELECT 1 FROM steep_repl.row_versions v WHERE v.relation = $1 AND v.adopted AND v.version_time >= steep_repl._at($2)
            LIMIT 1",
        &[Argument::oid(table.root), Argument::of(Some(arriving.time))],
    );
    !found.is_empty()
}

/// Whether it was written on this node.
pub fn written_here(state: &State) -> bool {
    known(state).is_some_and(|version| session::stream().is_some_and(|s| s.me == version.node))
}
