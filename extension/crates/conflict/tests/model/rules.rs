//! What a history may contain, and the rules by which nodes decide: those of the crate, or broken ones.

/// A defect, planted to see the checks find it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Defect {
    None,
    /// What arrives last, stays.
    ArrivalOrder,
    /// At equal times the node that applies wins.
    LocalWinsTies,
    /// Deletions are not remembered.
    NoTombstones,
    /// A tombstone is dropped when the peers have confirmed it, whatever they had sent before.
    DroppedOnConfirmation,
    /// A confirmation does not say that the peer's clock is past the tombstone.
    ConfirmedWithoutBeat,
    /// A row that lost a unique value is removed on the node that saw the clash, and on no other.
    DisplacedHereOnly,
    /// That a row was displaced is forgotten when the row has not arrived yet.
    DisplacedForgotten,
    /// A displaced write that arrives leaves the older row in place.
    DisplacedLeavesOlder,
    /// A copied node knows rows, and no versions.
    CopiedWithoutVersions,
    /// A copied node knows rows and their versions, and no tombstones.
    CopiedWithoutTombstones,
    /// What is adopted counts as if the stream had brought it.
    AdoptedLikeStreamed,
    /// What is adopted may be ahead of the clock, as nothing else that is applied.
    AdoptedAheadOfTheClock,
    /// The row is adopted from the first peer that has another one.
    AdoptedFromOnePeer,
    /// The node that made a key change undoes it when a write arrives that beats it under the old key.
    UndoneByItsWriter,
    /// A row that the transaction of a losing key change moves on is not undone with it.
    MovedOnIgnored,
    /// A write that replaced another row than the one here counts as a conflict for certain, also with third nodes.
    OvertakingIgnored,
    /// What was written here counts as not having seen what arrives, also where it stands on a third node's write.
    StandingIgnored,
    /// That a row was adopted is forgotten when it is written over.
    AdoptionForgotten,
    /// No conflict is ever found.
    Silent,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clocks {
    /// One order of times for all.
    Equal,
    /// Two nodes may write at the same time.
    Ties,
    /// Each node's clock is just past what it has applied, and may be far behind the others.
    Lagging,
}

#[derive(Clone, Copy, Debug)]
pub struct Deeds {
    pub insert: bool,
    pub update: bool,
    pub delete: bool,
    pub moves: bool,
    pub truncate: bool,
}

impl Deeds {
    pub const ONE_KEY: Self = Self { insert: true, update: true, delete: true, moves: false, truncate: false };
    pub const ALL: Self = Self { insert: true, update: true, delete: true, moves: true, truncate: true };
    pub const MOVES: Self = Self { truncate: false, ..Self::ALL };
    pub const ONLY_MOVES: Self = Self { insert: false, update: false, delete: false, ..Self::MOVES };
    pub const TRUNCATES: Self = Self { moves: false, ..Self::ALL };
}

/// How often each event may happen in one history.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Events {
    pub drops: u8,
    pub copies: u8,
    pub proofs: u8,
    pub steps_back: u8,
}

#[derive(Clone, Debug)]
pub struct Rules {
    pub nodes: u8,
    pub writes: u8,
    pub keys: u8,
    pub deeds: Deeds,
    /// The pairs of unique values that a row may have.
    pub values: &'static [(u8, u8)],
    /// The rows that all nodes have from the start: under the keys 0, 1, …
    pub initial: &'static [(u8, u8)],
    pub events: Events,
    pub clocks: Clocks,
    pub before_images: bool,
    /// Displaced rows and losing moves are followed up by a worker, later than the apply that found them.
    pub worker: bool,
    /// A transaction may have several writes.
    pub transactions: bool,
    /// A row may not stand under two keys, unless a person is asked.
    pub one_key_each: bool,
    /// Nobody writes before all that was written has arrived everywhere.
    pub in_turn: bool,
    pub defect: Defect,
}

impl Rules {
    pub fn new(nodes: u8, writes: u8, keys: u8, deeds: Deeds) -> Self {
        Self {
            nodes,
            writes,
            keys,
            deeds,
            values: &[(0, 0)],
            initial: &[],
            events: Events::default(),
            clocks: Clocks::Equal,
            before_images: true,
            worker: false,
            transactions: false,
            one_key_each: false,
            in_turn: false,
            defect: Defect::None,
        }
    }

    /// Whether nodes and times can be exchanged without changing anything: then half of the histories are the others' mirror.
    pub fn symmetric(&self) -> bool {
        self.clocks == Clocks::Equal && self.events == Events::default()
    }
}
