//! A leak: its kind, where it is, how many rows it concerns, one of them, and what to do.

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};

/// What a set may leak by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LeakKind {
    /// An input that was known later than the decision.
    LateInput,
    /// A normaliser that was fitted on rows it must not know.
    Normaliser,
    /// The label of a train row reaches into the window or the label of a held-out row.
    LabelOverlap,
    /// A value of another time was joined without the time of its release.
    NoRelease,
    /// A group has rows in train and rows that are held out.
    GroupOverlap,
    /// A row is in train and held out.
    DuplicateRows,
    /// A feature is the label.
    LabelInFeatures,
}

/// A leak that was found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Leak {
    /// Its kind.
    pub kind: LeakKind,
    /// The column in which it shows: a feature, a split, a fold.
    pub column: String,
    /// What is wrong.
    pub what: String,
    /// The rows that it concerns.
    pub rows: u64,
    /// One of them.
    pub example: Option<ExampleRow>,
    /// What to do.
    pub advice: String,
}

/// A row of a set.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ExampleRow {
    /// Its number in the file, from 0.
    pub row: u64,
    /// Its instrument or other key; none where the set has no such column.
    pub instrument: Option<String>,
    /// Its time, in RFC 3339.
    pub ts_event: Option<String>,
    /// Values that show the leak.
    pub values: Map<String, Value>,
}

/// What a check of one kind covered.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CheckedKind {
    /// The kind.
    pub kind: LeakKind,
    /// Whether it could be checked.
    pub checked: bool,
    /// What was compared, or why nothing could be.
    pub how: String,
    /// What it does not cover.
    pub not_covered: Vec<String>,
}

/// What the check of one kind found, and covered.
pub(super) struct Verdict {
    pub(super) checked: CheckedKind,
    pub(super) leaks: Vec<Leak>,
}

impl Verdict {
    pub(super) fn checked(kind: LeakKind, how: impl Into<String>, leaks: Vec<Leak>) -> Self {
        Self {
            checked: CheckedKind {
                kind,
                checked: true,
                how: how.into(),
                not_covered: vec![],
            },
            leaks,
        }
    }

    pub(super) fn unchecked(kind: LeakKind, why: impl Into<String>) -> Self {
        let mut verdict = Self::checked(kind, why, vec![]);
        verdict.checked.checked = false;
        verdict
    }

    /// The same, and what it does not cover.
    pub(super) fn without(mut self, not_covered: impl IntoIterator<Item = String>) -> Self {
        self.checked.not_covered.extend(not_covered);
        self
    }
}

impl LeakKind {
    /// All kinds, in the order of reports.
    pub const ALL: [Self; 7] = [
        Self::LateInput,
        Self::Normaliser,
        Self::LabelOverlap,
        Self::NoRelease,
        Self::GroupOverlap,
        Self::DuplicateRows,
        Self::LabelInFeatures,
    ];

    /// Its name in reports.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::LateInput => "late_input",
            Self::Normaliser => "normaliser",
            Self::LabelOverlap => "label_overlap",
            Self::NoRelease => "no_release",
            Self::GroupOverlap => "group_overlap",
            Self::DuplicateRows => "duplicate_rows",
            Self::LabelInFeatures => "label_in_features",
        }
    }
}

impl fmt::Display for ExampleRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "row {}", self.row)?;
        if let Some(instrument) = &self.instrument {
            write!(f, " of {instrument}")?;
        }
        if let Some(time) = &self.ts_event {
            write!(f, " at {time}")?;
        }
        let values = self.values.iter();
        let values: Vec<String> = values.map(|(name, value)| shown(name, value)).collect();
        if values.is_empty() {
            Ok(())
        } else {
            write!(f, ": {}", values.join(", "))
        }
    }
}

fn shown(name: &str, value: &Value) -> String {
    match value {
        Value::String(text) => format!("{name} {text}"),
        other => format!("{name} {other}"),
    }
}
