//! The writer: the one owner of the sink, behind all shards.
//!
//! It hands signals to the sink, makes alerts of them, and gives back the positions up to which everything
//! has arrived. It computes no score.

use std::sync::Arc;

use super::delivery::{DeliveredCommand, Delivery, PartitionState, SavedPartition};
use crate::alert::AlertsSnapshot;
use crate::alert::command::AlertCommand;
use crate::decode::DecodeError;
use crate::engine::row::GapRecord;
use crate::frame::{Origin, Position};
use crate::signal::Signal;
use crate::signal::lineage::Lineage;
use crate::sink::alert_journal::AlertJournal;
use crate::sink::gap_json::{GapContext, gap_json};
use crate::sink::kafka::transaction::CommittingGroup;
use crate::sink::status::SinkStatus;
use crate::sink::{DeadLetter, Sink, SinkError};

/// Owns the sink, and the alerts.
pub struct Writer {
    sink: Box<dyn Sink>,
    /// The names of each shard's instruments.
    names: Vec<Vec<String>>,
    pipeline: String,
    streams: Vec<String>,
    written: u64,
    alerts: Option<AlertJournal>,
}

impl Writer {
    /// A writer for signals of this lineage.
    #[must_use]
    pub fn new(sink: Box<dyn Sink>, lineage: &Lineage) -> Self {
        Self {
            sink,
            names: vec![],
            pipeline: lineage.pipeline.clone(),
            streams: lineage.streams.clone(),
            written: 0,
            alerts: None,
        }
    }

    /// The same with alerts.
    #[must_use]
    pub fn with_alerts(self, alerts: Option<AlertJournal>) -> Self {
        Self { alerts, ..self }
    }

    /// Whether alerts are made.
    #[must_use]
    pub fn makes_alerts(&self) -> bool {
        self.alerts.is_some()
    }

    /// Alerts made, whether or not the sink keeps any.
    #[must_use]
    pub fn alerts(&self) -> u64 {
        self.alerts.as_ref().map_or(0, AlertJournal::published)
    }

    /// Whether dead letters are kept.
    #[must_use]
    pub fn keeps_dead_letters(&self) -> bool {
        self.sink.keeps_dead_letters()
    }

    /// What the sink shows of its delivery.
    #[must_use]
    pub fn sink_status(&self) -> Arc<SinkStatus> {
        self.sink.status()
    }

    /// Signals handed to the sink so far.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Writes one signal of the instrument with that name, and the alerts that it causes.
    ///
    /// # Errors
    /// [`SinkError`].
    pub fn signal(&mut self, signal: &Signal, name: &str) -> Result<(), SinkError> {
        if signal.origin.reprocessed {
            // It was published when its frame was first read; alerts go on from it.
            if let Some(alerts) = &mut self.alerts {
                alerts.retrace_signal(signal, name);
            }
            return Ok(());
        }
        self.sink.signal(signal, name)?;
        self.written += 1;
        let sink = &mut self.sink;
        match &mut self.alerts {
            Some(alerts) => alerts.signal(signal, name, |key, record| sink.alert(key, record)),
            None => Ok(()),
        }
    }

    /// Applies a command; of one that was applied before, nothing is written.
    ///
    /// # Errors
    /// [`SinkError`].
    pub fn delivered_command(&mut self, delivered: &DeliveredCommand) -> Result<(), SinkError> {
        match (delivered.reprocessed, &mut self.alerts) {
            (false, _) => self.command(&delivered.command),
            (true, Some(alerts)) => {
                alerts.retrace_command(&delivered.command);
                Ok(())
            }
            (true, None) => Ok(()),
        }
    }

    /// Applies a command to the alerts, and writes those that become due by it.
    ///
    /// # Errors
    /// [`SinkError`].
    pub fn command(&mut self, command: &AlertCommand) -> Result<(), SinkError> {
        let sink = &mut self.sink;
        let found = match &mut self.alerts {
            Some(alerts) => alerts.command(command, |key, record| sink.alert(key, record))?,
            // A run that makes no alerts, as an evaluation: there is nothing to apply it to.
            None => true,
        };
        if !found {
            tracing::warn!(?command, "ignored a command: it names no open alert");
        }
        Ok(())
    }

    /// Writes a gap of the instrument with that name, which was found or has ended.
    ///
    /// # Errors
    /// [`SinkError`].
    pub fn gap(&mut self, gap: &GapRecord, name: &str) -> Result<(), SinkError> {
        let context = GapContext {
            pipeline: &self.pipeline,
            instrument: name,
            stream: stream_name(&self.streams, gap.origin),
        };
        let record = gap_json(gap, context).to_string();
        self.sink.gap(name, record.as_bytes())
    }

    /// Writes a frame that could not be decoded.
    ///
    /// # Errors
    /// [`SinkError`].
    pub fn dead_letter(
        &mut self,
        error: DecodeError,
        origin: Origin,
        bytes: &[u8],
    ) -> Result<(), SinkError> {
        let stream = stream_name(&self.streams, origin);
        self.sink.dead_letter(&DeadLetter {
            reason: error.reason(),
            field: error.field(),
            origin,
            stream,
            bytes,
        })
    }

    /// Writes what came of a batch.
    ///
    /// # Errors
    /// [`SinkError`].
    pub fn deliver(&mut self, delivery: &mut Delivery) -> Result<(), SinkError> {
        if delivery.shard >= self.names.len() {
            self.names.resize_with(delivery.shard + 1, Vec::new);
        }
        let mut names = std::mem::take(&mut self.names[delivery.shard]);
        names.append(&mut delivery.new_names);
        let mut commands = delivery.commands.drain(..).peekable();
        let mut signals = delivery.signals.iter().enumerate();
        let written = signals.try_for_each(|(at, one)| {
            while let Some(command) = commands.next_if(|command| command.before <= at) {
                self.delivered_command(&command)?;
            }
            self.signal(one, &names[one.instrument.index()])
        });
        let written = written.and_then(|()| {
            let mut rest = commands;
            rest.try_for_each(|command| self.delivered_command(&command))
        });
        let written = written.and_then(|()| {
            let mut gaps = delivery.gaps.drain(..);
            gaps.try_for_each(|gap| self.gap(&gap, &names[gap.instrument.index()]))
        });
        if delivery.names_per_batch {
            names.clear();
        }
        self.names[delivery.shard] = names;
        written?;
        for frame in delivery.dead_letters.drain(..) {
            self.dead_letter(frame.error, frame.origin, &frame.bytes)?;
        }
        self.sink.mark(&delivery.positions);
        Ok(())
    }

    /// Notes positions of the input: everything of the frames before them was written.
    pub fn mark(&mut self, positions: &[Position]) {
        self.sink.mark(positions);
    }

    /// Notes what a shard says about the state of a partition. Gives what is to be saved of it, with its
    /// alerts.
    ///
    /// # Errors
    /// [`SinkError`].
    pub fn partition(
        &mut self,
        state: PartitionState,
    ) -> Result<Option<(SavedPartition, Option<AlertsSnapshot>)>, SinkError> {
        let (sink, alerts) = (&mut self.sink, &mut self.alerts);
        match (state, alerts) {
            (
                PartitionState::Begun {
                    partition,
                    alerts: saved,
                },
                Some(alerts),
            ) => {
                let removed =
                    alerts.begin(partition, saved, |key, record| sink.alert(key, record))?;
                if removed > 0 {
                    tracing::warn!(
                        episodes = removed,
                        "resolved open episodes: their rules are no longer in the configuration"
                    );
                }
                Ok(None)
            }
            (PartitionState::Ended { partition }, Some(alerts)) => {
                alerts.end(partition);
                Ok(None)
            }
            (PartitionState::Begun { .. } | PartitionState::Ended { .. }, None) => Ok(None),
            (PartitionState::Saved(saved), alerts) => {
                let of_alerts = alerts.as_ref().map(|alerts| alerts.saved(saved.partition));
                Ok(Some((saved, of_alerts)))
            }
        }
    }

    /// Commits offsets in the name of this group, where the sink writes records and offsets together.
    pub fn commit_for(&mut self, group: Arc<dyn CommittingGroup>) {
        self.sink.commit_for(group);
    }

    /// Appends the positions up to which everything has arrived for good since the last call: they may be
    /// committed. Where `last` is true, waits until all has.
    ///
    /// # Errors
    /// [`SinkError`], also for a record written earlier.
    pub fn acknowledged(&mut self, last: bool) -> Result<Vec<Position>, SinkError> {
        if last {
            self.sink.flush()?;
        }
        let mut positions = vec![];
        self.sink.acknowledged(&mut positions)?;
        Ok(positions)
    }

    /// Waits until all that was written has arrived.
    ///
    /// # Errors
    /// [`SinkError`].
    pub fn flush(&mut self) -> Result<(), SinkError> {
        self.sink.flush()
    }

    /// Ends the output.
    ///
    /// # Errors
    /// [`SinkError`].
    pub fn close(&mut self) -> Result<(), SinkError> {
        self.sink.close()
    }

    /// Ends the output: that of a source that failed replaces no file.
    ///
    /// # Errors
    /// The error of the source, or of the sink.
    pub fn end<T, E: From<SinkError>>(&mut self, read: Result<T, E>) -> Result<T, E> {
        match read {
            Ok(_) => self.sink.close()?,
            Err(_) => self.sink.close_incomplete()?,
        }
        read
    }
}

fn stream_name(streams: &[String], origin: Origin) -> &str {
    let stream = streams.get(usize::from(origin.stream));
    stream.map_or("", |name| name)
}

#[cfg(test)]
mod tests;
