//! The topics that a pipeline writes.

use crate::alert::record::SCHEMA;
use crate::config::{ConfigFault, PipelineFile, SinkKind, SourceKind};
use crate::signal::lineage::Lineage;
use crate::sink::gap_json;
use crate::sink::topic::{DeadLetterTopic, SideTopics, dead_letter_topic};

/// Checks the names that brokers would refuse only later, or never: of topics and of the group.
///
/// # Errors
/// The key at fault.
pub(super) fn check(file: &PipelineFile) -> Result<(), ConfigFault> {
    let (source, sink) = (&file.source, &file.sink);
    let group = file.kafka.group.as_deref();
    if group.is_some_and(|name| name.is_empty() || name.contains(char::is_control)) {
        let what =
            "write the name of a consumer group: some letters, none of them a control character";
        return Err(ConfigFault::at("kafka.group", what));
    }
    if source.kind == SourceKind::Kafka {
        for (at, topic) in source.topics.iter().enumerate() {
            check_name("source.topics", topic)?;
            if source.topics[..at].contains(topic) {
                let what = format!("topic `{topic}` is named twice; name it once");
                return Err(ConfigFault::at("source.topics", what));
            }
        }
    }
    if sink.kind != SinkKind::Kafka {
        return Ok(());
    }
    let written = [
        ("sink.topic", &sink.topic),
        ("sink.dead_letters", &sink.dead_letters),
        ("sink.alerts", &sink.alerts),
    ];
    let gaps = sink.gaps.as_ref().filter(|name| !name.is_empty());
    let named = written.map(|(key, name)| (key, name.as_ref()));
    for (key, topic) in named.into_iter().chain([("sink.gaps", gaps)]) {
        let Some(topic) = topic else {
            continue;
        };
        check_name(key, topic)?;
        if source.kind == SourceKind::Kafka && source.topics.contains(topic) {
            let what = format!("topic `{topic}` is read by this pipeline; write to another one");
            return Err(ConfigFault::at(key, what));
        }
    }
    Ok(())
}

/// As Kafka's brokers do.
fn check_name(key: &str, topic: &str) -> Result<(), ConfigFault> {
    let may_stand = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let is_name = (1..=249).contains(&topic.len()) && topic.chars().all(may_stand);
    if is_name && topic != "." && topic != ".." {
        return Ok(());
    }
    let what = format!(
        "`{topic}` is no name of a topic: write 1 to 249 of the letters a to z, A to Z, digits, `.`, `_` and `-`"
    );
    Err(ConfigFault::at(key, what))
}

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
