//! What a reconciliation found, for people and for programs.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::scores::{ScoreDifferences, Scores};
use crate::command::pairing::Sides;
use crate::command::pairing::compare::FirstDifference;

/// The result of a reconciliation.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ReconcileReport {
    /// Signals on the left, a corrected one counted once.
    pub left: u64,
    /// Signals on the right.
    pub right: u64,
    /// Pairs of signals that are equal.
    pub equal: u64,
    /// Pairs of signals that differ.
    pub different: u64,
    /// Signals that only the left side has.
    pub only_left: u64,
    /// Signals that only the right side has.
    pub only_right: u64,
    /// Pairs that differ, by the first field that does, in the order of publication.
    pub by_field: BTreeMap<String, u64>,
    /// Pairs of which both have a label, and not the same; of signals without labels, a grade.
    pub label_flips: u64,
    /// The same by both labels, as `up -> flat`.
    pub flips: BTreeMap<String, u64>,
    /// Pairs of which both have a score.
    pub scores: u64,
    /// The median of the differences of their scores; none without such pairs.
    pub median_abs_score: Option<f64>,
    /// The 99th percentile.
    pub p99_abs_score: Option<f64>,
    /// The largest.
    pub max_abs_score: Option<f64>,
    /// Signals on the left that have the id of another one, as after a restart that delivers again. They
    /// count as signals.
    pub repeated_left: u64,
    /// Signals on the right that have the id of another one.
    pub repeated_right: u64,
    /// Whether both sides were in order and were merged as they were read; else both were held in memory.
    pub merged: bool,
    /// The earliest difference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first: Option<FirstDifference>,
}

impl ReconcileReport {
    pub(super) fn with(self, sides: Sides, scores: Scores) -> Self {
        let ScoreDifferences {
            pairs,
            median,
            p99,
            max,
        } = scores.differences();
        let Sides {
            left,
            right,
            repeated_left,
            repeated_right,
            merged,
        } = sides;
        Self {
            left,
            right,
            scores: pairs,
            median_abs_score: median,
            p99_abs_score: p99,
            max_abs_score: max,
            repeated_left,
            repeated_right,
            merged,
            ..self
        }
    }

    /// Whether there is no difference.
    #[must_use]
    pub fn is_equal(&self) -> bool {
        self.different + self.only_left + self.only_right == 0
    }
}

impl fmt::Display for ReconcileReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { left, right, .. } = self;
        writeln!(f, "signals        {left} on the left, {right} on the right")?;
        writeln!(
            f,
            "pairs          {} equal, {} different; {} only on the left, {} only on the right",
            self.equal, self.different, self.only_left, self.only_right
        )?;
        for (field, count) in &self.by_field {
            writeln!(f, "  {field:<16} {count:>10}")?;
        }
        if self.repeated_left + self.repeated_right > 0 {
            let (left, right) = (self.repeated_left, self.repeated_right);
            writeln!(
                f,
                "repeated       {left} on the left, {right} on the right, by their id"
            )?;
        }
        writeln!(f, "label flips    {}", self.label_flips)?;
        for (flip, count) in &self.flips {
            writeln!(f, "  {flip:<16} {count:>10}")?;
        }
        if let (Some(median), Some(p99), Some(max)) = (
            self.median_abs_score,
            self.p99_abs_score,
            self.max_abs_score,
        ) {
            let pairs = self.scores;
            writeln!(
                f,
                "score          |difference| of {pairs} pairs: median {median:.3e}, p99 {p99:.3e}, max \
                 {max:.3e}"
            )?;
        }
        if let Some(first) = &self.first {
            writeln!(f, "first          {first}")?;
            writeln!(f, "  left  {}", first.left)?;
            writeln!(f, "  right {}", first.right)?;
        }
        Ok(())
    }
}
