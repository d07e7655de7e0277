//! Tables whose rows are folds of their changes: column_merge, delta columns, a function of the user's.
//!
//! `record` keeps the changes; `history` remembers those of hot keys; `arrive` decides what comes through the stream; `columns` and `arithmetic` are what the rules in
//! crates/conflict/src/fold.rs need of the database; `forget` folds what nobody can add to any more; `late` adds
//! what had been set aside.

pub mod arithmetic;
pub mod arrive;
pub mod columns;
pub mod entry;
pub mod forget;
pub mod history;
pub mod late;
pub mod record;
pub mod version;
