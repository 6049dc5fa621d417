//! Compares two files of signals: they are equal, or this is where they first differ.
//!
//! Signals are paired by their instrument, their event time, and their order among those of the same
//! instrument and time, so that one that is missing on a side moves no other pair. Clock readings of a run
//! (`ts_recv`, `ts_out`, `latency_ns`) and the address of a frame (`source`, and `signal_id` made of it)
//! are ignored, as by the digest, unless all fields are to be compared. Of a signal that was corrected the
//! last revision counts, at the place of the first; its number (`revision`) is ignored like these.

mod error;
mod signal_file;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use serde::Serialize;
use serde_json::Value;

pub use self::error::DiffError;
use self::signal_file::{SignalFile, SignalKey, SignalObject, Signals};

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
    /// Pairs of signals that are equal.
    pub equal_pairs: u64,
    /// Pairs of signals that differ.
    pub different: u64,
    /// Signals that only the left side has.
    pub only_left: u64,
    /// Signals that only the right side has.
    pub only_right: u64,
    /// The largest difference between two numbers.
    pub largest: f64,
    /// Differing signals by field.
    pub by_field: BTreeMap<String, u64>,
    /// The earliest difference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first: Option<FirstDifference>,
}

/// The earliest difference.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FirstDifference {
    /// The instrument, applicant or obligor.
    pub instrument: String,
    /// The event time of its signal.
    pub ts_event: Option<i64>,
    /// The number of the signal among those of this instrument and time, from 0.
    pub number: u64,
    /// The field that differs; empty where one side has no such signal.
    pub field: String,
    /// Left value.
    pub left: Value,
    /// Right value.
    pub right: Value,
}

const IGNORED_FIELDS: [&str; 9] = [
    "ts_recv",
    "ts_out",
    "latency_ns",
    "source",
    "source_topic",
    "source_partition",
    "source_offset",
    "signal_id",
    "revision",
];

/// Compares two files of signals, each of JSON lines or Parquet.
///
/// # Errors
/// [`DiffError`] where one of them cannot be read.
pub fn diff(left: &Path, right: &Path, options: DiffOptions) -> Result<DiffReport, DiffError> {
    let (mut left, mut right) = (SignalFile::read(left)?, SignalFile::read(right)?);
    if left.has_columns != right.has_columns {
        left.make_columns();
        right.make_columns();
    }
    let mut report = DiffReport {
        left: left.count(),
        right: right.count(),
        ..DiffReport::default()
    };
    let (left, right) = (&left.signals, &right.signals);
    let keys: BTreeSet<&SignalKey> = left.keys().chain(right.keys()).collect();
    for key in keys {
        let (ours, theirs) = (of_key(left, key), of_key(right, key));
        for number in 0..ours.len().max(theirs.len()) {
            report.compare(key, number, ours.get(number), theirs.get(number), options);
        }
    }
    report.equal = report.differences == 0;
    Ok(report)
}

fn of_key<'a>(side: &'a Signals, key: &SignalKey) -> &'a [SignalObject] {
    side.get(key).map_or(&[], Vec::as_slice)
}

impl DiffReport {
    fn compare(
        &mut self,
        key: &SignalKey,
        number: usize,
        left: Option<&SignalObject>,
        right: Option<&SignalObject>,
        options: DiffOptions,
    ) {
        let (Some(ours), Some(theirs)) = (left, right) else {
            let whole =
                |side: Option<&SignalObject>| side.cloned().map_or(Value::Null, Value::Object);
            self.only_left += u64::from(right.is_none());
            self.only_right += u64::from(left.is_none());
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
        self.different += u64::from(differs);
        self.equal_pairs += u64::from(!differs);
    }

    fn same(&mut self, a: &Value, b: &Value, tolerance: f64) -> bool {
        match (a, b) {
            (Value::Number(x), Value::Number(y)) if x != y => {
                // A float does not tell all whole numbers of 64 bits apart.
                let are_whole = !x.is_f64() && !y.is_f64();
                let (Some(x), Some(y)) = (x.as_f64(), y.as_f64()) else {
                    return false;
                };
                let far = (x - y).abs();
                self.largest = self.largest.max(far);
                far <= tolerance && (tolerance > 0.0 || !are_whole)
            }
            (Value::Array(x), Value::Array(y)) => {
                x.len() == y.len() && x.iter().zip(y).all(|(a, b)| self.same(a, b, tolerance))
            }
            (Value::Object(x), Value::Object(y)) => {
                x.len() == y.len()
                    && x.iter()
                        .all(|(key, a)| y.get(key).is_some_and(|b| self.same(a, b, tolerance)))
            }
            _ => a == b,
        }
    }

    fn found(&mut self, key: &SignalKey, number: usize, field: &str, left: &Value, right: &Value) {
        self.differences += 1;
        let (instrument, ts_event) = key;
        if self
            .first
            .as_ref()
            .is_some_and(|first| first.ts_event <= *ts_event)
        {
            return;
        }
        self.first = Some(FirstDifference {
            instrument: instrument.clone(),
            ts_event: *ts_event,
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
            "{} differences in {} and {} signals: {} equal, {} different, {} only on the left, {} only on the right",
            self.differences,
            self.left,
            self.right,
            self.equal_pairs,
            self.different,
            self.only_left,
            self.only_right
        )?;
        for (field, count) in &self.by_field {
            writeln!(f, "  {field:<16} {count:>10}")?;
        }
        if let Some(first) = &self.first {
            writeln!(f, "first: {first}")?;
            writeln!(f, "  left  {}", first.left)?;
            writeln!(f, "  right {}", first.right)?;
        }
        Ok(())
    }
}

impl fmt::Display for FirstDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.instrument)?;
        if let Some(ts) = self.ts_event {
            write!(f, ", ts_event {ts}")?;
        }
        if self.number > 0 {
            write!(f, ", signal {} of that time", self.number + 1)?;
        }
        match (self.field.as_str(), self.left.is_null()) {
            ("", true) => write!(f, ", only on the right"),
            ("", false) => write!(f, ", only on the left"),
            (field, _) => write!(f, ", {field}"),
        }
    }
}
