//! Conflicts, in the apply worker: what arrives, what is here, which of them stays, and the record of it.
//!
//! `session` knows the stream and its current change; `put`, `take` decide rows that a trigger brings; `missing` settles
//! changes whose row is not here, `in_stead` applies some that the worker is not shown; `unique` the clashes; `orphan` notes foreign keys to be looked at; `log` writes the
//! entries. `judge` asks the rules, which are in the crate `conflict`, and the strategy of the table; `lineage` looks at what
//! this node's own writes stand on; `meanwhile` at what two processes write at one moment; `resolved` asks people, who are above all of them;
//! `undone` takes back deletions that went before what lost; `lost_moves` knows which rows a transaction has moved in vain.

pub mod by_hand;
pub mod changed;
pub mod fold;
pub mod in_stead;
pub mod judge;
pub mod lineage;
pub mod log;
pub mod lost_moves;
pub mod meanwhile;
pub mod missing;
pub mod orphan;
pub mod put;
pub mod remember;
pub mod resolved;
pub mod session;
pub mod set_aside;
pub mod state;
pub mod take;
pub mod undone;
pub mod unique;
