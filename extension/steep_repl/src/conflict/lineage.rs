//! What the writes of a key stand on. This node's own may go back to one that had seen what arrives only now: a third
//! node's, or one that was adopted. The row versions under the key tell, as long as nothing has cleared them away.

use crate::conflict::changed::Changed;
use crate::conflict::session;
use crate::conflict::state;
use crate::pg::commit_time::Writer;
use crate::pg::key_id::{self, KeyId};
use crate::pg::past::{self, Past};
use crate::pg::row::Row;
use crate::pg::stored_row::{OpenTable, StoredRow};
use crate::pg::tombstone::{self, Found};
use conflict::{Change, Evidence, Finding, Known, State, Verdict, Version, find};

/// What is here under a key beside what arrives.
pub struct Meeting<'a> {
    pub open: &'a OpenTable,
    pub key: &'a Row,
    pub held: &'a State,
    /// Who wrote the row here, or its tombstone.
    pub writer: Writer,
    /// The row that the tombstone stands for, as JSON.
    pub row_gone: Option<&'a str>,
    pub changed: &'a Changed,
    pub arriving: &'a Version,
    pub verdict: Verdict,
}

/// How far the writes of a key that are later than the arriving one could be followed back.
#[derive(Clone, Copy)]
enum Reach {
    /// To the first of them, which replaced ...
    First {
        /// ... the very row that the arriving write replaced, not only something older than that write.
        same_row: bool,
        /// It was made on this node.
        ours: bool,
        /// So were all that came after it.
        all_ours: bool,
    },
    /// Not so far.
    Unknown,
}

/// The conflict, if it was one, found with what row versions tell where that makes a difference. And whether what arrives lost
/// to a write of this node that for certain had not seen it.
pub fn weigh(meeting: &Meeting, change: Change, mut evidence: Evidence) -> (Option<Finding>, bool) {
    let (held, arriving, verdict) = (meeting.held, meeting.arriving, meeting.verdict);
    let lost = verdict == Verdict::Loses;
    let finding = find(held, change, arriving, verdict, evidence);
    let mut ours_won = lost && evidence.written_here;
    let doubt = match &finding {
        None => false,
        Some(_) if lost => {
            let others = session::others();
            (evidence.written_here || others && change == Change::Move)
                && (others || state::adopted(&meeting.open.table, arriving))
        }
        Some(finding) => finding.possible && evidence.written_here && meeting.changed.before.is_some(),
    };
    if !doubt {
        return (finding, ours_won);
    }
    let reach = meeting.reach();
    if lost {
        ours_won = matches!(reach, Reach::First { ours: true, .. });
        evidence.may_stand_on_it = !matches!(reach, Reach::First { all_ours: true, .. });
        ours_won |= change == Change::Move && meeting.was_taken_here();
    } else {
        evidence.may_have_overtaken &= !matches!(reach, Reach::First { same_row: true, .. });
    }
    (find(held, change, arriving, verdict, evidence), ours_won)
}

impl<'a> Meeting<'a> {
    /// With a row that is here.
    pub fn with_row(
        open: &'a OpenTable,
        row: &'a StoredRow,
        held: &'a State,
        changed: &'a Changed,
        arriving: &'a Version,
        verdict: Verdict,
    ) -> Self {
        Self { open, key: &row.row, held, writer: row.writer, row_gone: None, changed, arriving, verdict }
    }

    fn reach(&self) -> Reach {
        let table = &self.open.table;
        let id = key_id::of(table, self.key);
        let (State::Row(Some(known)) | State::Gone { version: Some(known), .. }) = self.held else {
            return Reach::Unknown;
        };
        let Writer::Committed { mut xid, .. } = self.writer else { return Reach::Unknown };
        if known.adopted {
            return Reach::Unknown;
        }
        let mut ours = is_ours(known);
        let mut all_ours = ours;
        if self.same_as_gone(self.row_gone) {
            return Reach::First { same_row: true, ours, all_ours };
        }
        let past = past::of(self.open, self.key);
        let mut stones = self.later_tombstones(&id);
        if let Some(start) = stones.iter().position(|(_, found)| writer_of(found) == Some(xid))
            && matches!(self.held, State::Gone { .. })
        {
            stones.remove(start);
        }
        // Each round goes back by one transaction.
        for _ in 0..=past.len() + stones.len() {
            if let Some(before) = past.iter().find(|p| p.ended_by == xid && p.xid != xid) {
                if self.changed.before.as_ref().is_some_and(|row| self.same(row, before)) {
                    return Reach::First { same_row: true, ours, all_ours };
                }
                match state::version_of(before.writer, table.root.to_u32(), &|| id) {
                    Some(known) if known.version.time >= self.arriving.time => {
                        if known.adopted {
                            return Reach::Unknown;
                        }
                        (xid, ours) = (before.xid, is_ours(&known));
                        all_ours &= ours;
                    }
                    _ => return Reach::First { same_row: false, ours, all_ours },
                }
            } else if past.iter().any(|p| p.xid == xid && !p.updated) {
                // It was inserted: what was there before has left a tombstone.
                let Some((known, found)) = stones.pop() else {
                    return Reach::First { same_row: false, ours, all_ours };
                };
                if found.tombstone.version.is_some() {
                    return Reach::Unknown;
                }
                ours = is_ours(&known);
                all_ours &= ours;
                if self.same_as_gone(found.tombstone.row_gone.as_deref()) {
                    return Reach::First { same_row: true, ours, all_ours };
                }
                match writer_of(&found) {
                    Some(deleter) if deleter != xid => xid = deleter,
                    _ => return Reach::Unknown,
                }
            } else {
                return Reach::Unknown;
            }
        }
        Reach::Unknown
    }

    /// Whether this node itself had taken away the very row that the arriving write moves, whatever came under its key then.
    fn was_taken_here(&self) -> bool {
        self.later_tombstones(&key_id::of(&self.open.table, self.key)).iter().any(|(known, found)| {
            let stone = &found.tombstone;
            stone.version.is_none() && is_ours(known) && self.same_as_gone(stone.row_gone.as_deref())
        })
    }

    /// The tombstones of the key that are not older than the arriving write, the latest last.
    fn later_tombstones(&self, id: &KeyId) -> Vec<(Known, Found)> {
        let root = self.open.table.root;
        let mut stones: Vec<(Known, Found)> = tombstone::find(root, id)
            .into_iter()
            .filter_map(|found| {
                let known = state::version_of_stone(&found, root.to_u32(), id)?;
                (known.version.time >= self.arriving.time).then_some((known, found))
            })
            .collect();
        stones.sort_by(|one, other| one.0.version.cmp(&other.0.version));
        stones
    }

    fn same(&self, row: &Row, past: &Past) -> bool {
        let table = &self.open.table;
        past.whole && row.same(&past.row, table, self.changed.known(table))
    }

    /// Whether the row that a tombstone stands for is the one that the arriving write replaced.
    fn same_as_gone(&self, row_gone: Option<&str>) -> bool {
        row_gone.is_some_and(|row| self.changed.replaced(&self.open.table, row))
    }
}

fn writer_of(found: &Found) -> Option<u32> {
    match found.writer {
        Writer::Committed { xid, .. } => Some(xid),
        Writer::Ours | Writer::Unknown => None,
    }
}

fn is_ours(known: &Known) -> bool {
    session::stream().is_some_and(|s| s.me == known.version.node)
}
