//! The signals of a file, by instrument and event time.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef, RecordBatch, cast::AsArray};
use arrow_cast::cast;
use arrow_schema::{DataType, TimeUnit};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Map, Value, json};

use super::error::DiffError;
use crate::source::file::FileSource;
use crate::source::table;
use crate::source::table::TableKind;

/// The fields of a signal.
pub(super) type SignalObject = Map<String, Value>;

/// Whom signals are about, and their event time.
pub(super) type SignalKey = (String, Option<i64>);

/// Signals in the order of the file, by whom they are about and when.
pub(super) type Signals = BTreeMap<SignalKey, Vec<SignalObject>>;

/// The signals of a file.
#[derive(Debug, Default)]
pub(super) struct SignalFile {
    pub(super) signals: Signals,
    /// Whether it is Parquet, whose columns hold what is nested in JSON.
    pub(super) has_columns: bool,
}

/// The fields that name the subject of a signal.
const KEY_FIELDS: [&str; 3] = ["instrument", "applicant", "obligor"];
const MAX_LINE_BYTES: usize = 1 << 20;
/// With this, a Parquet file begins and ends.
const PARQUET_MAGIC: &[u8; 4] = b"PAR1";

impl SignalFile {
    /// Reads JSON lines, plain or compressed, or Parquet, which its first bytes tell.
    pub(super) fn read(path: &Path) -> Result<Self, DiffError> {
        let mut file = Self::default();
        if is_parquet(path) {
            file.has_columns = true;
            file.read_parquet(path).map_err(|what| DiffError::Parquet {
                path: path.to_owned(),
                what,
            })?;
        } else {
            file.read_lines(path)?;
        }
        Ok(file)
    }

    pub(super) fn count(&self) -> u64 {
        self.signals.values().map(|some| some.len() as u64).sum()
    }

    /// Gives signals the fields that they have as columns of Parquet, so that both kinds of files compare.
    /// What has no column is left out: the parts of `latency_ns`, the weights of reasons.
    pub(super) fn make_columns(&mut self) {
        if self.has_columns {
            return;
        }
        for signals in self.signals.values_mut() {
            for signal in signals {
                let fields = std::mem::take(signal);
                signal.extend(fields.into_iter().flat_map(columns));
            }
        }
        self.has_columns = true;
    }

    fn read_lines(&mut self, path: &Path) -> Result<(), DiffError> {
        let refused = |kind| DiffError::NotSignals {
            path: path.to_owned(),
            kind,
        };
        // A file that does not exist is told by its error, whatever its name.
        match table::kind_of(path).filter(|_| path.exists()) {
            Some(TableKind::Csv) => return Err(refused("CSV")),
            Some(TableKind::Tsv | TableKind::Text) => return Err(refused("a table")),
            Some(TableKind::Parquet) | None => {}
        }
        let mut source = FileSource::open(&[path.to_owned()], MAX_LINE_BYTES)?;
        while let Some((_, line)) = source.next_frame()? {
            if std::str::from_utf8(line).is_err() {
                return Err(refused("no text"));
            }
            let signal: SignalObject =
                serde_json::from_slice(line).map_err(|error| DiffError::Line {
                    path: path.to_owned(),
                    line: source.line_number().unwrap_or_default(),
                    what: error.to_string(),
                })?;
            if !signal.get("ts_event").is_some_and(Value::is_i64) {
                return Err(DiffError::Line {
                    path: path.to_owned(),
                    line: source.line_number().unwrap_or_default(),
                    what: "it has no `ts_event`, so it is no signal".into(),
                });
            }
            self.add(signal);
        }
        Ok(())
    }

    fn read_parquet(&mut self, path: &Path) -> Result<(), String> {
        let file = File::open(path).map_err(|error| error.to_string())?;
        let builder = ParquetRecordBatchReaderBuilder::try_new(file);
        let builder = builder.map_err(|error| error.to_string())?;
        let reader = builder.build().map_err(|error| error.to_string())?;
        for batch in reader {
            self.read_batch(&batch.map_err(|error| error.to_string())?)?;
        }
        Ok(())
    }

    fn read_batch(&mut self, batch: &RecordBatch) -> Result<(), String> {
        let mut rows = vec![SignalObject::new(); batch.num_rows()];
        let schema = batch.schema();
        for (field, column) in schema.fields().iter().zip(batch.columns()) {
            let values =
                values(column).map_err(|error| format!("column `{}`: {error}", field.name()))?;
            for (row, value) in rows.iter_mut().zip(values) {
                row.insert(field.name().clone(), value);
            }
        }
        rows.into_iter().for_each(|row| self.add(row));
        Ok(())
    }

    fn add(&mut self, signal: SignalObject) {
        let text = |key| signal.get(key).and_then(Value::as_str);
        let subject = KEY_FIELDS.into_iter().find_map(text).unwrap_or("");
        let ts = signal.get("ts_event").and_then(Value::as_i64);
        let key = (subject.to_owned(), ts);
        let signals = self.signals.entry(key).or_default();
        let is_correction = signal.get("revision").and_then(Value::as_u64) > Some(0);
        let id = signal.get("signal_id").filter(|_| is_correction);
        let corrected = id.and_then(|id| {
            let mut others = signals.iter_mut();
            others.find(|other| other.get("signal_id") == Some(id))
        });
        match corrected {
            Some(corrected) => *corrected = signal,
            None => signals.push(signal),
        }
    }
}

/// Whether a file begins as Parquet does. A pipe is not looked into: what is read of it is gone.
fn is_parquet(path: &Path) -> bool {
    let begin = |mut file: File| {
        let mut magic = [0; PARQUET_MAGIC.len()];
        file.read_exact(&mut magic)?;
        Ok(magic)
    };
    path.is_file()
        && File::open(path)
            .and_then(begin)
            .is_ok_and(|magic| magic == *PARQUET_MAGIC)
}

/// The values of a column: whole numbers, numbers, flags; times as nanoseconds; anything else as text.
fn values(column: &ArrayRef) -> Result<Vec<Value>, arrow_schema::ArrowError> {
    let (whole, number) = (DataType::Int64, DataType::Float64);
    let value = |at: usize, value: &dyn Fn(usize) -> Value| {
        if column.is_null(at) {
            Value::Null
        } else {
            value(at)
        }
    };
    let all = |of: &dyn Fn(usize) -> Value| (0..column.len()).map(|at| value(at, of)).collect();
    Ok(match column.data_type() {
        DataType::Boolean => all(&|at| column.as_boolean().value(at).into()),
        kind if kind.is_integer() => {
            let column = cast(column, &whole)?;
            all(&|at| column.as_primitive::<Int64Type>().value(at).into())
        }
        DataType::Timestamp(_, zone) => {
            let nanos = DataType::Timestamp(TimeUnit::Nanosecond, zone.clone());
            let column = cast(&cast(column, &nanos)?, &whole)?;
            all(&|at| column.as_primitive::<Int64Type>().value(at).into())
        }
        kind if kind.is_floating() => {
            let column = cast(column, &number)?;
            all(&|at| column.as_primitive::<Float64Type>().value(at).into())
        }
        _ => {
            let column = cast(column, &DataType::Utf8)?;
            all(&|at| column.as_string::<i32>().value(at).into())
        }
    })
}

/// The columns of Parquet that hold a field of JSON.
fn columns((name, value): (String, Value)) -> Vec<(String, Value)> {
    let parts = |prefix: &str, value: Value| match value {
        Value::Object(parts) => {
            let part = |(part, value)| (format!("{prefix}_{part}"), value);
            parts.into_iter().map(part).collect()
        }
        _ => vec![],
    };
    match (name.as_str(), value) {
        ("probabilities", value) => parts("probability", value),
        ("source", value) => parts("source", value),
        ("sentiment", mut value) => {
            if let Value::Object(parts) = &mut value {
                parts.remove("half_life_ms");
            }
            parts("sentiment", value)
        }
        ("latency_ns", _) => vec![],
        ("model", Value::Object(model)) => {
            let part = |part: &str| model.get(part).and_then(Value::as_str).unwrap_or("");
            let text = ["name", "version", "sha256"].map(part).join(" ");
            vec![(name, json!(text))]
        }
        ("reasons", Value::Array(reasons)) => {
            let codes = reasons.iter().filter_map(|reason| reason["code"].as_str());
            let codes: Vec<&str> = codes.collect();
            vec![(name, json!(codes.join(",")))]
        }
        (_, value) => vec![(name, value)],
    }
}
