//! Files of rows: compressed, and hashed on their way to and from the disk.

use crate::trouble::Trouble;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use lz4_flex::frame::{FrameDecoder, FrameEncoder};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    None,
    Gzip,
    Lz4,
    Zstd,
}

impl Compression {
    pub fn parse(name: &str) -> Option<Self> {
        [Self::None, Self::Gzip, Self::Lz4, Self::Zstd].into_iter().find(|known| known.name() == name)
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Lz4 => "lz4",
            Self::Zstd => "zstd",
        }
    }

    /// What the usual tools expect at the end of a file's name.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Gzip => ".gz",
            Self::Lz4 => ".lz4",
            Self::Zstd => ".zst",
        }
    }
}

/// Counts and hashes what passes.
struct Hashed<T> {
    inner: T,
    hash: Sha256,
    bytes: u64,
}

impl<T> Hashed<T> {
    fn new(inner: T) -> Self {
        Self { inner, hash: Sha256::new(), bytes: 0 }
    }

    fn note(&mut self, passed: &[u8]) {
        self.hash.update(passed);
        self.bytes += passed.len() as u64;
    }
}

impl<T: Write> Write for Hashed<T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.note(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<T: Read> Read for Hashed<T> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.note(&buffer[..read]);
        Ok(read)
    }
}

pub fn hex(hash: Sha256) -> String {
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

type Target = Hashed<BufWriter<File>>;

enum Encoder {
    None(Target),
    Gzip(GzEncoder<Target>),
    Lz4(Box<FrameEncoder<Target>>),
    Zstd(zstd::stream::write::Encoder<'static, Target>),
}

impl Encoder {
    fn writer(&mut self) -> &mut dyn Write {
        match self {
            Self::None(to) => to,
            Self::Gzip(to) => to,
            Self::Lz4(to) => to,
            Self::Zstd(to) => to,
        }
    }

    fn finish(self) -> io::Result<Target> {
        match self {
            Self::None(to) => Ok(to),
            Self::Gzip(to) => to.finish(),
            Self::Lz4(to) => to.finish().map_err(io::Error::other),
            Self::Zstd(to) => to.finish(),
        }
    }
}

/// What a file of rows has become.
#[derive(Debug, PartialEq, Eq)]
pub struct Written {
    pub bytes: u64,
    pub stored_bytes: u64,
    pub sha256: String,
}

/// Writes one new file of rows.
pub struct PieceWriter {
    path: PathBuf,
    encoder: Encoder,
    bytes: u64,
}

impl PieceWriter {
    pub fn create(path: &Path, compression: Compression) -> Result<Self, Trouble> {
        let make = || -> io::Result<Encoder> {
            let target = Hashed::new(BufWriter::with_capacity(1 << 17, File::create_new(path)?));
            Ok(match compression {
                Compression::None => Encoder::None(target),
                Compression::Gzip => Encoder::Gzip(GzEncoder::new(target, flate2::Compression::default())),
                Compression::Lz4 => Encoder::Lz4(Box::new(FrameEncoder::new(target))),
                Compression::Zstd => Encoder::Zstd(zstd::stream::write::Encoder::new(target, 1)?),
            })
        };
        let encoder = make().map_err(|error| Trouble::of("cannot make", path, &error))?;
        Ok(Self { path: path.to_owned(), encoder, bytes: 0 })
    }

    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Trouble> {
        self.bytes += bytes.len() as u64;
        self.encoder.writer().write_all(bytes).map_err(|error| Trouble::of("cannot write", &self.path, &error))
    }

    /// Brings all of it to the disk.
    pub fn finish(self) -> Result<Written, Trouble> {
        let (path, bytes) = (self.path, self.bytes);
        let end = || -> io::Result<Written> {
            let target = self.encoder.finish()?;
            let file = target.inner.into_inner().map_err(io::IntoInnerError::into_error)?;
            file.sync_all()?;
            Ok(Written { bytes, stored_bytes: target.bytes, sha256: hex(target.hash) })
        };
        end().map_err(|error| Trouble::of("cannot write", &path, &error))
    }
}

enum Decoder {
    None(Hashed<BufReader<File>>),
    Gzip(Box<MultiGzDecoder<Hashed<BufReader<File>>>>),
    Lz4(Box<FrameDecoder<Hashed<BufReader<File>>>>),
    Zstd(zstd::stream::read::Decoder<'static, BufReader<Hashed<BufReader<File>>>>),
}

impl Decoder {
    fn reader(&mut self) -> &mut dyn Read {
        match self {
            Self::None(from) => from,
            Self::Gzip(from) => from,
            Self::Lz4(from) => from,
            Self::Zstd(from) => from,
        }
    }

    fn source(self) -> Hashed<BufReader<File>> {
        match self {
            Self::None(from) => from,
            Self::Gzip(from) => from.into_inner(),
            Self::Lz4(from) => from.into_inner(),
            Self::Zstd(from) => from.finish().into_inner(),
        }
    }
}

/// Reads one file of rows, and knows at its end whether it was the right one.
pub struct PieceReader {
    path: PathBuf,
    sha256: String,
    decoder: Decoder,
}

impl PieceReader {
    pub fn open(path: &Path, compression: Compression, sha256: &str) -> Result<Self, Trouble> {
        let open = || -> io::Result<Decoder> {
            let source = Hashed::new(BufReader::with_capacity(1 << 17, File::open(path)?));
            Ok(match compression {
                Compression::None => Decoder::None(source),
                Compression::Gzip => Decoder::Gzip(Box::new(MultiGzDecoder::new(source))),
                Compression::Lz4 => Decoder::Lz4(Box::new(FrameDecoder::new(source))),
                Compression::Zstd => Decoder::Zstd(zstd::stream::read::Decoder::new(source)?),
            })
        };
        let decoder = open().map_err(|error| Trouble::of("cannot read", path, &error))?;
        Ok(Self { path: path.to_owned(), sha256: sha256.to_owned(), decoder })
    }

    /// Fills `buffer` from its start; 0 at the end of the rows.
    pub fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Trouble> {
        self.decoder.reader().read(buffer).map_err(|error| Trouble::of("cannot read", &self.path, &error))
    }

    /// To be called at the end of the rows: an error when the file is not the one that was written.
    pub fn finish(self) -> Result<(), Trouble> {
        let mut source = self.decoder.source();
        io::copy(&mut source, &mut io::sink()).map_err(|error| Trouble::of("cannot read", &self.path, &error))?;
        if hex(source.hash) == self.sha256 {
            return Ok(());
        }
        Err(Trouble::Damaged(format!("{} is damaged: its checksum is another one", self.path.display())))
    }
}

/// The checksum and size of a file as it is stored; `pause` is called after every piece.
pub fn checksum(path: &Path, mut pause: impl FnMut()) -> io::Result<(String, u64)> {
    let mut file = Hashed::new(File::open(path)?);
    let mut buffer = vec![0; 1 << 17];
    while file.read(&mut buffer)? > 0 {
        pause();
    }
    Ok((hex(file.hash), file.bytes))
}
