//! Sessions that draw ids one by one, without a trigger that could replace one, while another node is given half of the blocks:
//! every id lies in a block of this node, none is handed out twice, and nobody is refused.
//!
//! A session draws, and looks at its id some steps later, as the constraint does: ids that it knows to be sure need no look; else
//! it reads what is opened and moves the sequence on when that stands near the end. What sessions know is old now and then.

use ranges::{Entry, Grid, Range, Share};
use std::collections::HashSet;

const SIZE: i64 = 7;
const SESSIONS: usize = 6;
const GRID: Grid = Grid { base: 1, block: 160, limit: i64::MAX, descending: false };

/// Numbers by chance, the same for the same seed (xorshift).
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or(0) % limit
    }
}

#[derive(Clone, Copy)]
struct Rules {
    margin: i64,
    /// Also where the next block is this node's own.
    margin_everywhere: bool,
    /// The sequence is moved into another block only.
    leaves_block: bool,
}

const KEPT: Rules = Rules { margin: 10, margin_everywhere: true, leaves_block: true };

struct World {
    rules: Rules,
    share: Share,
    /// The last range that was opened; the sequence may have run on in its block.
    opened: Range,
    next: i64,
    /// What each session is sure of, and what it has drawn.
    sessions: [(Option<Range>, Option<i64>); SESSIONS],
    handed_out: HashSet<i64>,
    given: Vec<Share>,
}

impl World {
    fn new(rules: Rules) -> Self {
        let opened = GRID.next(Share::ALL, None, SIZE).unwrap();
        let (sessions, handed_out, given) = ([(None, None); SESSIONS], HashSet::new(), Vec::new());
        Self { rules, share: Share::ALL, opened, next: 1, sessions, handed_out, given }
    }

    fn together(&self) -> Range {
        GRID.together(Some(self.share), self.opened, [])
    }

    fn sure(&self) -> Option<Range> {
        let ours = self.share.step == 1 && !self.rules.margin_everywhere;
        GRID.sure(self.together(), if ours { 0 } else { self.rules.margin })
    }

    /// Opens the range in which the sequence stands, as far as that lies together.
    fn follow(&mut self) {
        while self.opened.end < self.next && self.together().holds(self.next) {
            self.opened = GRID.next(self.share, Some(self.opened), SIZE).unwrap();
        }
    }

    /// A session that holds the sequence (src/range/draw.rs).
    fn settle(&mut self) {
        self.follow();
        if self.sure().is_some_and(|sure| sure.holds(self.next)) {
            return;
        }
        let block = GRID.block_around(self.opened.end).unwrap();
        let mut range = self.opened;
        while block.holds(range.start) && self.rules.leaves_block || range == self.opened {
            range = GRID.next(self.share, Some(range), SIZE).unwrap();
        }
        loop {
            self.opened = range;
            match GRID.enter(Some(block), range, Some(self.next), self.rules.margin, 1) {
                Entry::At(id) => {
                    self.next = id;
                    return;
                }
                Entry::Here => return,
                Entry::Passed => range = GRID.next(self.share, Some(range), SIZE).unwrap(),
            }
        }
    }

    fn look(&mut self, session: usize, id: i64) -> Result<(), String> {
        if !self.sessions[session].0.is_some_and(|sure| sure.holds(id)) {
            if self.together().holds(id) {
                self.settle();
                self.sessions[session].0 = self.sure();
            }
            let block = GRID.block_of(id).unwrap();
            if self.given.iter().any(|share| share.holds(block)) {
                return Err(format!("id {id} is refused"));
            }
        }
        let block = GRID.block_of(id).unwrap();
        if self.given.iter().any(|share| share.holds(block)) {
            return Err(format!("id {id} is another node's"));
        }
        if self.handed_out.insert(id) { Ok(()) } else { Err(format!("id {id} was handed out twice")) }
    }

    fn give(&mut self) {
        self.follow();
        if let Some((mine, theirs)) = self.share.halve(GRID.free(self.share, [self.opened])) {
            self.given.push(theirs);
            self.share = mine;
        }
    }

    /// Somebody sets the sequence anywhere, forward, and sessions go on.
    fn astray(&mut self) {
        self.next += 100_000;
        self.settle();
    }

    fn step(&mut self, chance: &mut Chance) -> Result<(), String> {
        let session = chance.below(SESSIONS);
        if chance.below(400) == 0 && self.given.len() < 4 {
            self.give();
            return Ok(());
        }
        if chance.below(1000) == 0 {
            self.astray();
            return Ok(());
        }
        match self.sessions[session].1.take() {
            None => {
                self.sessions[session].1 = Some(self.next);
                self.next += 1;
                Ok(())
            }
            Some(id) => self.look(session, id),
        }
    }
}

fn run(rules: Rules, seeds: u64) -> Option<String> {
    (1..=seeds).find_map(|seed| {
        let mut chance = Chance(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let mut world = World::new(rules);
        (0..4000).find_map(|_| world.step(&mut chance).err()).map(|wrong| format!("{wrong}, seed {seed}"))
    })
}

#[test]
fn nobody_gets_an_id_of_another_node_or_one_twice() {
    assert_eq!(run(KEPT, 3000), None);
}

#[test]
fn a_margin_that_is_too_small_would_be_noticed() {
    assert!(run(Rules { margin: 2, ..KEPT }, 3000).is_some());
}

#[test]
fn sessions_that_are_sure_of_all_of_a_block_would_be_noticed() {
    assert!(run(Rules { margin_everywhere: false, ..KEPT }, 3000).is_some());
}

#[test]
fn a_sequence_that_is_moved_within_its_block_would_be_noticed() {
    assert!(run(Rules { leaves_block: false, ..KEPT }, 3000).is_some());
}
