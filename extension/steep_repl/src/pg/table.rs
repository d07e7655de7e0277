//! What must be known of a table to decide about its rows, remembered a process until the catalogue changes.

use super::foreign_key::{self, ForeignKeys};
use super::key_probe::KeyProbe;
use super::plan::{self, Argument};
use super::unique_index::{self, Unique};
use conflict::Strategy;
use conflict::fold::{Merge, Rules};
use pgrx::pg_sys;
use pgrx::pg_sys::submodules::ffi::pg_guard_ffi_boundary;
use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::ffi::CStr;
use std::rc::Rc;

unsafe extern "C-unwind" {
    // src/include/catalog/partition.h
    fn get_partition_ancestors(relation: pg_sys::Oid) -> *mut pg_sys::List;
}

/// How a column's text stands in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonForm {
    /// Of 2, 4 or 8 bytes, by value.
    Integer,
    /// A number where it is a finite one.
    Number,
    Boolean,
    /// JSON already.
    Raw,
    Text,
}

/// Types whose equal values are equal bytes, and whose order the bits show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Integers, dates and times: by value, of that many bytes.
    Number,
    /// 16 bytes, the first ones first.
    Uuid,
    None,
}

/// A column; a dropped one keeps its place.
pub struct Column {
    pub name: String,
    pub type_oid: pg_sys::Oid,
    pub modifier: i32,
    pub collation: pg_sys::Oid,
    /// The owner of the table, where reading a value may run code of users: the checks of a domain, be it inside the type.
    pub checked_as: Option<pg_sys::Oid>,
    pub by_value: bool,
    pub length: i16,
    pub json: JsonForm,
    /// The name and a colon, as they stand in a JSON object.
    pub label: String,
    /// Its output function, looked up once; copied for each call.
    pub output: OnceCell<pg_sys::FmgrInfo>,
    /// How much of its values' order can be seen in their first bits.
    pub order: Order,
    /// Neither dropped nor generated: its value is in the stream and in INSERT.
    pub sent: bool,
    pub dropped: bool,
}

/// A table or a leaf partition.
pub struct Table {
    pub oid: pg_sys::Oid,
    /// The table that was added: itself, or the root of its partition tree.
    pub root: pg_sys::Oid,
    pub schema: String,
    pub name: String,
    pub owner: pg_sys::Oid,
    pub columns: Vec<Column>,
    /// Places in `columns` of the primary key, or of all sent columns without one.
    pub key: Vec<usize>,
    pub key_index: Option<pg_sys::Oid>,
    /// A column's values may be stored out of line, and then are not sent when a change does not touch them.
    pub large: bool,
    uniques: OnceCell<Vec<Unique>>,
    foreign_keys: OnceCell<ForeignKeys>,
    strategy: OnceCell<Strategy>,
    watched: OnceCell<Vec<usize>>,
    probe: OnceCell<Option<KeyProbe>>,
    folds: OnceCell<Option<Folds>>,
    checks: [OnceCell<Option<String>>; 2],
}

/// How a table's rows are folded of their changes.
pub struct Folds {
    pub rules: conflict::fold::Rules,
    /// The user's function, as it stands in SQL.
    pub resolver: Option<String>,
}

impl Folds {
    /// As in steep_repl.conflict_log.strategy.
    pub fn strategy(&self) -> &'static str {
        match self.rules.merge {
            Merge::Row => "last_write_wins",
            Merge::Columns => "column_merge",
            Merge::Function => "function",
        }
    }
}

impl Table {
    /// The name as it stands in SQL.
    pub fn qualified(&self) -> String {
        format!("{}.{}", quote(&self.schema), quote(&self.name))
    }

    /// The other unique indexes.
    pub fn uniques(&self) -> &[Unique] {
        self.uniques.get_or_init(|| unique_index::others(self.oid, self.key_index))
    }

    /// The foreign keys of it and to it.
    pub fn foreign_keys(&self) -> &ForeignKeys {
        self.foreign_keys.get_or_init(|| foreign_key::of(self.oid))
    }

    /// What it does with conflicts.
    pub fn strategy(&self) -> &Strategy {
        self.strategy.get_or_init(|| {
            let query = "SELECT strategy, unnest(coalesce(priority, '{NULL}'::text[])) FROM steep_repl.tables WHERE relation = $1";
            let rows = plan::rows(query, &[Argument::oid(self.root)]);
            let name = rows.first().and_then(|row| row[0].clone()).unwrap_or_default();
            let priority = rows.into_iter().filter_map(|row| row[1].as_deref().map(Into::into)).collect();
            // One that this library does not know, of a newer version: as if there were none.
            Strategy::named(&name, priority).unwrap_or_default()
        })
    }

    /// The columns of the key, of unique indexes and of foreign keys: an update in stream order that leaves them as they
    /// are has nothing to decide.
    pub fn watched(&self) -> &[usize] {
        self.watched.get_or_init(|| {
            let keys = self.foreign_keys();
            let names =
                keys.referred.iter().flat_map(|r| &r.columns).chain(keys.referring.iter().flat_map(|r| &r.columns));
            let mut places = self.key.clone();
            places.extend(self.uniques().iter().flat_map(|index| &index.columns));
            places.extend(names.filter_map(|name| self.place_of(name)));
            places.sort_unstable();
            places.dedup();
            places
        })
    }

    /// How to see quickly that a key is not there.
    pub fn probe(&self) -> Option<&KeyProbe> {
        self.probe.get_or_init(|| KeyProbe::of(self.key_index?, &self.key)).as_ref()
    }

    /// How its rows are folded, when its strategy keeps something of both sides.
    pub fn folds(&self) -> Option<&Folds> {
        self.folds.get_or_init(|| folds_of(self.root)).as_ref()
    }

    /// The query that names the constraints, with `nulls` also NOT NULL, which a row, its argument, breaks; None without any.
    pub fn checks(&self, nulls: bool) -> Option<&str> {
        let query = || {
            let arguments = [Argument::oid(self.oid), Argument::of(Some(nulls))];
            plan::rows("SELECT steep_repl._check_query($1, $2)", &arguments).into_iter().flatten().flatten().next()
        };
        self.checks[usize::from(nulls)].get_or_init(query).as_deref()
    }

    pub fn place_of(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|c| !c.dropped && c.name == column)
    }
}

fn folds_of(root: pg_sys::Oid) -> Option<Folds> {
    let query = "SELECT t.strategy, t.resolver, unnest(coalesce(t.delta_columns, '{NULL}'::text[]))
                   FROM steep_repl.tables t WHERE t.relation = $1 AND steep_repl._folds(t)";
    let rows = plan::rows(query, &[Argument::oid(root)]);
    let first = rows.first()?;
    let merge = match first[0].as_deref()? {
        "column_merge" => Merge::Columns,
        "function" => Merge::Function,
        _ => Merge::Row,
    };
    let resolver = first[1].clone();
    let deltas = rows.into_iter().filter_map(|row| row.into_iter().nth(2).flatten()).collect();
    Some(Folds { rules: Rules { merge, deltas }, resolver })
}

/// An identifier as it stands in SQL, always quoted.
pub fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

thread_local! {
    static TABLES: RefCell<HashMap<u32, Rc<Table>>> = RefCell::new(HashMap::new());
    /// How often the catalogue has changed, and how often it had when the tables were remembered.
    static CHANGES: Cell<u64> = const { Cell::new(0) };
    static REMEMBERED_AT: Cell<u64> = const { Cell::new(0) };
    static WATCHING: Cell<bool> = const { Cell::new(false) };
}

/// Goes up when any table or index of the catalogue changes.
pub fn changes() -> u64 {
    if !WATCHING.replace(true) {
        // SAFETY: the callback only counts.
        unsafe { pg_sys::CacheRegisterRelcacheCallback(Some(changed), pg_sys::Datum::from(0)) };
    }
    CHANGES.get()
}

/// The table behind an open relation.
///
/// # Safety
/// `relation` is open.
pub unsafe fn of(relation: pg_sys::Relation) -> Rc<Table> {
    let changes = changes();
    if REMEMBERED_AT.replace(changes) != changes {
        TABLES.with_borrow_mut(HashMap::clear);
    }
    // SAFETY: by the caller.
    let oid = unsafe { (*relation).rd_id };
    if let Some(known) = TABLES.with_borrow(|tables| tables.get(&oid.to_u32()).cloned()) {
        return known;
    }
    // SAFETY: by the caller.
    let table = Rc::new(unsafe { look_up(relation) });
    TABLES.with_borrow_mut(|tables| tables.insert(oid.to_u32(), table.clone()));
    table
}

/// The same by OID; the caller holds a lock on it.
pub fn by_oid(oid: pg_sys::Oid) -> Rc<Table> {
    // SAFETY: opened and closed in one go; an error releases it.
    unsafe {
        let relation = pg_sys::table_open(oid, pg_sys::AccessShareLock as i32);
        let table = of(relation);
        pg_sys::table_close(relation, pg_sys::NoLock as i32);
        table
    }
}

/// Has all processes, this one too, look up a table again: what it does with conflicts has changed.
#[pgrx::pg_extern(sql = false)]
fn describe_anew(relation: pg_sys::Oid) {
    // SAFETY: queues an invalidation, for this process at the next command, for others at commit.
    unsafe { pg_sys::CacheInvalidateRelcacheByRelid(relation) };
}

#[pgrx::pg_guard]
unsafe extern "C-unwind" fn changed(_argument: pg_sys::Datum, _relation: pg_sys::Oid) {
    CHANGES.set(CHANGES.get() + 1);
}

/// The root of the partition tree of an open relation, itself when it is no partition.
///
/// # Safety
/// `relation` is open, `oid` its OID.
pub unsafe fn root_of(relation: pg_sys::Relation, oid: pg_sys::Oid) -> pg_sys::Oid {
    // SAFETY: by the caller; the list is palloc'd.
    unsafe {
        if !(*(*relation).rd_rel).relispartition {
            return oid;
        }
        let ancestors = pg_guard_ffi_boundary(|| get_partition_ancestors(oid));
        (*(*ancestors).elements.add((*ancestors).length as usize - 1)).oid_value
    }
}

/// The same by OID, of a table that the statement has locked.
pub fn root_by_oid(oid: pg_sys::Oid) -> pg_sys::Oid {
    // SAFETY: opened and closed in one go; an error releases it.
    unsafe {
        let relation = pg_sys::table_open(oid, pg_sys::AccessShareLock as i32);
        let root = root_of(relation, oid);
        pg_sys::table_close(relation, pg_sys::NoLock as i32);
        root
    }
}

/// The columns of a descriptor, dropped ones too.
///
/// # Safety
/// The descriptor lives as long as the slice is used.
pub unsafe fn attributes<'a>(descriptor: pg_sys::TupleDesc) -> &'a [pg_sys::FormData_pg_attribute] {
    // SAFETY: TupleDescAttr() of tupdesc.h: the attributes lie behind their compact forms.
    unsafe {
        let natts = (*descriptor).natts as usize;
        let first = (*descriptor).compact_attrs.as_ptr().add(natts).cast::<pg_sys::FormData_pg_attribute>();
        std::slice::from_raw_parts(first, natts)
    }
}

unsafe fn look_up(relation: pg_sys::Relation) -> Table {
    // SAFETY: an open relation and its descriptor; the lists are palloc'd and live long enough.
    unsafe {
        let oid = (*relation).rd_id;
        let form = &*(*relation).rd_rel;
        let root = root_of(relation, oid);
        let columns = columns_of((*relation).rd_att, form.relowner);
        let primary = pg_sys::RelationGetPrimaryKeyIndex(relation, true);
        let key_index = (primary != pg_sys::InvalidOid).then_some(primary);
        let key = match key_index {
            Some(index) => unique_index::columns(index),
            None => (0..columns.len()).filter(|place| columns[*place].sent).collect(),
        };
        let foreign_keys = OnceCell::new();
        if !foreign_key::any(relation) {
            let _ = foreign_keys.set(ForeignKeys::default());
        }
        Table {
            oid,
            root,
            schema: text(pg_sys::get_namespace_name(pg_sys::get_rel_namespace(root))),
            name: text(pg_sys::get_rel_name(root)),
            owner: form.relowner,
            columns,
            key,
            key_index,
            large: (*(*relation).rd_rel).reltoastrelid != pg_sys::InvalidOid,
            uniques: OnceCell::new(),
            foreign_keys,
            strategy: OnceCell::new(),
            watched: OnceCell::new(),
            probe: OnceCell::new(),
            folds: OnceCell::new(),
            checks: [const { OnceCell::new() }; 2],
        }
    }
}

unsafe fn columns_of(descriptor: pg_sys::TupleDesc, owner: pg_sys::Oid) -> Vec<Column> {
    // SAFETY: the descriptor of an open relation.
    unsafe {
        attributes(descriptor)
            .iter()
            .map(|attribute| {
                let name = CStr::from_ptr(attribute.attname.data.as_ptr()).to_string_lossy().into_owned();
                // A dropped column has no type any more.
                let base =
                    if attribute.attisdropped { pg_sys::InvalidOid } else { pg_sys::getBaseType(attribute.atttypid) };
                Column {
                    label: format!("{}: ", serde_json::Value::from(name.as_str())),
                    name,
                    type_oid: attribute.atttypid,
                    modifier: attribute.atttypmod,
                    collation: attribute.attcollation,
                    checked_as: (attribute.atttypid.to_u32() >= pg_sys::FirstNormalObjectId).then_some(owner),
                    by_value: attribute.attbyval,
                    length: attribute.attlen,
                    json: json_form(base),
                    output: OnceCell::new(),
                    order: order(base),
                    sent: !attribute.attisdropped && attribute.attgenerated == 0,
                    dropped: attribute.attisdropped,
                }
            })
            .collect()
    }
}

fn json_form(base: pg_sys::Oid) -> JsonForm {
    match base {
        pg_sys::INT2OID | pg_sys::INT4OID | pg_sys::INT8OID => JsonForm::Integer,
        pg_sys::OIDOID | pg_sys::NUMERICOID | pg_sys::FLOAT4OID | pg_sys::FLOAT8OID => JsonForm::Number,
        pg_sys::BOOLOID => JsonForm::Boolean,
        pg_sys::JSONBOID => JsonForm::Raw,
        _ => JsonForm::Text,
    }
}

fn order(base: pg_sys::Oid) -> Order {
    match base {
        pg_sys::INT2OID
        | pg_sys::INT4OID
        | pg_sys::INT8OID
        | pg_sys::OIDOID
        | pg_sys::DATEOID
        | pg_sys::TIMEOID
        | pg_sys::TIMESTAMPOID
        | pg_sys::TIMESTAMPTZOID => Order::Number,
        pg_sys::UUIDOID => Order::Uuid,
        _ => Order::None,
    }
}

unsafe fn text(name: *mut std::ffi::c_char) -> String {
    // SAFETY: a C string of the server, or null for what is gone.
    if name.is_null() { String::new() } else { unsafe { CStr::from_ptr(name) }.to_string_lossy().into_owned() }
}
