//! Snapshots on disk: a folder with a manifest, a file for each piece of a table, and the checksums of all of them.
//!
//! Whoever writes one does so under another name beside it, so that what has the name of a snapshot is whole.
#![forbid(unsafe_code)]

mod codec;
mod folder;
mod manifest;
mod place;
mod split;
mod trouble;

pub use codec::{Compression, PieceReader, PieceWriter, Written};
pub use folder::{Checked, Partial, State, check, checksum_problem, read_manifest, remove, remove_own_files, state};
pub use manifest::{Column, FORMAT, Manifest, Member, Piece, Replicated, Replication, Sequence, Table};
pub use place::resolve;
pub use split::{Pages, split};
pub use trouble::Trouble;
