//! The alerts of a run: PDs of signals in, records of `alerts.default.v1` out.
//!
//! What opens, fires and resolves an alert is decided in `alert`. Episodes belong to the partition that their
//! obligor's records come from, and are saved with its state.

use rustc_hash::FxHashMap;

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
    /// The partition of each obligor, where states are kept.
    homes: Option<FxHashMap<String, i32>>,
    published: u64,
}

/// Why alerts cannot begin, or go on from what was saved.
#[derive(Debug, thiserror::Error)]
pub enum AlertJournalError {
    /// The rules are at fault, or the state does not fit them.
    #[error("while setting up alerts: {0}")]
    Rules(String),
    /// What was saved is no state of alerts.
    #[error("while restoring alerts: {0}")]
    Restore(String),
}

impl AlertJournal {
    /// Alerts by these rules over signals of this lineage, without open episodes.
    ///
    /// # Errors
    /// [`AlertJournalError::Rules`].
    pub fn open(rules: &[AlertRule], lineage: &Lineage) -> Result<Self, AlertJournalError> {
        let alerts = Alerts::new(rules.to_vec()).map_err(AlertJournalError::Rules)?;
        Ok(Self {
            alerts,
            lineage: lineage.clone(),
            model: 0,
            homes: None,
            published: 0,
        })
    }

    /// The same, for a run that saves states by partition.
    #[must_use]
    pub fn keeping_homes(self) -> Self {
        Self {
            homes: Some(FxHashMap::default()),
            ..self
        }
    }

    /// Goes on from what was saved of a partition, or from nothing. Passes the records of the episodes that
    /// are over because their rules were taken out of the configuration to `publish`, and returns their
    /// number.
    ///
    /// # Errors
    /// Those of `publish`, and [`AlertJournalError::Restore`].
    pub fn begin<E: From<AlertJournalError>>(
        &mut self,
        partition: i32,
        saved: Option<AlertsSnapshot>,
        publish: impl FnMut(&str, &[u8]) -> Result<(), E>,
    ) -> Result<usize, E> {
        self.end(partition);
        let Some(saved) = saved else {
            return Ok(0);
        };
        let obligors: Vec<String> = saved.obligors().map(str::to_owned).collect();
        let added = self.alerts.add(saved);
        added.map_err(AlertJournalError::Restore)?;
        if let Some(homes) = &mut self.homes {
            homes.extend(obligors.into_iter().map(|obligor| (obligor, partition)));
        }
        let removed = self.alerts.resolve_removed();
        let records = self.records(&removed, &[]);
        self.publish(records, publish)?;
        Ok(removed.len())
    }

    /// Forgets the obligors of a partition that was given up.
    pub fn end(&mut self, partition: i32) {
        let Some(homes) = &mut self.homes else {
            return;
        };
        let alerts = &mut self.alerts;
        homes.retain(|obligor, home| {
            let goes = *home == partition;
            if goes {
                alerts.forget(obligor);
            }
            !goes
        });
    }

    /// What there is to save of a partition.
    #[must_use]
    pub fn saved(&self, partition: i32) -> AlertsSnapshot {
        let homes = self.homes.iter().flatten();
        let of = homes.filter(|&(_, &home)| home == partition);
        self.alerts
            .snapshot_of(of.map(|(obligor, _)| obligor.as_str()))
    }

    /// Takes a signal that was published before, of a frame that is read again: nothing is published.
    pub fn retrace_signal(&mut self, signal: &Signal, obligor: &str) {
        self.observe(signal, obligor);
    }

    /// Executes a command that was executed before: nothing is published.
    pub fn retrace_command(&mut self, command: &AlertCommand) {
        command.apply(&mut self.alerts);
    }

    /// The alerts that a signal causes; none where it must not be acted on.
    fn observe(&mut self, signal: &Signal, obligor: &str) -> Option<Vec<Alert>> {
        if !signal.quality.may_be_acted_on() {
            self.alerts.pass_over();
            return None;
        }
        self.model = signal.model;
        if let Some(homes) = &mut self.homes
            && signal.origin.partition >= 0
            && !homes.contains_key(obligor)
        {
            homes.insert(obligor.to_owned(), signal.origin.partition);
        }
        // Time passes for a company by its own statements, and by ticks: by the statements of others it
        // would depend on how the companies are shared among shards.
        let pd = self.lineage.score(signal);
        let (ts, period) = (signal.ts_event, signal.period);
        Some(self.alerts.observe_period(obligor, ts, period, pd))
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
        let Some(alerts) = self.observe(signal, obligor) else {
            return Ok(());
        };
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
