//! The alerts of a run: PDs of signals in, records of `alerts.default.v1` out, and the file that keeps
//! episodes over a restart.
//!
//! What opens, fires and resolves an alert is decided in `alert`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::atomic_file::replace_file;
use crate::alert::command::AlertCommand;
use crate::alert::record::{AlertContext, record};
use crate::alert::rule::AlertRule;
use crate::alert::{Alert, Alerts, AlertsSnapshot};
use crate::signal::Signal;
use crate::signal::lineage::Lineage;

/// The alerts of a run.
#[derive(Debug)]
pub struct AlertJournal {
    alerts: Alerts,
    lineage: Lineage,
    /// The model of the last signal: index into the models of the lineage.
    model: u8,
    state_file: Option<PathBuf>,
    /// What was resolved at the start because its rule is gone, until it is published.
    removed: Vec<Alert>,
    /// Whether the alerts have changed since the state was written.
    changed: bool,
    published: u64,
}

/// Why alerts cannot begin, or their state not be written.
#[derive(Debug, thiserror::Error)]
pub enum AlertJournalError {
    /// The rules are at fault, or the state does not fit them.
    #[error("while setting up alerts: {0}")]
    Rules(String),
    /// Alerts would be written nowhere, but the state would record them as published.
    #[error(
        "while setting up alerts: they are written nowhere, yet {} would record them as published; say where to \
         write them (`--alerts FILE`, `[sink] alerts`), or take `alerts_state` out",
        .0.display()
    )]
    NotWritten(PathBuf),
    /// The state cannot be read or written.
    #[error("while keeping the state of alerts in {}: {cause}", path.display())]
    State {
        /// The file.
        path: PathBuf,
        /// The system's error.
        cause: io::Error,
    },
}

impl AlertJournal {
    /// Alerts by these rules over signals of this lineage. They go on from the state in `state_file`; from
    /// the beginning where none is named or it does not exist.
    ///
    /// # Errors
    /// [`AlertJournalError`].
    pub fn open(
        rules: &[AlertRule],
        lineage: &Lineage,
        state_file: Option<&Path>,
    ) -> Result<Self, AlertJournalError> {
        let failed = |path: &Path, cause| AlertJournalError::State {
            path: path.to_owned(),
            cause,
        };
        let snapshot = match state_file {
            Some(path) if path.exists() && !path.is_file() => {
                let what = "it is no file; name another in `alerts_state`";
                return Err(failed(path, io::Error::other(what)));
            }
            Some(path) if path.exists() => {
                let text = fs::read(path).map_err(|cause| failed(path, cause))?;
                let snapshot: AlertsSnapshot = serde_json::from_slice(&text)
                    .map_err(|error| failed(path, io::Error::other(error)))?;
                let checked = snapshot.check();
                checked.map_err(|what| failed(path, io::Error::other(what)))?;
                Some(snapshot)
            }
            _ => None,
        };
        let alerts = match snapshot {
            Some(snapshot) => Alerts::restore(rules.to_vec(), snapshot),
            None => Alerts::new(rules.to_vec()),
        };
        let mut alerts = alerts.map_err(AlertJournalError::Rules)?;
        let removed = alerts.resolve_removed();
        Ok(Self {
            changed: !removed.is_empty(),
            alerts,
            lineage: lineage.clone(),
            model: 0,
            state_file: state_file.map(Path::to_owned),
            removed,
            published: 0,
        })
    }

    /// Passes the records of the episodes that are over because their rules were taken out of the
    /// configuration since the last run to `publish`, and returns their number. Call it once, before any
    /// signal.
    ///
    /// # Errors
    /// Those of `publish`.
    pub fn begin<E>(
        &mut self,
        publish: impl FnMut(&str, &[u8]) -> Result<(), E>,
    ) -> Result<usize, E> {
        let removed = std::mem::take(&mut self.removed);
        if removed.is_empty() {
            return Ok(0);
        }
        let records = self.records(&removed, &[]);
        self.publish(records, publish)?;
        Ok(removed.len())
    }

    /// Takes a signal, and passes each record that it makes to `publish`, with its key. One that must not be
    /// acted on is counted and makes none: the PD before it holds.
    ///
    /// # Errors
    /// Those of `publish`.
    pub fn signal<E>(
        &mut self,
        signal: &Signal,
        obligor: &str,
        publish: impl FnMut(&str, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        self.changed = true;
        if !signal.quality.may_be_acted_on() {
            self.alerts.pass_over();
            return Ok(());
        }
        self.model = signal.model;
        // Time passes for a company by its own statements, and by ticks: by the statements of others it
        // would depend on how the companies are shared among shards.
        let pd = self.lineage.score(signal);
        let (ts, period) = (signal.ts_event, signal.period);
        let alerts = self.alerts.observe_period(obligor, ts, period, pd);
        if alerts.is_empty() {
            return Ok(());
        }
        let reasons: Vec<&str> = self.lineage.codes(signal).collect();
        let records = self.records(&alerts, &reasons);
        self.publish(records, publish)
    }

    /// Executes a command, and passes the records of the alerts that become due by it to `publish`. False
    /// where the command names no known alert.
    ///
    /// # Errors
    /// Those of `publish`.
    pub fn command<E>(
        &mut self,
        command: &AlertCommand,
        publish: impl FnMut(&str, &[u8]) -> Result<(), E>,
    ) -> Result<bool, E> {
        self.changed = true;
        let Some(alerts) = command.apply(&mut self.alerts) else {
            return Ok(false);
        };
        // No statement came with the command, and so no reasons.
        let records = self.records(&alerts, &[]);
        self.publish(records, publish)?;
        Ok(true)
    }

    /// The number of records made so far, whether or not the sink writes them.
    #[must_use]
    pub fn published(&self) -> u64 {
        self.published
    }

    /// Writes the state if it has changed. Call it once everything published has arrived, and before the
    /// offsets of its input are committed.
    ///
    /// # Errors
    /// [`AlertJournalError::State`].
    pub fn write_state(&mut self) -> Result<(), AlertJournalError> {
        let Some(path) = self.state_file.as_ref().filter(|_| self.changed) else {
            return Ok(());
        };
        let text = serde_json::to_vec(self.alerts.snapshot()).map_err(io::Error::other);
        let written = text.and_then(|text| replace_file(path, &text));
        written.map_err(|cause| AlertJournalError::State {
            path: path.clone(),
            cause,
        })?;
        self.changed = false;
        Ok(())
    }

    /// Whether a state is written.
    #[must_use]
    pub fn keeps_state(&self) -> bool {
        self.state_file.is_some()
    }

    /// Each alert's key and record.
    fn records(&self, alerts: &[Alert], reasons: &[&str]) -> Vec<(String, String)> {
        let model = &self.lineage.models[usize::from(self.model)];
        let of = |alert: &Alert| {
            let context = AlertContext {
                pipeline: &self.lineage.pipeline,
                grade: model.grade(alert.pd),
                reasons,
                model_sha256: &model.sha256,
            };
            (alert.obligor.clone(), record(alert, context).to_string())
        };
        alerts.iter().map(of).collect()
    }

    fn publish<E>(
        &mut self,
        records: Vec<(String, String)>,
        mut publish: impl FnMut(&str, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        for (key, record) in records {
            publish(&key, record.as_bytes())?;
            self.published += 1;
        }
        Ok(())
    }
}
