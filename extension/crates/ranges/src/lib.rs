//! Which ids are whose: how the ids of a column are cut into blocks, how blocks are shared out between nodes, and how a
//! node cuts ranges from its own.
//!
//! Two nodes never own one block, because a share comes into being only by halving a share, by whoever has it: nobody
//! else need be asked. See docs/internals/range.md.

mod enter;
mod grid;
mod run;
mod share;

pub use enter::Entry;
pub use grid::{Grid, Range};
pub use run::slack;
pub use share::Share;
