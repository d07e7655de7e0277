//! What can be wrong with a snapshot.

use std::fmt;
use std::path::Path;

/// Why a snapshot cannot be read or written, in words for whoever asked.
#[derive(Debug, PartialEq, Eq)]
pub enum Trouble {
    /// There is no snapshot.
    Missing(String),
    /// A file is not what the checksum says, or cannot be understood.
    Damaged(String),
    /// Written by a later version, in a format that this one does not know.
    Newer(String),
    /// The system refused: no space, no right.
    System(String),
}

impl Trouble {
    /// What the system said about a file.
    pub fn of(doing: &str, path: &Path, error: &std::io::Error) -> Self {
        let words = format!("{doing} {}: {error}", path.display());
        match error.kind() {
            std::io::ErrorKind::NotFound => Self::Missing(words),
            // What decoders say of bytes that they cannot understand.
            std::io::ErrorKind::InvalidData | std::io::ErrorKind::InvalidInput | std::io::ErrorKind::UnexpectedEof => {
                Self::Damaged(words)
            }
            _ => Self::System(words),
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(words) | Self::Damaged(words) | Self::Newer(words) | Self::System(words) => {
                out.write_str(words)
            }
        }
    }
}
