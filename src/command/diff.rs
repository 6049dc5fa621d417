//! Compares two files of signals: they are equal, or this is where they first differ.
//!
//! The strict form of [`reconcile`](super::reconcile): it pairs signals as that does, and counts every field.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use serde::Serialize;

pub use super::pairing::PairingError as DiffError;
pub use super::pairing::compare::CompareOptions as DiffOptions;
use super::pairing::compare::{Comparer, FirstDifference};
use super::pairing::{Pair, SignalInput, SpanOfTimes, VisitPairs, pair};
use crate::kafka::Properties;

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

/// Compares two files of signals, each of JSON lines or Parquet, or topics.
///
/// # Errors
/// [`DiffError`] where one of them cannot be read.
pub fn diff(left: &Path, right: &Path, options: DiffOptions) -> Result<DiffReport, DiffError> {
    let input = |named| SignalInput::new(named, &Properties::new());
    let inputs = [&input(left)?, &input(right)?];
    let visitor = || Differences {
        comparer: Comparer::new(options),
        report: DiffReport::default(),
    };
    let (found, sides) = pair(inputs, SpanOfTimes::default(), "diff", visitor)?;
    let Differences { comparer, report } = found;
    Ok(DiffReport {
        left: sides.left,
        right: sides.right,
        largest: comparer.largest,
        equal: report.differences == 0,
        ..report
    })
}

/// Counts differences.
struct Differences {
    comparer: Comparer,
    report: DiffReport,
}

impl VisitPairs for Differences {
    fn visit(&mut self, pair: Pair<'_>) {
        let Self { comparer, report } = self;
        let differing = match (pair.left, pair.right) {
            (Some(ours), Some(theirs)) => comparer.differing(ours, theirs),
            (left, right) => {
                report.differences += 1;
                report.only_left += u64::from(right.is_none());
                report.only_right += u64::from(left.is_none());
                return FirstDifference::note(&mut report.first, &pair, None);
            }
        };
        for field in &differing {
            *report.by_field.entry((*field).to_owned()).or_default() += 1;
        }
        match differing.first() {
            None => report.equal_pairs += 1,
            Some(first) => {
                report.differences += 1;
                report.different += 1;
                FirstDifference::note(&mut report.first, &pair, Some(first));
            }
        }
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
