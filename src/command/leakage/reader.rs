//! Reads a set from Parquet, some thousand rows at a time, as often as it is asked to.

use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::path::{Path, PathBuf};

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type};
use arrow_array::{Array, ArrayRef, Float64Array, RecordBatch};
use arrow_cast::{CastOptions, cast_with_options};
use arrow_schema::{DataType, Schema, TimeUnit};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use rustc_hash::FxHashMap;

use super::column_finder::columns_of;
use super::columns::SetColumns;
use super::error::{LeakageError, WrongColumns};
use super::hash::hash_of_text;
use super::options::LeakageOptions;
use super::rows::SetRows;
use super::split_role::SplitRole;
use crate::units::Nanos;

/// A set that can be read from its start any number of times.
pub(super) struct SetReader {
    path: PathBuf,
    pub(super) columns: SetColumns,
    instruments: TextNumbers,
    classes: Vec<TextNumbers>,
    /// Words of a split that mean nothing to us, with the split's number: a few of them.
    pub(super) unknown_words: BTreeSet<(usize, String)>,
}

/// Texts, numbered in the order in which they come.
#[derive(Default)]
struct TextNumbers {
    by_text: FxHashMap<String, u32>,
    texts: Vec<String>,
}

/// Rows that are read at once.
const BATCH_ROWS: usize = 8_192;
/// More words than this are rubbish.
const UNKNOWN_WORDS_MAX: usize = 64;

impl SetReader {
    /// Opens a set.
    ///
    /// # Errors
    /// [`LeakageError`] where it is no Parquet, or its columns are not as they are said to be.
    pub(super) fn open(path: &Path, options: &LeakageOptions) -> Result<Self, LeakageError> {
        let builder = open(path)?;
        let schema: &Schema = builder.schema();
        let file = builder.metadata().file_metadata();
        let mut metadata: HashMap<String, String> = schema.metadata().clone().into();
        for entry in file.key_value_metadata().into_iter().flatten() {
            let value = entry.value.clone().unwrap_or_default();
            metadata.entry(entry.key.clone()).or_insert(value);
        }
        let columns = columns_of(path, schema, &metadata, options)?;
        Ok(Self {
            path: path.to_owned(),
            instruments: TextNumbers::default(),
            classes: columns
                .classes
                .iter()
                .map(|_| TextNumbers::default())
                .collect(),
            unknown_words: BTreeSet::new(),
            columns,
        })
    }

    /// The names of the instruments, by their numbers; empty where there is no such column.
    pub(super) fn instruments(&self) -> &[String] {
        &self.instruments.texts
    }

    /// Shows all rows, in the order of the file.
    ///
    /// # Errors
    /// [`LeakageError`] where they cannot be read.
    pub(super) fn read(&mut self, mut see: impl FnMut(&SetRows<'_>)) -> Result<(), LeakageError> {
        let builder = open(&self.path)?;
        let used = self.columns.used();
        let fields = builder.schema().fields().iter().enumerate();
        let roots = fields.filter(|(_, field)| used.contains(&field.name().as_str()));
        let roots: Vec<usize> = roots.map(|(at, _)| at).collect();
        let mask = ProjectionMask::roots(builder.parquet_schema(), roots);
        let reader = builder
            .with_projection(mask)
            .with_batch_size(BATCH_ROWS)
            .build();
        let reader = reader.map_err(|error| failed(&self.path, error.to_string()))?;
        let mut first = 0;
        for batch in reader {
            let batch = batch.map_err(|error| failed(&self.path, error.to_string()))?;
            let rows = self.rows_of(first, &batch)?;
            see(&rows);
            first += batch.num_rows() as u64;
        }
        Ok(())
    }

    fn rows_of<'a>(
        &'a mut self,
        first: u64,
        batch: &'a RecordBatch,
    ) -> Result<SetRows<'a>, LeakageError> {
        let cells = SetCells {
            path: &self.path,
            batch,
        };
        let columns = &self.columns;
        let time = cells.times(columns.time.as_deref())?;
        let numbers = |names: &[String]| {
            names
                .iter()
                .map(|name| cells.numbers(name))
                .collect::<Result<Vec<_>, _>>()
        };
        let known = columns
            .known
            .iter()
            .map(|(_, column)| cells.times(Some(column)));
        let instrument = match &columns.instrument {
            Some(name) => {
                let numbers = cells.texts(name, |text| self.instruments.number(text))?;
                // A key that is null is the key of all rows without one.
                let none = numbers
                    .iter()
                    .any(Option::is_none)
                    .then(|| self.instruments.number(""));
                numbers
                    .into_iter()
                    .map(|number| number.or(none).unwrap_or_default())
                    .collect()
            }
            None => vec![0; batch.num_rows()],
        };
        let mut classes = vec![];
        for (name, numbers) in columns.classes.iter().zip(&mut self.classes) {
            classes.push(cells.texts(name, |text| numbers.number(text))?);
        }
        let end = ends(&cells, columns, &time)?;
        let mut rows = SetRows {
            first,
            batch,
            instrument,
            names: &[],
            received: cells.times(columns.received.as_deref())?,
            window_start: cells.times(columns.window_start.as_deref())?,
            group: match &columns.group {
                Some(name) => cells.texts(name, hash_of_text)?,
                None => vec![None; batch.num_rows()],
            },
            features: numbers(&columns.features)?,
            classes,
            values: numbers(&columns.values)?,
            end,
            known: known.collect::<Result<Vec<_>, _>>()?,
            role: vec![SplitRole::Neither; batch.num_rows()],
            train: vec![0; batch.num_rows()],
            held: vec![0; batch.num_rows()],
            time,
        };
        for (number, split) in columns.splits.iter().enumerate() {
            let roles = match split.test_from {
                Some(from) => roles_by_time(&rows.time, from),
                None => cells.texts(&split.name, |word| {
                    SplitRole::of_word(&split.name, word).unwrap_or_else(|| {
                        if self.unknown_words.len() < UNKNOWN_WORDS_MAX {
                            self.unknown_words.insert((number, word.to_owned()));
                        }
                        SplitRole::Neither
                    })
                })?,
            };
            for (row, role) in roles.into_iter().enumerate() {
                let role = role.unwrap_or(SplitRole::Neither);
                rows.train[row] |= u64::from(role == SplitRole::Train) << number;
                rows.held[row] |= u64::from(role.is_held_out()) << number;
                if number == 0 {
                    rows.role[row] = role;
                }
            }
        }
        rows.names = &self.instruments.texts;
        Ok(rows)
    }
}

fn roles_by_time(times: &[Option<i64>], from: Nanos) -> Vec<Option<SplitRole>> {
    let role = |time: i64| {
        if time < from.0 {
            SplitRole::Train
        } else {
            SplitRole::Test
        }
    };
    times.iter().map(|time| time.map(role)).collect()
}

/// When the last label of each row was known; the row's own time where it has none.
fn ends(
    cells: &SetCells<'_>,
    columns: &SetColumns,
    time: &[Option<i64>],
) -> Result<Vec<Option<i64>>, LeakageError> {
    let mut last = time.to_vec();
    for name in &columns.ends {
        for (last, end) in last.iter_mut().zip(cells.times(Some(name))?) {
            *last = last.map(|last| end.map_or(last, |end| last.max(end)));
        }
    }
    if let Some(horizon) = columns.horizon_ns.filter(|_| columns.ends.is_empty()) {
        for last in last.iter_mut().flatten() {
            *last = last.saturating_add(horizon);
        }
    }
    Ok(last)
}

impl TextNumbers {
    fn number(&mut self, text: &str) -> u32 {
        if let Some(number) = self.by_text.get(text) {
            return *number;
        }
        let number = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        self.by_text.insert(text.to_owned(), number);
        self.texts.push(text.to_owned());
        number
    }
}

/// The columns of a batch.
struct SetCells<'a> {
    path: &'a Path,
    batch: &'a RecordBatch,
}

impl SetCells<'_> {
    fn column(&self, name: &str) -> Result<&ArrayRef, LeakageError> {
        let column = self.batch.column_by_name(name);
        column.ok_or_else(|| failed(self.path, format!("it has no column `{name}`")))
    }

    fn cast(
        &self,
        name: &str,
        column: &ArrayRef,
        kind: &DataType,
    ) -> Result<ArrayRef, LeakageError> {
        // A value that the type does not hold is an error, not a null.
        let options = CastOptions {
            safe: false,
            ..CastOptions::default()
        };
        cast_with_options(column, kind, &options)
            .map_err(|error| failed(self.path, format!("column `{name}`: {error}")))
    }

    fn numbers(&self, name: &str) -> Result<Float64Array, LeakageError> {
        let column = self.cast(name, self.column(name)?, &DataType::Float64)?;
        Ok(column.as_primitive().clone())
    }

    /// Times in nanoseconds since the epoch; none in all rows without a column.
    fn times(&self, name: Option<&str>) -> Result<Vec<Option<i64>>, LeakageError> {
        let Some(name) = name else {
            return Ok(vec![None; self.batch.num_rows()]);
        };
        let column = self.column(name)?;
        let zone = match column.data_type() {
            DataType::Timestamp(_, zone) => zone.clone(),
            kind if kind.is_integer() => return self.whole_times(name, column),
            DataType::Date32 | DataType::Date64 => None,
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Some("+00:00".into()),
            other => {
                let what = format!("column `{name}` is no time but {other}; name another");
                return Err(wrong(self.path, what));
            }
        };
        let nanos = DataType::Timestamp(TimeUnit::Nanosecond, zone);
        let column = self.cast(name, column, &nanos)?;
        let column = self.cast(name, &column, &DataType::Int64)?;
        Ok(column.as_primitive::<Int64Type>().iter().collect())
    }

    /// Integers are nanoseconds, if they can be.
    fn whole_times(&self, name: &str, column: &ArrayRef) -> Result<Vec<Option<i64>>, LeakageError> {
        let column = self.cast(name, column, &DataType::Int64)?;
        let times: Vec<Option<i64>> = column.as_primitive::<Int64Type>().iter().collect();
        for time in times.iter().flatten().take(1) {
            Nanos::plausible(*time).map_err(|error| {
                let what =
                    format!("column `{name}`: {error}; write the column as Timestamp(ns, UTC)");
                wrong(self.path, what)
            })?;
        }
        Ok(times)
    }

    /// What `of` makes of each text; of columns with few different texts once a text.
    fn texts<T: Copy>(
        &self,
        name: &str,
        of: impl FnMut(&str) -> T,
    ) -> Result<Vec<Option<T>>, LeakageError> {
        let column = self.cast(name, self.column(name)?, &DataType::Utf8)?;
        let kind = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
        let column = self.cast(name, &column, &kind)?;
        let column = column.as_dictionary::<Int32Type>();
        let values: Vec<T> = column
            .values()
            .as_string::<i32>()
            .iter()
            .flatten()
            .map(of)
            .collect();
        let value = |key: i32| {
            usize::try_from(key)
                .ok()
                .and_then(|key| values.get(key).copied())
        };
        Ok(column
            .keys()
            .iter()
            .map(|key| key.and_then(value))
            .collect())
    }
}

fn open(path: &Path) -> Result<ParquetRecordBatchReaderBuilder<File>, LeakageError> {
    let file = File::open(path).map_err(|error| failed(path, error.to_string()))?;
    if file.metadata().is_ok_and(|there| there.is_dir()) {
        return Err(failed(path, "it is a folder; name a Parquet file".into()));
    }
    ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| {
        let what = format!(
            "{error}; write the set as Parquet (pandas: `to_parquet`, or `foretick features`)"
        );
        failed(path, what)
    })
}

fn failed(path: &Path, what: String) -> LeakageError {
    LeakageError::File {
        path: path.to_owned(),
        what,
    }
}

fn wrong(path: &Path, what: String) -> LeakageError {
    LeakageError::Columns(WrongColumns {
        path: path.to_owned(),
        what,
    })
}
