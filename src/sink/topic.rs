//! Signals to a Kafka topic, keyed by instrument, and dead letters to a topic of their own.
//!
//! How a record gets there is `kafka`'s business; what it looks like is `json`'s.

use std::time::Duration;

use super::json::JsonWriter;
use super::kafka::{KafkaSink, KafkaSinkError, KafkaSinkSettings};
use super::{DeadLetter, Sink, SinkError};
use crate::frame::Position;
use crate::signal::Signal;

/// A topic of signals.
pub struct TopicSink {
    writer: JsonWriter,
    kafka: KafkaSink,
    dead_letters: DeadLetters,
    alerts: String,
    payload: Vec<u8>,
    patience: Duration,
}

/// Which topic a dead letter goes to.
#[derive(Clone, Debug)]
pub enum DeadLetters {
    /// All to this one.
    To(String),
    /// Each to the one beside the topic that it came from: see [`of_dead_letters`].
    BesideTheirOwn,
}

/// The topic of dead letters beside another, where the configuration names none.
#[must_use]
pub fn of_dead_letters(topic: &str) -> String {
    format!("{topic}.dlq.v1")
}

impl TopicSink {
    /// Connects to the brokers.
    ///
    /// # Errors
    /// [`SinkError::Kafka`] where none answers, or the settings are refused.
    pub fn connect(
        writer: JsonWriter,
        settings: KafkaSinkSettings,
        dead_letters: DeadLetters,
        alerts: String,
    ) -> Result<Self, SinkError> {
        let patience = settings.delivery_timeout;
        let kafka = KafkaSink::connect(settings).map_err(failed)?;
        Ok(Self {
            writer,
            kafka,
            dead_letters,
            alerts,
            payload: vec![],
            patience,
        })
    }
}

impl Sink for TopicSink {
    fn signal(&mut self, signal: &Signal, instrument: &str) -> Result<(), SinkError> {
        self.payload.clear();
        self.writer.write(signal, instrument, &mut self.payload);
        self.kafka
            .send(instrument.as_bytes(), &self.payload, &[])
            .map_err(failed)
    }

    fn dead_letter(&mut self, letter: &DeadLetter<'_>) -> Result<(), SinkError> {
        match &self.dead_letters {
            DeadLetters::To(topic) => self.kafka.send_dead_letter(topic, letter),
            DeadLetters::BesideTheirOwn => self
                .kafka
                .send_dead_letter(&of_dead_letters(letter.stream), letter),
        }
        .map_err(failed)
    }

    fn alert(&mut self, key: &str, record: &[u8]) -> Result<(), SinkError> {
        self.kafka
            .send_to(&self.alerts, key.as_bytes(), record)
            .map_err(failed)
    }

    fn mark(&mut self, positions: &[Position]) {
        self.kafka.mark(positions);
    }

    fn acknowledged(&mut self, positions: &mut Vec<Position>) -> Result<(), SinkError> {
        self.kafka.acknowledged(positions).map_err(failed)
    }

    fn flush(&mut self) -> Result<(), SinkError> {
        self.kafka.flush(self.patience).map_err(failed)
    }

    fn keeps_dead_letters(&self) -> bool {
        true
    }
}

fn failed(error: KafkaSinkError) -> SinkError {
    SinkError::Kafka(Box::new(error))
}
