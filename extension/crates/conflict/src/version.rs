//! The version of a row: when the transaction that wrote it committed, and on which node.

use std::sync::Arc;

/// Ordered by time, then by node id: the same order on all nodes, because apply workers keep the commit time of the
/// origin. Never by which node applies and which one sends.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// Commit time at the origin, in microseconds since 2000-01-01 (PostgreSQL's TimestampTz).
    pub time: i64,
    /// The node that wrote it.
    pub node: Arc<str>,
}

/// A version that a node knows of a row or tombstone that it holds.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Known {
    pub version: Version,
    /// Taken over from a peer outside of the stream: the stream of its writer may still bring older changes.
    pub adopted: bool,
}

impl Version {
    pub fn new(time: i64, node: &str) -> Self {
        Self { time, node: node.into() }
    }

    /// As a node knows it that received it through the stream, or wrote it itself.
    pub fn known(self) -> Known {
        Known { version: self, adopted: false }
    }
}
