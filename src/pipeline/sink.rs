//! The sink of a pipeline, opened for a live run.

use std::path::Path;

use super::source::bootstrap;
use super::topics::sink_topics;
use crate::config::{PipelineFile, SinkConfig, SinkKind};
use crate::signal::field::SignalField;
use crate::signal::lineage::Lineage;
use crate::sink::file::SideFiles;
use crate::sink::json::JsonWriter;
use crate::sink::kafka::patience::ConnectPatience;
use crate::sink::kafka::settings::KafkaSinkSettings;
use crate::sink::line_file::Appears;
use crate::sink::open::open_file;
use crate::sink::topic::TopicSink;
use crate::sink::{Sink, SinkError};

/// Opens the sink that `[sink]` names.
///
/// # Errors
/// [`SinkError`] where the file cannot be made or no broker answers.
pub(super) fn open(
    file: &PipelineFile,
    fields: &[SignalField],
    lineage: &Lineage,
    patience: &ConnectPatience,
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
    match sink.kind {
        SinkKind::Stdout => open_file(lineage, fields, Some(Path::new("-")), side, Appears::AtOnce),
        SinkKind::File => open_file(lineage, fields, Some(file_of(sink)), side, Appears::AtOnce),
        SinkKind::Kafka => open_topic(file, fields, lineage, patience),
    }
}

fn open_topic(
    file: &PipelineFile,
    fields: &[SignalField],
    lineage: &Lineage,
    patience: &ConnectPatience,
) -> Result<Box<dyn Sink>, SinkError> {
    let (topic, side) = sink_topics(file, lineage);
    let settings = KafkaSinkSettings {
        bootstrap: bootstrap(&file.kafka),
        topic,
        properties: file.kafka.properties.clone(),
        patience: patience.clone(),
        ..KafkaSinkSettings::default()
    };
    let writer = JsonWriter::new(lineage.clone(), fields);
    let sink = TopicSink::connect(writer, settings, side)?;
    Ok(Box::new(sink))
}

/// The file that a sink of the kind `file` writes.
pub(super) fn file_of(sink: &SinkConfig) -> &Path {
    sink.file.as_deref().unwrap_or(Path::new(DEFAULT_FILE))
}

const DEFAULT_FILE: &str = "signals.jsonl";
