//! Outcomes, read from a file of labels.
//!
//! JSON lines `{"key": …, "ts_event": …, "outcome": 0, "split": "test"}`: `ts_event` is that of the signal
//! that the label is about, by default the key's last, or `signal_id` names it; `outcome` is 0 or 1 (false or
//! true), one of the model's labels, or a number for a model of numbers, and null where it is not known yet;
//! beside a 1 `ts_failure` may say when it happened; `weight` says how much the row counts, and `group` what
//! it depends on. Or a CSV or Parquet file with the columns of `[source.table]`. The engine never sees any of
//! it.

mod label;
mod lines;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use rustc_hash::FxHashMap;

use self::label::LabelProblem;
pub use self::label::{LabelPlace, Labelled, TRAINING, WrittenOutcome};
use self::lines::lines;
use crate::source::compression::decompressed;
use crate::source::table;
use crate::source::table::{OutcomeRow, TableColumns, TablePosition, is_absent};

/// Outcomes, in the order of the file.
#[derive(Clone, Debug, Default)]
pub struct Outcomes {
    /// Those to be judged, in the order of the file, and after them those of the training part.
    pub all: Vec<Labelled>,
    /// How many are to be judged.
    judged: usize,
    path: PathBuf,
}

/// The outcomes that a model allows.
#[derive(Clone, Copy, Debug)]
pub struct Scale<'a> {
    /// The model's labels.
    pub labels: &'a [String],
    /// Whether 0 and 1 mean something: for one score, for two labels, and where the score is a probability.
    pub flags: bool,
    /// Whether any number is an outcome.
    pub numbers: bool,
    /// Whether they are about persons: then no error repeats a value.
    pub persons: bool,
}

/// An outcome.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Outcome {
    /// 0 or 1.
    Flag(bool),
    /// The place of a label among the model's.
    Class(usize),
    /// Any number.
    Number(f64),
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

impl Outcomes {
    /// Reads a file. Where a split is named, its labels are to be judged, and those of [`TRAINING`] are kept
    /// to fit baselines; else all are to be judged.
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
            Some(kind) => of_table(kind, file, columns)
                .map(|judged| (judged, vec![]))
                .map_err(|error| (None, error.to_string())),
        };
        Ok(Self::new(all.map_err(fail)?, path))
    }

    fn new((mut all, training): (Vec<Labelled>, Vec<Labelled>), path: &Path) -> Self {
        let judged = all.len();
        all.extend(training);
        Self {
            all,
            judged,
            path: path.to_owned(),
        }
    }

    /// Whether the label of this index is of the training part, and not to be judged.
    #[must_use]
    pub fn is_training(&self, label: usize) -> bool {
        label >= self.judged
    }

    /// Whether there is a training part that is not judged.
    #[must_use]
    pub fn have_training(&self) -> bool {
        self.judged < self.all.len()
    }

    /// Whether any label names its signal by the id.
    #[must_use]
    pub fn name_ids(&self) -> bool {
        self.all.iter().any(|label| label.signal_id.is_some())
    }

    /// Labels of JSON lines, for tests.
    #[cfg(test)]
    pub(super) fn of_lines(text: &str) -> Self {
        Self::of_split(text, None)
    }

    /// Labels of JSON lines of which one split is judged, for tests.
    #[cfg(test)]
    pub(super) fn of_split(text: &str, split: Option<&str>) -> Self {
        let all = lines(text.as_bytes(), split).expect("a test writes labels");
        Self::new(all, Path::new("labels.jsonl"))
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

    /// Where a file has 0 and 1 beside the names of two labels, 1 means the second label; beside other
    /// numbers they are numbers.
    fn make_one_kind(
        &self,
        meant: &mut [Option<Outcome>],
        scale: &Scale<'_>,
    ) -> Result<(), OutcomeError> {
        let is_flag = |outcome: &Option<Outcome>| matches!(outcome, Some(Outcome::Flag(_)));
        if !meant.iter().any(is_flag) {
            return Ok(());
        }
        let is_number = |outcome: &Option<Outcome>| matches!(outcome, Some(Outcome::Number(_)));
        if meant.iter().any(is_number) {
            for outcome in meant.iter_mut().flatten() {
                if let Outcome::Flag(flag) = outcome {
                    *outcome = Outcome::Number(f64::from(u8::from(*flag)));
                }
            }
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
                Some(Outcome::Flag(_) | Outcome::Number(_)) | None => {}
            }
        }
        Ok(())
    }

    /// Refuses two outcomes for a key's last signal.
    fn agree(&self, meant: &[Option<Outcome>]) -> Result<(), OutcomeError> {
        let mut known: FxHashMap<&str, Outcome> = FxHashMap::default();
        for (label, outcome) in self.all.iter().zip(meant) {
            let Some(outcome) = outcome.filter(|_| label.is_of_last()) else {
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
        let number = text
            .parse()
            .ok()
            .filter(|number: &f64| scale.numbers && number.is_finite());
        match (class, flag) {
            // Labels named 0 and 1 mean the numbers.
            (Some(at), Some(flag))
                if scale.labels.len() == 2 && at == usize::from(flag) && !self.quoted =>
            {
                Ok(Some(Outcome::Flag(flag)))
            }
            (Some(at), _) => Ok(Some(Outcome::Class(at))),
            (None, Some(flag)) => Ok(Some(Outcome::Flag(flag))),
            (None, None) if number.is_some() => Ok(number.map(Outcome::Number)),
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
            (true, _) if scale.numbers => "a finite number".to_owned(),
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
            Self::Number(_) => false,
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
        signal_id: None,
        weight: None,
        group: None,
        place: match row.position {
            TablePosition::Line(line) => LabelPlace::Line(line),
            TablePosition::Row(row) => LabelPlace::Row(row),
        },
    };
    Ok(rows.into_iter().map(label).collect())
}

#[cfg(test)]
mod tests;
