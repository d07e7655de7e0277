//! What folding asks of the database: sums in the types of the columns, the constraints of the table, the user's function.

use crate::conflict::fold::columns;
use crate::conflict::session;
use crate::guc;
use crate::pg::acting_as::ActingAs;
use crate::pg::canonical::Canonical;
use crate::pg::plan::{self, Argument};
use crate::pg::stored_row::OpenTable;
use crate::pg::table::{Folds, Table};
use crate::pg::transaction::Failed;
use crate::pg::{decimal, row, time_limit, transaction};
use conflict::Version;
use conflict::fold::{Arithmetic, Columns, Recorded};
use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

/// data_exception, check_violation.
const DATA: &str = "22000";
const CHECK: &str = "23514";
/// The user's function gave nothing that could be used (docs/reference/errors.md).
const ANSWER: &str = "SR057";

/// Sums and checks for rows of one table.
pub struct OfTable<'a> {
    pub open: &'a OpenTable,
    pub folds: &'a Folds,
    /// Why a merged row could not be made, the last time.
    pub trouble: RefCell<Option<Failed>>,
}

impl<'a> OfTable<'a> {
    pub fn new(open: &'a OpenTable, folds: &'a Folds) -> Self {
        Self { open, folds, trouble: RefCell::new(None) }
    }

    fn table(&self) -> &Table {
        &self.open.table
    }

    /// The result, or the trouble is remembered: an error of the server, or what `body` says under `sqlstate`.
    fn attempt<R>(&self, sqlstate: &str, body: impl FnOnce() -> Result<R, String>) -> Option<R> {
        let trouble = match transaction::in_users_subtransaction(body) {
            Ok(Ok(result)) => return Some(result),
            Ok(Err(text)) => Failed { text, sqlstate: sqlstate.to_owned() },
            Err(failed) => failed,
        };
        self.trouble.replace(Some(trouble));
        None
    }
}

impl Arithmetic for OfTable<'_> {
    fn add(&self, column: &str, here: &str, after: &str, before: &str) -> Option<String> {
        let table = self.table();
        let column = &table.columns[table.place_of(column)?];
        if let Some(sum) = decimal::add_integers(column.type_oid, here, after, before) {
            return Some(sum);
        }
        self.attempt(DATA, || {
            let _canonical = Canonical::begin();
            let sum = decimal::add(here, after, before);
            // The column's type has the last word: its range, its scale, a domain's constraints.
            Ok(row::write(column, row::read(column, &sum)))
        })
    }

    fn holds(&self, row: &Columns) -> bool {
        // A null where none may be comes from a function only.
        self.table().checks(false).is_none_or(|query| self.passes(query, row))
    }

    fn resolve(&self, local: &Columns, remote: &Recorded, local_version: Option<&Version>) -> Option<Columns> {
        let table = self.table();
        let resolver = self.folds.resolver.as_deref()?;
        let after = remote.after.as_ref()?;
        let version = |v: &Version| serde_json::json!({"node": &*v.node, "time": v.time});
        let versions = serde_json::json!({"local": local_version.map(version), "remote": version(&remote.version)});
        let json = |row: &Columns| {
            let row = columns::row(table, row);
            let _canonical = Canonical::begin();
            row.json(table)
        };
        let limit = match Limit::now() {
            Ok(limit) => limit,
            Err(text) => {
                self.trouble.replace(Some(Failed { text: format!("{resolver} {text}"), sqlstate: ANSWER.to_owned() }));
                return None;
            }
        };
        let late = Cell::new(false);
        let begun = Instant::now();
        let answer = self.attempt(ANSWER, || {
            // What it wrote would be written on each node, and sent on by none.
            transaction::read_only();
            let arguments = [
                Argument::text(&json(local)),
                Argument::text(&json(after)),
                Argument::of(remote.before.as_ref().map(json)),
                Argument::text(&versions.to_string()),
            ];
            let query = format!("SELECT {resolver}($1::jsonb, $2::jsonb, $3::jsonb, $4::jsonb)::text");
            let answer = time_limit::within_millis(limit.millis, || {
                let _owner = ActingAs::table_owner(table.owner);
                plan::run(&query, &arguments).0.into_iter().flatten().flatten().next()
            });
            let Ok(answer) = answer else {
                late.set(true);
                // The subtransaction has to end: what was cancelled has left it half done.
                pgrx::ereport!(
                    ERROR,
                    pgrx::PgSqlErrorCode::ERRCODE_RAISE_EXCEPTION,
                    format!("{resolver} did not answer within {}", limit.setting)
                );
            };
            self.row_of(answer.as_deref(), after).map_err(|why| format!("{resolver} gave {why}"))
        });
        session::resolving(begun.elapsed());
        if late.get()
            && let Some(trouble) = &mut *self.trouble.borrow_mut()
        {
            trouble.sqlstate = ANSWER.to_owned();
        }
        answer.filter(|row| table.checks(true).is_none_or(|query| self.passes(query, row)))
    }
}

/// How long the user's function may take now, and which setting says so.
struct Limit {
    /// 0: as long as it likes.
    millis: i32,
    setting: &'static str,
}

impl Limit {
    /// Or why it is not asked at all.
    fn now() -> Result<Self, &'static str> {
        let one = Self { millis: guc::RESOLVER_TIMEOUT.get(), setting: "steep_repl.resolver_timeout" };
        let budget = guc::RESOLVER_BUDGET.get();
        if budget == 0 {
            return Ok(one);
        }
        let spent = i32::try_from(session::resolving(Duration::ZERO).as_millis()).unwrap_or(i32::MAX);
        let rest = Self { millis: budget.saturating_sub(spent), setting: "steep_repl.resolver_budget" };
        if rest.millis <= 0 {
            Err("was not asked: other conflicts of the transaction have used up steep_repl.resolver_budget")
        } else if one.millis == 0 || rest.millis < one.millis {
            Ok(rest)
        } else {
            Ok(one)
        }
    }
}

impl OfTable<'_> {
    /// Whether the query names no constraint that a row breaks.
    fn passes(&self, query: &str, row: &Columns) -> bool {
        let table = self.table();
        let holds = self.attempt(CHECK, || {
            let value = self.open.composite(&columns::row(table, row));
            let _owner = ActingAs::table_owner(table.owner);
            let broken: Vec<String> = plan::run(query, &[value]).0.into_iter().flatten().flatten().collect();
            if broken.is_empty() { Ok(()) } else { Err(format!("the merged row breaks {}", broken.join(", "))) }
        });
        holds.is_some()
    }

    /// The row that the user's function gave, as a JSON object with all columns.
    fn row_of(&self, answer: Option<&str>, like: &Columns) -> Result<Columns, String> {
        let table = self.table();
        let row = columns::of_json(table, answer.unwrap_or("null"))?;
        let key =
            |row: &Columns| table.key.iter().map(|p| row.get(&table.columns[*p].name).cloned()).collect::<Vec<_>>();
        if key(&row) != key(like) {
            return Err("a row with another key".into());
        }
        Ok(row)
    }
}
