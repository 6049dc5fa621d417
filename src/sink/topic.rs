//! Signals to a Kafka topic, keyed by instrument; dead letters, alerts and gaps to topics of their own.
//!
//! `kafka` delivers the records, `json` formats them.

use std::sync::Arc;
use std::time::Duration;

use super::json::JsonWriter;
use super::kafka::KafkaSink;
use super::kafka::error::KafkaSinkError;
use super::kafka::settings::KafkaSinkSettings;
use super::kafka::transaction::CommittingGroup;
use super::status::SinkStatus;
use super::{DeadLetter, Sink, SinkError};
use crate::frame::Position;
use crate::signal::Signal;

/// Writes signals to a topic.
pub struct TopicSink {
    writer: JsonWriter,
    kafka: KafkaSink,
    side: SideTopics,
    payload: Vec<u8>,
    /// How long `flush` waits for records to arrive.
    flush_timeout: Duration,
    /// Positions that a flush has committed.
    committed: Vec<Position>,
}

/// The topics that are written beside that of the signals.
#[derive(Clone, Debug)]
pub struct SideTopics {
    /// Of dead letters.
    pub dead_letters: DeadLetterTopic,
    /// Of alerts.
    pub alerts: String,
    /// Of gaps; none: they are not written.
    pub gaps: Option<String>,
}

/// The topic that dead letters go to.
#[derive(Clone, Debug)]
pub enum DeadLetterTopic {
    /// All go to this topic.
    One(String),
    /// Each goes to the topic of dead letters of the topic that its frame came from: [`dead_letter_topic`].
    OfSource,
}

/// The topic for dead letters of another topic, where the configuration names none.
#[must_use]
pub fn dead_letter_topic(topic: &str) -> String {
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
        side: SideTopics,
    ) -> Result<Self, SinkError> {
        let flush_timeout = settings.delivery_timeout;
        let kafka = KafkaSink::connect(settings).map_err(failed)?;
        Ok(Self {
            writer,
            kafka,
            side,
            payload: vec![],
            flush_timeout,
            committed: vec![],
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
        match &self.side.dead_letters {
            DeadLetterTopic::One(topic) => self.kafka.send_dead_letter(topic, letter),
            DeadLetterTopic::OfSource => self
                .kafka
                .send_dead_letter(&dead_letter_topic(letter.stream), letter),
        }
        .map_err(failed)
    }

    fn alert(&mut self, key: &str, record: &[u8]) -> Result<(), SinkError> {
        self.kafka
            .send_to(&self.side.alerts, key.as_bytes(), record)
            .map_err(failed)
    }

    fn gap(&mut self, key: &str, record: &[u8]) -> Result<(), SinkError> {
        match &self.side.gaps {
            Some(topic) => self.kafka.send_to(topic, key.as_bytes(), record),
            None => Ok(()),
        }
        .map_err(failed)
    }

    fn mark(&mut self, positions: &[Position]) {
        self.kafka.mark(positions);
    }

    fn acknowledged(&mut self, positions: &mut Vec<Position>) -> Result<(), SinkError> {
        positions.append(&mut self.committed);
        self.kafka.acknowledged(positions).map_err(failed)
    }

    fn commit_for(&mut self, group: Arc<dyn CommittingGroup>) {
        self.kafka.commit_for(group);
    }

    fn flush(&mut self) -> Result<(), SinkError> {
        self.kafka.flush(self.flush_timeout).map_err(failed)?;
        self.kafka.commit(&mut self.committed).map_err(failed)
    }

    fn keeps_dead_letters(&self) -> bool {
        true
    }

    fn status(&self) -> Arc<SinkStatus> {
        self.kafka.status()
    }
}

fn failed(error: KafkaSinkError) -> SinkError {
    SinkError::Kafka(Box::new(error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signal::lineage::Lineage;
    use crate::simulate::broker::EmbeddedBroker;

    #[test]
    fn gaps_arrive_where_they_have_a_topic() {
        let broker = EmbeddedBroker::start(&[("signals", 1), ("gaps", 1)]).unwrap();
        for (gaps, count) in [(Some("gaps".to_owned()), 1), (None, 0)] {
            let settings = KafkaSinkSettings {
                bootstrap: broker.bootstrap(),
                topic: "signals".into(),
                ..KafkaSinkSettings::default()
            };
            let side = SideTopics {
                dead_letters: DeadLetterTopic::OfSource,
                alerts: "alerts".into(),
                gaps,
            };
            let writer = JsonWriter::new(Lineage::default(), &[]);
            let mut sink = TopicSink::connect(writer, settings, side).unwrap();
            sink.gap("BTCUSDT.BINANCE", b"{}").unwrap();
            sink.flush().unwrap();
            assert_eq!((sink.kafka.sent(), sink.kafka.delivered()), (count, count));
        }
    }
}
