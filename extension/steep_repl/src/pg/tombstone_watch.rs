//! Whether a table may have tombstones at all, known without looking for them: counters in shared memory.
//!
//! Who is about to write tombstones of a table says so before, and says when its transaction has ended, committed or not,
//! after all others can see what it wrote. Who has looked and found none need not look again while nobody writes and nobody
//! has ended since: it would have found none a moment earlier.

use super::preload;
use crate::shared;
use pgrx::prelude::*;
use pgrx::{PGRXSharedMemory, PgAtomic, pg_shmem_init};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::SeqCst, fence};

/// Tables whose places fall together only look more often.
const PLACES: usize = 1024;

#[derive(Default)]
struct Place {
    /// Transactions that have announced themselves and not ended.
    open: AtomicU32,
    /// How many have ended.
    ended: AtomicU64,
}

struct Places([Place; PLACES]);

impl Default for Places {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Place::default()))
    }
}

// SAFETY: plain numbers without pointers.
unsafe impl PGRXSharedMemory for Places {}

// SAFETY: the name is ours alone.
static WRITES: PgAtomic<Places> = unsafe { PgAtomic::new(c"steep_repl_tombstone_writes") };

unsafe extern "C" {
    // src/include/access/twophase.h
    static max_prepared_xacts: i32;
}

/// Which tombstones are meant.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum Which {
    Any,
    /// Those of all keys at once, as after TRUNCATE.
    AllKeys,
}

/// What was found without a place in shared memory having moved since.
#[derive(Clone, Copy)]
pub struct Moment(Option<u64>);

thread_local! {
    /// The places at which this process's open transaction has announced itself.
    static ANNOUNCED: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
    static LISTENING: Cell<bool> = const { Cell::new(false) };
    /// Tables that had none, and the count of ended transactions then.
    static NONE: RefCell<HashMap<(u32, Which), u64>> = RefCell::new(HashMap::new());
}

/// Asks the postmaster for the memory; only from _PG_init in shared_preload_libraries.
pub fn request() {
    debug_assert!(preload::in_progress());
    pg_shmem_init!(WRITES);
}

/// Says that this transaction writes tombstones of a table.
pub fn announce(root: pg_sys::Oid, all_keys: bool) {
    if !shared::available() {
        return;
    }
    if !LISTENING.replace(true) {
        // SAFETY: the callback only counts.
        unsafe { pg_sys::RegisterXactCallback(Some(ended), std::ptr::null_mut()) };
    }
    ANNOUNCED.with_borrow_mut(|announced| {
        for which in [Which::Any, Which::AllKeys] {
            let place = place_of(root, which);
            if (all_keys || which == Which::Any) && !announced.contains(&place) {
                announced.push(place);
                WRITES.get().0[place].open.fetch_add(1, SeqCst);
            }
        }
    });
}

#[pg_guard]
unsafe extern "C-unwind" fn ended(event: pg_sys::XactEvent::Type, _argument: *mut std::ffi::c_void) {
    use pg_sys::XactEvent::{XACT_EVENT_ABORT, XACT_EVENT_COMMIT, XACT_EVENT_PREPARE};
    if !matches!(event, XACT_EVENT_COMMIT | XACT_EVENT_ABORT | XACT_EVENT_PREPARE) {
        return;
    }
    for place in ANNOUNCED.take() {
        let place = &WRITES.get().0[place];
        place.ended.fetch_add(1, SeqCst);
        place.open.fetch_sub(1, SeqCst);
    }
}

/// To be taken before looking.
pub fn moment(root: pg_sys::Oid, which: Which) -> Moment {
    // A prepared transaction may be committed by anybody, also after a restart, and nobody would say so.
    // SAFETY: a setting that does not change while the server runs.
    if !shared::available() || unsafe { max_prepared_xacts } > 0 {
        return Moment(None);
    }
    let place = &WRITES.get().0[place_of(root, which)];
    // In this order: one that has ended in between is seen in the second.
    let open = place.open.load(SeqCst);
    let ended = place.ended.load(SeqCst);
    Moment((open == 0).then_some(ended))
}

/// Remembers that there were none after this moment.
pub fn found_none(root: pg_sys::Oid, which: Which, moment: Moment) {
    if let Moment(Some(ended)) = moment {
        NONE.with_borrow_mut(|none| none.insert((root.to_u32(), which), ended));
    }
}

/// Whether there are none for sure.
pub fn none(root: pg_sys::Oid, which: Which) -> bool {
    matches!(moment(root, which), Moment(Some(ended))
        if NONE.with_borrow(|none| none.get(&(root.to_u32(), which)) == Some(&ended)))
}

/// What others were doing with the tombstones of a table at one moment: the transactions that had announced themselves, and
/// the count of those that had ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Stir(Option<(u32, u64)>);

/// To be taken before looking for tombstones.
pub fn stir(root: pg_sys::Oid) -> Stir {
    // SAFETY: as for moment().
    if !shared::available() || unsafe { max_prepared_xacts } > 0 {
        return Stir(None);
    }
    let place = place_of(root, Which::Any);
    let mine = u32::from(ANNOUNCED.with_borrow(|announced| announced.contains(&place)));
    let place = &WRITES.get().0[place];
    // In this order, as for moment().
    let open = place.open.load(SeqCst);
    Stir(Some((open - mine, place.ended.load(SeqCst))))
}

/// Whether somebody else may have written tombstones that were not seen by who looked after `before`.
pub fn stirred(root: pg_sys::Oid, before: Stir) -> bool {
    // What this process has written until here lies before the look.
    fence(SeqCst);
    !matches!(before, Stir(Some((0, _)))) || stir(root) != before
}

fn place_of(root: pg_sys::Oid, which: Which) -> usize {
    // SAFETY: a plain global of the process.
    let database = unsafe { pg_sys::MyDatabaseId }.to_u32();
    let mixed = (u64::from(database) << 32 | u64::from(root.to_u32())).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    ((mixed >> 53) as usize ^ usize::from(which == Which::AllKeys)) % PLACES
}
