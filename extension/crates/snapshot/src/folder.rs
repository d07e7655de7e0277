//! The folder of a snapshot: written under another name, recognised by what is in it, removed file by file.

use crate::codec::checksum;
use crate::manifest::{FORMAT, Manifest, Piece};
use crate::trouble::Trouble;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

const MANIFEST: &str = "manifest.json";
const SUMS: &str = "SHA256SUMS";
const DATA: &str = "data";

/// A snapshot that is being written. Dropped before it is whole, its files go.
pub struct Partial {
    folder: PathBuf,
    whole: PathBuf,
    done: bool,
}

impl Partial {
    /// Makes the folder beside where the snapshot is to be. `label` keeps it apart from others'.
    pub fn create(whole: &Path, label: &str) -> Result<Self, Trouble> {
        let folder = Self::folder_of(whole, label);
        if whole.symlink_metadata().is_ok() {
            return Err(Trouble::System(format!("{} exists", whole.display())));
        }
        make_private(&folder).map_err(|error| Trouble::of("cannot make", &folder, &error))?;
        let partial = Self { folder, whole: whole.to_owned(), done: false };
        make_private(&partial.folder.join(DATA))
            .map_err(|error| Trouble::of("cannot make", &partial.folder, &error))?;
        Ok(partial)
    }

    /// Where `create` would write.
    pub fn folder_of(whole: &Path, label: &str) -> PathBuf {
        let mut name = whole.file_name().unwrap_or_default().to_owned();
        name.push(format!(".partial-{label}"));
        whole.with_file_name(name)
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Writes manifest and checksums and gives the folder its name.
    pub fn complete(mut self, manifest: &Manifest) -> Result<(), Trouble> {
        let path = self.folder.join(MANIFEST);
        let text = serde_json::to_string_pretty(manifest).map_err(|error| Trouble::Damaged(error.to_string()))?;
        write_synced(&path, text.as_bytes())?;
        let (sum, _) = checksum(&path, || ()).map_err(|error| Trouble::of("cannot read", &path, &error))?;
        // As sha256sum --check reads it.
        let mut sums: String = manifest.files().map(|piece| format!("{}  {}\n", piece.sha256, piece.file)).collect();
        sums.push_str(&format!("{sum}  {MANIFEST}\n"));
        write_synced(&self.folder.join(SUMS), sums.as_bytes())?;
        sync_folder(&self.folder.join(DATA))?;
        sync_folder(&self.folder)?;
        // rename() would replace an empty folder that somebody has made meanwhile.
        if self.whole.symlink_metadata().is_ok() {
            return Err(Trouble::System(format!("{} was made meanwhile", self.whole.display())));
        }
        fs::rename(&self.folder, &self.whole).map_err(|error| Trouble::of("cannot rename to", &self.whole, &error))?;
        self.done = true;
        sync_folder(self.whole.parent().unwrap_or(Path::new("/")))
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if !self.done {
            remove_own_files(&self.folder);
        }
    }
}

/// Readable by the server alone: rows of tables with privileges of their own.
fn make_private(folder: &Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

fn write_synced(path: &Path, bytes: &[u8]) -> Result<(), Trouble> {
    let write = || -> std::io::Result<()> {
        let mut file = File::create_new(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(|error| Trouble::of("cannot write", path, &error))
}

fn sync_folder(folder: &Path) -> Result<(), Trouble> {
    // Windows does not open folders; NTFS writes names down by itself.
    if cfg!(unix) {
        File::open(folder)
            .and_then(|opened| opened.sync_all())
            .map_err(|error| Trouble::of("cannot write", folder, &error))?;
    }
    Ok(())
}

/// The manifest of a snapshot, compared with its checksum.
pub fn read_manifest(folder: &Path) -> Result<Manifest, Trouble> {
    let path = folder.join(MANIFEST);
    let text = fs::read(&path).map_err(|error| Trouble::of("cannot read", &path, &error))?;
    let damaged = |why: String| Trouble::Damaged(format!("{} is damaged: {why}", path.display()));
    let any: serde_json::Value = serde_json::from_slice(&text).map_err(|error| damaged(error.to_string()))?;
    let format = any.get("format").and_then(serde_json::Value::as_u64).ok_or_else(|| damaged("no format".into()))?;
    if format > u64::from(FORMAT) {
        return Err(Trouble::Newer(format!(
            "{} is of format {format}; this version of steep_repl reads formats up to {FORMAT}",
            path.display()
        )));
    }
    let manifest: Manifest = serde_json::from_value(any).map_err(|error| damaged(error.to_string()))?;
    let sums = folder.join(SUMS);
    let listed = fs::read_to_string(&sums).map_err(|error| Trouble::of("cannot read", &sums, &error))?;
    let (sum, _) = checksum(&path, || ()).map_err(|error| Trouble::of("cannot read", &path, &error))?;
    if !listed.lines().any(|line| line == format!("{sum}  {MANIFEST}")) {
        return Err(damaged(format!("its checksum is not the one in {SUMS}")));
    }
    if let Some(piece) = manifest.files().find(|piece| !is_piece(&piece.file)) {
        return Err(damaged(format!("{:?} is no name of a file of rows", piece.file)));
    }
    Ok(manifest)
}

/// Names that the writer gives: no way out of the folder.
fn is_piece(file: &str) -> bool {
    file.strip_prefix("data/").is_some_and(|name| {
        !name.is_empty() && !name.starts_with('.') && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.')
    })
}

/// One file of a snapshot, and what is wrong with it.
#[derive(Debug, PartialEq, Eq)]
pub struct Checked {
    pub file: String,
    pub bytes: u64,
    pub problem: Option<String>,
}

/// What is wrong with the file of a piece, if anything. `pause` is called now and then, and may end it by unwinding.
pub fn checksum_problem(folder: &Path, piece: &Piece, pause: impl FnMut()) -> Option<String> {
    let path = folder.join(&piece.file);
    if path.symlink_metadata().is_ok_and(|found| !found.is_file()) {
        return Some("is not a plain file".to_owned());
    }
    match checksum(&path, pause) {
        Ok((sum, _)) if sum == piece.sha256 => None,
        Ok((_, bytes)) if bytes < piece.stored_bytes => {
            Some(format!("is cut short: {bytes} of {} bytes", piece.stored_bytes))
        }
        Ok(_) => Some("is damaged, or of another snapshot: its checksum is another one".to_owned()),
        Err(error) => Some(format!("cannot be read: {error}")),
    }
}

/// The same of all files.
pub fn check(folder: &Path, manifest: &Manifest, mut pause: impl FnMut()) -> Vec<Checked> {
    let look = |piece: &Piece| Checked {
        file: piece.file.clone(),
        bytes: piece.stored_bytes,
        problem: checksum_problem(folder, piece, &mut pause),
    };
    manifest.files().map(look).collect()
}

/// Removes the snapshot with that identity, and nothing else; false when there is none.
pub fn remove(folder: &Path, snapshot_uid: &str) -> Result<bool, Trouble> {
    match read_manifest(folder) {
        Ok(manifest) if manifest.snapshot_uid == snapshot_uid => removed_whole(folder),
        Ok(_) => Err(Trouble::Damaged(format!("{} holds another snapshot", folder.display()))),
        Err(Trouble::Missing(_)) if folder.symlink_metadata().is_err() => Ok(false),
        Err(Trouble::Damaged(_)) if holds_only_ours(folder) && !names_another(folder, snapshot_uid) => {
            removed_whole(folder)
        }
        Err(trouble) => Err(trouble),
    }
}

fn removed_whole(folder: &Path) -> Result<bool, Trouble> {
    remove_own_files(folder);
    match folder.symlink_metadata() {
        Ok(_) => Err(Trouble::System(format!(
            "{} could not be removed whole: there are files of others, or no right to",
            folder.display()
        ))),
        Err(_) => Ok(true),
    }
}

/// Whether nothing lies in a folder but what a snapshot consists of.
fn holds_only_ours(folder: &Path) -> bool {
    let all = |folder: &Path, ours: &dyn Fn(&str, bool) -> bool| {
        fs::read_dir(folder).is_ok_and(|mut entries| {
            entries.all(|entry| {
                entry.is_ok_and(|entry| {
                    let name = entry.file_name();
                    entry.file_type().is_ok_and(|kind| name.to_str().is_some_and(|name| ours(name, kind.is_dir())))
                })
            })
        })
    };
    // The names that the writer gives: NNNNNN.PPP.copy, NNNNNN.versions, and what they are compressed with.
    let numbered = |name: &str| name.len() > 7 && name.bytes().take(6).all(|b| b.is_ascii_digit());
    all(folder, &|name, is_folder| if is_folder { name == DATA } else { name == MANIFEST || name == SUMS })
        && all(&folder.join(DATA), &|name, is_folder| {
            !is_folder && numbered(name) && is_piece(&format!("{DATA}/{name}"))
        })
}

/// Whether a manifest that cannot be read can still be seen to be another snapshot's.
fn names_another(folder: &Path, snapshot_uid: &str) -> bool {
    let text = fs::read(folder.join(MANIFEST)).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let named = text.split("\"snapshot_uid\": \"").nth(1).and_then(|rest| rest.split('"').next());
    named.is_some_and(|named| named != snapshot_uid)
}

/// How a folder stands where a snapshot was written.
#[derive(Debug, PartialEq, Eq)]
pub enum State {
    Complete,
    Missing,
    Damaged,
}

/// Looks at the manifest of the snapshot with that identity; not at its rows.
pub fn state(folder: &Path, snapshot_uid: &str) -> State {
    match read_manifest(folder) {
        Ok(manifest) if manifest.snapshot_uid == snapshot_uid => State::Complete,
        Err(Trouble::Newer(_)) => State::Complete,
        Ok(_) => State::Missing,
        Err(_) if folder.join(MANIFEST).symlink_metadata().is_err() => State::Missing,
        Err(_) => State::Damaged,
    }
}

/// Removes what a snapshot consists of, whole or not; what else lies there stays, and the folder with it.
pub fn remove_own_files(folder: &Path) {
    let data = folder.join(DATA);
    for entry in fs::read_dir(&data).into_iter().flatten().flatten() {
        if is_piece(&format!("{DATA}/{}", entry.file_name().to_string_lossy())) {
            let _ = fs::remove_file(entry.path());
        }
    }
    for file in [MANIFEST, SUMS] {
        let _ = fs::remove_file(folder.join(file));
    }
    let _ = fs::remove_dir(&data);
    let _ = fs::remove_dir(folder);
}
