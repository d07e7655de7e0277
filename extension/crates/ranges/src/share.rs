//! The blocks of one node.

/// The blocks `n` with `n >= first` and `n mod step = offset`. What its owner has cut ranges from before lies below `first`
/// or is opened already; it stays with the owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Share {
    pub step: i64,
    pub offset: i64,
    pub first: i64,
}

impl Share {
    /// All blocks: of the node that begins.
    pub const ALL: Self = Self { step: 1, offset: 0, first: 0 };

    /// Whether a block is in the share.
    pub fn holds(self, block: i64) -> bool {
        block >= self.first && block.rem_euclid(self.step) == self.offset
    }

    /// The first block of the share from `from` on; None when there is no such number.
    pub fn from(self, from: i64) -> Option<i64> {
        let from = from.max(self.first);
        from.checked_add((self.offset - from).rem_euclid(self.step))
    }

    /// Halves the share: what stays, and what is given away. Neither has a block below `free`, the first one that has
    /// not been opened. None when blocks cannot be told further apart.
    pub fn halve(self, free: i64) -> Option<(Self, Self)> {
        let step = self.step.checked_mul(2)?;
        let first = free.max(self.first);
        Some((Self { step, first, ..self }, Self { step, offset: self.offset + self.step, first }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_have_nothing_in_common_and_nothing_is_lost() {
        for step in [1, 2, 4, 64] {
            for offset in 0..step {
                let whole = Share { step, offset, first: 3 };
                let (mine, theirs) = whole.halve(10).unwrap();
                for block in 0..1000 {
                    assert!(!(mine.holds(block) && theirs.holds(block)), "{block} of {whole:?}");
                    let kept = mine.holds(block) || theirs.holds(block);
                    assert_eq!(kept, whole.holds(block) && block >= 10, "{block} of {whole:?}");
                }
            }
        }
    }

    #[test]
    fn the_next_block_is_the_first_that_it_holds() {
        let share = Share { step: 4, offset: 3, first: 5 };
        for from in 0..40 {
            let expected = (from..).find(|block| share.holds(*block));
            assert_eq!(share.from(from), expected, "from {from}");
        }
    }

    #[test]
    fn a_share_that_cannot_be_halved_any_more_says_so() {
        assert_eq!(Share { step: i64::MAX / 2 + 1, offset: 0, first: 0 }.halve(0), None);
        assert_eq!(Share { step: 4, offset: 0, first: 0 }.from(i64::MAX - 1), None);
    }
}
