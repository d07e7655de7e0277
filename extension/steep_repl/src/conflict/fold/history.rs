//! The changes of keys that many write at once, remembered by the apply worker between one that arrives and the next: else each
//! would read and fold all that are kept.

use crate::conflict::fold::record;
use crate::pg::key_id::KeyId;
use crate::pg::row::Row;
use crate::pg::row_change;
use crate::pg::table::{self, Table};
use conflict::fold::{History, Recorded, sort};
use std::cell::RefCell;
use std::collections::HashMap;

/// Keys with fewer changes are read each time.
const WORTH: usize = 32;
/// So many changes are remembered, of all keys together.
const ROOM: usize = 100_000;

struct Remembered {
    history: History,
    /// Changes that earlier transactions keep are all in it.
    settled_below: u64,
}

#[derive(Default)]
struct Memory {
    /// The state of the catalogue: a table's columns, constraints and strategy are part of what was folded.
    at: u64,
    keys: HashMap<(u32, KeyId), Remembered>,
    size: usize,
}

thread_local! {
    static MEMORY: RefCell<Memory> = RefCell::default();
}

/// What is kept of a key.
pub struct Kept {
    /// The changes of transactions that had ended.
    pub history: History,
    /// Those of others, among them the one that is being applied, in order.
    pub open: Vec<Recorded>,
    settled_below: u64,
}

/// The changes of a key. An error later on, which may undo some of them, leaves nothing remembered of it.
pub fn of(table: &Table, key: &KeyId, key_row: &Row) -> Kept {
    let (mut history, from) = match forget(table, key) {
        Some(known) => (known.history, known.settled_below),
        None => (History::default(), 0),
    };
    let settled_below = row_change::settled_below();
    let (mut settled, mut open) = (Vec::new(), Vec::new());
    for found in row_change::find_since(table.root, key, from) {
        let list = if found.kept_by < settled_below { &mut settled } else { &mut open };
        list.push(record::recorded(table, &found));
    }
    for (truncation, committed) in record::truncations(table, key) {
        match committed {
            true if history.contains(&truncation) => {}
            true => settled.push(truncation),
            false => open.push(truncation),
        }
    }
    let new = settled.len();
    settled.append(&mut open);
    if !settled.is_empty() {
        record::mark_resolved(table, key_row, &mut settled);
    }
    let mut open = settled.split_off(new);
    sort(&mut settled);
    sort(&mut open);
    settled.into_iter().for_each(|change| history.add(change));
    Kept { history, open, settled_below }
}

impl Kept {
    /// Remembers it for the next change of the key.
    pub fn remember(self, table: &Table, key: &KeyId) {
        let length = self.history.len();
        if length < WORTH {
            return;
        }
        MEMORY.with_borrow_mut(|memory| {
            if memory.size + length > ROOM {
                memory.keys.clear();
                memory.size = 0;
            }
            memory.size += length;
            let known = Remembered { history: self.history, settled_below: self.settled_below };
            memory.keys.insert((table.root.to_u32(), *key), known);
        });
    }
}

fn forget(table: &Table, key: &KeyId) -> Option<Remembered> {
    MEMORY.with_borrow_mut(|memory| {
        let now = table::changes();
        if memory.at != now {
            *memory = Memory { at: now, ..Memory::default() };
        }
        let known = memory.keys.remove(&(table.root.to_u32(), *key))?;
        memory.size -= known.history.len();
        Some(known)
    })
}
