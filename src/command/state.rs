//! `foretick state`: the snapshots of a folder, listed, shown and verified.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::alert::AlertsSnapshot;
use crate::clock;
use crate::engine::saved::SavedStates;
use crate::state::{SavedFile, StateError, StateHeader, StateSnapshot, saved_files};

/// How much is told of each snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateDetail {
    /// A line.
    Line,
    /// All that it says of itself, and its instruments.
    All,
    /// A line; states and alerts are read too.
    Verified,
}

/// The snapshots that were found.
#[derive(Debug, Serialize)]
pub struct StateReport {
    /// The files, by name.
    pub files: Vec<StateFileReport>,
    /// Whether none is damaged.
    pub ok: bool,
    #[serde(skip)]
    detail: Option<StateDetail>,
}

/// A snapshot.
#[derive(Debug, Serialize)]
pub struct StateFileReport {
    /// Where it is.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// What it says of itself.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub header: Option<StateHeader>,
    /// How long ago it was taken, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age_s: Option<f64>,
    /// The names of its instruments.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// What is wrong with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
}

/// Reads the snapshots of these folders and files.
///
/// # Errors
/// [`StateError`] where a folder cannot be read, or has no snapshot.
pub fn state(paths: &[PathBuf], detail: StateDetail) -> Result<StateReport, StateError> {
    let mut files = vec![];
    for path in paths {
        files.extend(
            saved_files(path)?
                .into_iter()
                .map(|file| report(file, detail)),
        );
    }
    Ok(StateReport {
        ok: files.iter().all(|file| file.fault.is_none()),
        files,
        detail: Some(detail),
    })
}

fn report(file: SavedFile, detail: StateDetail) -> StateFileReport {
    let (mut names, mut header, mut fault) = (vec![], None, None);
    match file.snapshot {
        Err(error) => fault = Some(error.to_string()),
        Ok(snapshot) => {
            match read(&snapshot, &file.path) {
                _ if detail == StateDetail::Line => {}
                Ok(found) if detail == StateDetail::All => names = found,
                Ok(_) => {}
                Err(what) => fault = Some(what),
            }
            header = Some(snapshot.header);
        }
    }
    let age = |header: &StateHeader| (clock::now().0 - header.saved_at) as f64 * 1e-9;
    StateFileReport {
        path: file.path,
        bytes: file.bytes,
        age_s: header.as_ref().map(age),
        header,
        names,
        fault,
    }
}

/// The names of the instruments, where states and alerts can be read.
fn read(snapshot: &StateSnapshot, path: &Path) -> Result<Vec<String>, String> {
    let at = |what: String| format!("while reading state {}: {what}", path.display());
    let states = SavedStates::read(&snapshot.states).map_err(|error| at(error.to_string()))?;
    let names: Vec<String> = states.names().map(str::to_owned).collect();
    if names.len() != snapshot.header.instruments {
        let (says, has) = (snapshot.header.instruments, names.len());
        return Err(at(format!("it says {says} instruments and has {has}")));
    }
    if let Some(alerts) = &snapshot.alerts {
        let alerts: AlertsSnapshot =
            serde_json::from_slice(alerts).map_err(|error| at(error.to_string()))?;
        alerts.check().map_err(at)?;
    }
    Ok(names)
}

impl fmt::Display for StateReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for file in &self.files {
            match (&file.header, &file.fault) {
                (_, Some(fault)) => writeln!(f, "damaged  {fault}")?,
                (Some(header), None) => write_one(f, file, header, self.detail)?,
                (None, None) => {}
            }
        }
        let damaged = self
            .files
            .iter()
            .filter(|file| file.fault.is_some())
            .count();
        writeln!(f, "{} snapshots, {damaged} damaged", self.files.len())
    }
}

fn write_one(
    f: &mut fmt::Formatter<'_>,
    file: &StateFileReport,
    header: &StateHeader,
    detail: Option<StateDetail>,
) -> fmt::Result {
    let positions = header.positions.iter();
    let positions: Vec<String> = positions
        .map(|at| format!("{}@{}", at.topic, at.next))
        .collect();
    writeln!(
        f,
        "partition {:<5} {:>7} instruments {:>10} bytes {:>9.1} s old  {}  {}",
        header.partition,
        header.instruments,
        file.bytes,
        file.age_s.unwrap_or_default(),
        positions.join(" "),
        file.path.display(),
    )?;
    if detail == Some(StateDetail::All) {
        let of = &header.identity;
        writeln!(f, "  pipeline  {}", of.pipeline)?;
        writeln!(f, "  group     {}", of.group)?;
        writeln!(f, "  engine    {}", of.engine_version)?;
        writeln!(f, "  model     {}", of.model_sha256)?;
        writeln!(f, "  features  {}", of.features_sha256)?;
        writeln!(f, "  settings  {}", of.settings_sha256)?;
        writeln!(f, "  holds     {}", file.names.join(" "))?;
    }
    Ok(())
}
