//! Alerts on their way out: PDs of signals in, records of `alerts.default.v1` out, and the file that keeps
//! episodes over a restart.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::command::Command;
use super::rule::Rule;
use super::{Alert, Alerts};
use crate::config::SinkKind;
use crate::pipeline::Pipeline;
use crate::signal::Signal;
use crate::signal::lineage::Lineage;

/// The alerts of a run.
#[derive(Debug)]
pub struct Desk {
    alerts: Alerts,
    lineage: Lineage,
    state: Option<PathBuf>,
    changed: bool,
    published: u64,
}

/// Why alerts cannot begin, or not be kept.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// The rules, or the state does not fit them.
    #[error("while setting up alerts: {0}")]
    Rules(String),
    /// Alerts would be told nowhere, and the state would say that they were.
    #[error(
        "while setting up alerts: they go nowhere, yet {} would remember them as told; say where (`--alerts FILE`, \
         `[sink] alerts`), or give no `alerts_state`",
        .0.display()
    )]
    Untold(PathBuf),
    /// The file of the state.
    #[error("while keeping the state of alerts in {}: {cause}", path.display())]
    State {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
}

impl Desk {
    /// Alerts by these rules over signals of this lineage, going on where `state` says that a run before
    /// ended; without such a file from the beginning.
    ///
    /// # Errors
    /// [`DeskError`].
    pub fn open(
        rules: &[Rule],
        lineage: &Lineage,
        state: Option<&Path>,
    ) -> Result<Self, DeskError> {
        let broken = |path: &Path, cause| DeskError::State {
            path: path.to_owned(),
            cause,
        };
        let kept = match state {
            Some(path) if path.exists() => {
                let text = fs::read(path).map_err(|cause| broken(path, cause))?;
                let snapshot = serde_json::from_slice(&text);
                Some(snapshot.map_err(|error| broken(path, io::Error::other(error)))?)
            }
            _ => None,
        };
        let alerts = match kept {
            Some(snapshot) => Alerts::restore(rules.to_vec(), snapshot),
            None => Alerts::new(rules.to_vec()),
        };
        Ok(Self {
            alerts: alerts.map_err(DeskError::Rules)?,
            lineage: lineage.clone(),
            state: state.map(Path::to_owned),
            changed: false,
            published: 0,
        })
    }

    /// Those of a pipeline; none where it has no rules. A live run goes on where the one before ended.
    ///
    /// # Errors
    /// [`DeskError`].
    pub fn of(
        pipeline: &Pipeline,
        lineage: &Lineage,
        live: bool,
    ) -> Result<Option<Self>, DeskError> {
        let sink = &pipeline.file.sink;
        let state = sink.alerts_state.as_deref().filter(|_| live);
        let rules = &pipeline.file.alerts;
        if let Some(path) = state
            && sink.kind != SinkKind::Kafka
            && sink.alerts.is_none()
            && !rules.is_empty()
        {
            return Err(DeskError::Untold(path.to_owned()));
        }
        (!rules.is_empty())
            .then(|| Self::open(rules, lineage, state))
            .transpose()
    }

    /// Takes a signal, and hands each record that it makes to `publish`, with its key.
    ///
    /// # Errors
    /// What `publish` says.
    pub fn take<E>(
        &mut self,
        signal: &Signal,
        obligor: &str,
        mut publish: impl FnMut(&str, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        self.changed = true;
        // Time passes for a company by its own statements, and by ticks: by the statements of others it
        // would depend on how the companies are shared among shards.
        let pd = self.lineage.score(signal);
        let alerts = self.alerts.observe(obligor, signal.ts_event, pd);
        let codes: Vec<&str> = self.lineage.codes(signal).collect();
        for alert in &alerts {
            publish(obligor, self.record(alert, &codes).to_string().as_bytes())?;
            self.published += 1;
        }
        Ok(())
    }

    /// Does what a command says, and hands what became due by it to `publish`. False where there is no such
    /// alert.
    ///
    /// # Errors
    /// What `publish` says.
    pub fn command<E>(
        &mut self,
        command: &Command,
        mut publish: impl FnMut(&str, &[u8]) -> Result<(), E>,
    ) -> Result<bool, E> {
        self.changed = true;
        let Some(alerts) = command.apply(&mut self.alerts) else {
            return Ok(false);
        };
        for alert in &alerts {
            // No statement came with it, and so no reasons.
            publish(
                &alert.obligor,
                self.record(alert, &[]).to_string().as_bytes(),
            )?;
            self.published += 1;
        }
        Ok(true)
    }

    /// Records made so far, whether or not the sink keeps such.
    #[must_use]
    pub fn published(&self) -> u64 {
        self.published
    }

    /// Writes the state where it has changed. To be called once all that was published has arrived, and
    /// before its input is called done.
    ///
    /// # Errors
    /// [`DeskError::State`].
    pub fn keep(&mut self) -> Result<(), DeskError> {
        let Some(path) = self.state.as_ref().filter(|_| self.changed) else {
            return Ok(());
        };
        let text = serde_json::to_vec(self.alerts.snapshot()).map_err(io::Error::other);
        let written = text.and_then(|text| replace(path, &text));
        written.map_err(|cause| DeskError::State {
            path: path.clone(),
            cause,
        })?;
        self.changed = false;
        Ok(())
    }

    /// Whether a state is kept.
    #[must_use]
    pub fn keeps_state(&self) -> bool {
        self.state.is_some()
    }

    fn record(&self, alert: &Alert, codes: &[&str]) -> Value {
        json!({
            "schema": SCHEMA,
            "dedup_key": alert.dedup_key(),
            "pipeline": self.lineage.pipeline,
            "obligor": alert.obligor,
            "rule": alert.rule,
            "episode": alert.episode,
            "sequence": alert.sequence,
            "state": alert.state,
            "severity": alert.severity,
            "pd": alert.pd,
            "grade": self.lineage.grade_of(alert.pd),
            "reasons": codes,
            "ts_event": alert.ts_event.0,
            "since": alert.since.0,
            "fired": alert.fired.map(|fired| fired.0),
            "acknowledged": alert.acknowledged,
            "model_sha256": self.lineage.model_sha256,
        })
    }
}

/// The schema of a record, and its topic where none is named.
pub const SCHEMA: &str = "alerts.default.v1";

/// Whole or not at all: a file beside it takes its place.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = path.with_extension("new");
    let mut file = fs::File::create(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, path)
}
