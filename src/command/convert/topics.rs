//! Converted events into Kafka topics, keyed by instrument, through an idempotent producer.
//!
//! A record has the time at which its message was received as the header `ts_recv`, so that topics are merged
//! in the order of the archive again. A gap goes to each topic that its instrument is in.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use crate::event::Body;
use crate::kafka::Properties;
use crate::sink::SinkError;
use crate::sink::event::{NamedEvent, json_record};
use crate::sink::kafka::KafkaSink;
use crate::sink::kafka::error::KafkaSinkError;
use crate::sink::kafka::settings::KafkaSinkSettings;
use crate::source::input_paths::{is_topic, topic_of};
use crate::source::kafka::whole_topic::{AddressError, TopicError, records_of};
use crate::units::Nanos;

/// Where events go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TopicTarget {
    bootstrap: String,
    /// One topic for all events; none: those of their kinds.
    topic: Option<String>,
}

/// Why nothing is written to a topic.
#[derive(Debug, thiserror::Error)]
pub enum TopicFault {
    /// The address.
    #[error(
        "while checking --output: {0}; or kafka://host:port for the topics md.trades.v1 and so on"
    )]
    Address(#[from] AddressError),
    /// A topic that is read.
    #[error(
        "while checking --output: the topic `{0}` is an input, and would grow while it is read; name \
         another topic"
    )]
    IsInput(String),
    /// A topic that is not empty.
    #[error(
        "while checking --output: the topic `{topic}` holds {records} records; add --force to write behind \
         them, or name another topic"
    )]
    IsFilled {
        /// The topic.
        topic: String,
        /// Its records.
        records: u64,
    },
}

impl TopicTarget {
    /// The target that an output names; none for a file.
    pub(super) fn of(output: &Path) -> Result<Option<Self>, TopicFault> {
        if !is_topic(output) {
            return Ok(None);
        }
        let text = output.to_string_lossy();
        let place = text.trim_start_matches(SCHEME).trim_end_matches('/');
        if !place.is_empty() && !place.contains('/') {
            return Ok(Some(Self {
                bootstrap: place.to_owned(),
                topic: None,
            }));
        }
        let address = topic_of(output)?;
        Ok(address.map(|address| Self {
            bootstrap: address.bootstrap,
            topic: Some(address.topic),
        }))
    }

    fn topics(&self) -> Vec<&str> {
        match &self.topic {
            Some(topic) => vec![topic],
            None => KINDS.to_vec(),
        }
    }

    /// Refuses a topic that is an input.
    pub(super) fn check_inputs(&self, inputs: &[impl AsRef<Path>]) -> Result<(), TopicFault> {
        for input in inputs {
            let Some(address) = topic_of(input.as_ref())? else {
                continue;
            };
            let hosts = |text: &str| text.split(',').map(str::to_owned).collect::<BTreeSet<_>>();
            let is_shared = !hosts(&address.bootstrap).is_disjoint(&hosts(&self.bootstrap));
            if is_shared && self.topics().contains(&&*address.topic) {
                return Err(TopicFault::IsInput(address.topic));
            }
        }
        Ok(())
    }

    /// The first topic that holds records.
    pub(super) fn check_empty(&self, kafka: &Properties) -> Result<Option<TopicFault>, TopicError> {
        let topics = self.topics();
        let records = records_of(&self.bootstrap, &topics, kafka)?;
        let filled = topics
            .into_iter()
            .zip(records)
            .find(|(_, records)| *records > 0);
        Ok(filled.map(|(topic, records)| TopicFault::IsFilled {
            topic: topic.to_owned(),
            records,
        }))
    }
}

/// A producer of events.
pub(super) struct EventTopics {
    sink: KafkaSink,
    patience: Duration,
    target: TopicTarget,
    /// The topics that each instrument is in.
    known: BTreeMap<String, BTreeSet<String>>,
}

impl EventTopics {
    /// Connects.
    pub(super) fn connect(target: TopicTarget, kafka: &Properties) -> Result<Self, SinkError> {
        let settings = KafkaSinkSettings {
            bootstrap: target.bootstrap.clone(),
            topic: target.topics()[0].to_owned(),
            linger_ms: LINGER_MS,
            compression: "lz4".into(),
            properties: kafka.clone(),
            ..KafkaSinkSettings::default()
        };
        let patience = settings.delivery_timeout;
        Ok(Self {
            sink: KafkaSink::connect(settings).map_err(failed)?,
            patience,
            target,
            known: BTreeMap::new(),
        })
    }

    /// Whether an event is sent: ticks are not, since whoever reads topics has a clock.
    pub(super) fn has(body: &Body) -> bool {
        topic_of_kind(body).is_some() || matches!(body, Body::Gap(_) | Body::FeedGap(_))
    }

    /// Queues an event; waits while the queue is full.
    pub(super) fn write(&mut self, event: &NamedEvent<'_>) -> Result<(), SinkError> {
        let Some(kind) = topic_of_kind(event.body) else {
            return self.write_gap(event);
        };
        let topic = self.target.topic.clone().unwrap_or_else(|| kind.to_owned());
        let topics = self.known.get(event.instrument);
        if !topics.is_some_and(|topics| topics.contains(&topic)) {
            let topics = self.known.entry(event.instrument.to_owned()).or_default();
            topics.insert(topic.clone());
        }
        self.send(&topic, event)
    }

    /// Sends a gap to the topics of its instrument, or of all that are known.
    fn write_gap(&mut self, event: &NamedEvent<'_>) -> Result<(), SinkError> {
        let is_of = |name: &str| event.instrument.is_empty() || event.instrument == name;
        let of = self.known.iter().filter(|(name, _)| is_of(name));
        let of: Vec<(String, String)> = of
            .flat_map(|(name, topics)| topics.iter().map(|topic| (name.clone(), topic.clone())))
            .collect();
        for (instrument, topic) in of {
            let one = NamedEvent {
                instrument: &instrument,
                ..*event
            };
            self.send(&topic, &one)?;
        }
        Ok(())
    }

    fn send(&mut self, topic: &str, event: &NamedEvent<'_>) -> Result<(), SinkError> {
        let Some(record) = json_record(event) else {
            return Ok(());
        };
        let payload = record.to_string();
        let received = event.ts_recv.0.to_string();
        let all = [("ts_recv", received.as_bytes())];
        let headers = match event.ts_recv {
            Nanos::UNDEFINED => &all[..0],
            _ => &all[..],
        };
        let key = event.instrument.as_bytes();
        let sent = self.sink.send_with(topic, key, payload.as_bytes(), headers);
        sent.map_err(failed)
    }

    /// Waits until all records have arrived; gives their number.
    pub(super) fn finish(self) -> Result<u64, SinkError> {
        self.sink.flush(self.patience).map_err(failed)?;
        Ok(self.sink.sent())
    }
}

fn failed(error: KafkaSinkError) -> SinkError {
    SinkError::Kafka(Box::new(error))
}

/// The topic of the events of a kind; none of one that has no topic.
fn topic_of_kind(body: &Body) -> Option<&'static str> {
    match body {
        Body::Trade(_) => Some(KINDS[0]),
        Body::Quote(_) => Some(KINDS[1]),
        Body::Depth(_) => Some(KINDS[2]),
        Body::Bar(_) => Some(KINDS[3]),
        _ => None,
    }
}

const KINDS: [&str; 4] = ["md.trades.v1", "md.quotes.v1", "md.book.v1", "md.bars.v1"];
const SCHEME: &str = "kafka://";
/// How long a record waits for others to be sent with it: bulk counts more than latency.
const LINGER_MS: u32 = 20;
