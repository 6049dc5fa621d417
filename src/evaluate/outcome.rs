//! What really happened, read from a file of labels.
//!
//! JSON lines `{"key": …, "ts_event": …, "outcome": 0, "split": "test"}`: `ts_event` is that of the signal
//! that is judged, without one it is the key's last; `outcome` is 0 or 1, or one of the model's labels;
//! beside a 1 `ts_failure` may say when it happened. Or a CSV file with the columns of `[source.table]`. The
//! engine never sees any of it.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::source::table::{self, Columns};

/// Outcomes, in the order of the file.
#[derive(Clone, Debug, Default)]
pub struct Outcomes {
    /// In the order of the file.
    pub all: Vec<Labelled>,
}

/// A label.
#[derive(Clone, Debug, PartialEq)]
pub struct Labelled {
    /// Whom it is about.
    pub key: String,
    /// The time of the signal that is judged; none: the key's last.
    pub ts_event: Option<i64>,
    /// What happened.
    pub outcome: Outcome,
    /// When.
    pub ts_failure: Option<i64>,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Outcome {
    /// 0 or 1.
    Flag(u8),
    /// A label.
    Label(String),
}

/// Why labels cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("while reading the labels {}{}: {what}", path.display(), line.map_or(String::new(), |line| format!(":{line}")))]
pub struct OutcomeError {
    /// The file.
    pub path: PathBuf,
    /// The line, from 1.
    pub line: Option<usize>,
    /// What is wrong and what to do.
    pub what: String,
}

#[derive(Deserialize)]
struct Line {
    key: String,
    ts_event: Option<i64>,
    outcome: Outcome,
    ts_failure: Option<i64>,
    split: Option<String>,
}

impl Outcome {
    /// The place of a label among the model's; none for 0 and 1.
    #[must_use]
    pub fn class(&self, labels: &[String]) -> Option<usize> {
        match self {
            Self::Flag(_) => None,
            Self::Label(label) => labels.iter().position(|known| known == label),
        }
    }

    /// Whether it is 1.
    #[must_use]
    pub fn happened(&self) -> bool {
        *self == Self::Flag(1)
    }

    /// Whether it is 0 or 1.
    #[must_use]
    pub fn is_binary(&self) -> bool {
        matches!(self, Self::Flag(_))
    }
}

impl Outcomes {
    /// Reads a file; only labels of `split`, where one is named.
    ///
    /// # Errors
    /// [`OutcomeError`] with the line.
    pub fn read(
        path: &Path,
        columns: Option<&Columns>,
        split: Option<&str>,
    ) -> Result<Self, OutcomeError> {
        let fail = |line: Option<usize>, what: String| OutcomeError {
            path: path.to_owned(),
            line,
            what,
        };
        let file = File::open(path).map_err(|error| fail(None, error.to_string()))?;
        let all = match table::kind_of(path) {
            None => lines(BufReader::new(file), split),
            Some(_) if split.is_some() => Err((
                None,
                "a table has no splits; give a file of the rows that are meant".into(),
            )),
            Some(kind) => of_table(kind, file, columns).map_err(|e| (None, e.to_string())),
        };
        let all = all.map_err(|(line, what)| fail(line, what))?;
        Ok(Self { all })
    }
}

type Read = Vec<Labelled>;

fn lines(reader: impl BufRead, split: Option<&str>) -> Result<Read, (Option<usize>, String)> {
    let mut all = vec![];
    for (number, line) in reader.lines().enumerate() {
        let wrong = |what: String| (Some(number + 1), what);
        let text = line.map_err(|error| wrong(error.to_string()))?;
        if text.trim().is_empty() {
            continue;
        }
        let line: Line = serde_json::from_str(&text).map_err(|error| {
            wrong(format!(
                "{error}; a line is {{\"key\": …, \"ts_event\": …, \"outcome\": …}}"
            ))
        })?;
        if matches!(line.outcome, Outcome::Flag(flag) if flag > 1) {
            return Err(wrong("`outcome` must be 0, 1 or a label".into()));
        }
        if split.is_none_or(|split| line.split.as_deref() == Some(split)) {
            all.push(Labelled {
                key: line.key,
                ts_event: line.ts_event,
                outcome: line.outcome,
                ts_failure: line.ts_failure,
            });
        }
    }
    Ok(all)
}

/// The outcome of each key's last row.
fn of_table(kind: table::TableKind, file: File, columns: Option<&Columns>) -> io::Result<Read> {
    let pairs = table::outcomes(kind, file, columns)?;
    let mut all: Read = vec![];
    for (key, value) in pairs {
        let outcome: Outcome = serde_json::from_value(value).map_err(io::Error::other)?;
        match all.last_mut().filter(|last| last.key == key) {
            Some(last) => last.outcome = outcome,
            None => all.push(Labelled {
                key,
                ts_event: None,
                outcome,
                ts_failure: None,
            }),
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, split: Option<&str>) -> Result<Read, (Option<usize>, String)> {
        lines(text.as_bytes(), split)
    }

    #[test]
    fn a_split_is_chosen() {
        let text = r#"{"key":"a","ts_event":5,"outcome":1,"split":"test","fold":0}

{"key":"b","outcome":"up","split":"train"}"#;
        let of_test = read(text, Some("test")).unwrap();
        let expected = Labelled {
            key: "a".into(),
            ts_event: Some(5),
            outcome: Outcome::Flag(1),
            ts_failure: None,
        };
        assert_eq!(of_test, [expected]);
        assert_eq!(
            read(text, None).unwrap()[1].outcome,
            Outcome::Label("up".into())
        );
    }

    #[test]
    fn a_bad_line_is_named() {
        let (line, what) = read("{\"key\":\"a\",\"outcome\":1}\n{\"key\":", None).unwrap_err();
        assert!(line == Some(2) && what.contains("a line is"), "{what}");
        let (_, what) = read("{\"key\":\"a\",\"outcome\":2}", None).unwrap_err();
        assert!(what.contains("0, 1"), "{what}");
    }
}
