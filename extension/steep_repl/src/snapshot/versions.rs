//! The versions of a table's rows in a snapshot.

use super::raise;
use serde_json::Value;
use snapshot_files::{Piece, PieceReader, Trouble, read_manifest};
use std::path::{Path, PathBuf};

const BUFFER: usize = 1 << 17;

/// Gives all versions to `take`, some at a time. `loaded` is what _init_loaded_begin() says: the snapshot's path and the file of versions.
/// Raises an error when that is not the one of the manifest.
pub fn read(loaded: &Value, mut take: impl FnMut(Vec<String>)) {
    let folder = PathBuf::from(loaded["path"].as_str().unwrap_or_default());
    let piece: Piece = serde_json::from_value(loaded["versions"].clone()).unwrap_or_default();
    let mut rest = Vec::new();
    each_part(&folder, &piece, |part| {
        rest.extend_from_slice(part);
        let Some(end) = rest.iter().rposition(|byte| *byte == b'\n') else { return };
        // The text format of COPY: JSON has no bytes that it escapes but the backslash (src/backend/commands/copyto.c).
        take(String::from_utf8_lossy(&rest[..end]).lines().map(|line| line.replace("\\\\", "\\")).collect());
        rest.drain(..=end);
    })
    .unwrap_or_else(|trouble| raise(trouble));
}

fn each_part(folder: &Path, piece: &Piece, mut take: impl FnMut(&[u8])) -> Result<(), Trouble> {
    let compression = read_manifest(folder)?.compression;
    let mut reader = PieceReader::open(&folder.join(&piece.file), compression, &piece.sha256)?;
    let mut buffer = vec![0; BUFFER];
    loop {
        match reader.read(&mut buffer)? {
            0 => return reader.finish(),
            read => take(&buffer[..read]),
        }
    }
}
