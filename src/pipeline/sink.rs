//! The sink of a pipeline, opened for a live run.

use std::path::Path;

use super::source::bootstrap;
use crate::alert::record::SCHEMA;
use crate::config::{PipelineFile, SinkConfig, SinkKind, SourceKind};
use crate::signal::field::SignalField;
use crate::signal::lineage::Lineage;
use crate::sink::existing_file::ExistingFile;
use crate::sink::file::SideFiles;
use crate::sink::json::JsonWriter;
use crate::sink::kafka::patience::ConnectPatience;
use crate::sink::kafka::settings::KafkaSinkSettings;
use crate::sink::line_file::Appears;
use crate::sink::open::open_file;
use crate::sink::topic::{DeadLetterTopic, SideTopics, TopicSink, dead_letter_topic};
use crate::sink::{Sink, SinkError, gap_json};

/// Opens the sink that `[sink]` names.
///
/// # Errors
/// [`SinkError`] where the file cannot be made or no broker answers.
pub(super) fn open(
    file: &PipelineFile,
    fields: &[SignalField],
    lineage: &Lineage,
    patience: &ConnectPatience,
    existing: ExistingFile,
) -> Result<Box<dyn Sink>, SinkError> {
    let sink = &file.sink;
    let side = SideFiles {
        dead_letters: sink.dead_letters.as_deref().map(Path::new),
        alerts: sink.alerts.as_deref().map(Path::new),
        gaps: sink
            .gaps
            .as_deref()
            .filter(|gaps| !gaps.is_empty())
            .map(Path::new),
    };
    let appears = Appears::Growing(existing);
    match sink.kind {
        SinkKind::Stdout => open_file(lineage, fields, Some(Path::new("-")), side, appears),
        SinkKind::File => open_file(lineage, fields, Some(file_of(sink)), side, appears),
        SinkKind::Kafka => open_topic(file, fields, lineage, patience),
    }
}

fn open_topic(
    file: &PipelineFile,
    fields: &[SignalField],
    lineage: &Lineage,
    patience: &ConnectPatience,
) -> Result<Box<dyn Sink>, SinkError> {
    let sink = &file.sink;
    let topic = sink.topic.clone().unwrap_or_else(|| lineage.schema.clone());
    let dead_letters = match (&sink.dead_letters, file.source.kind) {
        (Some(topic), _) => DeadLetterTopic::One(topic.clone()),
        (None, SourceKind::Kafka) => DeadLetterTopic::OfSource,
        (None, SourceKind::Websocket) => DeadLetterTopic::One(dead_letter_topic(&topic)),
    };
    let settings = KafkaSinkSettings {
        bootstrap: bootstrap(&file.kafka),
        topic,
        properties: file.kafka.properties.clone(),
        patience: patience.clone(),
        ..KafkaSinkSettings::default()
    };
    let writer = JsonWriter::new(lineage.clone(), fields);
    let side = SideTopics {
        dead_letters,
        alerts: sink.alerts.clone().unwrap_or_else(|| SCHEMA.into()),
        gaps: match sink.gaps.as_deref() {
            None => Some(gap_json::SCHEMA.into()),
            Some("") => None,
            Some(topic) => Some(topic.into()),
        },
    };
    let sink = TopicSink::connect(writer, settings, side)?;
    Ok(Box::new(sink))
}

/// The file that a sink of the kind `file` writes.
pub(super) fn file_of(sink: &SinkConfig) -> &Path {
    sink.file.as_deref().unwrap_or(Path::new(DEFAULT_FILE))
}

const DEFAULT_FILE: &str = "signals.jsonl";
