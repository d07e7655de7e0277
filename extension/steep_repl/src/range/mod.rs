//! Ids in ranges: what an insertion of a session may have, and how a sequence gets from one range of this node into the
//! next. Which ranges there are is for the crate `ranges` and for SQL (sql/functions/range*.sql).

pub mod check;
pub mod draw;
pub mod grid;
pub mod own;
