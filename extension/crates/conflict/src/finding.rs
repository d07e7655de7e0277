//! Whether a decision was a conflict, to be logged: one of the two writes had not seen the other and is lost.

use crate::{State, Verdict, Version};

/// What kind of write arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    Insert,
    Update,
    /// An update that changes the key: a deletion under the old, an insertion under the new.
    Move,
    Delete,
}

/// What a node can tell about who had seen what.
#[derive(Clone, Copy, Debug, Default)]
pub struct Evidence {
    /// Whether the row that the arriving write replaced on its own node equals the row here; None without before-image.
    pub saw_what_is_here: Option<bool>,
    /// What is here was written on this node.
    pub written_here: bool,
    /// The arriving write may have seen what is here through something that has not arrived yet: a write of a third node,
    /// or, when it inserts into a table with other unique values, the news that the row here is displaced. Never so when
    /// it replaced the very row that the write here had replaced.
    pub may_have_overtaken: bool,
    /// What was written here may stand on the arriving write all the same, through a write of a third node or one that was
    /// adopted: what it replaced is not known, or is later than the arriving one.
    pub may_stand_on_it: bool,
    /// The arriving side deleted the key as well, without having seen the deletion here.
    pub both_deleted: bool,
    /// The row here was deleted and inserted again after what the arriving write saw.
    pub inserted_again_here: bool,
    /// The row here, or the one that the arriving write replaced, is gone because its key was changed.
    pub moved_away: bool,
    /// The row here is gone because the table was truncated.
    pub truncated: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    InsertInsert,
    UpdateUpdate,
    UpdateDelete,
    DeleteInsert,
    KeyUpdate,
    TruncateWrite,
}

impl Kind {
    /// As in steep_repl.conflict_log.conflict_type.
    pub fn name(self) -> &'static str {
        match self {
            Self::InsertInsert => "INSERT-INSERT",
            Self::UpdateUpdate => "UPDATE-UPDATE",
            Self::UpdateDelete => "UPDATE-DELETE",
            Self::DeleteInsert => "DELETE-INSERT",
            Self::KeyUpdate => "KEY-UPDATE",
            Self::TruncateWrite => "TRUNCATE-WRITE",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finding {
    pub kind: Kind,
    /// This node cannot tell a conflict from a change that overtook another: it wrote neither side, has no before-image,
    /// or third nodes write.
    pub possible: bool,
    /// The arriving write is the earlier one by its time, and yet had seen the other: a clock is wrong.
    pub clock: bool,
}

/// The conflict between what a node held and a write that arrived, if it was one.
pub fn find(held: &State, change: Change, arriving: &Version, verdict: Verdict, evidence: Evidence) -> Option<Finding> {
    let kind = kind(held, change, evidence)?;
    let finding = |possible, clock| Some(Finding { kind, possible, clock });
    let (State::Row(known) | State::Gone { version: known, .. }) = held else { return None };
    let elsewhere = !evidence.written_here;
    // What was written here had not seen what arrives now; what arrives may have seen what is here.
    let perhaps_seen = elsewhere || evidence.may_have_overtaken;
    let Some(here) = known.as_ref().map(|k| &k.version) else {
        // Nobody knows when, nor by whom: only a before-image that differs speaks.
        return if evidence.saw_what_is_here == Some(false) { finding(true, false) } else { None };
    };
    match verdict {
        Verdict::AppliesAgainstTime => finding(true, true),
        Verdict::Applies if here.node == arriving.node => None,
        // The displaced write itself: that it lost its values has been found where it did.
        Verdict::Loses if here == arriving => None,
        Verdict::Loses => finding(elsewhere || evidence.may_stand_on_it, evidence.saw_what_is_here == Some(true)),
        Verdict::Applies => match (held, change) {
            // Displaced, not deleted: a later write of the key brings it back, and may have seen it.
            (State::Gone { displaced: true, .. }, _) => None,
            // Nothing is lost by inserting where a row was deleted before, unless the deletion was not seen.
            (State::Gone { .. }, Change::Insert) => {
                // The deletion here may have reached the other side between its own deletion and the insertion.
                if evidence.both_deleted { finding(true, false) } else { None }
            }
            // Who updates a row has not seen its deletion; who inserts one has not seen the row.
            (State::Gone { .. }, _) | (_, Change::Insert) => finding(perhaps_seen, false),
            (State::Row(_), _) => match evidence.saw_what_is_here {
                Some(true) => None,
                Some(false) => finding(perhaps_seen, false),
                None => finding(true, false),
            },
            (State::Absent, _) => None,
        },
    }
}

fn kind(held: &State, change: Change, evidence: Evidence) -> Option<Kind> {
    Some(match (held, change) {
        (State::Absent, _) => return None,
        // Who deletes a row has not seen that it moved.
        (State::Gone { .. }, Change::Delete) if evidence.moved_away => Kind::KeyUpdate,
        (State::Gone { .. }, Change::Delete) => return None,
        (State::Gone { .. }, _) if evidence.truncated => Kind::TruncateWrite,
        (State::Row(_), Change::Insert) => Kind::InsertInsert,
        (State::Gone { .. }, Change::Insert) => Kind::DeleteInsert,
        (_, Change::Move) => Kind::KeyUpdate,
        (State::Row(_), Change::Update) => Kind::UpdateUpdate,
        (State::Gone { .. }, Change::Update) if evidence.moved_away => Kind::KeyUpdate,
        (State::Gone { .. }, Change::Update) => Kind::UpdateDelete,
        (State::Row(_), Change::Delete) if evidence.inserted_again_here => Kind::DeleteInsert,
        (State::Row(_), Change::Delete) => Kind::UpdateDelete,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: Evidence = Evidence {
        written_here: true,
        may_have_overtaken: false,
        may_stand_on_it: false,
        saw_what_is_here: None,
        both_deleted: false,
        inserted_again_here: false,
        moved_away: false,
        truncated: false,
    };

    fn row(time: i64) -> State {
        State::Row(Some(Version::new(time, "here").known()))
    }

    fn gone(time: i64) -> State {
        State::Gone { version: Some(Version::new(time, "here").known()), displaced: false }
    }

    fn found(held: &State, change: Change, time: i64, evidence: Evidence) -> Option<(Kind, bool)> {
        let arriving = Version::new(time, "there");
        find(held, change, &arriving, crate::decide(held, &arriving), evidence).map(|f| (f.kind, f.possible))
    }

    #[test]
    fn a_write_that_saw_what_it_replaces_is_no_conflict() {
        let seen = Evidence { saw_what_is_here: Some(true), ..HERE };
        assert_eq!(found(&row(1), Change::Update, 2, seen), None);
        assert_eq!(found(&row(1), Change::Delete, 2, seen), None);
    }

    #[test]
    fn a_write_that_did_not_is_one_whoever_wins() {
        let unseen = Evidence { saw_what_is_here: Some(false), ..HERE };
        for time in [1, 3] {
            assert_eq!(found(&row(2), Change::Update, time, unseen), Some((Kind::UpdateUpdate, false)));
            assert_eq!(found(&row(2), Change::Delete, time, unseen), Some((Kind::UpdateDelete, false)));
            assert_eq!(found(&row(2), Change::Insert, time, HERE), Some((Kind::InsertInsert, false)));
            assert_eq!(found(&row(2), Change::Move, time, unseen), Some((Kind::KeyUpdate, false)));
            assert_eq!(found(&gone(2), Change::Update, time, unseen), Some((Kind::UpdateDelete, false)));
            assert_eq!(found(&gone(2), Change::Delete, time, unseen), None);
        }
    }

    #[test]
    fn between_two_others_it_is_only_possible() {
        let elsewhere = Evidence { saw_what_is_here: Some(false), written_here: false, ..HERE };
        assert_eq!(found(&row(2), Change::Update, 3, elsewhere), Some((Kind::UpdateUpdate, true)));
    }

    #[test]
    fn inserting_after_a_deletion_is_a_conflict_only_when_both_deleted() {
        assert_eq!(found(&gone(2), Change::Insert, 3, HERE), None);
        assert_eq!(found(&gone(2), Change::Insert, 1, HERE), Some((Kind::DeleteInsert, false)));
        assert_eq!(
            found(&gone(2), Change::Insert, 3, Evidence { both_deleted: true, ..HERE }),
            Some((Kind::DeleteInsert, true))
        );
    }

    #[test]
    fn an_earlier_write_that_saw_the_later_one_tells_of_a_clock() {
        let held = row(5);
        let arriving = Version::new(4, "there");
        let evidence = Evidence { saw_what_is_here: Some(true), ..HERE };
        assert!(find(&held, Change::Update, &arriving, Verdict::Loses, evidence).is_some_and(|f| f.clock));
    }

    #[test]
    fn what_may_have_come_later_than_it_seems_is_only_possible() {
        let overtaken = Evidence { saw_what_is_here: Some(false), may_have_overtaken: true, ..HERE };
        assert_eq!(found(&row(2), Change::Update, 3, overtaken), Some((Kind::UpdateUpdate, true)));
        assert_eq!(found(&gone(2), Change::Update, 3, overtaken), Some((Kind::UpdateDelete, true)));
        // What was written here cannot have seen what arrives now, unless it stands on a write which had.
        assert_eq!(found(&row(2), Change::Update, 1, overtaken), Some((Kind::UpdateUpdate, false)));
        let standing = Evidence { may_stand_on_it: true, ..overtaken };
        assert_eq!(found(&row(2), Change::Update, 1, standing), Some((Kind::UpdateUpdate, true)));
    }

    #[test]
    fn a_displaced_row_is_no_deletion() {
        let displaced = State::Gone { version: Some(Version::new(2, "here").known()), displaced: true };
        assert_eq!(found(&displaced, Change::Update, 3, Evidence { saw_what_is_here: Some(false), ..HERE }), None);
        assert_eq!(found(&displaced, Change::Update, 1, HERE), Some((Kind::UpdateDelete, false)));
        // The displaced write itself, arriving after the news.
        let itself = Version::new(2, "here");
        assert_eq!(find(&displaced, Change::Update, &itself, Verdict::Loses, HERE), None);
    }

    #[test]
    fn a_deletion_of_a_row_that_was_moved_on_the_other_side_is_a_conflict() {
        let moved = Evidence { moved_away: true, saw_what_is_here: Some(false), ..HERE };
        for time in [1, 3] {
            assert_eq!(found(&gone(2), Change::Delete, time, moved), Some((Kind::KeyUpdate, false)));
        }
    }
}
