//! Snapshots on a real disk: written, read, damaged, removed.

use snapshot::{
    Checked, Column, Compression, FORMAT, Manifest, Partial, Piece, PieceReader, PieceWriter, State, Table, Trouble,
    check, read_manifest, remove, state,
};
use std::fs;
use std::path::{Path, PathBuf};

const ALL: [Compression; 4] = [Compression::None, Compression::Gzip, Compression::Lz4, Compression::Zstd];

struct Area(PathBuf);

impl Area {
    fn new(name: &str) -> Self {
        let area = std::env::temp_dir().join(format!("snapshot-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&area);
        fs::create_dir_all(&area).unwrap();
        Self(area)
    }
}

impl Drop for Area {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn rows() -> Vec<u8> {
    (0..20_000).flat_map(|n| format!("{n}\tä row with some text, number {}\n", n * 7919).into_bytes()).collect()
}

fn manifest(compression: Compression, pieces: Vec<Piece>) -> Manifest {
    Manifest {
        format: FORMAT,
        snapshot_uid: "a-snapshot".into(),
        created_at: "2026-01-01T00:00:00Z".into(),
        server_version: "18.1".into(),
        extension_version: "0.2.0".into(),
        database: "app".into(),
        node_id: None,
        encoding: "UTF8".into(),
        lsn: "0/1".into(),
        slot: None,
        compression,
        tables: vec![Table {
            schema: "public".into(),
            table: "odd \"name\"".into(),
            columns: vec![Column { name: "id".into(), kind: "integer".into() }],
            fingerprint: "f".into(),
            definition: serde_json::json!({"kind": "table"}),
            rows: pieces.iter().map(|piece| piece.rows).sum(),
            pieces,
        }],
        sequences: vec![],
        replication: None,
    }
}

/// A whole snapshot with one piece.
fn write(area: &Path, compression: Compression) -> PathBuf {
    let whole = area.join("monday");
    let partial = Partial::create(&whole, "1").unwrap();
    let file = format!("data/000000.000.copy{}", compression.suffix());
    let mut writer = PieceWriter::create(&partial.folder().join(&file), compression).unwrap();
    for part in rows().chunks(1000) {
        writer.write(part).unwrap();
    }
    let written = writer.finish().unwrap();
    let piece =
        Piece { file, rows: 20_000, bytes: written.bytes, stored_bytes: written.stored_bytes, sha256: written.sha256 };
    partial.complete(&manifest(compression, vec![piece])).unwrap();
    whole
}

fn read(folder: &Path) -> Result<Vec<u8>, Trouble> {
    let manifest = read_manifest(folder)?;
    let piece = manifest.pieces().next().unwrap();
    let mut reader = PieceReader::open(&folder.join(&piece.file), manifest.compression, &piece.sha256)?;
    let (mut all, mut buffer) = (Vec::new(), [0; 5000]);
    loop {
        match reader.read(&mut buffer)? {
            0 => break,
            read => all.extend_from_slice(&buffer[..read]),
        }
    }
    reader.finish()?;
    Ok(all)
}

#[test]
fn what_was_written_is_read() {
    for compression in ALL {
        let area = Area::new(compression.name());
        let whole = write(&area.0, compression);
        assert_eq!(read(&whole).unwrap(), rows());
        let found = read_manifest(&whole).unwrap();
        assert_eq!(found.tables[0].table, "odd \"name\"");
        let checked = check(&whole, &found, || ());
        assert!(checked.iter().all(|file| file.problem.is_none()), "{checked:?}");
        assert_eq!(fs::read_dir(&area.0).unwrap().count(), 1);
        assert_eq!(remove(&whole, "a-snapshot"), Ok(true));
        assert_eq!(remove(&whole, "a-snapshot"), Ok(false));
        assert_eq!(fs::read_dir(&area.0).unwrap().count(), 0);
    }
}

#[test]
fn a_flipped_bit_anywhere_is_found() {
    for compression in ALL {
        let area = Area::new(&format!("flip-{}", compression.name()));
        let whole = write(&area.0, compression);
        let found = read_manifest(&whole).unwrap();
        for file in ["manifest.json", "SHA256SUMS", &found.tables[0].pieces[0].file] {
            let path = whole.join(file);
            let right = fs::read(&path).unwrap();
            for at in [0, right.len() / 3, right.len() / 2, right.len() - 2] {
                let mut wrong = right.clone();
                wrong[at] ^= 4;
                fs::write(&path, &wrong).unwrap();
                let problems = check(&whole, &found, || ()).into_iter().filter_map(|file| file.problem).count();
                // A line of SHA256SUMS about a piece says what the manifest says as well.
                let noticed = read(&whole).is_err() && (problems > 0 || !file.starts_with("data/"));
                assert!(noticed || file == "SHA256SUMS", "{compression:?} {file} {at}");
            }
            fs::write(&path, &right[..right.len() / 2]).unwrap();
            assert!(matches!(read(&whole), Err(Trouble::Damaged(_))), "{compression:?} {file} cut short");
            fs::write(&path, &right).unwrap();
        }
        assert_eq!(read(&whole).unwrap(), rows());
    }
}

#[test]
fn a_file_of_another_snapshot_is_found() {
    let area = Area::new("foreign");
    let whole = write(&area.0, Compression::None);
    let manifest = read_manifest(&whole).unwrap();
    fs::write(whole.join(&manifest.tables[0].pieces[0].file), rows().repeat(2)).unwrap();
    let Checked { problem, .. } = &check(&whole, &manifest, || ())[0];
    assert!(problem.as_ref().unwrap().contains("another snapshot"), "{problem:?}");
}

#[test]
fn a_newer_format_is_refused_and_so_are_names_that_lead_out() {
    let area = Area::new("newer");
    let whole = write(&area.0, Compression::None);
    let path = whole.join("manifest.json");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replacen("\"format\": 1", "\"format\": 2", 1)).unwrap();
    assert!(matches!(read_manifest(&whole), Err(Trouble::Newer(_))));
    for name in ["data/../../etc/passwd", "/etc/passwd", "data/.hidden", "data/"] {
        let partial = Partial::create(&area.0.join("evil"), "1").unwrap();
        let piece = Piece { file: name.into(), rows: 0, bytes: 0, stored_bytes: 0, sha256: String::new() };
        partial.complete(&manifest(Compression::None, vec![piece])).unwrap();
        assert!(matches!(read_manifest(&area.0.join("evil")), Err(Trouble::Damaged(_))), "{name}");
        fs::remove_dir_all(area.0.join("evil")).unwrap();
    }
}

#[test]
fn what_is_not_whole_goes_and_what_is_others_stays() {
    let area = Area::new("partial");
    let whole = area.0.join("monday");
    let partial = Partial::create(&whole, "7").unwrap();
    PieceWriter::create(&partial.folder().join("data/0.0.copy"), Compression::None).unwrap().finish().unwrap();
    drop(partial);
    assert_eq!(fs::read_dir(&area.0).unwrap().count(), 0);

    let whole = write(&area.0, Compression::None);
    assert!(Partial::create(&whole, "8").is_err());
    fs::write(whole.join("notes.txt"), "mine").unwrap();
    assert!(matches!(remove(&whole, "another"), Err(Trouble::Damaged(_))));
    assert!(matches!(remove(&whole, "a-snapshot"), Err(Trouble::System(_))));
    assert_eq!(fs::read_to_string(whole.join("notes.txt")).unwrap(), "mine");
}

#[test]
fn a_damaged_one_goes_only_where_nothing_else_lies() {
    let area = Area::new("damaged");
    let whole = write(&area.0, Compression::None);
    assert_eq!(state(&whole, "a-snapshot"), State::Complete);
    let manifest = whole.join("manifest.json");
    let text = fs::read(&manifest).unwrap();
    fs::write(&manifest, &text[..text.len() / 2]).unwrap();
    assert_eq!(state(&whole, "a-snapshot"), State::Damaged);
    assert!(matches!(remove(&whole, "another"), Err(Trouble::Damaged(_))));
    for other in ["notes.txt", "data/notes.txt"] {
        fs::write(whole.join(other), "mine").unwrap();
        assert!(matches!(remove(&whole, "a-snapshot"), Err(Trouble::Damaged(_))), "{other}");
        assert_eq!(fs::read_dir(whole.join("data")).unwrap().count(), 1 + usize::from(other.starts_with("data")));
        fs::remove_file(whole.join(other)).unwrap();
    }
    assert_eq!(remove(&whole, "a-snapshot"), Ok(true));
    assert_eq!(state(&whole, "a-snapshot"), State::Missing);
}
