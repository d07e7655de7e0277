//! Key changes that are undone, and the rows that their transactions move on.

use std::collections::BTreeSet;

use crate::Verdict;

/// The keys to which the arriving transaction has moved rows whose moves are undone: what it does to these rows next is undone,
/// too.
///
/// A node undoes a key change that lost its old key to a write of its own, which had not seen it. A transaction is seen as a whole
/// or not at all, so that write has not seen either where the transaction moved the row on to. From the next key alone the
/// node cannot tell: what it has written there itself may be a row that it had moved, too, whose past lies under another key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LostMoves<K: Ord> {
    keys: BTreeSet<K>,
}

impl<K: Ord> Default for LostMoves<K> {
    fn default() -> Self {
        Self { keys: BTreeSet::new() }
    }
}

impl<K: Ord> LostMoves<K> {
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The transaction moves a row, with this verdict under the old key; `unseen`: it lost there to a write of this node, which
    /// for certain had not seen it. Whether the move is undone, for that reason or because the one before was.
    pub fn moves(&mut self, from: &K, to: K, verdict: Verdict, unseen: bool) -> bool {
        let moved_on = self.keys.remove(from);
        let undone = !verdict.applies() && (moved_on || unseen);
        if undone {
            self.keys.insert(to);
        } else {
            self.keys.remove(&to);
        }
        undone
    }

    /// The transaction deletes the row with a key, or inserts one: what it moves from there later is another row.
    pub fn ends(&mut self, key: &K) {
        self.keys.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Verdict::{Applies, Loses};

    #[test]
    fn a_row_that_is_moved_on_goes_the_way_of_its_first_move() {
        let mut lost = LostMoves::default();
        assert!(lost.moves(&1, 9, Loses, true));
        assert!(!lost.moves(&2, 1, Applies, false));
        assert!(lost.moves(&9, 2, Loses, false));
        assert!(!lost.moves(&9, 3, Loses, false));
        assert!(lost.moves(&2, 4, Loses, false));
    }

    #[test]
    fn another_row_under_the_same_key_does_not() {
        let mut lost = LostMoves::default();
        lost.moves(&1, 9, Loses, true);
        lost.ends(&9);
        assert!(!lost.moves(&9, 2, Loses, false));
        lost.moves(&1, 9, Loses, true);
        lost.moves(&9, 2, Loses, false);
        assert!(!lost.moves(&3, 2, Loses, false));
        assert!(!lost.moves(&2, 4, Loses, false));
    }

    #[test]
    fn nor_one_that_stays_after_all() {
        let mut lost = LostMoves::default();
        lost.moves(&1, 9, Loses, true);
        assert!(!lost.moves(&9, 2, Applies, false));
        assert!(lost.is_empty());
    }
}
