//! The columns of a table: which are the key, the period, the time and the outcome, and how cells are read.
//!
//! Turns a row into a record, or into the outcome that it states.

use std::io;

use serde_json::{Map, Value, json};

use super::cell::{CellReading, time, whole, year_end};
use super::position::{TablePosition, invalid};
use crate::schema::{RecordField, RecordKind};
use crate::time::is_written_day;
use crate::units::Nanos;

/// The columns that are no fields of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnNames {
    /// The applicant or the obligor.
    pub key: String,
    /// The period of a statement: whole numbers, also written `2014.0`.
    pub period: Option<String>,
    /// When a row was known: nanoseconds, RFC 3339 with any offset, a day, or a timestamp of Parquet.
    pub ts_event: Option<String>,
    /// What really happened.
    pub outcome: Option<String>,
}

/// What a table is read for, which says which columns it must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TableUse {
    /// Records to score: the outcomes may not be known yet.
    Records,
    /// Outcomes alone.
    Outcomes,
}

/// What the columns of a table mean.
#[derive(Clone, Debug)]
pub struct TableColumns {
    kind: RecordKind,
    names: ColumnNames,
    product: Option<String>,
    /// The fields of the record that features name.
    fields: Vec<RecordField>,
}

/// The outcome that a row states.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutcomeRow {
    /// Where the row stands.
    pub position: TablePosition,
    /// The applicant or the obligor.
    pub key: String,
    /// The period, of statements.
    pub period: Option<i64>,
    /// When the row was known, where the table has a column for that.
    pub ts_event: Option<Nanos>,
    /// The outcome as it is written.
    pub outcome: String,
}

/// The cells of a row that are no fields of the record.
struct OwnCells {
    key: String,
    period: Option<i64>,
    ts_event: Option<Nanos>,
    outcome: String,
}

impl TableColumns {
    /// Rows that become records of this kind; applications of `product`, where one is named.
    #[must_use]
    pub fn new(
        kind: RecordKind,
        names: ColumnNames,
        product: Option<String>,
        fields: &[RecordField],
    ) -> Self {
        Self {
            kind,
            names,
            product,
            fields: fields.to_vec(),
        }
    }

    /// Whether the rows are statements, which have an order of periods.
    #[must_use]
    pub fn are_statements(&self) -> bool {
        self.kind == RecordKind::Statement
    }

    /// Whether a column holds the outcome.
    pub(super) fn has_outcome(&self) -> bool {
        self.names.outcome.is_some()
    }

    /// The names of the columns that are no fields of the record.
    fn own(&self) -> impl Iterator<Item = &String> {
        let ColumnNames {
            key,
            period,
            ts_event,
            outcome,
        } = &self.names;
        [
            Some(key),
            period.as_ref(),
            ts_event.as_ref(),
            outcome.as_ref(),
        ]
        .into_iter()
        .flatten()
    }

    /// The name of a column by the one in the header: without the blanks around it, unless it is asked for
    /// with them.
    pub(super) fn name_of<'n>(&self, written: &'n str) -> &'n str {
        match self.needs(written) {
            true => written,
            false => written.trim(),
        }
    }

    /// Holds the columns of a file against those that are needed for this.
    pub(super) fn check<'n>(
        &self,
        names: impl Iterator<Item = &'n str> + Clone,
        table_use: TableUse,
    ) -> io::Result<()> {
        let needed = |name: &&str| self.needs(name);
        let count = |of: &str| names.clone().filter(|name| *name == of).count();
        if let Some(name) = names.clone().filter(needed).find(|name| count(name) > 1) {
            return Err(invalid(&format!(
                "it has two columns `{name}`, either of which may be meant; rename one"
            )));
        }
        let held = |asked: &str| names.clone().any(|name| name == asked);
        let may_lack = |own: &String| {
            table_use == TableUse::Records && self.names.outcome.as_ref() == Some(own)
        };
        let missing = self.own().find(|own| !held(own) && !may_lack(own));
        let all = || names.clone().collect::<Vec<_>>().join(", ");
        if let Some(name) = missing {
            return Err(invalid(&format!(
                "[source.table] names a column `{name}`, which it does not have; it has {}",
                all()
            )));
        }
        let lacks_all = |absent: &[&str]| !absent.is_empty() && absent.len() == self.fields.len();
        match self.absent(held) {
            absent if table_use == TableUse::Records && lacks_all(&absent) => {
                Err(invalid(&format!(
                    "it has none of the columns that features read ({}); it has {}; correct the names in its header",
                    absent.join(", "),
                    all()
                )))
            }
            _ => Ok(()),
        }
    }

    /// Whether a column is a field that features name, or has a meaning of its own.
    pub(super) fn needs(&self, name: &str) -> bool {
        self.own().any(|own| own == name) || self.fields.iter().any(|field| field.name == name)
    }

    /// How the cells of a column are read.
    pub(super) fn reading(&self, name: &str) -> CellReading {
        if self.names.key == name {
            return CellReading::Identifier;
        }
        if self.names.outcome.as_deref() == Some(name) {
            return CellReading::AsWritten;
        }
        if self.names.ts_event.as_deref() == Some(name) {
            return CellReading::Time;
        }
        let categories = |field: &&RecordField| field.name == name && !field.categories.is_empty();
        match self.fields.iter().find(categories) {
            Some(field) => CellReading::Category(field.categories.clone()),
            None => CellReading::Number,
        }
    }

    /// The fields that features name and no column holds.
    pub(super) fn absent(&self, held: impl Fn(&str) -> bool) -> Vec<&'static str> {
        let own = |name: &str| self.own().any(|own| own == name);
        let fields = self.fields.iter().map(|field| field.name);
        fields.filter(|name| !held(name) || own(name)).collect()
    }

    /// The outcome that a row states.
    pub(super) fn outcome(
        &self,
        mut cells: Map<String, Value>,
        position: TablePosition,
    ) -> io::Result<OutcomeRow> {
        let own = self.take_own(&mut cells, position)?;
        Ok(OutcomeRow {
            position,
            key: own.key,
            period: own.period,
            ts_event: own.ts_event,
            outcome: own.outcome,
        })
    }

    /// A row as a record of the topic. `number` counts the rows from 0; it is the time of applications that
    /// have none.
    pub(super) fn record(
        &self,
        mut cells: Map<String, Value>,
        position: TablePosition,
        number: u64,
    ) -> io::Result<Value> {
        let own = self.take_own(&mut cells, position)?;
        let ts_event = match (own.ts_event, own.period) {
            (Some(ts), _) => Some(ts),
            (None, Some(year)) => year_end(year),
            (None, None) => i64::try_from(number).ok().map(Nanos),
        };
        let ts_event = ts_event.ok_or_else(|| {
            let column = self.names.period.as_deref().unwrap_or("period");
            unreadable(position, column, None)
        })?;
        let mut record = json!({
            "ts_event": ts_event.0,
            self.kind.key(): own.key,
            self.kind.container(): cells,
        });
        if own.ts_event.is_none() && own.period.is_none() && is_written_day(ts_event.0) {
            // The decoder takes a number of this form for a day, and refuses it, unless it is a row's.
            record["row"] = json!(number);
        }
        if let Some(period) = own.period {
            record["period"] = json!(period);
        }
        if let Some(product) = &self.product {
            record["product"] = json!(product);
        }
        Ok(record)
    }

    /// Takes the cells that are no fields of the record out of a row.
    fn take_own(
        &self,
        cells: &mut Map<String, Value>,
        position: TablePosition,
    ) -> io::Result<OwnCells> {
        let mut own = |name: &str| cells.remove(name).unwrap_or_default();
        let period = self.names.period.as_deref().map(|column| {
            let value = own(column);
            whole(&value).ok_or_else(|| unreadable(position, column, None))
        });
        let ts_event = self.names.ts_event.as_deref().map(|column| {
            let value = own(column);
            time(&value).map_err(|why| unreadable(position, column, why))
        });
        Ok(OwnCells {
            key: text_of(own(&self.names.key)),
            outcome: text_of(self.names.outcome.as_deref().map_or(Value::Null, own)),
            period: period.transpose()?,
            ts_event: ts_event.transpose()?,
        })
    }
}

fn unreadable(position: TablePosition, column: &str, why: Option<String>) -> io::Error {
    let why = why.map_or(String::new(), |why| format!(": {why}"));
    invalid(&format!(
        "{position} has no readable `{column}`{why}; correct the cell, or take the row out"
    ))
}

/// A cell that was read as text; nothing where it is empty.
fn text_of(value: Value) -> String {
    match value {
        Value::String(text) => text,
        _ => String::new(),
    }
}
