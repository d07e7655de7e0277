//! A row in a message.

use crate::reader::Reader;

#[derive(Debug, PartialEq, Eq)]
pub struct Tuple<'a> {
    pub values: Vec<Value<'a>>,
    /// Only the columns of the replica identity are there; the others are null.
    pub key_only: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    Null,
    /// A large value that the change did not touch and that therefore was not sent.
    Unchanged,
    Text(&'a str),
}

impl<'a> Tuple<'a> {
    /// Passes over a row; whether it leaves out a value.
    pub(crate) fn skip(reader: &mut Reader<'a>) -> Option<bool> {
        let mut left_out = false;
        for _ in 0..reader.u16()? {
            match reader.u8()? {
                b'u' => left_out = true,
                b't' => {
                    let length = reader.u32()? as usize;
                    reader.take(length)?;
                }
                _ => {}
            }
        }
        Some(left_out)
    }

    pub(crate) fn read(reader: &mut Reader<'a>, key_only: bool) -> Option<Self> {
        let count = reader.u16()?;
        let mut values = Vec::with_capacity(usize::from(count));
        for _ in 0..count {
            values.push(match reader.u8()? {
                b'n' => Value::Null,
                b'u' => Value::Unchanged,
                b't' => {
                    let length = reader.u32()? as usize;
                    // The server has converted it into its own encoding, which for a node is UTF-8 or plain ASCII.
                    Value::Text(std::str::from_utf8(reader.take(length)?).ok()?)
                }
                _ => return None,
            });
        }
        Some(Self { values, key_only })
    }
}
