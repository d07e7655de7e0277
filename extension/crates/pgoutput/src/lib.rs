//! Messages of the output plugin pgoutput, as they stand in a stream without streaming of open transactions
//! (PostgreSQL documentation, "Logical Replication Message Formats").
//!
//! Parsing borrows: nothing is copied but the names of a relation.
#![forbid(unsafe_code)]

mod reader;
mod tuple;

pub use tuple::{Tuple, Value};

use reader::Reader;

/// One message. What steep_repl does not look at is `Other`.
#[derive(Debug, PartialEq, Eq)]
pub enum Message<'a> {
    Begin { final_lsn: u64, commit_time: i64, xid: u32 },
    Commit,
    Relation(Relation),
    Insert { relation: u32, new: Tuple<'a> },
    Update { relation: u32, old: Option<Tuple<'a>>, new: Tuple<'a> },
    Delete { relation: u32, old: Tuple<'a> },
    Other(u8),
}

/// What the sender says of a table before its first change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relation {
    pub id: u32,
    pub schema: String,
    pub name: String,
    pub columns: Vec<String>,
}

/// The first byte of a message and, for a change of a row, the relation: all that is needed while nothing conflicts.
pub fn glance(message: &[u8]) -> (u8, u32) {
    let kind = message.first().copied().unwrap_or(0);
    let relation = message.get(1..5).map_or(0, |b| u32::from_be_bytes([b[0], b[1], b[2], b[3]]));
    (kind, relation)
}

/// Parses a message; None when it is cut short or not understood.
pub fn parse(message: &[u8]) -> Option<Message<'_>> {
    let mut reader = Reader(message);
    Some(match reader.u8()? {
        b'B' => {
            Message::Begin { final_lsn: reader.u64()?, commit_time: reader.u64()?.cast_signed(), xid: reader.u32()? }
        }
        b'C' => Message::Commit,
        b'R' => Message::Relation(relation(&mut reader)?),
        b'I' => Message::Insert { relation: reader.u32()?, new: expect(&mut reader, b'N')? },
        b'U' => {
            let relation = reader.u32()?;
            let (old, new) = match reader.u8()? {
                b'N' => (None, Tuple::read(&mut reader, false)?),
                kind @ (b'K' | b'O') => {
                    let old = Tuple::read(&mut reader, kind == b'K')?;
                    (Some(old), expect(&mut reader, b'N')?)
                }
                _ => return None,
            };
            Message::Update { relation, old, new }
        }
        b'D' => {
            let relation = reader.u32()?;
            let kind = reader.u8()?;
            Message::Delete { relation, old: Tuple::read(&mut reader, kind == b'K')? }
        }
        other => Message::Other(other),
    })
}

/// Whether the new row of an update leaves out large values that it did not touch.
pub fn leaves_out(message: &[u8]) -> bool {
    leaves_out_of(message).unwrap_or(false)
}

fn leaves_out_of(message: &[u8]) -> Option<bool> {
    let mut reader = Reader(message);
    if reader.u8()? != b'U' {
        return Some(false);
    }
    reader.u32()?;
    if reader.u8()? != b'N' {
        Tuple::skip(&mut reader)?;
        reader.u8()?;
    }
    Tuple::skip(&mut reader)
}

fn expect<'a>(reader: &mut Reader<'a>, kind: u8) -> Option<Tuple<'a>> {
    if reader.u8()? == kind { Tuple::read(reader, false) } else { None }
}

fn relation(reader: &mut Reader<'_>) -> Option<Relation> {
    let id = reader.u32()?;
    let schema = reader.text()?;
    let name = reader.text()?;
    let _identity = reader.u8()?;
    let count = reader.u16()?;
    let mut columns = Vec::with_capacity(usize::from(count));
    for _ in 0..count {
        let _flags = reader.u8()?;
        columns.push(reader.text()?);
        let _type_and_modifier = reader.u64()?;
    }
    // pg_catalog is sent as an empty name.
    Some(Relation { id, schema: if schema.is_empty() { "pg_catalog".into() } else { schema }, name, columns })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tuple(values: &[Option<&str>]) -> Vec<u8> {
        let mut bytes = (values.len() as u16).to_be_bytes().to_vec();
        for value in values {
            match value {
                Some(text) => {
                    bytes.push(b't');
                    bytes.extend((text.len() as u32).to_be_bytes());
                    bytes.extend(text.as_bytes());
                }
                None => bytes.push(b'n'),
            }
        }
        bytes
    }

    #[test]
    fn begin() {
        let mut bytes = vec![b'B'];
        bytes.extend(7u64.to_be_bytes());
        bytes.extend((-5i64).to_be_bytes());
        bytes.extend(9u32.to_be_bytes());
        assert_eq!(parse(&bytes), Some(Message::Begin { final_lsn: 7, commit_time: -5, xid: 9 }));
    }

    #[test]
    fn update_with_the_whole_old_row() {
        let mut bytes = vec![b'U', 0, 0, 1, 0, b'O'];
        bytes.extend(tuple(&[Some("1"), None]));
        bytes.push(b'N');
        bytes.extend(tuple(&[Some("1"), Some("x")]));
        let Some(Message::Update { relation: 256, old: Some(old), new }) = parse(&bytes) else {
            panic!("not an update")
        };
        assert!(!old.key_only);
        assert_eq!(old.values, [Value::Text("1"), Value::Null]);
        assert_eq!(new.values, [Value::Text("1"), Value::Text("x")]);
        assert_eq!(glance(&bytes), (b'U', 256));
    }

    #[test]
    fn an_update_that_leaves_out_a_large_value() {
        let mut bytes = vec![b'U', 0, 0, 1, 0, b'O'];
        bytes.extend(tuple(&[Some("1"), Some("long")]));
        bytes.push(b'N');
        bytes.extend([0, 2, b't', 0, 0, 0, 1, b'1']);
        let mut whole = bytes.clone();
        whole.push(b'n');
        bytes.push(b'u');
        assert!(leaves_out(&bytes));
        assert!(!leaves_out(&whole));
        assert!(matches!(parse(&bytes), Some(Message::Update { new, .. }) if new.values[1] == Value::Unchanged));
    }

    #[test]
    fn delete_with_the_key_only() {
        let mut bytes = vec![b'D', 0, 0, 0, 3, b'K'];
        bytes.extend(tuple(&[Some("1"), None]));
        let Some(Message::Delete { relation: 3, old }) = parse(&bytes) else { panic!("not a delete") };
        assert!(old.key_only);
    }

    #[test]
    fn relation_with_its_columns() {
        let mut bytes = vec![b'R', 0, 0, 0, 5];
        bytes.extend(b"public\0t\0d");
        bytes.extend(2u16.to_be_bytes());
        for name in [&b"id\0"[..], b"note\0"] {
            bytes.push(1);
            bytes.extend(name);
            bytes.extend([0; 8]);
        }
        let Some(Message::Relation(relation)) = parse(&bytes) else { panic!("not a relation") };
        assert_eq!((relation.id, relation.name.as_str()), (5, "t"));
        assert_eq!(relation.columns, ["id", "note"]);
    }

    #[test]
    fn what_is_cut_short_is_refused() {
        let mut bytes = vec![b'I', 0, 0, 0, 1, b'N'];
        bytes.extend(tuple(&[Some("abc")]));
        assert!(parse(&bytes).is_some());
        for length in 1..bytes.len() {
            assert_eq!(parse(&bytes[..length]), None, "{length} bytes");
        }
    }
}
