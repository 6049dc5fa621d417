//! Reads the failures that `default_within` looks for: JSON lines `{"key": …, "ts_failure": …}`.

use std::fs::File;
use std::io::BufRead;
use std::path::Path;

use serde::Deserialize;

use crate::label::Failures;
use crate::source::compression::decompressed;
use crate::time::parse_time;
use crate::units::Nanos;

/// A line. Those of `evaluate --labels` can be read: of them the failures count, and all times show how far
/// the file reaches.
#[derive(Deserialize)]
struct FailureLine {
    #[serde(alias = "obligor", alias = "instrument")]
    key: String,
    ts_event: Option<Time>,
    ts_failure: Option<Time>,
}

/// A time, as nanoseconds or as text.
#[derive(Deserialize)]
#[serde(untagged)]
enum Time {
    Nanos(i64),
    Text(String),
}

impl Time {
    fn read(self) -> Result<Nanos, String> {
        match self {
            Self::Nanos(nanos) => Nanos::plausible(nanos).map_err(|error| error.to_string()),
            Self::Text(text) => parse_time(&text),
        }
    }
}

/// The failures of a file. `known_until` is up to when all are known; none: up to the latest time in the
/// file.
///
/// # Errors
/// A message that names the file and the line.
pub(super) fn read_failures(path: &Path, known_until: Option<Nanos>) -> Result<Failures, String> {
    let fault = |what: String| format!("while reading failures from {}: {what}", path.display());
    let file = File::open(path)
        .and_then(decompressed)
        .map_err(|error| fault(error.to_string()))?;
    let (mut all, mut latest) = (vec![], None);
    for (number, line) in (1..).zip(file.lines()) {
        let line = line.map_err(|error| fault(error.to_string()))?;
        if line.trim().is_empty() {
            continue;
        }
        let at_line = |what: String| fault(format!("line {number}: {what}"));
        let line: FailureLine =
            serde_json::from_str(&line).map_err(|error| at_line(error.to_string()))?;
        for (time, is_failure) in [(line.ts_event, false), (line.ts_failure, true)] {
            let Some(time) = time else { continue };
            let time = time.read().map_err(at_line)?;
            latest = latest.max(Some(time.0));
            if is_failure {
                all.push((line.key.clone(), time));
            }
        }
    }
    let until = known_until.or(latest.map(Nanos)).ok_or_else(|| {
        fault("no line has a time; write `ts_failure`, or set `known_until`".to_owned())
    })?;
    let mut failures = Failures::known_until(until);
    for (key, ts) in all {
        failures.add(&key, ts);
    }
    Ok(failures)
}
