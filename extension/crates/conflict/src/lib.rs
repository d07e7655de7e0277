//! Conflicts, decided: which of two writes of one key stays, whether the later one had seen the earlier, and which rows
//! give way when several claim one unique value. Pure: no database, no clock.
//!
//! The rule is that of a last-writer-wins register a key: a row or its absence, under the version of the transaction
//! that wrote it. It does not depend on the order in which writes arrive, so all nodes end with the same. `fold` is for tables
//! whose rows keep something of both sides.
#![forbid(unsafe_code)]

mod decide;
mod finding;
pub mod fold;
mod lost_moves;
mod strategy;
mod unique;
mod version;

pub use decide::{State, Verdict, decide};
pub use finding::{Change, Evidence, Finding, Kind, find};
pub use lost_moves::LostMoves;
pub use strategy::Strategy;
pub use unique::{Clash, clash};
pub use version::{Known, Version};
