//! The topics that a pipeline writes.

use crate::alert::record::SCHEMA;
use crate::config::{PipelineFile, SourceKind};
use crate::signal::lineage::Lineage;
use crate::sink::gap_json;
use crate::sink::topic::{DeadLetterTopic, SideTopics, dead_letter_topic};

/// The topics of a sink of the kind `kafka`: of the signals, and beside it.
#[must_use]
pub fn sink_topics(file: &PipelineFile, lineage: &Lineage) -> (String, SideTopics) {
    let sink = &file.sink;
    let topic = sink.topic.clone().unwrap_or_else(|| lineage.schema.clone());
    let dead_letters = match (&sink.dead_letters, file.source.kind) {
        (Some(topic), _) => DeadLetterTopic::One(topic.clone()),
        (None, SourceKind::Kafka) => DeadLetterTopic::OfSource,
        (None, SourceKind::Websocket) => DeadLetterTopic::One(dead_letter_topic(&topic)),
    };
    let side = SideTopics {
        dead_letters,
        alerts: sink.alerts.clone().unwrap_or_else(|| SCHEMA.into()),
        gaps: match sink.gaps.as_deref() {
            None => Some(gap_json::SCHEMA.into()),
            Some("") => None,
            Some(topic) => Some(topic.into()),
        },
    };
    (topic, side)
}
