//! The manifest: what a snapshot holds, and how to recognise each file of it.

use crate::codec::Compression;
use serde::{Deserialize, Serialize};

/// The format that this version writes; it reads this one and those before it.
pub const FORMAT: u32 = 1;

#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
pub struct Manifest {
    pub format: u32,
    pub snapshot_uid: String,
    /// RFC 3339, UTC.
    pub created_at: String,
    pub server_version: String,
    pub extension_version: String,
    pub database: String,
    pub node_id: Option<String>,
    /// The encoding of all text in the files, as PostgreSQL calls it.
    pub encoding: String,
    /// All that was committed before is in the files; nothing else is when a slot was made.
    pub lsn: String,
    pub slot: Option<String>,
    pub compression: Compression,
    pub tables: Vec<Table>,
    pub sequences: Vec<Sequence>,
    /// What a node that is filled from it has to know besides the rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replication: Option<Replication>,
}

/// Where the streams of all nodes stood at the moment of the snapshot, and the versions of its rows.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
pub struct Replication {
    /// Under which every node keeps its stream for nodes that are filled from this.
    pub preparation: String,
    pub node_uid: String,
    /// The other nodes, and up to where the rows hold what they wrote.
    pub members: Vec<Member>,
    pub tables: Vec<Replicated>,
}

#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
pub struct Member {
    pub node_id: String,
    pub applied_lsn: String,
}

/// A replicated table; one with partitions stands for all of them.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
pub struct Replicated {
    pub schema: String,
    pub table: String,
    /// Under another it is another table: it has left in between.
    pub joined_at: String,
    /// The partitions, or itself, as they stand in `tables`.
    pub leaves: Vec<(String, String)>,
    /// Versions of rows and deletions, a JSON object a line.
    pub versions: Piece,
}

#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
pub struct Table {
    pub schema: String,
    pub table: String,
    /// In the order of the values in the files.
    pub columns: Vec<Column>,
    /// What the table takes, as compute_fingerprint() and schema_definitions() give it.
    pub fingerprint: String,
    pub definition: serde_json::Value,
    pub rows: u64,
    pub pieces: Vec<Piece>,
}

#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
pub struct Column {
    pub name: String,
    #[serde(rename = "type")]
    pub kind: String,
}

/// Some rows of a table, in the text format of COPY.
#[derive(Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
pub struct Piece {
    /// Relative to the snapshot's folder.
    pub file: String,
    pub rows: u64,
    /// Of the rows, before compression.
    pub bytes: u64,
    pub stored_bytes: u64,
    /// Of the file as it is stored, in hexadecimal.
    pub sha256: String,
}

#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
pub struct Sequence {
    pub schema: String,
    pub sequence: String,
    pub last_value: i64,
    pub is_called: bool,
}

impl Manifest {
    pub fn rows(&self) -> u64 {
        self.tables.iter().map(|table| table.rows).sum()
    }

    /// Of all files of rows, as they are stored.
    pub fn stored_bytes(&self) -> u64 {
        self.pieces().map(|piece| piece.stored_bytes).sum()
    }

    /// Of all rows, before compression.
    pub fn bytes(&self) -> u64 {
        self.pieces().map(|piece| piece.bytes).sum()
    }

    pub fn pieces(&self) -> impl Iterator<Item = &Piece> {
        self.tables.iter().flat_map(|table| &table.pieces)
    }

    /// All files but the manifest's own.
    pub fn files(&self) -> impl Iterator<Item = &Piece> {
        let tables = self.replication.iter().flat_map(|replication| &replication.tables);
        self.pieces().chain(tables.map(|table| &table.versions))
    }
}
