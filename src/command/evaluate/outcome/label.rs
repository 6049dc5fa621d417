//! A label as its file has it.

use std::fmt;

/// A label.
#[derive(Clone, Debug, PartialEq)]
pub struct Labelled {
    /// The instrument, applicant or obligor; empty where the signal is named by its id.
    pub key: String,
    /// The id of the signal that it is about, where the label names it.
    pub signal_id: Option<String>,
    /// The time of the signal that it is about; none: the key's last.
    pub ts_event: Option<i64>,
    /// The outcome.
    pub outcome: WrittenOutcome,
    /// When the failure happened.
    pub ts_failure: Option<i64>,
    /// How much its row counts; none: 1.
    pub weight: Option<f64>,
    /// Rows of one group depend on each other; none: on those of the same key.
    pub group: Option<String>,
    /// Where it is in the file.
    pub place: LabelPlace,
}

/// An outcome as the file has it. What it means depends on the model's labels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenOutcome {
    /// What stands there.
    pub(super) text: String,
    /// Whether it is a JSON string, and so no number; false for a table, where that is not known.
    pub(super) quoted: bool,
}

/// A place in a file of labels, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LabelPlace {
    /// Of JSON lines.
    Line(u64),
    /// Of a table, its header not counted.
    Row(u64),
}

/// What is wrong with a label, and where.
pub(super) type LabelProblem = (Option<LabelPlace>, String);

/// The split on which baselines are fitted.
pub const TRAINING: &str = "train";

impl Labelled {
    /// Whether it is about the last signal of its key.
    #[must_use]
    pub fn is_of_last(&self) -> bool {
        self.ts_event.is_none() && self.signal_id.is_none()
    }
}

impl fmt::Display for LabelPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) => write!(f, ":{line}"),
            Self::Row(row) => write!(f, ", row {row}"),
        }
    }
}
