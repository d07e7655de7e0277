//! The versions of the rows in a snapshot, table by table.

use super::{failed, raise};
use crate::pg::transaction::Failed;
use snapshot_files::{Compression, Piece, PieceReader, Trouble, read_manifest};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

const BUFFER: usize = 1 << 17;

/// Where the versions of each table are.
pub struct Versions {
    folder: PathBuf,
    compression: Compression,
    by_name: HashMap<(String, String), Piece>,
}

impl Versions {
    pub fn of(folder: &Path) -> Result<Self, Failed> {
        let manifest = read_manifest(folder).map_err(failed)?;
        let tables = manifest.replication.into_iter().flat_map(|replication| replication.tables);
        let by_name = tables.map(|table| ((table.schema, table.table), table.versions)).collect();
        Ok(Self { folder: folder.to_owned(), compression: manifest.compression, by_name })
    }

    /// Gives all versions of a table to `take`, some at a time. Raises an error when the file is not the one of the manifest.
    pub fn read(&self, schema: &str, table: &str, mut take: impl FnMut(Vec<String>)) {
        let Some(piece) = self.by_name.get(&(schema.to_owned(), table.to_owned())) else { return };
        let mut rest = Vec::new();
        self.each_part(piece, |part| {
            rest.extend_from_slice(part);
            let Some(end) = rest.iter().rposition(|byte| *byte == b'\n') else { return };
            // The text format of COPY: JSON has no bytes that it escapes but the backslash (src/backend/commands/copyto.c).
            take(String::from_utf8_lossy(&rest[..end]).lines().map(|line| line.replace("\\\\", "\\")).collect());
            rest.drain(..=end);
        })
        .unwrap_or_else(|trouble| raise(trouble));
    }

    fn each_part(&self, piece: &Piece, mut take: impl FnMut(&[u8])) -> Result<(), Trouble> {
        let mut reader = PieceReader::open(&self.folder.join(&piece.file), self.compression, &piece.sha256)?;
        let mut buffer = vec![0; BUFFER];
        loop {
            match reader.read(&mut buffer)? {
                0 => return reader.finish(),
                read => take(&buffer[..read]),
            }
        }
    }
}
