//! Compares two files of signals: they are equal, or this is where they first differ.
//!
//! Signals are compared in their order per instrument. Clock readings of a run (`ts_recv`, `ts_out`,
//! `latency_ns`) and the address of a frame (`source`, and `signal_id` made of it) are ignored, as by
//! the digest, unless all fields are to be compared.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::{Map, Value};

use crate::source::file::{FileError, FileSource};
use crate::source::table;
use crate::source::table::TableKind;

/// What to compare.
#[derive(Clone, Copy, Debug, Default)]
pub struct DiffOptions {
    /// Compare clock readings and addresses too.
    pub all_fields: bool,
    /// The largest difference of two numbers that count as equal.
    pub tolerance: f64,
}

/// The result of a comparison.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct DiffReport {
    /// Whether there is no difference.
    pub equal: bool,
    /// Signals that differ, or that only one side has.
    pub differences: u64,
    /// Signals on the left.
    pub left: u64,
    /// Signals on the right.
    pub right: u64,
    /// The largest difference between two numbers.
    pub largest: f64,
    /// Differing signals by field.
    pub by_field: BTreeMap<String, u64>,
    /// The first difference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first: Option<FirstDifference>,
}

/// The first difference.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FirstDifference {
    /// The instrument, applicant or obligor.
    pub instrument: String,
    /// The number of its signal, from 0.
    pub number: u64,
    /// The field that differs; empty where one side has no such signal.
    pub field: String,
    /// Left value.
    pub left: Value,
    /// Right value.
    pub right: Value,
}

/// Why two streams cannot be compared.
#[derive(Debug, thiserror::Error)]
pub enum DiffError {
    /// A file cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// A line is not a signal.
    #[error(
        "while reading signals from {}, line {line}: {what}; JSON lines as `replay --output` writes \
         them are expected", path.display()
    )]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: i64,
        /// What is wrong.
        what: String,
    },
    /// A file holds no lines of text.
    #[error(
        "while reading signals from {}: it is {kind}, but `diff` compares JSON lines; write the signals as JSON lines \
         (`replay --output signals.jsonl`)", path.display()
    )]
    NotLines {
        /// The file.
        path: PathBuf,
        /// What it is.
        kind: &'static str,
    },
}

type SignalObject = Map<String, Value>;

const IGNORED_FIELDS: [&str; 5] = ["ts_recv", "ts_out", "latency_ns", "source", "signal_id"];
const MAX_LINE_BYTES: usize = 1 << 20;
const PARQUET: &str = "Parquet";
/// The first bytes of a Parquet file.
const PARQUET_MAGIC: &[u8] = b"PAR1";

/// Compares two files of signals.
///
/// # Errors
/// [`DiffError`] where one of them cannot be read.
pub fn diff(left: &Path, right: &Path, options: DiffOptions) -> Result<DiffReport, DiffError> {
    let (left, right) = (read(left)?, read(right)?);
    let count =
        |side: &BTreeMap<String, Vec<SignalObject>>| side.values().map(|s| s.len() as u64).sum();
    let mut report = DiffReport {
        left: count(&left),
        right: count(&right),
        ..DiffReport::default()
    };
    let empty = vec![];
    let keys: std::collections::BTreeSet<&String> = left.keys().chain(right.keys()).collect();
    for key in keys {
        let (ours, theirs) = (
            left.get(key).unwrap_or(&empty),
            right.get(key).unwrap_or(&empty),
        );
        for number in 0..ours.len().max(theirs.len()) {
            report.compare(key, number, ours.get(number), theirs.get(number), options);
        }
    }
    report.equal = report.differences == 0;
    Ok(report)
}

/// Whether a file begins as Parquet does; what cannot be read is told where it is opened.
fn is_parquet(path: &Path) -> bool {
    let mut magic = [0; PARQUET_MAGIC.len()];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut magic));
    read.is_ok() && magic == PARQUET_MAGIC
}

fn read(path: &Path) -> Result<BTreeMap<String, Vec<SignalObject>>, DiffError> {
    let refused = |kind| DiffError::NotLines {
        path: path.to_owned(),
        kind,
    };
    // A file that does not exist is told by its error, whatever its name.
    match table::kind_of(path).filter(|_| path.exists()) {
        Some(TableKind::Parquet) => return Err(refused(PARQUET)),
        Some(TableKind::Csv) => return Err(refused("CSV")),
        Some(TableKind::Tsv | TableKind::Text) => return Err(refused("a table")),
        None => {}
    }
    if is_parquet(path) {
        return Err(refused(PARQUET));
    }
    let mut source = FileSource::open(&[path.to_owned()], MAX_LINE_BYTES)?;
    let mut keys = BTreeMap::<String, Vec<SignalObject>>::new();
    while let Some((origin, line)) = source.next_frame()? {
        if std::str::from_utf8(line).is_err() {
            return Err(refused("no text"));
        }
        let fail = |what: String| DiffError::Line {
            path: path.to_owned(),
            line: origin.offset + 1,
            what,
        };
        let signal: SignalObject =
            serde_json::from_slice(line).map_err(|error| fail(error.to_string()))?;
        let name = |key| signal.get(key).and_then(Value::as_str);
        let key = KEY_FIELDS
            .into_iter()
            .find_map(name)
            .unwrap_or("")
            .to_owned();
        keys.entry(key).or_default().push(signal);
    }
    Ok(keys)
}

/// The fields that name the subject of a signal.
const KEY_FIELDS: [&str; 3] = ["instrument", "applicant", "obligor"];

impl DiffReport {
    fn compare(
        &mut self,
        key: &str,
        number: usize,
        left: Option<&SignalObject>,
        right: Option<&SignalObject>,
        options: DiffOptions,
    ) {
        let (Some(ours), Some(theirs)) = (left, right) else {
            let whole =
                |side: Option<&SignalObject>| side.cloned().map_or(Value::Null, Value::Object);
            return self.found(key, number, "", &whole(left), &whole(right));
        };
        let fields = ours
            .keys()
            .chain(theirs.keys().filter(|name| !ours.contains_key(*name)));
        let mut differs = false;
        for field in fields {
            if !options.all_fields && IGNORED_FIELDS.contains(&field.as_str()) {
                continue;
            }
            let (a, b) = (&ours.get(field), &theirs.get(field));
            let (a, b) = (a.unwrap_or(&Value::Null), b.unwrap_or(&Value::Null));
            if !self.same(a, b, options.tolerance) {
                *self.by_field.entry(field.clone()).or_default() += 1;
                if !differs {
                    self.found(key, number, field, a, b);
                }
                differs = true;
            }
        }
    }

    fn same(&mut self, a: &Value, b: &Value, tolerance: f64) -> bool {
        match (a, b) {
            (Value::Number(x), Value::Number(y)) if x != y => {
                let (Some(x), Some(y)) = (x.as_f64(), y.as_f64()) else {
                    return false;
                };
                self.largest = self.largest.max((x - y).abs());
                (x - y).abs() <= tolerance && tolerance > 0.0
            }
            (Value::Object(x), Value::Object(y)) => {
                x.len() == y.len()
                    && x.iter()
                        .all(|(key, a)| y.get(key).is_some_and(|b| self.same(a, b, tolerance)))
            }
            _ => a == b,
        }
    }

    fn found(&mut self, key: &str, number: usize, field: &str, left: &Value, right: &Value) {
        self.differences += 1;
        self.first.get_or_insert_with(|| FirstDifference {
            instrument: key.to_owned(),
            number: number as u64,
            field: field.to_owned(),
            left: left.clone(),
            right: right.clone(),
        });
    }
}

impl fmt::Display for DiffReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.equal {
            return writeln!(f, "equal: {} signals", self.left);
        }
        writeln!(
            f,
            "{} differences in {} and {} signals",
            self.differences, self.left, self.right
        )?;
        for (field, count) in &self.by_field {
            writeln!(f, "  {field:<16} {count:>10}")?;
        }
        if let Some(first) = &self.first {
            let FirstDifference {
                instrument,
                number,
                field,
                left,
                right,
            } = first;
            let field = if field.is_empty() {
                "only on one side"
            } else {
                field
            };
            writeln!(f, "first: {instrument}, signal {number}, {field}")?;
            writeln!(f, "  left  {left}")?;
            writeln!(f, "  right {right}")?;
        }
        Ok(())
    }
}
