//! The sink of a pipeline, opened for a live run.

use std::path::Path;
use std::time::Duration;

use super::source::{PipelineSlot, bootstrap, group};
use super::topics::sink_topics;
use crate::config::{ConfigFault, DeliveryMode, PipelineFile, SinkConfig, SinkKind, SourceKind};
use crate::signal::field::SignalField;
use crate::signal::lineage::Lineage;
use crate::sink::existing_file::ExistingFile;
use crate::sink::file::SideFiles;
use crate::sink::json::JsonWriter;
use crate::sink::kafka::letter_memory::LetterMemory;
use crate::sink::kafka::patience::ConnectPatience;
use crate::sink::kafka::settings::{DeliveryPromise, KafkaSinkSettings};
use crate::sink::line_file::Appears;
use crate::sink::open::open_file;
use crate::sink::topic::TopicSink;
use crate::sink::{Sink, SinkError};

/// What outlives the sinks of a run that begins again.
#[derive(Clone, Debug, Default)]
pub struct SinkMemory {
    /// When connecting to brokers is given up.
    pub patience: ConnectPatience,
    /// What becomes of the files of its sink that are there.
    pub existing: ExistingFile,
    /// The dead letters that were refused.
    pub(super) letters: LetterMemory,
    /// The name of this process among the instances of its consumer group.
    pub(super) slot: PipelineSlot,
}

impl SinkMemory {
    /// What is promised of delivery.
    ///
    /// # Errors
    /// [`SinkError::NoInstance`] where transactions need a name of this process among the instances of its
    /// group, and none can be had: another instance of the same name would fence it.
    fn promise(&self, file: &PipelineFile) -> Result<DeliveryPromise, SinkError> {
        Ok(match file.sink.delivery {
            DeliveryMode::AtLeastOnce => DeliveryPromise::AtLeastOnce,
            DeliveryMode::LowestLatency => DeliveryPromise::LowestLatency,
            DeliveryMode::ExactlyOnce => {
                let instance = self.slot.of(file).ok_or(SinkError::NoInstance)?;
                DeliveryPromise::ExactlyOnce {
                    id: format!("{}-{}", group(file), instance.name()),
                    every: Duration::from_millis(file.sink.commit_interval_ms.unwrap_or(50)),
                }
            }
        })
    }
}

/// Checks what `[sink]` promises against where records come from and go to.
///
/// # Errors
/// The key at fault.
pub(super) fn check(file: &PipelineFile) -> Result<(), ConfigFault> {
    if file.sink.commit_interval_ms == Some(0) {
        let what = "write a number of milliseconds from 1 on";
        return Err(ConfigFault::at("sink.commit_interval_ms", what));
    }
    if file.sink.delivery != DeliveryMode::ExactlyOnce {
        return Ok(());
    }
    if file.sink.commit_interval_ms > Some(TRANSACTION_MS_MAX) {
        let what = "write at most 30000: brokers abort a transaction that is open for 45 s";
        return Err(ConfigFault::at("sink.commit_interval_ms", what));
    }
    let what = if file.sink.kind != SinkKind::Kafka {
        "`exactly_once` writes signals and offsets in one transaction of Kafka: set `sink.kind = \"kafka\"`, or \
         `at_least_once`"
    } else if file.source.kind != SourceKind::Kafka {
        "`exactly_once` is from Kafka to Kafka: set `source.kind = \"kafka\"`, or `at_least_once`"
    } else if file.kafka.embedded {
        "the embedded broker has no transactions that are any; set `at_least_once`"
    } else {
        return Ok(());
    };
    Err(ConfigFault::at("sink.delivery", what))
}

/// Opens the sink that `[sink]` names.
///
/// # Errors
/// [`SinkError`] where the file cannot be made or no broker answers.
pub(super) fn open(
    file: &PipelineFile,
    fields: &[SignalField],
    lineage: &Lineage,
    memory: &SinkMemory,
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
    let appears = Appears::Growing(memory.existing);
    match sink.kind {
        SinkKind::Stdout => open_file(lineage, fields, Some(Path::new("-")), side, appears),
        SinkKind::File => open_file(lineage, fields, Some(file_of(sink)), side, appears),
        SinkKind::Kafka => open_topic(file, fields, lineage, memory),
    }
}

fn open_topic(
    file: &PipelineFile,
    fields: &[SignalField],
    lineage: &Lineage,
    memory: &SinkMemory,
) -> Result<Box<dyn Sink>, SinkError> {
    let (topic, side) = sink_topics(file, lineage);
    let settings = KafkaSinkSettings {
        bootstrap: bootstrap(&file.kafka),
        topic,
        properties: file.kafka.properties.clone(),
        mode: memory.promise(file)?,
        letters: memory.letters.clone(),
        patience: memory.patience.clone(),
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

/// The longest that a transaction may be open, in milliseconds; the brokers' limit leaves room for its end.
const TRANSACTION_MS_MAX: u64 = 30_000;
