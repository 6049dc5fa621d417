//! Outcomes, read from a file of labels.
//!
//! JSON lines `{"key": …, "ts_event": …, "outcome": 0, "split": "test"}`: `ts_event` is that of the signal
//! that the label is about, by default the key's last; `outcome` is 0 or 1 (false or true), or one of the
//! model's labels, and null where it is not known yet; beside a 1 `ts_failure` may say when it happened. Or
//! a CSV or Parquet file with the columns of `[source.table]`. The engine never sees any of it.

use std::fmt;
use std::fs::File;
use std::io::{self, BufRead};
use std::path::{Path, PathBuf};

use rustc_hash::FxHashMap;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::source::compression::decompressed;
use crate::source::table;
use crate::source::table::{OutcomeRow, TableColumns, TablePosition, is_absent};
use crate::time::ROW_NUMBERS;
use crate::units::Nanos;

/// Outcomes, in the order of the file.
#[derive(Clone, Debug, Default)]
pub struct Outcomes {
    /// In the order of the file.
    pub all: Vec<Labelled>,
    path: PathBuf,
}

/// A label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labelled {
    /// The instrument, applicant or obligor.
    pub key: String,
    /// The time of the signal that it is about; none: the key's last.
    pub ts_event: Option<i64>,
    /// The outcome.
    pub outcome: WrittenOutcome,
    /// When the failure happened.
    pub ts_failure: Option<i64>,
    /// Where it is in the file.
    pub place: LabelPlace,
}

/// An outcome as the file has it. What it means depends on the model's labels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenOutcome {
    text: String,
    /// Whether it is a JSON string, and so no number; false for a table, where that is not known.
    quoted: bool,
}

/// A place in a file of labels, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LabelPlace {
    /// Of JSON lines.
    Line(u64),
    /// Of a table, its header not counted.
    Row(u64),
}

/// The outcomes that a model allows.
#[derive(Clone, Copy, Debug)]
pub struct Scale<'a> {
    /// The model's labels.
    pub labels: &'a [String],
    /// Whether 0 and 1 mean something: for one score, for two labels, and where the score is a probability.
    pub flags: bool,
    /// Whether they are about persons: then no error repeats a value.
    pub persons: bool,
}

/// An outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// 0 or 1.
    Flag(bool),
    /// The place of a label among the model's.
    Class(usize),
}

/// Why labels cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("while reading the labels {}{}: {what}", path.display(), place.map_or(String::new(), |place| place.to_string()))]
pub struct OutcomeError {
    /// The file.
    pub path: PathBuf,
    /// Where in it.
    pub place: Option<LabelPlace>,
    /// What is wrong and what to do.
    pub what: String,
}

type LabelProblem = (Option<LabelPlace>, String);

impl Outcomes {
    /// Reads a file; only labels of `split`, where one is named.
    ///
    /// # Errors
    /// [`OutcomeError`] with the line or the row.
    pub fn read(
        path: &Path,
        columns: Option<&TableColumns>,
        split: Option<&str>,
    ) -> Result<Self, OutcomeError> {
        let fail = |(place, what): LabelProblem| OutcomeError {
            path: path.to_owned(),
            place,
            what,
        };
        let file = File::open(path).map_err(|error| fail((None, error.to_string())))?;
        let all = match table::kind_of(path) {
            None => decompressed(file)
                .map_err(|error| (None, error.to_string()))
                .and_then(|text| lines(text, split)),
            Some(_) if split.is_some() => Err((
                None,
                "a table has no splits; give a file of the rows that are meant".into(),
            )),
            Some(kind) => of_table(kind, file, columns).map_err(|error| (None, error.to_string())),
        };
        let all = all.map_err(fail)?;
        let path = path.to_owned();
        Ok(Self { all, path })
    }

    /// Labels of JSON lines, for tests.
    #[cfg(test)]
    pub(super) fn of_lines(text: &str) -> Self {
        Self {
            all: lines(text.as_bytes(), None).expect("a test writes labels"),
            path: "labels.jsonl".into(),
        }
    }

    /// The outcome of each label; none where it is not known yet.
    ///
    /// # Errors
    /// [`OutcomeError`] with the first outcome that the model does not have.
    pub fn resolve(&self, scale: &Scale<'_>) -> Result<Vec<Option<Outcome>>, OutcomeError> {
        let mut meant = Vec::with_capacity(self.all.len());
        for label in &self.all {
            let outcome = label.outcome.outcome(scale);
            meant.push(outcome.map_err(|what| self.fail(label, what))?);
        }
        self.make_one_kind(&mut meant, scale)?;
        self.agree(&meant)?;
        Ok(meant)
    }

    /// Where a file has 0 and 1 beside the names of two labels, 1 means the second label.
    fn make_one_kind(
        &self,
        meant: &mut [Option<Outcome>],
        scale: &Scale<'_>,
    ) -> Result<(), OutcomeError> {
        let is_flag = |outcome: &Option<Outcome>| matches!(outcome, Some(Outcome::Flag(_)));
        if !meant.iter().any(is_flag) {
            return Ok(());
        }
        for (label, outcome) in self.all.iter().zip(meant) {
            match outcome {
                Some(Outcome::Class(at)) if scale.labels.len() == 2 => {
                    *outcome = Some(Outcome::Flag(*at == 1));
                }
                Some(Outcome::Class(_)) => {
                    let what = "this outcome is a label, and others are 0 or 1; write all as one or the other";
                    return Err(self.fail(label, what.into()));
                }
                Some(Outcome::Flag(_)) | None => {}
            }
        }
        Ok(())
    }

    /// Refuses two outcomes for a key's last signal.
    fn agree(&self, meant: &[Option<Outcome>]) -> Result<(), OutcomeError> {
        let mut known: FxHashMap<&str, Outcome> = FxHashMap::default();
        for (label, outcome) in self.all.iter().zip(meant) {
            let Some(outcome) = outcome.filter(|_| label.ts_event.is_none()) else {
                continue;
            };
            if *known.entry(&label.key).or_insert(outcome) != outcome {
                let what = "its key had another outcome before, and neither says which signal it is of: give \
                            labels a `ts_event`";
                return Err(self.fail(label, what.into()));
            }
        }
        Ok(())
    }

    /// An error about a label.
    pub(super) fn fail(&self, label: &Labelled, what: String) -> OutcomeError {
        OutcomeError {
            path: self.path.clone(),
            place: Some(label.place),
            what,
        }
    }
}

impl WrittenOutcome {
    fn outcome(&self, scale: &Scale<'_>) -> Result<Option<Outcome>, String> {
        let text = self.text.trim();
        let class = scale.labels.iter().position(|known| known.trim() == text);
        let flag = flag(text).filter(|_| scale.flags);
        match (class, flag) {
            // Labels named 0 and 1 mean the numbers.
            (Some(at), Some(flag))
                if scale.labels.len() == 2 && at == usize::from(flag) && !self.quoted =>
            {
                Ok(Some(Outcome::Flag(flag)))
            }
            (Some(at), _) => Ok(Some(Outcome::Class(at))),
            (None, Some(flag)) => Ok(Some(Outcome::Flag(flag))),
            (None, None) if text.is_empty() || (!self.quoted && is_absent(text)) => Ok(None),
            (None, None) => Err(self.unknown_outcome(scale)),
        }
    }

    fn unknown_outcome(&self, scale: &Scale<'_>) -> String {
        let outcome = if scale.persons {
            "the outcome".to_owned()
        } else {
            format!("the outcome `{}`", self.text)
        };
        let labels: Vec<String> = scale.labels.iter().map(|one| format!("`{one}`")).collect();
        let allowed = match (labels.is_empty(), scale.flags) {
            (true, _) => "0 or 1 (false or true)".to_owned(),
            (false, true) => format!("{}, or 0 or 1 (false or true)", labels.join(", ")),
            (false, false) => labels.join(", "),
        };
        format!(
            "{outcome} is not an outcome of this model: {allowed}; write one of these, or nothing where it is \
             not known yet"
        )
    }
}

impl Outcome {
    /// Whether it is 1, which of two labels is the second.
    #[must_use]
    pub fn happened(self, labels: &[String]) -> bool {
        match self {
            Self::Flag(flag) => flag,
            Self::Class(at) => labels.len() == 2 && at == 1,
        }
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

/// 0 and 1, also written 0.0 and 1.0, and false and true.
fn flag(text: &str) -> Option<bool> {
    match text.parse::<f64>() {
        Ok(0.0) => Some(false),
        Ok(1.0) => Some(true),
        Ok(_) => None,
        Err(_) => text.to_ascii_lowercase().parse().ok(),
    }
}

#[derive(Deserialize)]
struct Line {
    key: Key,
    ts_event: Option<i64>,
    #[serde(deserialize_with = "written")]
    outcome: WrittenOutcome,
    ts_failure: Option<i64>,
    split: Option<String>,
}

/// An identifier; one of digits is the same with and without quotes.
#[derive(Deserialize)]
#[serde(untagged)]
enum Key {
    Text(String),
    Whole(u64),
    Below(i64),
}

impl From<Key> for String {
    fn from(key: Key) -> Self {
        match key {
            Key::Text(text) => text,
            Key::Whole(number) => number.to_string(),
            Key::Below(number) => number.to_string(),
        }
    }
}

fn written<'de, D: Deserializer<'de>>(from: D) -> Result<WrittenOutcome, D::Error> {
    let (text, quoted) = match Value::deserialize(from)? {
        Value::String(text) => (text, true),
        Value::Null => (String::new(), false),
        value => (value.to_string(), false),
    };
    Ok(WrittenOutcome { text, quoted })
}

fn lines(reader: impl BufRead, split: Option<&str>) -> Result<Vec<Labelled>, LabelProblem> {
    let mut all = vec![];
    for (number, line) in (1..).zip(reader.lines()) {
        let place = LabelPlace::Line(number);
        let wrong = |what: String| (Some(place), what);
        let text = line.map_err(|error| wrong(error.to_string()))?;
        if text.trim().is_empty() {
            continue;
        }
        let line: Line = serde_json::from_str(&text).map_err(|error| wrong(unread(&error)))?;
        for ts in [line.ts_event, line.ts_failure].into_iter().flatten() {
            if !(0..ROW_NUMBERS).contains(&ts) {
                Nanos::plausible(ts).map_err(|error| wrong(error.to_string()))?;
            }
        }
        if split.is_none_or(|split| line.split.as_deref() == Some(split)) {
            all.push(Labelled {
                key: line.key.into(),
                ts_event: line.ts_event,
                outcome: line.outcome,
                ts_failure: line.ts_failure,
                place,
            });
        }
    }
    Ok(all)
}

/// What is wrong with a line, without a value of it: it may name a person.
fn unread(error: &serde_json::Error) -> String {
    let message = error.to_string();
    let what = if !error.is_data() || message.starts_with("missing field") {
        message
    } else {
        "a field is not what it should be: `key` text or a whole number, the times nanoseconds, `split` text"
            .into()
    };
    format!("{what}; a line is {{\"key\": …, \"ts_event\": …, \"outcome\": …}}")
}

/// Statements: the row of each firm's last period, wherever it is in the file, because the engine's last
/// window is of that period; of two rows of a period the later one. Anything else: each row.
fn of_table(
    kind: table::TableKind,
    file: File,
    columns: Option<&TableColumns>,
) -> io::Result<Vec<Labelled>> {
    let mut rows = table::outcomes(kind, file, columns)?;
    if columns.is_some_and(TableColumns::are_statements) {
        let mut last: FxHashMap<&str, usize> = FxHashMap::default();
        for (at, row) in rows.iter().enumerate() {
            let place = last.entry(&row.key).or_insert(at);
            if row.period >= rows[*place].period {
                *place = at;
            }
        }
        let mut kept: Vec<usize> = last.into_values().collect();
        kept.sort_unstable();
        rows = kept.into_iter().map(|at| rows[at].clone()).collect();
    }
    let label = |row: OutcomeRow| Labelled {
        key: row.key,
        ts_event: row.ts_event.map(|ts| ts.0),
        outcome: WrittenOutcome {
            text: row.outcome,
            quoted: false,
        },
        ts_failure: None,
        place: match row.position {
            TablePosition::Line(line) => LabelPlace::Line(line),
            TablePosition::Row(row) => LabelPlace::Row(row),
        },
    };
    Ok(rows.into_iter().map(label).collect())
}

#[cfg(test)]
mod tests;
