//! Some rows of a set, as the checks see them.

use arrow_array::{Array, Float64Array, RecordBatch};
use arrow_cast::display::array_value_to_string;
use serde_json::{Map, Value};

use super::finding::ExampleRow;
use super::split_role::SplitRole;
use crate::time::rfc3339;
use crate::units::Nanos;

/// Rows that were read at once. Each list has one entry a row.
pub(super) struct SetRows<'a> {
    /// The number of the first row in the file.
    pub(super) first: u64,
    pub(super) batch: &'a RecordBatch,
    /// The numbers of the instruments; all 0 where there is no such column.
    pub(super) instrument: Vec<u32>,
    /// Names by these numbers; empty where there is no such column.
    pub(super) names: &'a [String],
    pub(super) time: Vec<Option<i64>>,
    pub(super) received: Vec<Option<i64>>,
    pub(super) window_start: Vec<Option<i64>>,
    /// A hash of the group.
    pub(super) group: Vec<Option<u64>>,
    pub(super) features: Vec<Float64Array>,
    /// The class of each label, as a small number.
    pub(super) classes: Vec<Vec<Option<u32>>>,
    pub(super) values: Vec<Float64Array>,
    /// When the last of the labels was known, or the row's own time where none was.
    pub(super) end: Vec<Option<i64>>,
    /// When the value of each of these features was known.
    pub(super) known: Vec<Vec<Option<i64>>>,
    /// What a row is in the first split.
    pub(super) role: Vec<SplitRole>,
    /// The splits in which a row is train, as bits.
    pub(super) train: Vec<u64>,
    /// The splits in which it is held out.
    pub(super) held: Vec<u64>,
}

impl SetRows<'_> {
    pub(super) fn len(&self) -> usize {
        self.batch.num_rows()
    }

    /// The value of a feature, where it is a finite number.
    pub(super) fn feature(&self, feature: usize, row: usize) -> Option<f64> {
        finite(&self.features[feature], row)
    }

    /// The value of a label, where it is a finite number.
    pub(super) fn value(&self, label: usize, row: usize) -> Option<f64> {
        finite(&self.values[label], row)
    }

    /// A row with the values of these columns.
    pub(super) fn example(&self, row: usize, columns: &[&str]) -> ExampleRow {
        let value = |name: &&str| ((*name).to_owned(), self.shown(name, row));
        ExampleRow {
            row: self.first + row as u64,
            instrument: self.names.get(self.instrument[row] as usize).cloned(),
            ts_event: self.time[row].map(shown_time),
            values: columns.iter().map(value).collect::<Map<_, _>>(),
        }
    }

    fn shown(&self, column: &str, row: usize) -> Value {
        let Some(cells) = self
            .batch
            .column_by_name(column)
            .filter(|cells| cells.is_valid(row))
        else {
            return Value::Null;
        };
        let text = array_value_to_string(cells, row).unwrap_or_default();
        match text.parse::<f64>() {
            Ok(number) if cells.data_type().is_numeric() => number.into(),
            _ => text.into(),
        }
    }
}

/// A time as reports show it.
pub(super) fn shown_time(nanos: i64) -> String {
    rfc3339(Nanos(nanos))
}

fn finite(column: &Float64Array, row: usize) -> Option<f64> {
    let value = column.is_valid(row).then(|| column.value(row))?;
    value.is_finite().then_some(value)
}
