//! The writer: the one thread that owns the sink, behind all engine threads.
//!
//! It hands signals on, makes alerts of them, and says how far everything has arrived. It computes no score.

use crossbeam::channel::Receiver as Deliveries;

use super::worker::Delivery;
use crate::alert::command::Command;
use crate::alert::journal::Desk;
use crate::decode::DecodeError;
use crate::frame::Origin;
use crate::signal::Signal;
use crate::signal::lineage::Lineage;
use crate::sink::{DeadLetter, Sink, SinkError};

/// Owns the sink.
pub struct Writer {
    sink: Box<dyn Sink>,
    names: Vec<Vec<String>>,
    streams: Vec<String>,
    written: u64,
    taken: u64,
    desk: Option<Desk>,
}

impl Writer {
    /// A writer for signals of this lineage.
    #[must_use]
    pub fn new(sink: Box<dyn Sink>, lineage: &Lineage) -> Self {
        Self {
            sink,
            names: vec![],
            streams: lineage.streams.clone(),
            written: 0,
            taken: 0,
            desk: None,
        }
    }

    /// The same with alerts.
    #[must_use]
    pub fn with_alerts(self, desk: Option<Desk>) -> Self {
        Self { desk, ..self }
    }

    /// Whether nothing may be called done before [`Writer::keep`].
    #[must_use]
    pub fn keeps_state(&self) -> bool {
        self.desk.as_ref().is_some_and(Desk::keeps_state)
    }

    /// Keeps the state of alerts; to be called once all that was taken has arrived.
    ///
    /// # Errors
    /// [`SinkError::Alerts`].
    pub fn keep(&mut self) -> Result<(), SinkError> {
        match &mut self.desk {
            Some(desk) => Ok(desk.keep()?),
            None => Ok(()),
        }
    }

    /// Alerts made, whether or not the sink keeps such.
    #[must_use]
    pub fn alerts(&self) -> u64 {
        self.desk.as_ref().map_or(0, Desk::published)
    }

    /// Whether dead letters are kept.
    #[must_use]
    pub fn keeps_dead_letters(&self) -> bool {
        self.sink.keeps_dead_letters()
    }

    /// Signals taken so far.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Takes one signal of the instrument with that name.
    ///
    /// # Errors
    /// [`SinkError`].
    pub fn signal(&mut self, signal: &Signal, name: &str) -> Result<(), SinkError> {
        self.sink.signal(signal, name)?;
        self.written += 1;
        self.taken += 1;
        let Some(desk) = &mut self.desk else {
            return Ok(());
        };
        let (sink, taken) = (&mut self.sink, &mut self.taken);
        desk.take(signal, name, |key, record| {
            *taken += u64::from(sink.alert(key, record)?);
            Ok(())
        })
    }

    /// Does what a command says of alerts.
    ///
    /// # Errors
    /// [`SinkError`].
    pub fn command(&mut self, command: &Command) -> Result<(), SinkError> {
        let (sink, taken) = (&mut self.sink, &mut self.taken);
        let found = match &mut self.desk {
            Some(desk) => desk.command(command, |key, record| {
                *taken += u64::from(sink.alert(key, record)?);
                Ok::<_, SinkError>(())
            })?,
            None => false,
        };
        if !found {
            tracing::warn!(
                ?command,
                "a command about an alert that is not there: nothing done"
            );
        }
        Ok(())
    }

    /// Takes a dead letter.
    ///
    /// # Errors
    /// [`SinkError`].
    pub fn letter(
        &mut self,
        error: DecodeError,
        origin: Origin,
        bytes: &[u8],
    ) -> Result<(), SinkError> {
        let stream = self
            .streams
            .get(usize::from(origin.stream))
            .map_or("", |name| name);
        let (reason, field) = (error.reason(), error.field());
        let letter = DeadLetter {
            reason,
            field,
            origin,
            stream,
            bytes,
        };
        self.taken += u64::from(self.sink.dead_letter(&letter)?);
        Ok(())
    }

    /// Takes a delivery.
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
        let done = signals.try_for_each(|(at, one)| {
            while let Some((_, command)) = commands.next_if(|(before, _)| *before <= at) {
                self.command(&command)?;
            }
            self.signal(one, &names[one.instrument.index()])
        });
        let done = done.and_then(|()| {
            let mut rest = commands;
            rest.try_for_each(|(_, command)| self.command(&command))
        });
        self.names[delivery.shard] = names;
        done?;
        for letter in delivery.letters.drain(..) {
            self.letter(letter.error, letter.origin, &letter.bytes)?;
        }
        Ok(())
    }

    /// Records taken so far, dead letters included.
    #[must_use]
    pub fn taken(&self) -> u64 {
        self.taken
    }

    /// How many of the records taken first have arrived for good.
    ///
    /// # Errors
    /// [`SinkError`].
    pub fn settle(&mut self) -> Result<u64, SinkError> {
        self.sink.settle()
    }

    /// Makes sure that all was written.
    ///
    /// # Errors
    /// [`SinkError`].
    pub fn flush(&mut self) -> Result<(), SinkError> {
        self.sink.flush()
    }

    /// Takes deliveries until all workers have gone, then ends the output.
    ///
    /// # Errors
    /// [`SinkError`].
    pub fn write_all(&mut self, deliveries: &Deliveries<Delivery>) -> Result<(), SinkError> {
        for mut delivery in deliveries {
            self.deliver(&mut delivery)?;
        }
        self.close()
    }

    /// Ends the output.
    ///
    /// # Errors
    /// [`SinkError`].
    pub fn close(&mut self) -> Result<(), SinkError> {
        self.sink.close()
    }
}
