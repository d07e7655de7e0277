//! A model of tables whose strategy may let an earlier write stay, with the proof that brings all nodes to one row. One key;
//! what a node decides is the crate's, what it compares is that of sql/functions/conflict_proof.sql and proof_target.sql.

mod chance;
mod check;
mod explore;
mod node;
mod proof;
mod short;
mod world;
