//! A file of a snapshot while a stream writes it, row by row.

use super::raise;
use crate::job::Stream;
use crate::pg::copy_to::Taker;
use snapshot_files::{Compression, PieceWriter, Written};
use std::path::Path;

/// Rows are given to the compressor in pieces of this size.
const BUFFER: usize = 1 << 17;

pub struct PieceFile<'a> {
    stream: &'a Stream,
    writer: PieceWriter,
    buffer: Vec<u8>,
    rows: u64,
    bytes: u64,
}

impl<'a> PieceFile<'a> {
    pub fn create(stream: &'a Stream, path: &Path, compression: Compression) -> Self {
        let writer = PieceWriter::create(path, compression).unwrap_or_else(|trouble| raise(trouble));
        Self { stream, writer, buffer: Vec::with_capacity(2 * BUFFER), rows: 0, bytes: 0 }
    }

    pub fn finish(mut self) -> Written {
        self.flush();
        self.writer.finish().unwrap_or_else(|trouble| raise(trouble))
    }

    fn flush(&mut self) {
        self.writer.write(&self.buffer).unwrap_or_else(|trouble| raise(trouble));
        self.bytes += self.buffer.len() as u64;
        self.buffer.clear();
        self.stream.show(None, self.rows, self.bytes);
    }
}

impl Taker for PieceFile<'_> {
    fn take(&mut self, row: &[u8]) {
        self.buffer.extend_from_slice(row);
        self.buffer.push(b'\n');
        self.rows += 1;
        if self.buffer.len() >= BUFFER {
            self.flush();
        }
    }
}
