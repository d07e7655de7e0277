//! Whether an arriving write of a key replaces what this node holds under that key.

use crate::{Known, Version};

/// What a node holds under a key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// No row, and no memory of one.
    Absent,
    /// A row. Its version is not known when it is older than this node's memory of commits, or was restored from a
    /// dump: then it counts as older than everything.
    Row(Option<Known>),
    /// A row was here and is gone. `displaced`: its write lost a unique value, on all nodes and for good; otherwise the
    /// version is that of the deletion.
    Gone { version: Option<Known>, displaced: bool },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// The arriving write replaces what is here.
    Applies,
    /// It does although its time is earlier: the clock of the node that wrote both went back between them.
    AppliesAgainstTime,
    /// What is here stays.
    Loses,
}

impl Verdict {
    pub fn applies(self) -> bool {
        self != Self::Loses
    }
}

/// Decides an arriving write (row or deletion) of version `arriving` against what the node holds.
pub fn decide(held: &State, arriving: &Version) -> Verdict {
    let (known, displaced) = match held {
        State::Absent => (None, false),
        State::Row(version) => (version.as_ref(), false),
        State::Gone { version, displaced } => (version.as_ref(), *displaced),
    };
    let Some(Known { version: here, adopted }) = known else { return Verdict::Applies };
    if displaced && arriving == here {
        // The very write that was displaced, and that a peer knew of before it arrived.
        return Verdict::Loses;
    }
    if here.node == arriving.node && !adopted {
        // One node's writes arrive in the order in which they were made.
        return if arriving.time < here.time { Verdict::AppliesAgainstTime } else { Verdict::Applies };
    }
    if arriving >= here { Verdict::Applies } else { Verdict::Loses }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(time: i64, node: &str) -> State {
        State::Row(Some(Version::new(time, node).known()))
    }

    #[test]
    fn later_wins() {
        assert_eq!(decide(&row(1, "a"), &Version::new(2, "b")), Verdict::Applies);
        assert_eq!(decide(&row(2, "a"), &Version::new(1, "b")), Verdict::Loses);
    }

    #[test]
    fn at_equal_times_the_node_id_decides_and_nothing_else() {
        assert_eq!(decide(&row(1, "a"), &Version::new(1, "b")), Verdict::Applies);
        assert_eq!(decide(&row(1, "b"), &Version::new(1, "a")), Verdict::Loses);
    }

    #[test]
    fn one_nodes_writes_apply_in_their_order() {
        assert_eq!(decide(&row(5, "a"), &Version::new(5, "a")), Verdict::Applies);
        assert_eq!(decide(&row(5, "a"), &Version::new(4, "a")), Verdict::AppliesAgainstTime);
    }

    #[test]
    fn what_was_adopted_is_not_undone_by_its_writers_older_writes() {
        let adopted = State::Row(Some(Known { version: Version::new(5, "a"), adopted: true }));
        assert_eq!(decide(&adopted, &Version::new(4, "a")), Verdict::Loses);
        assert_eq!(decide(&adopted, &Version::new(5, "a")), Verdict::Applies);
    }

    #[test]
    fn what_nobody_remembers_is_older_than_everything() {
        assert_eq!(decide(&State::Absent, &Version::new(1, "a")), Verdict::Applies);
        assert_eq!(decide(&State::Row(None), &Version::new(1, "a")), Verdict::Applies);
    }

    #[test]
    fn a_deletion_holds_against_what_was_written_before_it() {
        let gone = State::Gone { version: Some(Version::new(5, "a").known()), displaced: false };
        assert_eq!(decide(&gone, &Version::new(4, "b")), Verdict::Loses);
        assert_eq!(decide(&gone, &Version::new(6, "b")), Verdict::Applies);
        // Deleted and inserted again in one transaction.
        assert_eq!(decide(&gone, &Version::new(5, "a")), Verdict::Applies);
    }

    #[test]
    fn a_displaced_write_stays_away_and_a_later_one_of_its_key_does_not() {
        let gone = State::Gone { version: Some(Version::new(5, "a").known()), displaced: true };
        assert_eq!(decide(&gone, &Version::new(5, "a")), Verdict::Loses);
        assert_eq!(decide(&gone, &Version::new(6, "a")), Verdict::Applies);
        assert_eq!(decide(&gone, &Version::new(4, "b")), Verdict::Loses);
    }
}
